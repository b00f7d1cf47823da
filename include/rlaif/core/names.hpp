// The nearest known name, for messages about unknown keys.
#pragma once

#include <string>
#include <vector>

namespace rlaif {

// The known name with the least edit distance (ties: the first). Empty where `known` is.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

// "unknown key 'ppo.stps'; the nearest known one is 'ppo.steps'"
std::string unknown_name_message(const std::string& what, const std::string& name,
                                 const std::vector<std::string>& known);

}  // namespace rlaif
