#include "rlaif/text/tokenizer_config.hpp"

#include <algorithm>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_reader.hpp"

namespace rlaif::text {
namespace {

// Fillers that models are known to have; where there is none, the end token fills, as the reference library's users do.
std::string pad_token(const ChatEncoder& chat) {
  for (const char* known : {"<|pad|>", "<pad>", "[PAD]", "<|finetune_right_pad_id|>", "<|endoftext|>", "<unk>"}) {
    for (const AddedToken& token : chat.tokenizer().added_tokens()) {
      if (token.special && token.content == known) return known;
    }
  }
  return chat.tokenizer().id_to_token(chat.end_token());
}

bool has(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && !found->is_null();
}

}  // namespace

Json read_tokenizer_config(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "tokenizer_config.json";
  if (!std::filesystem::exists(file)) return Json::object();
  return read_json_object(file);
}

Json tokenizer_config(Json given, const ChatEncoder& chat) {
  if (!has(given, "tokenizer_class")) given["tokenizer_class"] = "PreTrainedTokenizerFast";
  // A template that writes eos_token would write another text with another one.
  const bool is_written = chat.template_text().find("eos_token") != std::string::npos;
  if (!is_written || !has(given, "eos_token")) given["eos_token"] = chat.tokenizer().id_to_token(chat.end_token());
  if (!has(given, "chat_template")) given["chat_template"] = chat.template_text();
  if (!has(given, "pad_token")) given["pad_token"] = pad_token(chat);
  return given;
}

}  // namespace rlaif::text
