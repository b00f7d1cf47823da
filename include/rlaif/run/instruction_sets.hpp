// The instruction sets that a job computes with: the same on every rank, whatever machines it runs on, since sums are rounded
// otherwise under another set, and with them what is sampled and learned.
//   settle_instruction_sets(comm, std::nullopt);   // "libtorch avx512, own loops avx512, MKL avx512_e1" everywhere
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/instruction_set.hpp"

namespace rlaif::run {

// What a rank's processor would take by itself.
struct Processor {
  std::string host;
  InstructionSet best = InstructionSet::base;
  int mkl = 0;  // MKL's number of the code that it would choose, greater for later sets; 0: libtorch has no MKL
};

// Which set to pin on all ranks; nullopt: none, each takes its best and all are alike. `warning` is empty where there is nothing
// to say. Throws Error(usage) naming run.instruction_set, the host and the sets it has where a rank lacks the one asked for.
struct PinnedSet {
  std::optional<InstructionSet> set;
  std::string warning;
};
PinnedSet choose_pinned_set(std::optional<InstructionSet> asked, const std::vector<Processor>& processors);

// Collective, before anything is computed. Throws Error(usage) naming run.instruction_set where ranks would still differ.
void settle_instruction_sets(const comm::Communicator& comm, std::optional<InstructionSet> asked);

// What libtorch, the program's own loops and MKL take in this process.
std::string taken_instruction_sets();

std::string libtorch_version();

}  // namespace rlaif::run
