#include "rlaif/text/tokenizer_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"

namespace rlaif::text {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Tokenizer with_special(std::vector<std::string> special) {
  return train_bpe({}, {.vocab_size = 300, .special_tokens = std::move(special)});
}

TEST(TokenizerConfig, OfAModelFromScratchNamesEndAndPad) {
  const Tokenizer tokenizer = with_special({"<|endoftext|>", "<|im_start|>", "<|im_end|>"});
  const Json config = tokenizer_config(Json::object(), ChatEncoder(tokenizer, ChatFormat::chatml));
  EXPECT_EQ(config["eos_token"], "<|im_end|>");
  EXPECT_EQ(config["pad_token"], "<|endoftext|>");
  EXPECT_EQ(config["tokenizer_class"], "PreTrainedTokenizerFast");
  EXPECT_THAT(config["chat_template"].get<std::string>(), HasSubstr("<|im_start|>"));
}

TEST(TokenizerConfig, PadsWithTheEndWhereThereIsNoOtherFiller) {
  const Tokenizer tokenizer = with_special({"<s>", "</s>"});
  EXPECT_EQ(tokenizer_config(Json::object(), ChatEncoder(tokenizer, ChatFormat::zephyr))["pad_token"], "</s>");
}

TEST(TokenizerConfig, KeepsWhatTheModelSaysButForItsEnd) {
  const Tokenizer tokenizer = with_special({"<|endoftext|>", "<|im_start|>", "<|im_end|>"});
  const Json given{{"eos_token", "<|endoftext|>"},
                   {"pad_token", "<|im_start|>"},
                   {"tokenizer_class", "Qwen2Tokenizer"},
                   {"bos_token", nullptr},
                   {"chat_template", "{{ messages[0]['content'] }}"}};
  Json expected = given;
  expected["eos_token"] = "<|im_end|>";
  EXPECT_EQ(tokenizer_config(given, ChatEncoder(tokenizer, ChatFormat::chatml)), expected);
}

TEST(TokenizerConfig, IsReadFromAFolderAndRefusedByFile) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("rlaif_tokenizer_config_" + std::to_string(::getpid()));
  make_folders(folder);
  EXPECT_EQ(read_tokenizer_config(folder), Json::object());
  write_file_atomic(folder / "tokenizer_config.json", R"({"eos_token": "</s>"})");
  EXPECT_EQ(read_tokenizer_config(folder)["eos_token"], "</s>");
  for (const char* wrong : {"[1]", "{\"eos"}) {
    write_file_atomic(folder / "tokenizer_config.json", wrong);
    try {
      read_tokenizer_config(folder);
      ADD_FAILURE() << wrong << " was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("tokenizer_config.json"), HasSubstr("expected")));
    }
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace rlaif::text
