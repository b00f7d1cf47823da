// Files that must not be read, and what the errors say of them.
#include <algorithm>
#include <functional>

#include "unit/text_fixtures.hpp"

namespace rlaif::text {
namespace {

// The document with one thing changed is refused with a message that holds the file and the parts.
void expect_refused(const std::function<void(Json&)>& change, std::vector<std::string> parts) {
  Json document = tokenizer_document({"<s>", "<t>"}, {"a b"});
  change(document);
  parts.push_back("test.json");
  expect_error([&] { make(document); }, ErrorKind::input, parts);
}

TEST(TokenizerFile, the_unchanged_document_is_read) {
  EXPECT_NO_THROW(make(tokenizer_document({"<s>", "<t>"}, {"a b"})));
}

TEST(TokenizerFile, truncated_json_names_its_line) {
  const std::string whole = tokenizer_document({}, {"a b"}).dump(1);
  for (const double part : {0.0, 0.1, 0.5, 0.9, 0.999}) {
    const auto size = static_cast<std::size_t>(part * static_cast<double>(whole.size()));
    const auto line = std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size), '\n') + 1;
    expect_error([&] { Tokenizer::parse(whole.substr(0, size), "cut.json"); }, ErrorKind::input,
                 {"cut.json", std::to_string(line), "not valid JSON"});
  }
}

TEST(TokenizerFile, missing_parts_are_named) {
  expect_refused([](Json& d) { d.erase("model"); }, {"'model' is missing"});
  expect_refused([](Json& d) { d.erase("pre_tokenizer"); }, {"'pre_tokenizer' is missing"});
  expect_refused([](Json& d) { d["pre_tokenizer"] = nullptr; }, {"'pre_tokenizer' is null", "ByteLevel"});
  expect_refused([](Json& d) { d.erase("decoder"); }, {"'decoder' is missing"});
  expect_refused([](Json& d) { d["decoder"] = nullptr; }, {"'decoder' is null", "ByteLevel"});
  expect_refused([](Json& d) { d["model"].erase("vocab"); }, {"'model.vocab' is missing"});
  expect_refused([](Json& d) { d["model"].erase("merges"); }, {"'model.merges' is missing"});
  expect_refused([](Json& d) { d = Json::array(); }, {"holds an empty list", "an object"});
}

TEST(TokenizerFile, unknown_types_are_named) {
  expect_refused([](Json& d) { d["model"]["type"] = "Unigram"; }, {"'model.type' is \"Unigram\"", "expected BPE"});
  expect_refused([](Json& d) { d["normalizer"] = {{"type", "Precompiled"}}; },
                 {"'normalizer.type' is \"Precompiled\"", "NFKC"});
  expect_refused([](Json& d) { d["pre_tokenizer"]["type"] = "Whitespace"; },
                 {"'pre_tokenizer.type' is \"Whitespace\""});
  expect_refused([](Json& d) { d["decoder"]["type"] = "WordPiece"; }, {"'decoder.type' is \"WordPiece\""});
  expect_refused([](Json& d) { d["post_processor"] = {{"type", "BertProcessing"}}; },
                 {"'post_processor.type' is \"BertProcessing\""});
}

TEST(TokenizerFile, pre_tokenizer_steps_that_are_not_covered_are_named) {
  const auto sequence = [](Json& d, const Json& step, bool before) {
    const Json byte_level = d["pre_tokenizer"];
    d["pre_tokenizer"] = {
        {"type", "Sequence"},
        {"pretokenizers", before ? Json::array({step, byte_level}) : Json::array({byte_level, step})}};
  };
  const Json digits = {{"type", "Digits"}, {"individual_digits", true}};
  const Json split = {{"type", "Split"}, {"pattern", {{"Regex", "x"}}}, {"behavior", "Isolated"}, {"invert", false}};
  expect_refused([&](Json& d) { sequence(d, digits, false); }, {"pre_tokenizer.pretokenizers[1].type", "ByteLevel"});
  expect_refused([&](Json& d) { d["pre_tokenizer"] = digits; }, {"ByteLevel as the last step"});
  const auto with = [&](const char* key, const Json& value) {
    Json changed = split;
    changed[key] = value;
    return [=](Json& d) { sequence(d, changed, true); };
  };
  expect_refused(with("behavior", "Removed"), {"pretokenizers[0].behavior' is \"Removed\"", "Isolated"});
  expect_refused(with("invert", true), {"pretokenizers[0].invert' is true"});
  expect_refused(with("pattern", Json::object()), {"'Regex' or 'String'"});
  expect_refused(with("pattern", {{"Regex", "(a"}}),
                 {"pretokenizers[0].pattern", "'(a'", "no valid regular expression"});
  expect_refused(with("pattern", {{"Regex", "\\w+"}}), {"pretokenizers[0].pattern", "the escape \\w"});
  expect_refused(with("pattern", {{"Regex", "[a[b]]"}}), {"a class inside a class"});
}

