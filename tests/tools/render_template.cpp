// Renders chat templates for the comparison with jinja2 (tests/end_to_end/chat_templates.py).
//   render_template < requests > answers
// A request a line: {"template": text, "variables": {...}, "date": "YYYY-MM-DD" or ""}. An answer a line: {"text": ...}
// or {"error": message}, with "contents": the parts of the text that came from contents.
#include <iostream>
#include <string>

#include "rlaif/core/error.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/templates/chat_template.hpp"

int main() {
  using rlaif::Json;
  using namespace rlaif::templates;
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const Json request = Json::parse(line);
    Json answer = {{"text", ""}, {"contents", Json::array()}};
    try {
      const ChatTemplate chat = ChatTemplate::parse(request["template"].get<std::string>(), "template");
      for (const Piece& piece : chat.render(request["variables"], request.value("date", ""))) {
        answer["text"].get_ref<std::string&>() += piece.text;
        if (piece.origin == Origin::contents) answer["contents"].push_back(piece.text);
      }
    } catch (const rlaif::Error& error) {
      answer = {{"error", error.what()}};
    }
    std::cout << answer.dump() << '\n';
  }
}
