// Records for the tests of the store: every field varies, and so do the awkward values.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/core/types.hpp"

namespace rlaif::preferences {

inline std::string random_text(Rng& rng, std::size_t longest) {
  static const std::vector<std::string> pieces = {"a", "Ada ", "\n", "\"", "\\", "é", "雪", "😀", std::string(1, '\0')};
  std::string text;
  for (std::uint64_t left = rng.below(longest + 1); left > 0; --left) text += rng.pick(pieces);
  return text;
}

// Deterministic in `key`. Every status occurs from seven records on; texts may be empty and hold any code point.
inline std::vector<Preference> make_records(std::size_t count, std::uint64_t key = 0, std::size_t longest = 40) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  Rng rng(7, Stream::test, {key});
  std::vector<Preference> records(count);
  for (std::size_t i = 0; i < count; ++i) {
    Preference& record = records[i];
    Comparison& comparison = record.comparison;
    comparison.id = rng.next_u64();
    comparison.prompt = {rng.next_u64(), random_text(rng, longest), rng.below(2) ? "fact" : ""};
    comparison.first.sample = rng.next_u32();
    comparison.first.text = random_text(rng, longest);
    comparison.first.ended = rng.below(2) == 1;
    comparison.second.sample = rng.next_u32();
    comparison.second.text = random_text(rng, longest);
    comparison.second.ended = rng.below(2) == 1;
    Verdict& verdict = record.verdict;
    verdict.status = static_cast<VerdictStatus>(i % 7);
    verdict.p_first = verdict.status == VerdictStatus::ok ? rng.uniform() : kNan;
    verdict.p_first_by_order = {rng.uniform(), rng.below(2) ? rng.uniform() : kNan};
    verdict.rationale = random_text(rng, longest);
    verdict.usage.input_tokens = static_cast<std::int64_t>(rng.next_u64() >> 1);
    verdict.usage.cached_input_tokens = static_cast<std::int64_t>(rng.below(1000));
    verdict.usage.output_tokens = static_cast<std::int64_t>(rng.below(1000));
    verdict.usage.cost_usd = rng.uniform() / 3.0;
    record.judge = "test-judge";
  }
  return records;
}

inline bool same_number(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

inline void expect_same(const Preference& a, const Preference& b) {
  EXPECT_EQ(a.comparison.id, b.comparison.id);
  EXPECT_EQ(a.comparison.prompt.id, b.comparison.prompt.id);
  EXPECT_EQ(a.comparison.prompt.text, b.comparison.prompt.text);
  EXPECT_EQ(a.comparison.prompt.family, b.comparison.prompt.family);
  EXPECT_EQ(a.comparison.first.text, b.comparison.first.text);
  EXPECT_EQ(a.comparison.first.sample, b.comparison.first.sample);
  EXPECT_EQ(a.comparison.first.ended, b.comparison.first.ended);
  EXPECT_EQ(a.comparison.second.text, b.comparison.second.text);
  EXPECT_EQ(a.comparison.second.sample, b.comparison.second.sample);
  EXPECT_EQ(a.comparison.second.ended, b.comparison.second.ended);
  EXPECT_EQ(a.verdict.status, b.verdict.status);
  EXPECT_PRED2(same_number, a.verdict.p_first, b.verdict.p_first);
  EXPECT_PRED2(same_number, a.verdict.p_first_by_order[0], b.verdict.p_first_by_order[0]);
  EXPECT_PRED2(same_number, a.verdict.p_first_by_order[1], b.verdict.p_first_by_order[1]);
  EXPECT_EQ(a.verdict.rationale, b.verdict.rationale);
  EXPECT_EQ(a.verdict.usage.input_tokens, b.verdict.usage.input_tokens);
  EXPECT_EQ(a.verdict.usage.cached_input_tokens, b.verdict.usage.cached_input_tokens);
  EXPECT_EQ(a.verdict.usage.output_tokens, b.verdict.usage.output_tokens);
  EXPECT_EQ(a.verdict.usage.cost_usd, b.verdict.usage.cost_usd);
  EXPECT_EQ(a.judge, b.judge);
  ASSERT_EQ(a.verdict.members.size(), b.verdict.members.size());
  for (std::size_t m = 0; m < a.verdict.members.size(); ++m) {
    const MemberVerdict &one = a.verdict.members[m], &other = b.verdict.members[m];
    EXPECT_EQ(one.name, other.name);
    EXPECT_EQ(one.status, other.status);
    EXPECT_PRED2(same_number, one.p_first, other.p_first);
    EXPECT_EQ(one.cost_usd, other.cost_usd);
  }
}

// What members of a combined judge said, none to three of them a record.
inline std::vector<Preference> with_members(std::vector<Preference> records) {
  Rng rng(8, Stream::test, {records.size()});
  for (std::size_t i = 0; i < records.size(); ++i) {
    for (std::size_t m = 0; m < i % 4; ++m) {
      const bool ok = rng.below(3) > 0;
      records[i].verdict.members.push_back({random_text(rng, 5), ok ? VerdictStatus::ok : VerdictStatus::refused,
                                            ok ? rng.uniform() : std::numeric_limits<double>::quiet_NaN(),
                                            rng.uniform()});
    }
  }
  return records;
}

inline void expect_same(const std::vector<Preference>& a, const std::vector<Preference>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    SCOPED_TRACE("record " + std::to_string(i));
    expect_same(a[i], b[i]);
  }
}

// A folder of its own for each test, removed afterwards.
class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "rlaif-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::vector<std::string> names_in_folder() const {
    std::vector<std::string> names;
    for (const auto& item : std::filesystem::directory_iterator(folder_)) names.push_back(item.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::filesystem::path folder_;
};

// The message of the Error that `action` throws, after its kind is checked.
template <class Action>
std::string error_of(ErrorKind kind, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

}  // namespace rlaif::preferences
