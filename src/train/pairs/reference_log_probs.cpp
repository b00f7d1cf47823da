// What the frozen reference thinks of every answer: computed once, kept in a file.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "../boundary.hpp"
#include "../tensors.hpp"
#include "dpo_pass.hpp"
#include "pair_batches.hpp"
#include "rlaif/comm/watchdog.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/model/safetensors.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/dpo.hpp"

namespace rlaif::train {

namespace {

constexpr std::int64_t kBlockTokens = 2048;

static_assert(sizeof(AnswerLogProbs) == 2 * sizeof(double));
std::string_view bytes_of(const std::vector<AnswerLogProbs>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(AnswerLogProbs)};
}

void append_bytes(std::vector<AnswerLogProbs>& numbers, std::string_view bytes) {
  RLAIF_CHECK(bytes.size() % sizeof(AnswerLogProbs) == 0, "two numbers a pair");
  const std::size_t before = numbers.size();
  numbers.resize(before + bytes.size() / sizeof(AnswerLogProbs));
  if (!bytes.empty()) std::memcpy(numbers.data() + before, bytes.data(), bytes.size());
}

// The ends of blocks of consecutive pairs with at most kBlockTokens tokens, at least one pair each.
std::vector<std::size_t> block_ends(std::span<const TokenPair> pairs) {
  std::vector<std::size_t> ends;
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto added = static_cast<std::int64_t>(pairs[i].first.size() + pairs[i].second.size());
    if (i > 0 && tokens + added > kBlockTokens) {
      ends.push_back(i);
      tokens = 0;
    }
    tokens += added;
  }
  ends.push_back(pairs.size());
  return ends;
}

std::string checksum_of(std::span<const TokenPair> pairs) {
  RunningChecksum sum;
  const auto add = [&](const auto& words) {
    sum.add({reinterpret_cast<const char*>(words.data()), words.size() * sizeof(words[0])});
  };
  for (const TokenPair& pair : pairs) {
    add(std::array{static_cast<std::int64_t>(pair.first.size()), static_cast<std::int64_t>(pair.second.size()),
                   pair.prompt_length});
    add(pair.first);
    add(pair.second);
  }
  return sum.value();
}

std::string checksum_of(const model::Transformer& reference) {
  std::vector<model::NamedTensor> tensors = reference.parameters();
  if (reference.adapter) append_prefixed(tensors, "adapter.", reference.adapter->parameters());
  return hex(checksum(content_text(tensors)));
}

// The numbers of the first pairs, or of all of them, in the stage's checkpoint folder. Used on the root alone.
class ReferenceFile {
 public:
  ReferenceFile(const model::Transformer& reference, std::span<const TokenPair> pairs, const StageRun& run)
      : file_(run.checkpoint_folder / "reference.safetensors"),
        stage_(run.name),
        most_(pairs.size()),
        pairs_(checksum_of(pairs)),
        model_(checksum_of(reference)) {}

  // Nothing where there is no file, or none that fits.
  std::vector<AnswerLogProbs> read() const {
    if (!std::filesystem::exists(file_)) return {};
    try {
      return read_checked();
    } catch (const std::exception& error) {
      log::warning(stage_ + ": computing the reference's log-probabilities again: " + error.what());
      return {};
    }
  }

  void write(const std::vector<AnswerLogProbs>& numbers) const {
    make_folders(file_.parent_path());
    const auto tensor_P2 = torch::empty({static_cast<std::int64_t>(numbers.size()), 2}, torch::kFloat64);
    std::memcpy(tensor_P2.data_ptr(), numbers.data(), bytes_of(numbers).size());
    model::write_safetensors(file_, {{"log_probs", tensor_P2}},
                             {{"pairs", pairs_}, {"model", model_}, {"checksum", hex(checksum(bytes_of(numbers)))}});
  }

 private:
  std::filesystem::path file_;
  std::string stage_;
  std::size_t most_;
  std::string pairs_, model_;

