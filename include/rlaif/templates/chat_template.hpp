// The template in a model's folder, executed: what a conversation is to that model.
//   const ChatTemplate chat = ChatTemplate::parse(text, "model/chat_template.jinja");
//   chat.render({{"messages", messages}, {"add_generation_prompt", true}, {"bos_token", "<s>"}});
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/templates/piece.hpp"

namespace rlaif::templates {

// Templates are written in Jinja. Covered is what jinja2 with transformers' settings gives to one template by itself:
// all of its expressions, statements (for, if, set, macro, call, filter, with, raw, break, continue, generation),
// tests, filters and functions but those that make HTML, write at random or read other templates, and the methods of
// Python's values. What is not covered is refused with file and line where it is read, or where it is reached if it may
// never be. Steps, depth and size are bounded; a rendering that goes beyond them is an Error(input) as well. Safe to
// use from several threads.
class ChatTemplate {
 public:
  // `file` stands in errors. Throws Error(input) naming file and line.
  static ChatTemplate parse(std::string_view source, std::filesystem::path file);

  // The text that the template writes, cut where its origin changes. Texts among the variables are the template's own
  // (names of tokens) but for those within "messages", "tools" and "documents": these are contents, a message's role
  // excepted. What came from contents is Origin::contents wherever the template puts it, all else Origin::markup.
  // `date`, YYYY-MM-DD: the day that strftime_now() writes; empty: it is not defined. Throws Error(input): what the
  // template refuses by raise_exception among it.
  std::vector<Piece> render(const Json& variables, const std::string& date = "") const;

  const std::string& source() const;
  const std::filesystem::path& file() const;

  ChatTemplate(const ChatTemplate&) = default;
  ChatTemplate& operator=(const ChatTemplate&) = default;

 private:
  struct Impl;
  explicit ChatTemplate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

bool is_template_date(const std::string& date);  // YYYY-MM-DD, a day that there is

}  // namespace rlaif::templates
