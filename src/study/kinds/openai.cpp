// A server that speaks OpenAI's chat completions.
#include "remote.hpp"
#include "rlaif/study/server_keys.hpp"

namespace rlaif::study {
namespace {

void bind(OptionTable& table, const std::string& section, JudgeOptions& o) {
  bind_remote(table, section, o);
  judge::RemoteOptions& r = o.remote;
  bind_output_limit(table, section, r);
  table
      .add(section + ".top_logprobs", &r.top_logprobs, "",
           "log-probabilities asked for, up to 20 at the vendor, 1000 elsewhere; 0: verdicts are read from the text")
      .at_least(0)
      .at_most(1000);
  table
      .add(section + ".least_label_mass", &r.least_label_mass, "",
           "probability of both labels below which there is no verdict")
      .at_least(0)
      .at_most(1);
  table.add(section + ".samples_in_one_request", &r.samples_in_one_request, "", "ask for all samples at once");
  bind_openai_fields(table, section, r);
}

std::unique_ptr<judge::Judge> make(const JudgeOptions& o, const JudgeParts& parts) {
  RemoteJudgeParts made = remote_judge_parts(o, parts);
  return judge::make_openai_judge(o.name, std::move(made.options), std::move(made.parts));
}

}  // namespace

JudgeKindEntry openai_kind() {
  return {JudgeKind::openai, "openai", "a server that speaks OpenAI's chat completions", true, bind,
          check_remote,      make};
}

}  // namespace rlaif::study
