// The table of makers: a line each.
#include "makers.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/stages/binding.hpp"

namespace rlaif::stages {

const std::vector<MakerEntry>& makers() {
  static const std::vector<MakerEntry> entries{
      {"best_of_n", "demonstrations: of n responses to a prompt the one that a reward likes best", make_best_of_n},
      {"file", "demonstrations of a file", make_file},
      {"mixture", "demonstrations by the world's mixture of behaviours", make_mixture},
      {"pairs", "labelled pairs of a policy's responses", make_pairs},
      {"west_of_n", "a judge's labelled pairs, with pairs of the best and worst of n responses by a reward",
       make_west_of_n},
  };
  return entries;
}

const MakerEntry& maker_named(const std::string& key, const std::string& name) {
  return entry_named(makers(), "maker", key, name);
}

void bind_data(OptionTable& table, DataOptions& data) {
  const std::string section = data.section();
  data.how = maker_named(section + ".maker", data.maker).make();
  data.makes = data.how->makes();
  table.add_choice<std::string>(section + ".maker", &data.maker, names_of(makers()), "how the data is made");
  data.how->bind(table, data);
  table.keys_are_of(section, "maker = " + data.maker);
}

const Maker& maker_of(const DataSet& data) {
  if (data.maker) return *data.maker;
  static const std::unique_ptr<Maker> pairs = make_pairs();
  return *pairs;
}

}  // namespace rlaif::stages
