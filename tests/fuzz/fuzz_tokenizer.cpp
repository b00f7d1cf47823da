// tokenizer.json, and after 0xff a text to encode and to decode again.
#include <cstdlib>

#include "fuzz.hpp"
#include "rlaif/text/tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 2);
  fuzz::expect_clean([&] {
    const text::Tokenizer tokenizer = text::Tokenizer::parse(parts[0], "tokenizer.json");
    for (const std::string_view text :
         {std::string_view("the cat, 42  \xe2\x82\xac\xff <s>\n"), parts[1].substr(0, 2000)}) {
      for (const auto special : {text::SpecialText::as_text, text::SpecialText::as_tokens}) {
        const auto tokens = tokenizer.encode(text, special);
        for (const TokenId token : tokens)
          if (token < 0 || token >= tokenizer.vocab_size()) std::abort();
        tokenizer.decode(tokens);
        tokenizer.decode_text(tokens);
      }
    }
    const std::vector<TokenId> strange = {-1, 0, 1, static_cast<TokenId>(tokenizer.vocab_size()), 1 << 30};
    tokenizer.decode(strange);
  });
  return 0;
}
