// One step of DPO or GRPO on a real model, for analysis/bench_methods.py, which writes the task and has another library
// do the same one:
//   method_steps TASK.json RESULT.json
// TASK.json says what is done (task_of in bench_methods.py), RESULT.json what came of it. "do": "data" makes what both
// sides train on, prompts as tokens, four answers to each and an adapter; "dpo" and "grpo" train. On several ranks the
// grains are as many as ranks, and the peak memory is the sum of theirs.
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/adapter_file.hpp"
#include "rlaif/model/hf.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/records/records.hpp"
#include "rlaif/text/chat.hpp"
#include "rlaif/text/jsonl.hpp"
#include "rlaif/train/dpo.hpp"
#include "rlaif/train/policy_gradient.hpp"

namespace {

using namespace rlaif;
using Clock = std::chrono::steady_clock;
using Tokens = std::vector<TokenId>;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

struct Data {
  std::vector<Tokens> prompts;
  std::vector<std::vector<Tokens>> answers;  // of each prompt, with their end tokens
};

Data read_data(const Json& task) {
  const Json json = Json::parse(read_file(task.at("data").get<std::string>()));
  Data data{json.at("prompts").get<std::vector<Tokens>>(), json.at("answers").get<std::vector<std::vector<Tokens>>>()};
  data.prompts.resize(std::min(data.prompts.size(), task.at("prompts").get<std::size_t>()));
  return data;
}

model::Transformer load(const Json& task) { return model::load_model(task.at("model").get<std::string>()); }

std::shared_ptr<model::Adapter> adapter(const Json& task, const model::Transformer& base) {
  const Json& lora = task.at("lora");
  model::AdapterOptions options;
  options.rank = lora.at("rank");
  options.alpha = lora.at("alpha");
  options.first_layer = lora.at("first_layer");
  return std::make_shared<model::Adapter>(base.config(), options, 1, base.device());
}

bool low_rank(const Json& task) { return task.at("weights") == "lora"; }

train::StageRun stage(const Json& task, const comm::Communicator& comm) {
  train::StageRun run;
  run.comm = &comm;
  run.name = "bench";
  run.metrics_file = task.at("metrics").get<std::string>();
  run.checkpoint_every_steps = 0;
  run.grains = comm.size();
  run.micro_batch_tokens = task.at("micro_batch_tokens");
  return run;
}

// Asked before every step: notes when the last one began.
std::function<bool()> begins(Clock::time_point& step) {
  return [&step] {
    step = Clock::now();
    return false;
  };
}

train::AdamWOptions adam(const Json& task) { return {0.9, 0.999, task.at("adam_epsilon"), 0.0, 1.0}; }

Tokens joined(Tokens prompt, const Tokens& answer) {
  prompt.insert(prompt.end(), answer.begin(), answer.end());
  return prompt;
}

// Prompts of the questions' file by the model's own control tokens, answers by the model as it is.
Json make_data(const Json& task) {
  const model::Transformer base = load(task);
  const std::filesystem::path folder = task.at("model").get<std::string>();
  const text::Tokenizer tokenizer = text::Tokenizer::load(folder / "tokenizer.json");
  const text::ChatEncoder chat(tokenizer, text::ChatFormat::chatml, task.at("system").get<std::string>());
  std::vector<Prompt> questions = records::read_prompts(task.at("questions").get<std::string>());
  questions.resize(std::min(questions.size(), task.at("prompts").get<std::size_t>()));
  std::vector<generate::GenerationRequest> requests;
  for (const Prompt& question : questions)
    requests.push_back({chat.prompt(question.text), requests.size(), {0, 1, 2, 3}});
  generate::SamplingOptions options;
  options.max_new_tokens = task.at("new_tokens");
  options.stop_tokens = base.config().end_tokens.ids();
  Json made{{"prompts", Json::array()}, {"answers", Json::array()}};
  const auto generated = generate::Engine(base, {}).generate(requests, options);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    made["prompts"].push_back(requests[i].prompt_tokens);
    Json answers = Json::array();
    for (const generate::Generated& one : generated[i])
      answers.push_back(one.ended ? joined(one.tokens, {one.end_token}) : one.tokens);
    made["answers"].push_back(answers);
  }
  model::Transformer policy = base.share();
  policy.adapter = adapter(task, base);
  model::save_adapter(task.at("adapter").get<std::string>(), policy, folder.string());
  return made;
}

// Two epochs over the same pairs, the first answer to each prompt preferred to the second. The second epoch is timed,
// and the reference's reading of the pairs with it.
Json dpo(const Json& task, const comm::Communicator& comm) {
  const Data data = read_data(task);
  std::vector<train::TokenPair> pairs;
  double count = 0;
  for (std::size_t i = 0; i < data.prompts.size(); ++i) {
    train::TokenPair pair{joined(data.prompts[i], data.answers[i][0]), joined(data.prompts[i], data.answers[i][1]), 1.0,
                          i + 1};
    pair.prompt_length = static_cast<std::int64_t>(data.prompts[i].size());
    count += static_cast<double>(pair.first.size() + pair.second.size());
    pairs.push_back(std::move(pair));
  }
  model::Transformer policy = load(task);
  train::StageRun run = stage(task, comm);
  const Clock::time_point begin = Clock::now();
  const auto reference = train::reference_log_probs(policy, pairs, run);
  const double reference_seconds = seconds_since(begin);
  if (low_rank(task)) policy.adapter = adapter(task, policy);
  train::DpoOptions options;
  options.beta = task.at("beta");
  options.epochs = 2;
  options.batch = static_cast<std::int64_t>(pairs.size());
  options.schedule = {task.at("learning_rate"), 0, 1.0};
  options.adam = adam(task);
  Clock::time_point begin_of_step;
  run.stop_requested = begins(begin_of_step);
  train::train_dpo(policy, reference, pairs, options, run);
  const double update_seconds = seconds_since(begin_of_step);
  const double seconds = reference_seconds + update_seconds;
  return {{"tokens", count},
          {"seconds", seconds},
          {"training_seconds", seconds},
          {"parts", {{"reference", reference_seconds}, {"update", update_seconds}}}};
}

