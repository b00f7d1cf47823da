# The CUDA and NCCL plugin, librlaif_cuda.so beside the program. Plain C++: it needs headers and libraries of
# CUDA and NCCL, no nvcc and no GPU. The wheels beside libtorch come first, since they fit it; then the toolkit.
if(NOT RLAIF_CUDA MATCHES "^([Aa][Uu][Tt][Oo]|[Oo][Nn]|[Oo][Ff][Ff]|1|0|TRUE|FALSE)$")
  message(FATAL_ERROR "RLAIF_CUDA is '${RLAIF_CUDA}': expected auto, on or off")
endif()
string(TOLOWER "${RLAIF_CUDA}" rlaif_cuda_wish)

# Whether a source over the plugin's headers and libraries compiles and links, found out by doing so: a header of CUDA
# includes others that come with other packages. Sets RLAIF_CUDA_COMPILES, and `reason_variable` to the first complaint.
function(rlaif_try_cuda reason_variable)
  set(tried "${RLAIF_CUDART_INCLUDE_DIR};${RLAIF_CUDART_LIBRARY};${RLAIF_NCCL_INCLUDE_DIR};${RLAIF_NCCL_LIBRARY};${CMAKE_CXX_COMPILER_VERSION}")
  if(NOT "${RLAIF_CUDA_TRIED}" STREQUAL "${tried}")
    set(probe "${CMAKE_BINARY_DIR}/cuda_probe/probe.cpp")
    file(WRITE "${probe}" "#include <cuda_runtime_api.h>\n#include <nccl.h>\n"
         "int main() { int n = 0; ncclUniqueId id; return cudaGetDeviceCount(&n) + ncclGetUniqueId(&id); }\n")
    try_compile(compiles "${CMAKE_BINARY_DIR}/cuda_probe/build" "${probe}"
                CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${RLAIF_CUDART_INCLUDE_DIR};${RLAIF_NCCL_INCLUDE_DIR}"
                LINK_OPTIONS -Wl,--allow-shlib-undefined
                LINK_LIBRARIES "${RLAIF_CUDART_LIBRARY}" "${RLAIF_NCCL_LIBRARY}"
                OUTPUT_VARIABLE output CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
    set(reason "")
    if(NOT compiles)
      string(REGEX MATCH "[^\n]*(error:|undefined reference|cannot find)[^\n]*" reason "${output}")
      if(reason MATCHES "error: ([^ :]+): No such file")
        set(reason "${CMAKE_MATCH_1}")
      endif()
    endif()
    set(RLAIF_CUDA_TRIED "${tried}" CACHE INTERNAL "parts that were compiled in trial")
    set(RLAIF_CUDA_COMPILES "${compiles}" CACHE INTERNAL "whether they compile")
    set(RLAIF_CUDA_REASON "${reason}" CACHE INTERNAL "what the compiler said")
  endif()
  set(${reason_variable} "${RLAIF_CUDA_REASON}" PARENT_SCOPE)
endfunction()

function(rlaif_add_cuda_plugin)
  get_filename_component(wheels "${RLAIF_TORCH_DIR}/../nvidia" ABSOLUTE)
  find_package(CUDAToolkit QUIET)
  find_path(RLAIF_CUDART_INCLUDE_DIR cuda_runtime_api.h
            HINTS "${wheels}/cu13/include" ${CUDAToolkit_INCLUDE_DIRS})
  find_library(RLAIF_CUDART_LIBRARY NAMES libcudart.so.13 cudart NAMES_PER_DIR
               HINTS "${wheels}/cu13/lib" ${CUDAToolkit_LIBRARY_DIR})
  find_path(RLAIF_NCCL_INCLUDE_DIR nccl.h HINTS "${wheels}/nccl/include" ${CUDAToolkit_INCLUDE_DIRS})
  find_library(RLAIF_NCCL_LIBRARY NAMES libnccl.so.2 nccl NAMES_PER_DIR
               HINTS "${wheels}/nccl/lib" ${CUDAToolkit_LIBRARY_DIR})

  set(missing "")
  foreach(part IN ITEMS "RLAIF_CUDART_INCLUDE_DIR=cuda_runtime_api.h" "RLAIF_CUDART_LIBRARY=libcudart"
                        "RLAIF_NCCL_INCLUDE_DIR=nccl.h" "RLAIF_NCCL_LIBRARY=libnccl")
    string(REPLACE "=" ";" part "${part}")
    list(GET part 0 variable)
    list(GET part 1 name)
    if(NOT ${variable})
      list(APPEND missing "${name}")
    endif()
  endforeach()
  if(NOT missing)
    rlaif_try_cuda(reason)
    if(NOT RLAIF_CUDA_COMPILES)
      set(missing "${reason}, which the headers of CUDA or NCCL include,")
      if(NOT reason MATCHES "^[^ ]+$")
        set(missing "parts that fit one another (${reason})")
      endif()
    endif()
  endif()
  if(missing)
    list(JOIN missing ", " missing)
    if(rlaif_cuda_wish STREQUAL "auto")
      message(STATUS "CUDA plugin: not built, ${missing} not found (CPU only)")
      return()
    endif()
    message(FATAL_ERROR "RLAIF_CUDA=${RLAIF_CUDA}, but ${missing} not found. A CUDA 13 toolkit with NCCL has them, "
                        "and so have the wheels nvidia-cuda-runtime, nvidia-cuda-crt, nvidia-cuda-cccl and nvidia-nccl-cu13; CUDAToolkit_ROOT and "
                        "RLAIF_NCCL_INCLUDE_DIR, RLAIF_NCCL_LIBRARY say where to look.")
  endif()

  add_library(rlaif_cuda SHARED src/comm/cuda_plugin.cpp)
  target_link_libraries(rlaif_cuda PRIVATE rlaif_flags)
  target_include_directories(rlaif_cuda SYSTEM PRIVATE "${RLAIF_CUDART_INCLUDE_DIR}" "${RLAIF_NCCL_INCLUDE_DIR}")
  set_target_properties(rlaif_cuda PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)

  # libtorch's CUDA backend registers itself when it is loaded, and nothing here names a symbol of it.
  set(torch_cuda "${RLAIF_TORCH_DIR}/lib/libtorch_cuda.so" "${RLAIF_TORCH_DIR}/lib/libc10_cuda.so")
  set(carries_torch 0)
  set(torch_note "without libtorch_cuda")
  if(EXISTS "${RLAIF_TORCH_DIR}/lib/libtorch_cuda.so" AND EXISTS "${RLAIF_TORCH_DIR}/lib/libc10_cuda.so")
    set(carries_torch 1)
    set(torch_note "with libtorch_cuda")
    # An old-style RPATH also serves libtorch_cuda's own needs (cuBLAS, cuDNN), where the toolkit has them and the
    # wheels are not installed.
    target_link_options(rlaif_cuda PRIVATE -Wl,--no-as-needed -Wl,--allow-shlib-undefined -Wl,--disable-new-dtags)
    if(CUDAToolkit_LIBRARY_DIR)
      set_target_properties(rlaif_cuda PROPERTIES BUILD_RPATH "${CUDAToolkit_LIBRARY_DIR}")
    endif()
    target_link_libraries(rlaif_cuda PRIVATE ${torch_cuda})
  endif()
  target_compile_definitions(rlaif_cuda PRIVATE RLAIF_PLUGIN_CARRIES_TORCH=${carries_torch})
  target_link_libraries(rlaif_cuda PRIVATE "${RLAIF_CUDART_LIBRARY}" "${RLAIF_NCCL_LIBRARY}")
  message(STATUS "CUDA plugin: built ${torch_note}, ${RLAIF_CUDART_LIBRARY}, ${RLAIF_NCCL_LIBRARY}")
endfunction()

if(rlaif_cuda_wish MATCHES "^(auto|on|1|true)$")
  rlaif_add_cuda_plugin()
else()
  message(STATUS "CUDA plugin: not built (RLAIF_CUDA=${RLAIF_CUDA})")
endif()
