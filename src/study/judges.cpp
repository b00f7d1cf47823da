#include "rlaif/study/judges.hpp"

#include <algorithm>

#include "rlaif/comm/shared_counter.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/cost/prices.hpp"
#include "rlaif/judge/kinds/combine.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/study/judge_kinds.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/response_scorer.hpp"
#include "rlaif/study/server_keys.hpp"

namespace rlaif::study {
namespace {

// The cap as one number that all ranks take from.
class SharedBudget : public cost::Budget {
 public:
  SharedBudget(const comm::Communicator& comm, std::int64_t nano_usd) : left_(comm, nano_usd) {}
  bool reserve(std::int64_t nano_usd) override { return left_.take(nano_usd); }
  void give_back(std::int64_t nano_usd) override { left_.add(nano_usd); }
  std::int64_t overdraw(std::int64_t nano_usd) override {
    return std::max<std::int64_t>(0, nano_usd - left_.add(-nano_usd));
  }

 private:
  comm::SharedCounter left_;
};

// Makes judges by name, each once.
struct JudgeMaker {
  const Context& context;
  const Language* language;
  const StageSpending& spending;
  const std::string& policy;
  const PairId& pair_id;
  std::map<std::string, std::shared_ptr<const model::Transformer>> networks = {};  // by process_model
  std::map<std::string, std::shared_ptr<judge::ResponseScorer>> scorers = {};      // likewise
  std::map<std::string, std::shared_ptr<judge::Judge>> made = {};

  std::string model_of(const JudgeOptions& options) const { return process_model(context.study, options, policy); }
  void load(const JudgeOptions& options) {  // collective
    const std::string name = model_of(options);
    if (options.kind == JudgeKind::reward_model && !scorers.contains(name))
      scorers[name] = load_response_scorer(context, options);
    if (options.kind != JudgeKind::local || networks.contains(name)) return;
    RLAIF_CHECK(language, "a judge that is a model of this process needs a language");
    networks[name] = std::make_shared<const model::Transformer>(load_run_model(context, name, *language));
  }
  std::shared_ptr<judge::Judge> make(const JudgeOptions& options) {
    if (const auto found = made.find(options.name); found != made.end()) return found->second;
    const judge::FittedJudges calibration = beside_own_temperatures(context.study.judges, calibration_of(options));
    std::unique_ptr<judge::Judge> one =
        is_combined(options.kind)
            ? make_combined(options, calibration,
                            [this](const std::string& name) { return make(context.study.judges.named(name)); })
            : make_single(options);
    if (options.length_correction) {
      one = judge::make_length_corrected(std::move(one),
                                         calibration.at(options.name).length_slope / own_temperature(options));
    }
    return made[options.name] = std::move(one);
  }

