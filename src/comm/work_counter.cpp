#include "rlaif/comm/shared_counter.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::comm {

struct WorkCounter::State {
  State(const Communicator& comm, std::int64_t items) : total(items), taken(comm, 0) {}
  std::int64_t total;
  SharedCounter taken;
  bool exhausted = false;
};

WorkCounter::WorkCounter(const Communicator& comm, std::int64_t total) {
  RLAIF_CHECK(total >= 0, "a count of items is not negative");
  state_ = std::make_unique<State>(comm, total);
}

WorkCounter::~WorkCounter() = default;

std::int64_t WorkCounter::next() {
  State& s = *state_;
  if (s.exhausted) return -1;
  const std::int64_t item = s.taken.add(1);
  if (item < s.total) return item;
  s.exhausted = true;
  return -1;
}

}  // namespace rlaif::comm
