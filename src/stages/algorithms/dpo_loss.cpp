#include "dpo_loss.hpp"

namespace rlaif::stages {

void bind_dpo_loss(OptionTable& table, const std::string& section, train::DpoLossOptions& d) {
  table.add_choice<train::DpoLoss>(
      section + ".loss", &d.loss, train::dpo_loss_names(),
      "loss of the log-ratios: sigmoid is DPO with soft labels, conservative and robust allow for "
      "flipped labels, simpo needs no reference");
  table.add(section + ".beta", &d.beta, "", "strength of the pull to the reference; tau of ipo; simpo wants about 2")
      .above(0);
  table
      .add(section + ".label_smoothing", &d.label_smoothing, "",
           "conservative, robust: share of labels that are flipped")
      .at_least(0)
      .below(0.5);
  table.add(section + ".length_normalised", &d.length_normalised, "",
            "log-ratios a token: length-normalised DPO, averaged ipo; simpo always");
  table.add(section + ".simpo_margin", &d.simpo_margin, "", "gamma of simpo").at_least(0);
  table.add(section + ".hard_labels", &d.hard_labels, "",
            "labels count as 1, 0, or 0.5 for a tie, however sure the judge was");
  table
      .add(section + ".nll_weight", &d.nll_weight, "",
           "weight of the preferred answer's negative log-likelihood a token, in the loss")
      .at_least(0);
}

}  // namespace rlaif::stages
