// What the sections of a deck are for.
#include <algorithm>

#include "rlaif/cli/key_help.hpp"
#include "rlaif/stages/algorithm.hpp"

namespace rlaif::cli {
namespace {

struct About {
  const char* section;
  const char* text;
};
const About abouts[] = {
    {"study", "who takes part: the judges, the arms, and the order of rounds"},
    {"run", "where the run is kept and what it is computed on"},
    {"plan", "what --dry-run predicts needs and costs with"},
    {"task", "the prompts, and what responses are held against"},
    {"cost", "prices, and how much asked judges may cost"},
    {"tokenizer", "the tokenizer, where the policy's model brings none"},
    {"model", "the network that the policy starts from"},
    {"sft", "the first policy: supervised fine-tuning"},
    {"judge_network", "the network of the judge that the study trains"},
    {"judge_model", "the training of the judge that the study trains"},
    {"judge_network.NAME", "the network of another judge that the study trains"},
    {"judge_model.NAME", "the training of another judge that the study trains"},
    {"annotate", "the pairs that judges label"},
    {"judge", "what all judges are held to: agreement with what is known, canaries"},
    {"judge.NAME", "a judge: who says which response is better"},
    {"writer.NAME", "who writes texts that data sets ask for: a model of this process or a server"},
    {"lora", "low-rank adapters of all models"},
    {"reward", "the reward models, and the labels that they and the policies learn from"},
    {"reward_network", "the network of reward models that do not start from the policy"},
    {"evaluate", "win rates on held-out prompts, and the judges that compare the policies"},
    {"io", "files of `rlaif generate` and `rlaif judge`"},
    {"calibrate", "labels and figures of `rlaif calibrate`"},
    {"arm.NAME", "a policy that is trained: what it starts from, by what, and from whose labels"},
    {"data.NAME", "what an arm learns from, where it is not the pairs of its start"},
    {"rounds", "when rounds of iterative training end, and who decides it"},
    {"round.NAME", "an arm of iterative training, from the policy of the round before"},
};

}  // namespace

std::string section_about(const std::string& section) {
  for (const stages::AlgorithmEntry& entry : stages::algorithms()) {
    if (section == entry.section) return std::string(entry.about) + ": for all arms that do not set it themselves";
  }
  const std::size_t dot = section.find('.');
  const std::string name = dot == std::string::npos ? section : section.substr(0, dot) + ".NAME";
  const auto found =
      std::find_if(std::begin(abouts), std::end(abouts), [&](const About& one) { return name == one.section; });
  return found == std::end(abouts) ? "" : found->text;
}

}  // namespace rlaif::cli