 private:
  std::unique_ptr<judge::Judge> make_single(const JudgeOptions& options) {
    const bool needs_network = options.kind == JudgeKind::local;
    const bool needs_scorer = options.kind == JudgeKind::reward_model;
    const std::string name = model_of(options);
    return kind_of(options).make(options, {context, language, needs_network ? networks.at(name).get() : nullptr,
                                           needs_scorer ? scorers.at(name) : nullptr, spending, pair_id});
  }
};

}  // namespace

std::string process_model(const Study& study, const JudgeOptions& judge, const std::string& policy) {
  if (judge.kind == JudgeKind::local) return judge.model == "policy" ? policy : judge.model;
  if (judge.kind != JudgeKind::reward_model) return {};
  const RewardJudgeOptions& model = judge.reward_model;
  const auto folder = reward_folder(study.run.directory, model);
  return model.chat_format ? folder / text::to_string(*model.chat_format) : folder;
}

cost::Price server_price(const Judges& judges, const PricedServer& server) {
  const std::string section = server.role + "." + server.name;
  try {
    return cost::PriceTable::load(judges.costs.prices).at(server.price);
  } catch (const Error& error) {
    throw usage_error(server.role + " " + server.name + ": no price for the model '" + server.model +
                      "': " + error.what() + "; add an entry, or name another one as " + section + ".price");
  }
}

cost::Price judge_price(const Judges& judges, const JudgeOptions& judge) {
  if (kind_of(judge).is_remote) return server_price(judges, {"judge", judge.name, judge.model, judge.price});
  const cost::PriceTable prices = cost::PriceTable::load(judges.costs.prices);
  try {
    return prices.at(judge.price);
  } catch (const Error& error) {
    throw usage_error("judge." + judge.name + ".price: " + error.what());
  }
}

judge::RemoteOptions remote_options(const Study& study, const JudgeOptions& options) {
  const judge::RemoteOptions vendor =
      options.kind == JudgeKind::openai ? judge::openai_options() : judge::anthropic_options();
  judge::RemoteOptions remote = options.remote;
  complete_server(remote, vendor, options.model);
  remote.orders = options.orders;
  remote.principle_use = options.principle_use;
  remote.scores = options.scores;
  remote.seed = study.run.seed;
  return remote;
}

judge::RemoteParts remote_parts(const Judges& judges, const JudgeOptions& options) {
  judge::RemoteParts parts;
  parts.style = text::Conversation::load(options.style);
  if (parts.style.has_principles()) parts.principles = judge::load_constitution(options.principles, options.level);
  parts.price = judge_price(judges, options);
  parts.count_tokens = token_count(options.tokenizer);
  return parts;
}

StageSpending::StageSpending(const Context& context, const std::string& stage) {
  double paid = 0.0;
  bool asked = false;
  context.comm.agree([&] {
    const auto open = [&](const std::filesystem::path& folder) {
      asked = true;
      const auto cache = std::make_shared<remote::AnswerCache>(folder, context.comm.rank());
      paid += cache->paid_usd() + cache->unsettled_usd();
      return cache;
    };
    for (const JudgeOptions* judge : judges_and_members(context.study.judges)) {
      if (kind_of(*judge).is_remote) answers_[judge->name] = open(context.directory.verdicts(judge->name));
    }
    for (const WriterOptions& writer : context.study.writers) {
      if (writer.is_remote()) texts_[writer.name] = open(context.directory.written(writer.name));
    }
  });
  const double cap = context.study.judges.costs.cap_usd;
  if (!asked) return;
  if (cap > 0.0) {
    meter_ = std::make_shared<cost::SpendMeter>(
        std::make_shared<SharedBudget>(context.comm, cost::to_nano_usd(std::max(0.0, cap - paid))));
  } else {
    meter_ = std::make_shared<cost::SpendMeter>();
  }
  meter_->set_stage(stage);
}

Json StageSpending::report(const Context& context) const {
  if (!meter_) return Json();
  std::string text = meter_->to_json().dump();
  Json rows = Json::array();
  for (const std::string& part : context.comm.gather(text)) {
    for (const Json& row : Json::parse(part)) rows.push_back(row);
  }
  text = rows.dump();
  context.comm.broadcast(text);
  Json by_asker = Json::object();
  for (const Json& row : Json::parse(text)) {
    const cost::Asker asker{row["role"].get<std::string>(), row["name"].get<std::string>()};
    Json& sums = by_asker[asker.role == "judge" ? asker.name : asker.text()];
    if (sums.is_null()) sums = Json::object();
    for (const auto& [key, value] : row.items()) {
      if (value.is_number()) sums[key] = sums.value(key, 0.0) + value.get<double>();
    }
  }
  return by_asker;
}

std::shared_ptr<remote::AnswerCache> StageSpending::answers(const std::string& judge) const {
  const auto found = answers_.find(judge);
  RLAIF_CHECK(found != answers_.end(), "answers are kept for asked judges");
  return found->second;
}

std::shared_ptr<remote::AnswerCache> StageSpending::answers_of_writer(const std::string& writer) const {
  const auto found = texts_.find(writer);
  RLAIF_CHECK(found != texts_.end(), "answers are kept for writers behind HTTP");
  return found->second;
}

BoundJudge make_judge(const Context& context, const JudgeOptions& options, const Language* language,
                      const StageSpending& spending) {
  return std::move(make_judges(context, {options}, language, spending).front());
}

std::vector<BoundJudge> make_judges(const Context& context, const std::vector<JudgeOptions>& judges,
                                    const Language* language, const StageSpending& spending, const std::string& policy,
                                    const PairId& pair_id) {
  JudgeMaker maker{context, language, spending, policy, pair_id};
  // Every rank reads the networks first, in one order.
  for (const JudgeOptions& options : judges) {
    for (const JudgeOptions* asked : leaves_of(context.study.judges, options)) maker.load(*asked);
  }
  std::vector<BoundJudge> bound;
  context.comm.agree([&] {
    for (const JudgeOptions& options : judges) {
      BoundJudge one;
      one.judge = maker.make(options);
      for (const JudgeOptions* asked : leaves_of(context.study.judges, options)) {
        if (asked->kind == JudgeKind::local) one.networks.push_back(maker.networks.at(maker.model_of(*asked)));
      }
      bound.push_back(std::move(one));
    }
  });
  return bound;
}

}  // namespace rlaif::study
