// Templates of well-known models, whole or in the parts that matter, and what is made of them.
#include "rlaif/text/chat_style.hpp"

#include <filesystem>

#include "rlaif/core/files.hpp"
#include "unit/text_fixtures.hpp"

namespace rlaif::text {
namespace {

ChatStyle recognised(const std::string& chat_template, const std::string& begin = "<s>",
                     const std::string& end = "</s>") {
  return recognise_chat_style(chat_template, "folder/tokenizer_config.json", begin, end);
}

const char* const kChatml =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

TEST(ChatStyle, chatml_with_and_without_a_system_text_of_its_own) {
  ChatStyle style = recognised(kChatml);
  EXPECT_EQ(style.format, ChatFormat::chatml);
  EXPECT_EQ(style.system, "");
  EXPECT_FALSE(style.begins || style.trims);
  style = recognised(
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
      "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}" +
          std::string(kChatml),
      "<|im_start|>", "<|im_end|>");
  EXPECT_EQ(style.system, "You are a helpful AI assistant named SmolLM, trained by Hugging Face");
  EXPECT_FALSE(style.begins);
  // Written in the other quotes, with escapes, white space control and a branch for tools.
  style = recognised(
      R"({%- if tools %}{{- "<|im_start|>system\n" }}{%- if messages[0]["role"] == "system" %}{{- messages[0]["content"] }})"
      R"({%- else %}{{- "You are Qwen." }}{%- endif %}{{- "# Tools\n\nYou may call" }}{{- "<|im_end|>\n" }}{%- else %})"
      R"({{- "<|im_start|>system\nYou are Qwen.<|im_end|>\n" }}{%- endif %}{%- for message in messages %})"
      R"({{- "<|im_start|>" + message.role + "\n" + message.content + "<|im_end|>" + "\n" }}{%- endfor %})"
      R"({%- if add_generation_prompt %}{{- "<|im_start|>assistant\n" }}{%- endif %})");
  EXPECT_EQ(style.format, ChatFormat::chatml);
  EXPECT_EQ(style.system, "You are Qwen.");
  EXPECT_TRUE(recognised("{{ bos_token }}" + std::string(kChatml)).begins);
  EXPECT_EQ(recognised("{{ bos_token }}" + std::string(kChatml)).begin_token, "<s>");
}

TEST(ChatStyle, llama_2_and_llama_3_and_zephyr) {
  const ChatStyle llama2 = recognised(
      "{% if messages[0]['role'] == 'system' %}{% set system_message = messages[0]['content'] %}{% endif %}"
      "{% for message in messages %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + "
      "message['content'] %}"
      "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
      "{% else %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}");
  EXPECT_EQ(llama2.format, ChatFormat::llama2);
  EXPECT_TRUE(llama2.begins && llama2.trims);
  const ChatStyle llama3 = recognised(
      "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
      "+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% "
      "endif %}"
      "{{ content }}{% endfor %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}",
      "<|begin_of_text|>", "<|end_of_text|>");
  EXPECT_EQ(llama3.format, ChatFormat::llama3);
  EXPECT_TRUE(llama3.begins && llama3.trims);
  EXPECT_EQ(llama3.end_token, "<|eot_id|>");
  const ChatStyle zephyr = recognised(
      "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + "
      "eos_token }}\n"
      "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n{% else %}\n"
      "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
      "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
      "<s>", "<|endoftext|>");
  EXPECT_EQ(zephyr.format, ChatFormat::zephyr);
  EXPECT_EQ(zephyr.end_token, "<|endoftext|>");
  EXPECT_FALSE(zephyr.begins || zephyr.trims);
}

TEST(ChatStyle, other_templates_are_refused_by_name) {
  const auto refused = [](const std::string& text, std::vector<std::string> parts) {
    parts.push_back("folder/tokenizer_config.json");
    parts.push_back("not covered");
    expect_error([&] { recognised(text); }, ErrorKind::input, parts);
  };
  refused("{{ '[INST] ' + message['content'] + ' [/INST]' }}", {"'mistral'"});
  refused("{{ '<start_of_turn>' + role }}", {"'gemma'"});
  refused("{{'<|user|>\n' + message['content'] + '<|end|>\n<|assistant|>\n'}}", {"'phi-3'"});
  refused("{{ '<|user|>\n' + message['content'] + '\n' }}{{ '<|assistant|>\n' }}", {"'tulu'"});
  refused("### Instruction:\n{{ message.content }}", {"'alpaca'"});
  refused("{{ messages }}", {"unknown kind", "{{ messages }}"});
  refused("Cutting Knowledge Date{{ '<|start_header_id|>x<|end_header_id|>\n\n<|eot_id|>' }}", {"dates", "llama-3.1"});
  refused(kChatml + std::string("{{ '<|im_start|>assistant\n<think>\n' }}"), {"chatml that begins the answer"});
  refused("{% set x = 'You are a pirate.' %}" + std::string(kChatml), {"chatml", "system text of its own"});
  refused("{{ '<|im_start|>' + message['content'] + '<|im_end|>' }}", {"chatml without line ends"});
}

TEST(ChatStyle, is_read_from_a_models_folder) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "rlaif_chat_style";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  EXPECT_FALSE(read_chat_style(folder).has_value());
  Json config = {{"bos_token", {{"content", "<b>"}}}, {"eos_token", "<e>"}};
  const auto write = [&] { write_file_atomic(folder / "tokenizer_config.json", config.dump()); };
  write();
  EXPECT_FALSE(read_chat_style(folder).has_value());
  config["chat_template"] = "{{ bos_token }}" + std::string(kChatml);
  write();
  EXPECT_EQ(read_chat_style(folder)->begin_token, "<b>");
  config["chat_template"] =
      Json::array({{{"name", "tool_use"}, {"template", "x"}}, {{"name", "default"}, {"template", kChatml}}});
  write();
  EXPECT_FALSE(read_chat_style(folder)->begins);
  config["chat_template"].erase(1);
  write();
  expect_error([&] { read_chat_style(folder); }, ErrorKind::input,
               {"tokenizer_config.json", "chat_template", "'default'"});
  // A file of its own goes before the configuration's.
  write_file_atomic(folder / "chat_template.jinja", kChatml);
  EXPECT_EQ(read_chat_style(folder)->format, ChatFormat::chatml);
  write_file_atomic(folder / "chat_template.jinja", "[INST]");
  expect_error([&] { read_chat_style(folder); }, ErrorKind::input, {"chat_template.jinja", "'mistral'"});
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace rlaif::text
