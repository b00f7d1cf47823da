// A piece of what a template writes, and whose text it is.
//   Piece{"<|im_start|>user\n", Origin::markup}, Piece{"How far is it?", Origin::contents}
#pragma once

#include <string>

namespace rlaif::templates {

enum class Origin {
  markup,    // by the template, or one of its names and control texts
  contents,  // by a user, a model or a deck
};

struct Piece {
  std::string text;
  Origin origin = Origin::contents;
};

}  // namespace rlaif::templates
