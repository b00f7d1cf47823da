// The closed world: a small assistant domain whose right answers can be computed.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/core/rng.hpp"
#include "rlaif/core/types.hpp"

namespace rlaif::world {

enum class Family { fact, unknown, arith, harm, benign };
inline constexpr std::array<Family, 5> all_families{Family::fact, Family::unknown, Family::arith, Family::harm,
                                                    Family::benign};
const char* to_string(Family family);
std::optional<Family> parse_family(std::string_view name);

enum class Behaviour { good, goodalt, half, wrong, fill, wrongfill, evasive, ignorant, ramble };
const char* to_string(Behaviour behaviour);

// Gold utility of a response: U = T - C (definitions in inputs/world.json's specification, see ARCHITECTURE.md).
struct Gold {
  double utility = 0.0;    // U
  double truth = 0.0;      // T
  double clutter = 0.0;    // C
  bool good = false;
  bool clear = false;
  std::optional<bool> helpful, harmless, honest;  // nullopt: does not apply to the family
};

class World {
 public:
  static World load(const std::filesystem::path& world_json);  // throws Error(input) naming file and key
  World(World&&) noexcept;
  World& operator=(World&&) noexcept;
  ~World();

  // All prompts in the order of enumeration; ids count from 0. text() is the question, family its family's name.
  const std::vector<Prompt>& prompts() const;
  bool held_out(std::uint64_t prompt_id) const;
  std::vector<Prompt> split(bool held_out) const;
  const Prompt* find(std::string_view question) const;  // nullptr: not a prompt of this world

  // Prompt for a keyed draw: family by its sampling weight, then uniform within the family of that split.
  // `judge_weights`: the judge's family weights instead.
  const Prompt& sample_prompt(Rng& rng, bool held_out, bool judge_weights = false) const;

  Gold score(const Prompt& prompt, std::string_view response, bool ended) const;

  // A response drawn from one behaviour, or from the mixture of the prompt's family.
  std::string respond(const Prompt& prompt, Behaviour behaviour, Rng& rng) const;
  std::string respond(const Prompt& prompt, Rng& rng) const;
  // Register text: five random cells stated ("I do not know ..." where unknown) and three true sums, shuffled.
  std::string register_text(Rng& rng) const;

  // Judge training: the rationale about two responses ("A is right and brief. B is false and wordy.").
  std::string rationale(const Prompt& prompt, std::string_view first, std::string_view second, bool first_ended = true,
                        bool second_ended = true) const;
  const std::string& principle() const;

  // Every sentence the world can say, many times over in natural proportion: what the tokenizer is trained on.
  std::vector<std::string> tokenizer_texts(std::uint64_t seed) const;

 private:
  struct Data;
  explicit World(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

}  // namespace rlaif::world
