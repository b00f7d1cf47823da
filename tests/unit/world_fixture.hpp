// The world of inputs/, loaded once a test binary.
#pragma once

#include <string>

#include "rlaif/core/error.hpp"
#include "rlaif/world/world.hpp"

namespace rlaif::world {

inline const World& the_world() {
  static const World world = World::load(RLAIF_SOURCE_DIR "/inputs/world.json");
  return world;
}

inline const Prompt& ask(const std::string& question) {
  const Prompt* prompt = the_world().find(question);
  if (prompt == nullptr) throw input_error("no such question: " + question);
  return *prompt;
}

}  // namespace rlaif::world
