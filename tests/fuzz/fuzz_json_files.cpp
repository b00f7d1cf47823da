// Files that are one JSON object: prices, assumptions, principles, rules, fitted judges, the world.
#include "fuzz.hpp"
#include "rlaif/cost/assumptions.hpp"
#include "rlaif/cost/prices.hpp"
#include "rlaif/judge/constitution/constitution.hpp"
#include "rlaif/judge/fitted.hpp"
#include "rlaif/judge/rules/book.hpp"
#include "rlaif/world/world.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  const auto file = fuzz::memory_file(fuzz::text_of(data, size));
  fuzz::expect_clean([&] {
    const cost::PriceTable table = cost::PriceTable::load(file);
    table.at("ai").label_usd({1000, 10, 500}, 100);
  });
  fuzz::expect_clean([&] { cost::Assumptions::load(file); });
  fuzz::expect_clean([&] { judge::load_constitution(file); });
  fuzz::expect_clean([&] { judge::FittedJudges::load(file); });
  fuzz::expect_clean([&] { judge::RuleBook::load(file); });
  fuzz::expect_clean([&] { world::World::load(file); });
  return 0;
}
