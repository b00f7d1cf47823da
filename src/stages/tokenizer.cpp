// The tokenizer of the run: trained on the world's text, or the deck's.
#include "rlaif/text/tokenizer.hpp"
#include "planning.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/option_table.hpp"
#include "rlaif/stages/stages.hpp"

namespace rlaif::stages {
namespace {

Json run(const Context& context) {
  const TokenizerOptions& options = context.study.policy.tokenizer;
  Json facts;
  context.comm.on_root([&] {
    const std::filesystem::path& folder = context.study.policy.network.folder;
    const auto file = options.file.empty() && !folder.empty() ? folder / "tokenizer.json" : options.file;
    if (!file.empty()) {
      facts["vocab_size"] = text::Tokenizer::load(file).vocab_size();
      write_file_atomic(context.directory.tokenizer(), read_file(file));
      return;
    }
    text::BpeTrainerOptions trainer;
    trainer.vocab_size = options.vocab_size;
    trainer.special_tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    const std::vector<std::string> texts = context.task.world().tokenizer_texts(context.study.run.seed);
    const text::Tokenizer tokenizer = text::train_bpe(texts, trainer);
    make_folders(context.directory.tokenizer().parent_path());
    write_file_atomic(context.directory.tokenizer(), tokenizer.to_json());
    facts["vocab_size"] = tokenizer.vocab_size();
  });
  return facts;
}

std::string size_text(const TokenizerOptions& options, const ModelOptions& model) {
  if (!options.file.empty()) return options.file.string();
  if (!model.folder.empty()) return (model.folder / "tokenizer.json").string();
  return "byte-level BPE, at most " + count_text(options.vocab_size, "tokens");
}

}  // namespace

void plan_tokenizer(StudyPlan& plan, const Study& study) {
  plan.add({.name = "tokenizer",
            .kind = "tokenizer",
            .of = "",
            .command = "sft",
            .size = size_text(study.policy.tokenizer, study.policy.network),
            .sections = sections_with({"tokenizer"}),
            .makes = {tokenizer_file},
            .run = in_study(study, run)});
}

void bind_tokenizer(OptionTable& table, TokenizerOptions& o) {
  table.add_input("tokenizer.file", &o.file, "", "a tokenizer.json; empty: trained on the world's text");
  table.add("tokenizer.vocab_size", &o.vocab_size, "tokens", "largest vocabulary of a trained tokenizer").at_least(257);
}

}  // namespace rlaif::stages
