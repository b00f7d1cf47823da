// A reward model in this process.
#include "rlaif/judge/kinds/reward_model.hpp"

#include "kinds.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "rlaif/study/response_scorer.hpp"

namespace rlaif::study {
namespace {

void bind(OptionTable& table, const std::string& section, JudgeOptions& o) {
  RewardJudgeOptions& r = o.reward_model;
  table.add_input(
      section + ".folder", &r.folder, "",
      "Hugging Face folder of a model for sequence classification with one output, with its tokenizer; also "
      "models/reward-NAME of another run");
  table.add(section + ".model", &r.model, "", "in place of a folder: a reward model of this run, such as reward-NAME");
  table.add_choice<std::optional<text::ChatFormat>>(
      section + ".chat_format", &r.chat_format, chat_format_choices(),
      "how the model reads a conversation; auto: by the template in its folder");
  table
      .add(section + ".temperature", &r.temperature, "",
           "P(first) = sigmoid(difference of scores / temperature); 0: the calibration's, 1 where none is named")
      .at_least(0);
  bind_price(table, section, o);
}

void check(const std::string& section, const JudgeOptions& o) {
  const RewardJudgeOptions& r = o.reward_model;
  if (r.folder.empty() && r.model.empty()) {
    throw usage_error(section + ".folder: the folder of a reward model was expected, or one of this run in " + section +
                      ".model");
  }
  if (!r.folder.empty() && !r.model.empty())
    throw usage_error(section + ".model: nothing was expected beside " + section + ".folder, found '" + r.model + "'");
  if (std::filesystem::exists(r.folder)) check_reward_folder(r.folder, r, section + ".chat_format");
}

std::unique_ptr<judge::Judge> make(const JudgeOptions& o, const JudgeParts& parts) {
  return judge::make_reward_model_judge(o.name, parts.scorer, score_temperature(o),
                                        judge_price(parts.context.study.judges, o));
}

}  // namespace

JudgeKindEntry reward_model_kind() {
  return {JudgeKind::reward_model, "reward_model", "a reward model in this process", false, bind, check, make};
}

}  // namespace rlaif::study