TEST(TokenizerFile, model_options_that_are_not_covered_are_named) {
  expect_refused([](Json& d) { d["model"]["dropout"] = 0.1; }, {"'model.dropout' is 0.1"});
  expect_refused([](Json& d) { d["model"]["byte_fallback"] = true; },
                 {"'model.byte_fallback' is true", "beside ByteLevel"});
  expect_refused([](Json& d) { d["model"]["end_of_word_suffix"] = "</w>"; }, {"'model.end_of_word_suffix'", "</w>"});
  expect_refused([](Json& d) { d["model"]["continuing_subword_prefix"] = "##"; }, {"##"});
  expect_refused([](Json& d) { d["model"]["ignore_merges"] = 1; }, {"'model.ignore_merges' is 1", "true or false"});
  expect_refused([](Json& d) { d["model"]["unk_token"] = "<nil>"; }, {"'model.unk_token' is \"<nil>\""});
}

TEST(TokenizerFile, ids_that_stand_twice_are_named) {
  expect_refused([](Json& d) { d["model"]["vocab"]["zz"] = 5; }, {"id 5", "'zz'", "already"});
  expect_refused([](Json& d) { d["added_tokens"] = Json::array({added_token(5, "<new>", true)}); },
                 {"added_tokens[0]", "'<new>'", "id 5"});
  expect_refused([](Json& d) { d["added_tokens"] = Json::array({added_token(900, "<s>", true)}); },
                 {"added_tokens[0]", "'<s>'", "900", "the token has id 0"});
  expect_refused(
      [](Json& d) { d["added_tokens"] = Json::array({added_token(0, "<s>", true), added_token(0, "<s>", true)}); },
      {"added_tokens[1].content"});
  expect_refused([](Json& d) { d["added_tokens"] = Json::array({added_token(900, "", true)}); }, {"not empty"});
  for (const std::int64_t id : {std::int64_t{-1}, std::int64_t{1} << 40}) {
    expect_refused([&](Json& d) { d["model"]["vocab"]["zz"] = id; }, {"'zz'", std::to_string(id)});
  }
  expect_refused([](Json& d) { d["model"]["vocab"]["zz"] = "5"; }, {"'zz'", "no integer id"});
}

TEST(TokenizerFile, a_token_that_stands_twice_is_named) {
  std::string text = tokenizer_document({"<s>"}, {"a b"}).dump();
  const std::string key = "\"<s>\":0";
  text.replace(text.find(key), key.size(), "\"<s>\":0,\"<s>\":200");
  expect_error([&] { Tokenizer::parse(text, "test.json"); }, ErrorKind::input, {"test.json", "\"<s>\"", "twice"});
}

TEST(TokenizerFile, merges_that_cannot_be_are_named) {
  expect_refused([](Json& d) { d["model"]["merges"].push_back("a nope"); },
                 {"'model.merges[1]'", "'nope'", "model.vocab"});
  expect_refused([](Json& d) { d["model"]["merges"].push_back("a c"); }, {"'model.merges[1]'", "'ac'"});
  expect_refused([](Json& d) { d["model"]["merges"].push_back("a"); }, {"'model.merges[1]' is \"a\"", "two tokens"});
  expect_refused([](Json& d) { d["model"]["merges"].push_back("a b c"); }, {"'model.merges[1]'", "one space"});
  expect_refused([](Json& d) { d["model"]["merges"].push_back(Json::array({"a"})); },
                 {"'model.merges[1]'", "two tokens"});
  expect_refused([](Json& d) { d["model"]["merges"].push_back(7); }, {"'model.merges[1]' is 7", "a text"});
}

