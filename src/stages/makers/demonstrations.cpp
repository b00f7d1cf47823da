#include "demonstrations.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "../planning.hpp"
#include "rlaif/core/dialogue.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/records/records.hpp"
#include "rlaif/run/blocks.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::stages {
namespace {

namespace fs = std::filesystem;

std::string block_name(std::size_t block) { return fmt::format("block-{:06}.jsonl", block); }

Demonstration demonstration_of(const text::JsonRecord& record) {
  Demonstration demonstration;
  record.read_prompt("prompt", demonstration.prompt);
  demonstration.response = record.string("response");
  return demonstration;
}

}  // namespace

std::string data_path(const DataSet& data) { return "data/" + data.name; }

Json demonstration_line(const Demonstration& one) {
  Json line{{"prompt", text::prompt_json(one.prompt)}, {"response", one.response}};
  line.update(one.facts);
  return line;
}

Json write_demonstration_blocks(const Context& context, const DataSet& data, const std::vector<Json>& blocks) {
  const fs::path folder = context.directory.root() / data_path(data);
  make_folders(folder);
  std::int64_t count = 0;
  double labels = 0.0, cost_usd = 0.0;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    std::string text;
    for (const Json& line : blocks[b]) {
      text += text::to_json_line(line) + "\n";
      labels += line.value("labels", 0.0);
      cost_usd += line.value("cost_usd", 0.0);
    }
    count += static_cast<std::int64_t>(blocks[b].size());
    write_file_atomic(folder / block_name(b), text);
  }
  if (count == 0) throw input_error(folder, "no demonstration was made; at least one was expected");
  write_sealed_json(folder / "manifest.json",
                    {{"kind", to_string(data.kind)}, {"blocks", blocks.size()}, {"demonstrations", count}});
  Json facts;
  facts["demonstrations"] = count;
  if (labels == 0.0) return facts;
  facts["labels"] = labels;
  facts["cost_usd"] = std::round(cost_usd * 1e6) / 1e6;
  return facts;
}

Json write_demonstrations(const Context& context, const DataSet& data, std::int64_t items, std::int64_t block,
                          const std::function<std::vector<Demonstration>(std::int64_t begin, std::int64_t end)>& make) {
  const std::string stage = data.stage("data");
  const std::vector<Json> blocks =
      work_by_blocks(context.comm, {stage, items, block, context.directory.checkpoints(stage), context.stop_requested},
                     [&](std::int64_t begin, std::int64_t end) {
                       Json lines = Json::array();
                       for (const Demonstration& one : make(begin, end)) lines.push_back(demonstration_line(one));
                       return std::vector<Json>{std::move(lines)};
                     });
  Json facts;
  context.comm.on_root([&] { facts = write_demonstration_blocks(context, data, blocks); });
  return facts;
}

run::Stage demonstrations_stage(const Study& study, const DataSet& data, const std::string& size,
                                std::vector<std::string> sections, std::function<Json(const Context&)> work) {
  sections.push_back("data." + data.name);
  return {.name = data.stage("data"),
          .kind = "data",
          .of = data.name,
          .command = "annotate",
          .size = size,
          .sections = sections_with(std::move(sections)),
          .makes = {data_path(data)},
          .run = in_study(study, std::move(work))};
}

std::vector<Demonstration> read_demonstration_file(const fs::path& file) {
  std::vector<Demonstration> demonstrations;
  records::RecordReader reader(file, records::Kind::demonstration, records::Flawed::keep);
  for (records::Record record; reader.next(record);) {
    Demonstration demonstration;
    demonstration.prompt = {0, std::move(record.prompt.text), "", std::move(record.prompt.turns)};
    demonstration.response = std::move(record.responses[0]);
    demonstrations.push_back(std::move(demonstration));
  }
  if (demonstrations.empty())
    throw input_error(file, "no line with a prompt and a response was found; at least one was expected");
  return demonstrations;
}

std::vector<Demonstration> read_demonstrations(const fs::path& folder) {
  const Json manifest = read_sealed_json(folder / "manifest.json");
  std::vector<Demonstration> demonstrations;
  for (std::size_t b = 0; b < manifest.at("blocks").get<std::size_t>(); ++b) {
    text::for_each_json_line(folder / block_name(b), [&](const text::JsonRecord& record) {
      demonstrations.push_back(demonstration_of(record));
    });
  }
  const auto expected = manifest.at("demonstrations").get<std::size_t>();
  if (demonstrations.size() != expected) {
    throw input_error(folder, std::to_string(expected) + " demonstrations were expected by its manifest, found " +
                                  std::to_string(demonstrations.size()));
  }
  return demonstrations;
}

std::vector<Demonstration> every_answer(std::vector<Demonstration> demonstrations) {
  std::vector<Demonstration> all;
  for (Demonstration& whole : demonstrations) {
    const std::vector<Message>& turns = whole.prompt.turns;
    for (std::size_t i = 1; i < turns.size(); ++i) {
      if (turns[i].role != "assistant" || turns[i - 1].role != "user" || turns[i].content.empty()) continue;
      Demonstration one;
      one.prompt.family = whole.prompt.family;
      set_turns(one.prompt, {turns.begin(), turns.begin() + static_cast<std::ptrdiff_t>(i)});
      one.response = turns[i].content;
      all.push_back(std::move(one));
    }
    all.push_back(std::move(whole));
  }
  return all;
}

train::Example encode(const Language& language, const Demonstration& demonstration) {
  train::Example example;
  example.tokens = language.chat.prompt(demonstration.prompt);
  example.weights.assign(example.tokens.size(), 0.0f);
  const std::vector<TokenId> response = language.chat.completion(demonstration.response);
  example.tokens.insert(example.tokens.end(), response.begin(), response.end());
  example.weights.resize(example.tokens.size(), 1.0f);
  return example;
}

std::vector<train::Example> encode_fitting(const Language& language, const std::vector<Demonstration>& demonstrations,
                                           std::int64_t max_positions, const std::string& what,
                                           const fs::path& source) {
  std::vector<train::Example> examples;
  for (const Demonstration& one : demonstrations) {
    train::Example example = encode(language, one);
    if (static_cast<std::int64_t>(example.tokens.size()) <= max_positions) examples.push_back(std::move(example));
  }
  if (examples.empty())
    throw input_error(source, "no demonstration fits the model's context; at least one was expected");
  if (const std::size_t left_out = demonstrations.size() - examples.size())
    log::info(what + ": " + std::to_string(left_out) + " demonstrations longer than the context were left out");
  return examples;
}

EpochOrder::EpochOrder(std::int64_t items, int epochs, std::uint64_t seed) {
  for (int epoch = 0; epoch < epochs; ++epoch) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(items));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    Rng(seed, Stream::data_order, {static_cast<std::uint64_t>(epoch)}).shuffle(order);
    order_.insert(order_.end(), order.begin(), order.end());
  }
}

}  // namespace rlaif::stages
