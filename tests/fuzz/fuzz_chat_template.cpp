// Chat templates and tokenizer_config.json, a conversation in the style that was recognised.
#include "fuzz.hpp"
#include "rlaif/text/chat.hpp"

namespace {

// Every token that a format may ask for, over a vocabulary of bytes.
const rlaif::text::Tokenizer& tokenizer() {
  static const auto made = [] {
    rlaif::text::BpeTrainerOptions options;
    options.vocab_size = 300;
    options.special_tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>", "</s>", "<|begin_of_text|>",
                              "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|end_of_text|>"};
    const std::string text = "a conversation of two";
    return rlaif::text::train_bpe(std::span(&text, 1), options);
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 2);
  const auto converse = [&](const text::ChatStyle& style) {
    const text::ChatEncoder encoder(tokenizer(), style);
    encoder.prompt(std::string(parts[1].substr(0, 500)));
    encoder.completion(std::string(parts[1].substr(0, 500)));
  };
  fuzz::expect_clean([&] { converse(text::recognise_chat_style(std::string(parts[0]), "template", "<s>", "</s>")); });
  fuzz::expect_clean([&] {
    const auto folder = fuzz::scratch_folder();
    fuzz::write_plain(folder / "tokenizer_config.json", parts[0]);
    if (const auto style = text::read_chat_style(folder)) converse(*style);
  });
  return 0;
}
