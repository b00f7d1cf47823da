// A server that speaks Anthropic's messages.
#include "remote.hpp"

namespace rlaif::study {
namespace {

void bind(OptionTable& table, const std::string& section, JudgeOptions& o) {
  bind_remote(table, section, o);
  table
      .add(section + ".cache_prompt", &o.remote.cache_prompt, "",
           "mark the conversation's constant beginning for the server's cache")
      .no_result();
}

std::unique_ptr<judge::Judge> make(const JudgeOptions& o, const JudgeParts& parts) {
  RemoteJudgeParts made = remote_judge_parts(o, parts);
  return judge::make_anthropic_judge(o.name, std::move(made.options), std::move(made.parts));
}

}  // namespace

JudgeKindEntry anthropic_kind() {
  return {JudgeKind::anthropic, "anthropic", "a server that speaks Anthropic's messages", true, bind,
          check_remote,         make};
}

}  // namespace rlaif::study
