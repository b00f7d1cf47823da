#include "rlaif/stages/binding.hpp"

namespace rlaif::stages {

void bind_schedule(OptionTable& table, const std::string& section, train::ScheduleOptions& schedule,
                   train::AdamWOptions& adam) {
  table.add(section + ".learning_rate", &schedule.learning_rate, "", "peak rate of AdamW").at_least(0);
  table.add(section + ".warmup_steps", &schedule.warmup_steps, "steps", "linear warm-up").at_least(0);
  table.add(section + ".end_fraction", &schedule.end_fraction, "", "linear decay to this share of the rate")
      .at_least(0);
  table.add(section + ".adam_beta1", &adam.beta1, "", "decay of AdamW's mean of gradients").at_least(0).below(1);
  table.add(section + ".adam_beta2", &adam.beta2, "", "decay of AdamW's mean of their squares").at_least(0).below(1);
  table.add(section + ".adam_eps", &adam.eps, "", "what AdamW adds to its denominator").above(0);
  table.add(section + ".weight_decay", &adam.weight_decay, "", "decoupled weight decay, on all parameters").at_least(0);
  table.add(section + ".clip_norm", &adam.clip_norm, "", "largest norm of the whole gradient; 0: off").at_least(0);
}

void bind_adapter(OptionTable& table, const std::string& prefix, LowRankOptions& o, const std::string& whose) {
  table.add(prefix + "_rank", &o.rank, "", "rank of " + whose).at_least(0);
  table.add(prefix + "_alpha", &o.alpha, "", "the adapter's updates are scaled by alpha / rank").above(0);
}

}  // namespace rlaif::stages
