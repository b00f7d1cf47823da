#include "rlaif/world/world.hpp"

namespace rlaif::world {
namespace {

template <class Values>
auto find_by_name(const Values& values, std::string_view name) {
  std::optional<typename Values::value_type> found;
  for (const auto value : values) {
    if (name == to_string(value)) found = value;
  }
  return found;
}

}  // namespace

const char* to_string(Family family) {
  switch (family) {
    case Family::fact: return "fact";
    case Family::unknown: return "unknown";
    case Family::arith: return "arith";
    case Family::harm: return "harm";
    case Family::benign: return "benign";
  }
  return "?";
}

const char* to_string(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::good: return "good";
    case Behaviour::goodalt: return "goodalt";
    case Behaviour::half: return "half";
    case Behaviour::wrong: return "wrong";
    case Behaviour::fill: return "fill";
    case Behaviour::wrongfill: return "wrongfill";
    case Behaviour::evasive: return "evasive";
    case Behaviour::ignorant: return "ignorant";
    case Behaviour::ramble: return "ramble";
  }
  return "?";
}

std::optional<Family> parse_family(std::string_view name) { return find_by_name(all_families, name); }
std::optional<Behaviour> parse_behaviour(std::string_view name) { return find_by_name(all_behaviours, name); }

bool applies(Behaviour behaviour, Family family) {
  switch (behaviour) {
    case Behaviour::goodalt: return family == Family::harm;
    case Behaviour::half: return family == Family::benign;
    case Behaviour::ignorant: return family == Family::fact;
    default: return true;
  }
}

}  // namespace rlaif::world
