// Chat templates and tokenizer_config.json: a template is read, renders a conversation, and never makes control tokens
// of contents.
#include <algorithm>
#include <cstdlib>

#include "fuzz.hpp"
#include "rlaif/text/chat.hpp"

namespace {

constexpr int kControlTokens = 10;

// Every token that a format may ask for, over a vocabulary of bytes.
const rlaif::text::Tokenizer& tokenizer() {
  static const auto made = [] {
    rlaif::text::BpeTrainerOptions options;
    options.vocab_size = 300;
    options.special_tokens = {"<|endoftext|>", "<|im_start|>",      "<|im_end|>",          "<s>",
                              "</s>",          "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
                              "<|eot_id|>",    "<|end_of_text|>"};
    const std::string text = "a conversation of two";
    return rlaif::text::train_bpe(std::span(&text, 1), options);
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 2);
  const std::string content(parts[1].substr(0, 500));
  const auto converse = [&](const text::ChatStyle& style) {
    const text::ChatEncoder encoder(tokenizer(), style);
    fuzz::expect_clean([&] { encoder.prompt(content); });
    fuzz::expect_clean(
        [&] { encoder.prompt({{"system", content}, {"user", content}, {"assistant", content}, {"user", "x"}}); });
    const auto completion = encoder.completion(content);
    if (std::count_if(completion.begin(), completion.end(), [](TokenId id) { return id < kControlTokens; }) >
        1 + kControlTokens)
      std::abort();
  };
  fuzz::expect_clean([&] {
    text::ChatStyle style;
    style.chat_template = parts[0];
    style.file = "template";
    style.tokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
    if (parts[1].size() % 2 == 1) style.date = "2025-03-09";
    converse(style);
  });
  // Where the template writes nothing but contents, no control token comes out.
  fuzz::expect_clean([&] {
    const auto chat = templates::ChatTemplate::parse(parts[0], "template");
    for (const templates::Piece& piece :
         chat.render({{"messages", Json::array({{{"role", "user"}, {"content", content}}})},
                      {"add_generation_prompt", true}})) {
      if (piece.origin != templates::Origin::contents) continue;
      const text::TemplatePiece written{piece.text, text::SpecialText::as_text};
      const auto tokens = tokenizer().encode_template(std::span(&written, 1));
      if (std::any_of(tokens.begin(), tokens.end(), [](TokenId id) { return id < kControlTokens; })) std::abort();
    }
  });
  fuzz::expect_clean([&] {
    const auto folder = fuzz::scratch_folder();
    fuzz::write_plain(folder / "tokenizer_config.json", parts[0]);
    if (const auto style = text::read_chat_style(folder)) converse(*style);
  });
  return 0;
}
