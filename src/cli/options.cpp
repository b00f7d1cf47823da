// Every key of a deck, section by section.
#include "rlaif/cli/deck.hpp"

namespace rlaif::cli {
namespace {

using pipeline::StudyOptions;

void register_run(OptionTable& table, StudyOptions& o) {
  table.add_place("run.directory", &o.run.directory, "where everything of the run is kept");
  table.add("run.seed", &o.run.seed, "", "keys every random draw");
  table.add_choice<comm::DeviceChoice>("run.device", &o.run.device,
                                       {{"cpu", comm::DeviceChoice::cpu},
                                        {"cuda", comm::DeviceChoice::cuda},
                                        {"auto", comm::DeviceChoice::automatic}},
                                       "where models live");
  table.add("run.threads", &o.run.threads, "threads", "CPU threads a rank");
  table.add("run.grains", &o.run.grains, "",
            "pieces a global batch is cut into; results are the same bytes on any number of ranks; ranks beyond it idle in training");
  table.add("run.checkpoint_every_steps", &o.run.checkpoint_every_steps, "steps", "between checkpoints of a training stage; 0: by time alone");
  table.does_not_decide_results("run.checkpoint_every_steps");
  table.add("run.checkpoint_every_seconds", &o.run.checkpoint_every_seconds, "seconds", "between checkpoints; 0: by steps alone");
  table.does_not_decide_results("run.checkpoint_every_seconds");
}

void register_task(OptionTable& table, StudyOptions& o) {
  table.add_input("task.world", &o.task.world, "world.json", "data of the closed world");
  table.add_input("task.train_prompts", &o.task.train_prompts, "", "JSON Lines of prompts; empty: the world's");
  table.add_input("task.heldout_prompts", &o.task.heldout_prompts, "", "JSON Lines of held-out prompts; empty: the world's");
  table.add_choice<text::ChatFormat>("task.chat_format", &o.task.chat_format,
                                     {{"plain", text::ChatFormat::plain}, {"chatml", text::ChatFormat::chatml}},
                                     "how a prompt becomes tokens");
  table.add_input("cost.prices", &o.prices, "prices.json", "price table");
  table.add_input("tokenizer.file", &o.tokenizer.file, "", "a tokenizer.json; empty: trained on the world's text");
  table.add("tokenizer.vocab_size", &o.tokenizer.vocab_size, "tokens", "largest vocabulary of a trained tokenizer");
}

void register_model(OptionTable& table, const std::string& section, pipeline::ModelOptions& o, const std::string& whose) {
  table.add_input(section + ".folder", &o.folder, "", "Hugging Face folder " + whose + " starts from; empty: random weights");
  table.add(section + ".hidden_size", &o.hidden_size, "", "width of " + whose);
  table.add(section + ".num_layers", &o.num_layers, "layers", "depth");
  table.add(section + ".num_heads", &o.num_heads, "heads", "attention heads");
  table.add(section + ".num_kv_heads", &o.num_kv_heads, "heads", "key and value heads; divides num_heads");
  table.add(section + ".intermediate_size", &o.intermediate_size, "", "width of the feed-forward layer");
  table.add(section + ".max_positions", &o.max_positions, "tokens", "context");
}

void register_schedule(OptionTable& table, const std::string& section, train::ScheduleOptions& schedule,
                       train::AdamWOptions& adam) {
  table.add(section + ".learning_rate", &schedule.learning_rate, "", "peak rate of AdamW");
  table.add(section + ".warmup_steps", &schedule.warmup_steps, "steps", "linear warm-up");
  table.add(section + ".end_fraction", &schedule.end_fraction, "", "linear decay to this share of the rate");
  table.add(section + ".adam_beta1", &adam.beta1, "", "AdamW");
  table.add(section + ".adam_beta2", &adam.beta2, "", "AdamW");
  table.add(section + ".adam_eps", &adam.eps, "", "AdamW");
  table.add(section + ".weight_decay", &adam.weight_decay, "", "decoupled, on all parameters");
  table.add(section + ".clip_norm", &adam.clip_norm, "", "largest norm of the whole gradient; 0: off");
}

void register_sft(OptionTable& table, StudyOptions& o) {
  table.add("sft.examples", &o.sft.examples, "examples", "responses drawn from the behaviour mixture");
  table.add("sft.register_examples", &o.sft.register_examples, "examples", "texts that state facts and sums");
  table.add("sft.epochs", &o.sft.epochs, "epochs", "passes over the examples");
  table.add("sft.batch", &o.sft.training.batch, "examples", "a step");
  register_schedule(table, "sft", o.sft.training.schedule, o.sft.training.adam);
}

void register_judge_model(OptionTable& table, StudyOptions& o) {
  o.judge_model.training.steps = 1600;
  table.add("judge_model.steps", &o.judge_model.training.steps, "steps", "of judge training; 0: no judge is trained");
  table.add("judge_model.batch", &o.judge_model.training.batch, "pairs", "fresh pairs a step");
  table.add_input("judge_model.verdict_first_template", &o.judge_model.verdict_first_template, "judge_verdict_first.txt",
                  "prompt template of the half that is judged at once");
  table.add_input("judge_model.rationale_first_template", &o.judge_model.rationale_first_template,
                  "judge_rationale_first.txt", "prompt template of the half that reasons first");
  table.add("judge_model.register_share", &o.judge_model.register_share, "", "share of texts that state facts and sums");
  table.add("judge_model.context_weight", &o.judge_model.context_weight, "", "loss weight of tokens before verdict and rationale");
  table.add("judge_model.verdict_weight", &o.judge_model.verdict_weight, "", "loss weight of the verdict token");
  register_schedule(table, "judge_model", o.judge_model.training.schedule, o.judge_model.training.adam);
}

void register_annotate(OptionTable& table, StudyOptions& o) {
  auto& a = o.annotate;
  table.add("annotate.prompts", &a.prompts, "prompts", "to draw pairs for, with the families' weights");
  table.add("annotate.heldout_prompts", &a.heldout_prompts, "prompts", "held-out ones, for judge and reward-model accuracy");
  table.add("annotate.completions", &a.completions, "completions", "a prompt; all pairs of distinct texts are asked");
  table.add("annotate.redraws", &a.redraws, "attempts", "to replace identical texts");
  table.add("annotate.block", &a.block, "prompts", "a block; one block is one shard");
  table.add("annotate.temperature", &a.temperature, "", "of sampling");
  table.add("annotate.top_k", &a.top_k, "tokens", "0: off");
  table.add("annotate.top_p", &a.top_p, "", "1: off");
  table.add("annotate.max_new_tokens", &a.max_new_tokens, "tokens", "longest completion");
  table.add("annotate.slots", &a.slots, "sequences", "decoded together");
}

void register_judge(OptionTable& table, pipeline::JudgeOptions& o) {
  const std::string section = "judge." + o.name;
  table.add_choice<pipeline::JudgeKind>(section + ".kind", &o.kind,
                                        {{"local", pipeline::JudgeKind::local}, {"annotators", pipeline::JudgeKind::annotators}},
                                        "a model in this process, or simulated people");
  table.add(section + ".model", &o.model, "", "local: a model of the run (judge, sft)");
  table.add_input(section + ".template", &o.prompt_template, "judge_rationale_first.txt", "local: prompt template");
  table.add_input(section + ".principles", &o.principles, "principles.txt", "local: one principle a line");
  table.add(section + ".price", &o.price, "", "name in the price table");
  table.add_choice<judge::Orders>(section + ".orders", &o.local.orders,
                                  {{"both", judge::Orders::both}, {"first_only", judge::Orders::first_only}},
                                  "local: orders asked and averaged");
  table.add(section + ".max_rationale_tokens", &o.local.max_rationale_tokens, "tokens", "local: longest rationale");
  table.add(section + ".label_clamp_low", &o.local.label_clamp_low, "", "local: soft labels are not below");
  table.add(section + ".label_clamp_high", &o.local.label_clamp_high, "", "local: soft labels are not above");
  table.add(section + ".slots", &o.local.slots, "sequences", "local: judged together");
  table.add(section + ".people", &o.annotators.people, "people", "annotators: how many");
  table.add(section + ".utility_noise", &o.annotators.utility_noise, "", "annotators: deviation of noise on the utility difference");
  table.add(section + ".length_weight", &o.annotators.length_weight, "1/word", "annotators: deviation over people of their taste for length");
  table.add(section + ".flip_rate", &o.annotators.flip_rate, "", "annotators: share of labels turned round");
}

void register_reward(OptionTable& table, StudyOptions& o) {
  table.add("reward.epochs", &o.reward.epochs, "epochs", "passes over the pairs");
  table.add("reward.batch", &o.reward.batch, "pairs", "a step");
  table.add("reward.head_learning_rate_scale", &o.reward.head_learning_rate_scale, "", "of the head against the body");
  register_schedule(table, "reward", o.reward.schedule, o.reward.adam);
}

void register_ppo(OptionTable& table, StudyOptions& o) {
  auto& p = o.ppo;
  table.add("ppo.steps", &p.steps, "steps", "of rolling out and updating");
  table.add("ppo.prompts_per_step", &p.prompts_per_step, "prompts", "one response each");
  table.add("ppo.epochs", &p.epochs, "epochs", "over a step's responses");
  table.add("ppo.minibatch", &p.minibatch, "responses", "an update, over all ranks");
  table.add("ppo.value_learning_rate_scale", &p.value_learning_rate_scale, "", "of the value model against the policy");
  table.add("ppo.value_only_steps", &p.value_only_steps, "steps", "at the start that train the value model alone");
  table.add("ppo.kl_coefficient", &p.kl_coefficient, "1/nat", "KL penalty a token in the reward");
  table.add_choice<train::KlEstimator>("ppo.kl_estimator", &p.kl_estimator,
                                       {{"k1", train::KlEstimator::k1}, {"k2", train::KlEstimator::k2}, {"k3", train::KlEstimator::k3}},
                                       "of the penalty");
  table.add("ppo.kl_target", &p.kl_target, "nats", "a response; above 0 the coefficient adapts to it");
  table.add("ppo.kl_horizon", &p.kl_horizon, "responses", "of the adaptation");
  table.add("ppo.gamma", &p.gamma, "", "discount");
  table.add("ppo.lambda", &p.lambda, "", "of generalised advantage estimation");
  table.add("ppo.clip", &p.clip, "", "of the probability ratio");
  table.add("ppo.value_clip", &p.value_clip, "", "of the value's move");
  table.add("ppo.missing_end_penalty", &p.missing_end_penalty, "", "added to the score of a response without end token");
  table.add("ppo.whiten_advantages", &p.whiten_advantages, "", "over the global batch");
  table.add("ppo.temperature", &p.temperature, "", "of rollout and update alike");
  table.add("ppo.top_k", &p.top_k, "tokens", "0: off");
  table.add("ppo.top_p", &p.top_p, "", "1: off");
  table.add("ppo.max_new_tokens", &p.max_new_tokens, "tokens", "longest response");
  table.add("ppo.slots", &p.slots, "sequences", "decoded together");
  register_schedule(table, "ppo", p.schedule, p.adam);
}

void register_evaluate(OptionTable& table, StudyOptions& o) {
  auto& e = o.evaluate;
  table.add("evaluate.prompts", &e.prompts, "prompts", "held-out ones, drawn with the families' weights");
  table.add("evaluate.samples", &e.samples, "responses", "a prompt");
  table.add("evaluate.temperature", &e.temperature, "", "of sampling");
  table.add("evaluate.block", &e.block, "prompts", "a block of work");
  table.add("evaluate.max_new_tokens", &e.max_new_tokens, "tokens", "longest response");
  table.add("evaluate.slots", &e.slots, "sequences", "decoded together");
  table.add("evaluate.resamples", &e.resamples, "", "of the bootstrap over prompts");
}

void register_io(OptionTable& table, StudyOptions& o) {
  table.add_place("io.input", &o.io.input, "generate: prompts (JSON Lines); judge: pairs (prompt, response_a, response_b)");
  table.add_place("io.output", &o.io.output, "where the answers go (JSON Lines)");
  table.add("io.model", &o.io.model, "", "generate: a model of the run (sft, an arm), or a folder");
  table.add("io.judge", &o.io.judge, "", "judge: a name of study.judges; empty: the first");
  table.add("io.samples", &o.io.samples, "responses", "generate: a prompt");
  table.add("io.temperature", &o.io.temperature, "", "generate: of sampling; 0: greedy");
  table.add("io.top_k", &o.io.top_k, "tokens", "generate: 0: off");
  table.add("io.top_p", &o.io.top_p, "", "generate: 1: off");
  table.add("io.max_new_tokens", &o.io.max_new_tokens, "tokens", "generate: longest response");
  for (const char* key : {"io.model", "io.judge", "io.samples", "io.temperature", "io.top_k", "io.top_p", "io.max_new_tokens"}) {
    table.does_not_decide_results(key);
  }
}

}  // namespace

void register_options(OptionTable& table, StudyOptions& options) {
  register_run(table, options);
  register_task(table, options);
  register_model(table, "model", options.model, "the policy");
  register_model(table, "judge_network", options.judge_network, "the judge");
  register_sft(table, options);
  register_judge_model(table, options);
  register_annotate(table, options);
  for (auto& judge : options.judges) register_judge(table, judge);
  register_reward(table, options);
  register_ppo(table, options);
  register_evaluate(table, options);
  register_io(table, options);
  for (auto& arm : options.arms) {
    table.add("arm." + arm.name + ".judge", &arm.judge, "", "whose labels train this arm's reward model");
  }
  // The two lists were read before all other keys, because they decide which sections there are; here they are only listed.
  const auto names = [](const auto& items) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : " ") + item.name;
    return text;
  };
  table.add_listed("study.judges", names(options.judges), "names of judges; each has a section [judge.NAME]");
  table.add_listed("study.arms", names(options.arms), "names of arms; each has a section [arm.NAME]");
}

}  // namespace rlaif::cli