// The share of odd tokens: cheap, the same on both sides, and other for each answer.
double reward(const Tokens& answer) {
  double odd = 0;
  for (const TokenId token : answer) odd += token % 2;
  return odd / static_cast<double>(answer.size());
}

// What the layers below the adapter cost a step: they are computed with the responses, before rewards are asked for, and
// belong to training.
double trunk_seconds(const model::Transformer& policy, const std::vector<Tokens>& sequences) {
  if (!policy.adapter) return 0.0;
  const torch::NoGradGuard no_gradients;
  const Clock::time_point begin = Clock::now();
  const auto packed = model::pack(sequences, policy.device());
  policy.run_layers(policy.embed(packed), packed, 0, policy.adapter->options().first_layer);
  return seconds_since(begin);
}

// One step: responses, rewards, reference, `epochs` updates on all responses at once.
Json grpo(const Json& task, const comm::Communicator& comm) {
  const Data data = read_data(task);
  const model::Transformer base = load(task);
  model::Transformer policy = low_rank(task) ? base.share() : base.clone();
  if (low_rank(task)) policy.adapter = adapter(task, base);
  train::PolicyGradientOptions options;
  options.steps = 1;
  options.epochs = task.at("epochs");
  options.schedule = {task.at("learning_rate"), 0, 1.0};
  options.adam = adam(task);
  options.rollout.prompts_per_step = static_cast<std::int64_t>(data.prompts.size());
  options.rollout.responses = task.at("responses");
  options.rollout.missing_end_penalty = 0.0;
  options.rollout.max_new_tokens = task.at("new_tokens");
  options.rollout.slots = task.at("slots");
  options.minibatch = options.rollout.responses_per_step();
  options.advantage = train::AdvantageEstimator::group;
  options.whiten_advantages = false;
  options.kl = {task.at("beta"), train::KlPlace::loss, train::KlEstimator::k3, 0.0, 0.0};
  options.critic.only_steps = 0;

  Clock::time_point begin;
  double drawing_seconds = 0, own_tokens = 0, own_drawn = 0;
  std::vector<Tokens> sequences;
  Json responses = Json::array();
  train::PolicyGradientCallbacks callbacks;
  callbacks.prompt = [&](std::int64_t i) {
    Prompt prompt;
    prompt.id = static_cast<std::uint64_t>(i);
    return std::make_pair(prompt, data.prompts.at(static_cast<std::size_t>(i)));
  };
  callbacks.reward = [&](std::span<const train::Drawn> drawn) {
    drawing_seconds = seconds_since(begin);
    std::vector<double> rewards;
    for (const train::Drawn& one : drawn) {
      Tokens answer = one.completion.tokens;
      if (one.completion.ended) answer.push_back(one.completion.end_token);
      rewards.push_back(reward(answer));
      sequences.push_back(joined(one.prompt_tokens, answer));
      own_tokens += static_cast<double>(sequences.back().size());
      own_drawn += static_cast<double>(answer.size());
      responses.push_back({{"prompt", one.prompt.id}, {"tokens", answer}, {"reward", rewards.back()}});
    }
    return rewards;
  };
  train::StageRun run = stage(task, comm);
  run.stop_requested = begins(begin);
  train::train_policy_gradient({policy, base, nullptr}, callbacks, options, run);
  const double seconds = seconds_since(begin);
  const double trunk = trunk_seconds(policy, sequences);
  double sums[] = {own_tokens, own_drawn};
  comm.all_reduce_sum(sums);
  Json result{{"tokens", sums[0]},
              {"drawn", sums[1]},
              {"seconds", seconds},
              {"training_seconds", seconds - drawing_seconds + trunk},
              {"parts",
               {{"responses", drawing_seconds - trunk},
                {"layers below the adapter", trunk},
                {"reference and update", seconds - drawing_seconds}}}};
  if (task.at("keep_responses")) result["responses"] = responses;
  return result;
}

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void run(const std::string& task_file, const std::string& result_file) {
  const comm::Communicator comm = comm::Communicator::world();
  const Json task = Json::parse(read_file(task_file));
  at::set_num_threads(task.at("threads"));
  const std::string what = task.at("do");
  Json result = what == "data" ? make_data(task) : what == "dpo" ? dpo(task, comm) : grpo(task, comm);
  double peak[] = {peak_mib()};
  comm.all_reduce_sum(peak);
  result["peak_mib"] = peak[0];
  comm.on_root([&] { write_file_atomic(result_file, result.dump() + "\n"); });
}

}  // namespace

int main(int argc, char** argv) {
  comm::Session session(&argc, &argv);
  if (argc != 3) {
    std::cerr << "method_steps TASK.json RESULT.json: analysis/bench_methods.py starts it\n";
    return 2;
  }
  try {
    run(argv[1], argv[2]);
  } catch (const Error& error) {
    std::cerr << "method_steps: " << error.what() << '\n';
    return 1;
  } catch (const Json::exception& error) {
    std::cerr << "method_steps: " << argv[1] << ": " << error.what() << '\n';
    return 2;
  }
  return 0;
}
