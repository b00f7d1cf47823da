// What a machine does, measured: for plans and for models of how a study scales.
#pragma once

#include <filesystem>
#include <string>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/json.hpp"

namespace rlaif::tools {

// Collective, some seconds; files are written into `folder` and removed. On the root (elsewhere null):
//   {"ranks", "hosts", "version",
//    "point_to_point": [{"between": [0, r], "same_host", "times": [[bytes, seconds]], "latency_seconds", "bytes_per_second"}],
//    "gradient_sum": the same without "between" (comm::time_gradient_sums), absent on one rank like the former,
//    "product": {"gflops": [a rank's, float32, all ranks at once]},     [256, 768] x [768, 3072]
//    "memory": {"bytes_per_second": [a rank's, all ranks at once]},     a += b over 64 MiB: three times its bytes
//    "files": {"bytes", "write_sync_seconds", "small_write_sync_seconds", "read_seconds"}}   of rank 0
// Throws Error(resource) naming a file that cannot be written.
Json measure_machine(const comm::Communicator& comm, const std::filesystem::path& folder);

// The same for people.
std::string machine_table(const Json& measured);

}  // namespace rlaif::tools
