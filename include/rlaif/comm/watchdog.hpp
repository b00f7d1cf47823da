// A hang becomes an error with a name, and a slow rank is named.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rlaif/comm/communicator.hpp"

namespace rlaif::comm {

// Where this process is ("ppo-rlaif, step 12"), for the watchdog's messages.
void note_place(const std::string& place);

// A thread that looks at what this rank is in. Where one collective takes longer than `limit_seconds`, `on_hang` is called
// once with who has waited for how long in which collective, and what is known of the ranks that are not in it: as a hang
// comes near, every rank leaves a word of itself in `folder`, which all ranks see (a rank that is gone or stopped leaves none).
// Ranks do not ask each other: what hangs may be the network. 0: no thread, nothing.
class Watchdog {
 public:
  // Collective only in that all ranks make one. `on_hang` absent: every rank is ended with exit code 4.
  Watchdog(const Communicator& comm, double limit_seconds, std::filesystem::path folder,
           std::function<void(const std::string&)> on_hang = {});
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Seconds that this process has spent in collectives and, the root, in work that others wait for.
double waited_seconds();

// Ranks that were busy for more than 1.5 times the median of all that had work, and for 5 seconds longer. `busy_seconds` and
// `shares`, what was each rank's part of the work (0: none), by rank.
std::vector<int> stragglers(std::span<const double> busy_seconds, std::span<const double> shares);

}  // namespace rlaif::comm