Json begin_with(const char* token, int id) {
  return {{"type", "TemplateProcessing"},
          {"single", Json::array({{{"SpecialToken", {{"id", token}, {"type_id", 0}}}},
                                  {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}})},
          {"special_tokens", {{token, {{"id", token}, {"ids", Json::array({id})}, {"tokens", Json::array({token})}}}}}};
}

TEST(TokenizerFile, what_acts_on_whole_inputs_is_told_and_not_applied_to_texts) {
  Json document = tokenizer_document({"<s>"}, {"a b"});
  document["added_tokens"] = Json::array({added_token(0, "<s>", true)});
  document["post_processor"] = {{"type", "Sequence"},
                                {"processors", Json::array({{{"type", "ByteLevel"}}, begin_with("<s>", 0)})}};
  document["truncation"] = {{"max_length", 1}};
  const Tokenizer tokenizer = make(document);
  EXPECT_EQ(names(tokenizer, tokenizer.encode("ab c")), (std::vector<std::string>{"ab", "Ġ", "c"}));
  EXPECT_EQ(tokenizer.begin_tokens(), std::vector<TokenId>{0});
  EXPECT_TRUE(tokenizer.end_tokens().empty());
  EXPECT_EQ(tokenizer.to_json(), document.dump());
}

TEST(TokenizerFile, templates_that_make_no_sense_are_named) {
  const auto with = [](const Json& processor) { return [=](Json& d) { d["post_processor"] = processor; }; };
  expect_refused(with(begin_with("<s>", 7000)), {"the id 7000", "no token has"});
  Json processor = begin_with("<s>", 0);
  processor["special_tokens"] = Json::object();
  expect_refused(with(processor), {"'post_processor.special_tokens.<s>' is missing"});
  processor = begin_with("<s>", 0);
  processor["single"].erase(1);
  expect_refused(with(processor), {"holds no Sequence"});
  processor["single"] = Json::array({{{"Sequence", {{"id", "B"}}}}});
  expect_refused(with(processor), {"one Sequence, of id A"});
}

TEST(TokenizerFile, byte_level_at_one_end_alone_is_refused) {
  expect_refused([](Json& d) { d["decoder"] = {{"type", "Fuse"}}; }, {"'decoder.type' is \"Fuse\"", "ByteLevel"});
  expect_refused([](Json& d) { d["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "_"}}; },
                 {"pre_tokenizer", "ByteLevel"});
}

TEST(TokenizerFile, steps_of_normalizers_and_metaspace_are_checked) {
  const auto spaced = [](const Json& pre_tokenizer) {
    return [=](Json& d) {
      d["pre_tokenizer"] = pre_tokenizer;
      d["decoder"] = {{"type", "Metaspace"}, {"replacement", "_"}};
    };
  };
  expect_refused(spaced({{"type", "Metaspace"}, {"replacement", "__"}}),
                 {"'pre_tokenizer.replacement' is \"__\"", "one character"});
  expect_refused(spaced({{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "last"}}),
                 {"\"last\"; expected \"always\", \"first\" or \"never\""});
  expect_refused(spaced({{"type", "Metaspace"}, {"replacement", "_"}, {"add_prefix_space", false}}),
                 {"add_prefix_space", "never"});
  const Json digits = {{"type", "Digits"}}, metaspace = {{"type", "Metaspace"}, {"replacement", "_"}};
  expect_refused(spaced({{"type", "Sequence"}, {"pretokenizers", Json::array({digits, metaspace})}}),
                 {"Metaspace as the first step"});
  const auto replace = [](const Json& pattern) {
    return [=](Json& d) { d["normalizer"] = {{"type", "Replace"}, {"pattern", pattern}, {"content", "x"}}; };
  };
  expect_refused(replace({{"String", ""}}), {"'normalizer.pattern.String' is \"\"", "not empty"});
  expect_refused(replace({{"Regex", "(a"}}), {"normalizer.pattern", "no valid regular expression"});
}

TEST(TokenizerFile, a_missing_file_is_named) {
  expect_error([] { Tokenizer::load("no/such/tokenizer.json"); }, ErrorKind::input, {"no/such/tokenizer.json"});
}

}  // namespace
}  // namespace rlaif::text
