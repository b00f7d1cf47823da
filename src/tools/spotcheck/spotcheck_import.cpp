#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/evaluate/judge_quality.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/study/people_labels.hpp"
#include "rlaif/text/jsonl.hpp"
#include "rlaif/tools/spotcheck.hpp"

namespace rlaif::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t shard_records = 1000;
constexpr double not_asked = std::numeric_limits<double>::quiet_NaN();

struct Label {
  std::size_t line = 0;
  std::uint64_t pair = 0;
  std::string texts, pick;
  bool swapped = false;  // second was shown first
  double p_first = 0.5;
};
struct LabelFile {
  std::string store, labeler;
  std::vector<Label> labels;
};

// The field's place among the choices.
std::size_t choice_of(const text::JsonRecord& record, const char* key, const std::vector<std::string>& choices) {
  const std::string text = record.reader().at(key).one_of(choices);
  return static_cast<std::size_t>(std::find(choices.begin(), choices.end(), text) - choices.begin());
}

std::uint64_t pair_id_of(const text::JsonRecord& record) {
  const std::string& text = record.string("pair_id");
  std::uint64_t id = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), id);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    throw input_error(record.file, record.line, "key 'pair_id': digits were expected, not '" + text + "'");
  }
  return id;
}

// The same text on every line; the first line's is kept in `all`.
void take_common(const text::JsonRecord& record, const char* key, std::string& all) {
  const std::string& text = record.string(key);
  const bool names_verdicts = std::string(key) == "store" && is_of_policies(text);
  if (!is_plain_name(names_verdicts ? text.substr(text.find('/') + 1) : text)) {
    throw input_error(
        record.file, record.line,
        std::string("key '") + key + "': a name of letters, digits, '-' and '_' was expected, not '" + text + "'");
  }
  if (all.empty()) all = text;
  if (all != text)
    throw input_error(
        record.file, record.line,
        std::string("key '") + key + "': '" + all + "' was expected as in the lines before, not '" + text + "'");
}

LabelFile read_labels(const fs::path& file) {
  LabelFile read;
  std::map<std::uint64_t, std::size_t> line_of;
  text::for_each_json_line(file, [&](const text::JsonRecord& record) {
    take_common(record, "store", read.store);
    take_common(record, "labeler", read.labeler);
    Label label;
    label.line = record.line;
    label.pair = pair_id_of(record);
    label.texts = record.string("texts");
    label.pick = std::vector<std::string>{
        "control", "disagreement", "uncertain"}[choice_of(record, "pick", {"control", "disagreement", "uncertain"})];
    label.swapped = choice_of(record, "order", {"ab", "ba"}) == 1;
    label.p_first = std::vector<double>{1.0, 0.0, 0.5}[choice_of(record, "label", {"a", "b", "tie"})];
    const auto [place, is_new] = line_of.emplace(label.pair, record.line);
    if (!is_new) {
      throw input_error(file, record.line,
                        "a second label of pair " + std::to_string(label.pair) + "; the first is in line " +
                            std::to_string(place->second));
    }
    read.labels.push_back(std::move(label));
  });
  if (read.labels.empty()) throw input_error(file, "holds no label; at least one line was expected");
  return read;
}

Preference preference_of(const Label& label, const Comparison& comparison, const std::string& source,
                         double label_usd) {
  Preference preference;
  preference.comparison = comparison;
  preference.judge = source;
  preference.verdict.status = VerdictStatus::ok;
  preference.verdict.p_first = label.p_first;
  preference.verdict.p_first_by_order =
      label.swapped ? std::array<double, 2>{not_asked, label.p_first} : std::array<double, 2>{label.p_first, not_asked};
  preference.verdict.rationale = label.pick;
  preference.verdict.usage.cost_usd = label_usd;
  return preference;
}

bool same_label(const Preference& a, const Preference& b) {
  return a.verdict.p_first == b.verdict.p_first && a.verdict.rationale == b.verdict.rationale &&
         std::isnan(a.verdict.p_first_by_order[0]) == std::isnan(b.verdict.p_first_by_order[0]);
}

void move_folder(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) throw io_error(from, "cannot be renamed to " + to.string());
}

// A whole store takes the place of another: in one step, where the file system can exchange two names.
void replace_folder(const fs::path& made, const fs::path& place) {
  if (!fs::exists(place)) {
    move_folder(made, place);
  } else if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) != 0) {
    const fs::path old = made.string() + ".old";
    fs::remove_all(old);
    move_folder(place, old);
    move_folder(made, place);
    fs::remove_all(old);
  }
  sync_folder(place.parent_path());
  fs::remove_all(made);
}