  std::vector<AnswerLogProbs> read_checked() const {
    const auto content = model::read_safetensors(file_);
    const auto expect = [&](const char* field, const std::string& value, const char* otherwise) {
      const auto found = content.metadata.find(field);
      if (found == content.metadata.end() || found->second != value) throw input_error(file_, otherwise);
    };
    expect("pairs", pairs_, "is of other pairs");
    expect("model", model_, "is of another model");
    if (content.tensors.size() != 1 || content.tensors[0].second.scalar_type() != torch::kFloat64 ||
        content.tensors[0].second.dim() != 2 || content.tensors[0].second.size(1) != 2 ||
        content.tensors[0].second.size(0) > static_cast<std::int64_t>(most_)) {
      throw input_error(file_, "does not hold two numbers a pair");
    }
    const auto& tensor_P2 = content.tensors[0].second;
    std::vector<AnswerLogProbs> numbers;
    append_bytes(numbers, {static_cast<const char*>(tensor_P2.const_data_ptr()), tensor_P2.nbytes()});
    expect("checksum", hex(checksum(bytes_of(numbers))), "is damaged: the checksum does not match the content");
    return numbers;
  }
};

// What the file holds, on every rank. Collective.
std::vector<AnswerLogProbs> kept_numbers(const comm::Communicator& comm, const std::optional<ReferenceFile>& file) {
  std::string bytes;
  comm.on_root([&] {
    if (file) bytes = bytes_of(file->read());
  });
  comm.broadcast(bytes);
  std::vector<AnswerLogProbs> numbers;
  append_bytes(numbers, bytes);
  return numbers;
}

}  // namespace

std::vector<AnswerLogProbs> reference_log_probs(const model::Transformer& reference, std::span<const TokenPair> pairs,
                                                const StageRun& run) {
  check_pairs(pairs, reference.config().max_positions, run.name);
  check_answers(pairs, run.name);
  const comm::Communicator& comm = *run.comm;
  const std::vector<std::size_t> ends = block_ends(pairs);
  std::optional<ReferenceFile> file;
  comm.on_root([&] {
    if (!run.checkpoint_folder.empty()) file.emplace(reference, pairs, run);
  });
  std::vector<AnswerLogProbs> numbers = kept_numbers(comm, file);
  auto block = static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), numbers.size()) - ends.begin());
  if (block == ends.size()) return numbers;
  numbers.resize(block > 0 ? ends[block - 1] : 0);

  const auto save = [&] {
    comm.on_root([&] {
      if (file && !numbers.empty()) file->write(numbers);
    });
  };
  Progress progress(run.name + ", reference", ends.size(), "block", comm.is_root());
  progress.start_at(block);
  Stopwatch since_saved;
  while (block < ends.size()) {
    const Boundary boundary = agreed_boundary(run, since_saved);
    if (boundary.save) {
      save();
      since_saved = Stopwatch();
    }
    if (boundary.stop) {
      throw Error(ErrorKind::interrupted, run.name + ": stopped after " + std::to_string(block) + " of " +
                                              std::to_string(ends.size()) +
                                              " blocks of the reference's log-probabilities; run again to continue");
    }
    comm::note_place(run.name + ", block " + std::to_string(block + 1) + " of the reference");
    const std::size_t own = block + static_cast<std::size_t>(comm.rank());  // every rank takes one
    std::vector<AnswerLogProbs> mine;
    comm.agree([&] {
      if (own >= ends.size()) return;
      const std::size_t begin = own > 0 ? ends[own - 1] : 0;
      mine = pair_log_probs(reference, pairs.subspan(begin, ends[own] - begin), begin, run.name);
    });
    for (const std::string& part : comm.all_gather(std::string(bytes_of(mine)))) append_bytes(numbers, part);
    block = std::min(block + static_cast<std::size_t>(comm.size()), ends.size());
    progress.update(block);
  }
  save();
  progress.finish();
  return numbers;
}

}  // namespace rlaif::train
