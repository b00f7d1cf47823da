#include "rlaif/study/sampling_keys.hpp"

namespace rlaif::study {

void bind_truncation(OptionTable& table, const std::string& section, int& top_k, double& top_p) {
  table.add(section + ".top_k", &top_k, "tokens", "likeliest tokens that sampling draws from; 0: all").at_least(0);
  table.add(section + ".top_p", &top_p, "", "share of the probability that sampling draws from; 1: all")
      .above(0)
      .at_most(1);
}

}  // namespace rlaif::study
