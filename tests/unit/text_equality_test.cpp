// The C++ half of tests/end_to_end/tokenizer_equality.py: encodes or trains what that script laid down.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>

#include "rlaif/core/files.hpp"
#include "rlaif/text/jsonl.hpp"
#include "rlaif/text/tokenizer.hpp"

namespace rlaif::text {
namespace {

std::filesystem::path folder() {
  const char* name = std::getenv("RLAIF_EQUALITY_DIR");
  return name == nullptr ? "" : name;
}

TEST(TextEquality, encodes_the_strings_of_the_reference) {
  if (folder().empty() || !std::filesystem::exists(folder() / "strings.jsonl")) {
    GTEST_SKIP() << "run by tests/end_to_end/tokenizer_equality.py, which compares with the reference library";
  }
  const Tokenizer tokenizer = Tokenizer::load(folder() / "tokenizer.json");
  std::ofstream out(folder() / "encoded.jsonl", std::ios::binary);
  for_each_json_line(folder() / "strings.jsonl", [&](const JsonRecord& record) {
    const std::string& text = record.string("text");
    const auto as_text = tokenizer.encode(text), as_tokens = tokenizer.encode(text, SpecialText::as_tokens);
    // Cut in the middle: half a character must come back as the reference replaces it.
    const std::span<const TokenId> half(as_text.data(), as_text.size() / 2);
    std::vector<TokenId> framed = tokenizer.begin_tokens();
    framed.insert(framed.end(), as_tokens.begin(), as_tokens.end());
    framed.insert(framed.end(), tokenizer.end_tokens().begin(), tokenizer.end_tokens().end());
    out << to_json_line({{"as_text", as_text},
                         {"framed", framed},
                         {"as_tokens", as_tokens},
                         {"decoded", tokenizer.decode(as_tokens)},
                         {"decoded_half", tokenizer.decode(half)},
                         {"back", tokenizer.decode_text(as_text)}})
        << '\n';
  });
  ASSERT_TRUE(out.flush().good());
}

TEST(TextEquality, trains_on_the_texts_of_the_reference) {
  if (folder().empty() || !std::filesystem::exists(folder() / "train.json")) {
    GTEST_SKIP() << "run by tests/end_to_end/tokenizer_equality.py, which compares with the reference library";
  }
  const Json request = Json::parse(read_file(folder() / "train.json"));
  BpeTrainerOptions options;
  options.vocab_size = request.at("vocab_size").get<std::int64_t>();
  options.min_frequency = request.at("min_frequency").get<std::int64_t>();
  options.special_tokens = request.at("special_tokens").get<std::vector<std::string>>();
  options.add_prefix_space = request.at("add_prefix_space").get<bool>();
  const auto texts = request.at("texts").get<std::vector<std::string>>();
  train_bpe(texts, options).save(folder() / "tokenizer.json");
}

}  // namespace
}  // namespace rlaif::text
