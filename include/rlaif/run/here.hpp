// What every stage is handed: where it runs, and on what.
#pragma once

#include <functional>
#include <string>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/comm/device.hpp"
#include "rlaif/run/options.hpp"
#include "rlaif/run/run_directory.hpp"

namespace rlaif::run {

struct Here {
  const RunOptions& settings;
  RunDirectory directory;
  std::string deck_hash;
  const comm::Communicator& comm;
  comm::DevicePlan device;                // where models live
  comm::DeviceCommunicator* device_comm;  // null: sums go through host memory
  std::function<bool()> stop_requested;
};

}  // namespace rlaif::run
