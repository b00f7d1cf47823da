#include "rlaif/run/instruction_sets.hpp"

#include <ATen/Version.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <algorithm>
#include <cctype>

#include "rlaif/core/error.hpp"
#include "rlaif/core/host.hpp"
#include "rlaif/core/log.hpp"

namespace rlaif::run {
namespace {

// MKL's numbers of its code branches (MKL_CBWR_*), and of the setting that chooses among them.
constexpr int mkl_off = 1, mkl_auto = 2, mkl_compatible = 3, mkl_avx2 = 10, mkl_avx512 = 12;
constexpr int mkl_branch_setting = 1;

std::string mkl_name(int branch) {
  switch (branch) {
    case mkl_compatible: return "compatible";
    case 4: return "sse2";
    case 6: return "ssse3";
    case 8: return "sse4_2";
    case 9: return "avx";
    case mkl_avx2: return "avx2";
    case mkl_avx512: return "avx512";
    case 14: return "avx512_e1";
    default: return "branch " + std::to_string(branch);
  }
}

// Functions of the MKL within libtorch, which has no headers of it; null where libtorch was built without.
template <class F>
F mkl_function(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_DEFAULT, name));
}

int mkl_own_branch() {
  const auto branch = mkl_function<int (*)()>("mkl_serv_cbwr_get_auto_branch");
  return branch ? branch() : 0;
}

std::string mkl_taken() {
  const int own = mkl_own_branch();
  if (own == 0) return "no MKL";
  const auto setting_of = mkl_function<int (*)(int)>("mkl_serv_cbwr_get");
  const int setting = setting_of ? setting_of(mkl_branch_setting) : mkl_off;
  if (setting <= mkl_off) return "MKL " + mkl_name(own);
  // Reproducible mode: the same on all processors of the branch, if MKL took the one that was asked for.
  return setting == mkl_auto ? "MKL " + mkl_name(own) + " (reproducible, its choice)"
                             : "MKL " + mkl_name(setting) + " (reproducible)";
}

bool mkl_has(const Processor& processor, InstructionSet set) {
  if (processor.mkl == 0 || set == InstructionSet::base) return true;
  return processor.mkl >= (set == InstructionSet::avx512 ? mkl_avx512 : mkl_avx2);
}

std::string text_of(const Processor& processor) {
  return std::string(to_string(processor.best)) + (processor.mkl ? " with MKL " + mkl_name(processor.mkl) : "") +
         " on " + processor.host;
}

Processor own_processor() { return {host_name(), best_instruction_set(), mkl_own_branch()}; }

std::string packed(const Processor& one) {
  return std::string(to_string(one.best)) + " " + std::to_string(one.mkl) + " " + one.host;
}

Processor unpacked(const std::string& text) {
  const std::size_t first = text.find(' '), second = text.find(' ', first + 1);
  return {text.substr(second + 1), *parse_instruction_set(text.substr(0, first)), std::stoi(text.substr(first + 1))};
}

}  // namespace

PinnedSet choose_pinned_set(std::optional<InstructionSet> asked, const std::vector<Processor>& processors) {
  const auto least = std::min_element(processors.begin(), processors.end(),
                                      [](const Processor& a, const Processor& b) { return a.best < b.best; });
  if (asked) {
    if (*asked <= least->best) return {asked, ""};
    throw usage_error("run.instruction_set: '" + std::string(to_string(*asked)) + "' was given, " + least->host +
                      " has " + instruction_set_names(least->best));
  }
  const auto other = std::find_if(processors.begin(), processors.end(), [&](const Processor& one) {
    return one.best != processors.front().best || one.mkl != processors.front().mkl;
  });
  if (other == processors.end()) return {};
  const bool all_follow = std::all_of(processors.begin(), processors.end(),
                                      [&](const Processor& one) { return mkl_has(one, least->best); });
  const InstructionSet common = all_follow ? least->best : InstructionSet::base;
  std::string warning = "the ranks' processors differ (" + text_of(processors.front()) + ", " + text_of(*other) +
                        "): all take " + to_string(common) + ", so that results do not depend on who computes what";
  if (common == InstructionSet::base) warning += "; it is slow, and machines of one kind were faster";
  return {common, warning};
}

void settle_instruction_sets(const comm::Communicator& comm, std::optional<InstructionSet> asked) {
  std::vector<Processor> processors;
  for (const std::string& text : comm.all_gather(packed(own_processor()))) processors.push_back(unpacked(text));
  PinnedSet pinned;
  comm.agree([&] { pinned = choose_pinned_set(asked, processors); });
  if (!pinned.warning.empty() && comm.is_root()) log::warning(pinned.warning);
  if (pinned.set) pin_instruction_set(*pinned.set);
  const std::vector<std::string> taken = comm.all_gather(taken_instruction_sets());
  comm.agree([&] {
    for (std::size_t rank = 1; rank < taken.size(); ++rank) {
      if (taken[rank] == taken[0]) continue;
      throw usage_error("run.instruction_set: rank 0 on " + processors[0].host + " takes " + taken[0] + ", rank " +
                        std::to_string(rank) + " on " + processors[rank].host + " takes " + taken[rank] +
                        ": results would depend on who computes what; run.instruction_set = default or machines of one "
                        "kind were expected");
    }
  });
}

std::string libtorch_version() { return TORCH_VERSION; }

std::string taken_instruction_sets() {
  std::string libtorch = at::get_cpu_capability();
  for (char& c : libtorch) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return "libtorch " + libtorch + ", own loops " + to_string(instruction_set()) + ", " + mkl_taken();
}

}  // namespace rlaif::run
