// The template in a model's folder, and the tokens that it is given.
#include "rlaif/text/chat_style.hpp"

#include <filesystem>

#include "rlaif/core/files.hpp"
#include "unit/text_fixtures.hpp"

namespace rlaif::text {
namespace {

class ModelFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const char* name, const std::string& text) const { write_file_atomic(folder_ / name, text); }

  const std::filesystem::path folder_ = std::filesystem::path(::testing::TempDir()) / "rlaif_chat_style";
};

TEST_F(ModelFolder, without_a_template_has_no_style) {
  EXPECT_FALSE(read_chat_style(folder_).has_value());
  write("tokenizer_config.json", R"({"bos_token": "<s>"})");
  EXPECT_FALSE(read_chat_style(folder_).has_value());
}

TEST_F(ModelFolder, holds_its_template_in_one_of_two_files) {
  write("tokenizer_config.json", R"({"chat_template": "one {{ x }}"})");
  EXPECT_EQ(read_chat_style(folder_)->chat_template, "one {{ x }}");
  EXPECT_EQ(read_chat_style(folder_)->file, folder_ / "tokenizer_config.json");
  EXPECT_FALSE(read_chat_style(folder_)->format.has_value());
  write("tokenizer_config.json",
        R"({"chat_template": [{"name": "tool_use", "template": "{% x"}, {"name": "default", "template": "two"}]})");
  EXPECT_EQ(read_chat_style(folder_)->chat_template, "two");
  write("chat_template.jinja", "three");
  EXPECT_EQ(read_chat_style(folder_)->chat_template, "three");
  EXPECT_EQ(read_chat_style(folder_)->file, folder_ / "chat_template.jinja");
  std::filesystem::remove(folder_ / "chat_template.jinja");
  write("tokenizer_config.json", R"({"chat_template": [{"name": "tool_use", "template": "x"}]})");
  expect_error([&] { read_chat_style(folder_); }, ErrorKind::input,
               {"tokenizer_config.json", "chat_template", "'default'"});
}

TEST_F(ModelFolder, names_the_tokens_that_templates_are_given) {
  write("tokenizer_config.json",
        R"({"bos_token": {"content": "<b>", "lstrip": false}, "eos_token": "<e>", "pad_token": null,
                                     "additional_special_tokens": ["<x>", {"content": "<y>"}], "chat_template": "t"})");
  write("special_tokens_map.json", R"({"bos_token": "<other>", "unk_token": {"content": "<u>"}})");
  EXPECT_EQ(read_chat_style(folder_)->tokens, Json({{"bos_token", "<b>"},
                                                    {"eos_token", "<e>"},
                                                    {"additional_special_tokens", {"<x>", "<y>"}},
                                                    {"unk_token", "<u>"}}));
}

TEST_F(ModelFolder, with_a_template_that_cannot_be_executed_is_refused_by_file_and_line) {
  write("chat_template.jinja", "{% for m in messages %}\n{{ m.content | shout }}\n{% endfor %}");
  expect_error([&] { read_chat_style(folder_); }, ErrorKind::input,
               {"chat_template.jinja:2", "the filter 'shout' is not known"});
  write("chat_template.jinja", "{% extends 'base' %}");
  expect_error([&] { read_chat_style(folder_); }, ErrorKind::input,
               {"chat_template.jinja:1", "the tag 'extends' is not known"});
}

}  // namespace
}  // namespace rlaif::text
