// tokenizer_config.json: what whoever loads a saved model asks beside tokenizer.json. It says where a response ends, so
// that others stop where training did, and how conversations are written.
//
//   write(folder / "tokenizer_config.json", tokenizer_config(read_tokenizer_config(origin), chat).dump(2));
#pragma once

#include <filesystem>

#include "rlaif/core/json.hpp"
#include "rlaif/text/chat.hpp"

namespace rlaif::text {

// The file in a model's folder; an empty object where there is none. Throws Error(input) where it is no JSON object.
Json read_tokenizer_config(const std::filesystem::path& folder);

// `given` with the encoder's end token as "eos_token" (unless a template that writes eos_token has one of its own), and with
// "pad_token", "tokenizer_class" and "chat_template" where it has none. The rest is kept as it was.
Json tokenizer_config(Json given, const ChatEncoder& chat);

}  // namespace rlaif::text