void write_store(const fs::path& folder, const std::string& source, const std::map<std::uint64_t, Preference>& labels) {
  std::string name = ".";
  name += folder.filename().string();
  const fs::path made = folder.parent_path() / (name + ".tmp");
  fs::remove_all(made);
  make_folders(made);
  std::vector<Preference> records;
  std::uint64_t blocks = 0;
  const auto flush = [&] {
    if (!records.empty()) preferences::write_shard(made, blocks++, source, records);
    records.clear();
  };
  for (const auto& [id, label] : labels) {
    records.push_back(label);
    if (records.size() == shard_records) flush();
  }
  flush();
  preferences::finish_store(made, blocks, source);
  replace_folder(made, folder);
}

// Agreement over labels with one pick, or all where `pick` is empty.
SpotcheckAgreement agreement_on(const std::string& pick, const std::map<std::uint64_t, Preference>& labels,
                                const std::map<std::uint64_t, Preference>& judged) {
  std::vector<std::uint64_t> prompts;
  std::vector<Verdict> verdicts;
  std::vector<double> people;
  for (const auto& [id, label] : labels) {
    const auto found = judged.find(id);
    if (found == judged.end() || (!pick.empty() && label.verdict.rationale != pick)) continue;
    prompts.push_back(label.comparison.prompt.id);
    verdicts.push_back(found->second.verdict);
    people.push_back(label.verdict.p_first);
  }
  const evaluate::JudgeQuality quality = evaluate::judge_quality(prompts, verdicts, people, 0);
  return {pick.empty() ? "all" : pick, people.size(), quality.decided, quality.accuracy, quality.kappa};
}

// Reward stages whose marker says that they used labels of this name.
std::vector<std::string> stages_with(const RunDirectory& directory, const std::string& name) {
  std::vector<std::string> stages;
  const fs::path folder = directory.root() / "stages";
  if (!fs::exists(folder)) return stages;
  for (const auto& item : fs::directory_iterator(folder)) {
    const Json marker = try_parse_json(read_file(item.path()));
    if (marker.is_object() && marker.value("people", std::string()) == name)
      stages.push_back(item.path().stem().string());
  }
  std::sort(stages.begin(), stages.end());
  return stages;
}

}  // namespace

SpotcheckImported import_spotcheck(const fs::path& file, const fs::path& run, const std::string& name,
                                   double label_usd) {
  const LabelFile read = read_labels(file);
  const std::string labeler = name.empty() ? read.labeler : name;
  require_plain_name("--name", labeler);
  const RunDirectory directory(run);
  std::map<std::uint64_t, Preference> judged;
  const fs::path judge_folder = judge_store(directory, read.store);
  const RunLock lock(run);
  for (Preference& record : preferences::read_store(judge_folder)) {
    const std::uint64_t id = record.comparison.id;
    judged[id] = std::move(record);
  }
  SpotcheckImported imported;
  const bool of_policies = is_of_policies(read.store);
  imported.store = (of_policies ? people_yardstick_prefix : people_prefix) + labeler;
  imported.judge = read.store;
  const fs::path folder = of_policies ? directory.people(labeler) : people_store(directory, labeler);
  if (of_policies) make_folders(folder.parent_path());
  std::map<std::uint64_t, Preference> labels;
  if (preferences::read_manifest(folder)) labels = labels_by_pair(folder);
  for (const Label& label : read.labels) {
    const auto found = judged.find(label.pair);
    if (found == judged.end()) {
      throw input_error(file, label.line,
                        "key 'pair_id': " + judge_folder.string() + " holds no pair " + std::to_string(label.pair));
    }
    const Comparison& comparison = found->second.comparison;
    if (texts_checksum(comparison) != label.texts) {
      throw input_error(file, label.line,
                        "key 'texts': pair " + std::to_string(label.pair) + " has other texts in " +
                            judge_folder.string() + ": the label is of another run");
    }
    Preference preference = preference_of(label, comparison, imported.store, label_usd);
    const auto [place, is_new] = labels.try_emplace(label.pair, preference);
    const bool same = !is_new && same_label(place->second, preference);
    ++(is_new ? imported.added : same ? imported.same : imported.changed);
    if (!is_new && !same) place->second = std::move(preference);
  }
  if (imported.added + imported.changed > 0) {
    write_store(folder, imported.store, labels);
    if (!of_policies) imported.stale_stages = stages_with(directory, labeler);
  }
  imported.labels = labels.size();
  for (const auto& [id, label] : labels) imported.ties += label.verdict.p_first == 0.5;
  for (const char* pick : {"control", "disagreement", "uncertain", ""}) {
    SpotcheckAgreement agreement = agreement_on(pick, labels, judged);
    if (agreement.labels > 0) imported.agreement.push_back(std::move(agreement));
  }
  return imported;
}

}  // namespace rlaif::tools
