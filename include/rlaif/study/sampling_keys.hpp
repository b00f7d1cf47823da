// Keys by which a section narrows what is drawn from, the same wherever texts are drawn in this process.
//   bind_truncation(table, "annotate", options.top_k, options.top_p);
#pragma once

#include <string>

#include "rlaif/core/option_table.hpp"

namespace rlaif::study {

// .top_k, .top_p (generate/engine.hpp has their meaning).
void bind_truncation(OptionTable& table, const std::string& section, int& top_k, double& top_p);

}  // namespace rlaif::study
