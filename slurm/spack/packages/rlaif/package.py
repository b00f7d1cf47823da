# Spack recipe, for the sources that you stand in:
#
#   spack repo add slurm/spack && spack dev-build rlaif@main
#
# Written by the interfaces that Spack documents. It was compiled as Python, and not run with Spack, which was not at hand. libtorch is
# that of py-torch; +cuda builds the CUDA plugin.
from spack.package import CMakePackage, depends_on, join_path, license, variant, version


class Rlaif(CMakePackage):
    """Reinforcement learning from AI feedback as one MPI program."""

    license("Apache-2.0")

    version("main")

    variant("cuda", default=False, description="build the CUDA and NCCL plugin")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.22:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("openmpi")
    depends_on("hdf5~mpi")
    depends_on("boost+program_options")
    depends_on("nlohmann-json")
    depends_on("fmt@9:+shared")
    depends_on("pcre2")
    depends_on("utf8proc")
    depends_on("curl")
    depends_on("xxhash")
    depends_on("zlib-api")
    depends_on("zstd")
    depends_on("python", type="build")
    depends_on("py-torch@2.11~cuda", when="~cuda")
    depends_on("py-torch@2.11+cuda+nccl", when="+cuda")
    depends_on("nccl", when="+cuda")

    def cmake_args(self):
        folder = join_path(self.spec["python"].package.platlib, "torch")  # below the prefix of py-torch
        return [
            self.define("RLAIF_TORCH_DIR", join_path(self.spec["py-torch"].prefix, folder)),
            self.define("RLAIF_TESTS", False),
            self.define("RLAIF_BENCHMARKS", False),
            self.define_from_variant("RLAIF_CUDA", "cuda"),
        ]
