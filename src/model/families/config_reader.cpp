#include "config_reader.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"

namespace rlaif::model {
namespace {

// What configs say beside the computation: training, generation defaults, bookkeeping.
constexpr std::array<std::string_view, 71> harmless{"architectures",
                                                    "attn_implementation",
                                                    "bad_words_ids",
                                                    "begin_suppress_tokens",
                                                    "chunk_size_feed_forward",
                                                    "decoder_start_token_id",
                                                    "diversity_penalty",
                                                    "do_sample",
                                                    "early_stopping",
                                                    "encoder_no_repeat_ngram_size",
                                                    "exponential_decay_length_penalty",
                                                    "finetuning_task",
                                                    "forced_bos_token_id",
                                                    "forced_eos_token_id",
                                                    "gradient_checkpointing",
                                                    "id2label",
                                                    "initializer_range",
                                                    "is_llama_config",
                                                    "keys_to_ignore_at_inference",
                                                    "label2id",
                                                    "length_penalty",
                                                    "max_length",
                                                    "min_length",
                                                    "model_type",
                                                    "n_ctx",
                                                    "no_repeat_ngram_size",
                                                    "num_beam_groups",
                                                    "num_beams",
                                                    "num_labels",
                                                    "num_return_sequences",
                                                    "output_attentions",
                                                    "output_hidden_states",
                                                    "output_scores",
                                                    "prefix",
                                                    "pretraining_tp",
                                                    "problem_type",
                                                    "pruned_heads",
                                                    "remove_invalid_values",
                                                    "reorder_and_upcast_attn",
                                                    "repetition_penalty",
                                                    "return_dict",
                                                    "return_dict_in_generate",
                                                    "sep_token_id",
                                                    "summary_activation",
                                                    "summary_first_dropout",
                                                    "summary_proj_to_labels",
                                                    "summary_type",
                                                    "summary_use_proj",
                                                    "suppress_tokens",
                                                    "task_specific_params",
                                                    "temperature",
                                                    "tf_legacy_loss",
                                                    "tokenizer_class",
                                                    "top_k",
                                                    "top_p",
                                                    "torchscript",
                                                    "transformers.js_config",
                                                    "transformers_version",
                                                    "typical_p",
                                                    "unsloth_fixed",
                                                    "unsloth_version",
                                                    "use_bfloat16",
                                                    "use_cache",
                                                    "attention_dropout",
                                                    "hidden_dropout",
                                                    "classifier_dropout",
                                                    "resid_pdrop",
                                                    "embd_pdrop",
                                                    "attn_pdrop",
                                                    "rlaif_score_offset",
                                                    "rlaif_score_scale"};

bool is_harmless(const std::string& key) {
  if (key.starts_with("_")) return true;
  for (const std::string_view known : harmless)
    if (key == known) return true;
  return false;
}

}  // namespace

ConfigReader::ConfigReader(const std::filesystem::path& file) : file_(file) {
  try {
    root_ = parse_json_text(read_file(file));
  } catch (const Json::exception& error) {
    throw input_error(file, std::string("expected JSON: ") + error.what());
  }
  if (!root_.is_object()) throw input_error(file, "expected a JSON object");
}

void ConfigReader::fail(const std::string& message) const { throw input_error(file_, message); }

bool ConfigReader::has(const std::string& key) const { return root_.contains(key); }

const Json* ConfigReader::find(const std::string& key) const {
  asked_.insert(key);
  const auto found = root_.find(key);
  return found == root_.end() || found->is_null() ? nullptr : &*found;
}

std::int64_t ConfigReader::integer(const std::string& key, std::optional<std::int64_t> otherwise) const {
  const Json* const value = find(key);
  if (!value && otherwise) return *otherwise;
  if (!value) fail("expected the field " + quoted(key));
  return integer_of(*value, key);
}

double ConfigReader::number(const std::string& key, std::optional<double> otherwise) const {
  const Json* const value = find(key);
  if (!value && otherwise) return *otherwise;
  if (!value) fail("expected the field " + quoted(key));
  if (!value->is_number() || !std::isfinite(value->get<double>()))
    fail(quoted(key) + ": expected a number, found " + value->dump());
  return value->get<double>();
}

std::string ConfigReader::text(const std::string& key, const std::string& otherwise) const {
  const Json* const value = find(key);
  if (!value) return otherwise;
  if (!value->is_string()) fail(quoted(key) + ": expected a string, found " + value->dump());
  return value->get<std::string>();
}

bool ConfigReader::flag(const std::string& key, bool otherwise) const {
  const Json* const value = find(key);
  if (!value) return otherwise;
  if (!value->is_boolean()) fail(quoted(key) + ": expected true or false, found " + value->dump());
  return value->get<bool>();
}

TokenId ConfigReader::token(const std::string& key) const {
  const Json* const value = find(key);
  return value ? token_of(*value, key) : -1;
}

std::vector<TokenId> ConfigReader::tokens(const std::string& key) const {
  const Json* const value = find(key);
  if (!value) return {};
  std::vector<TokenId> ids;
  for (const Json& one : value->is_array() ? *value : Json::array({*value})) {
    // Some configs say -1 where they mean none.
    if (const TokenId id = token_of(one, key); id >= 0) ids.push_back(id);
  }
  return ids;
}

TokenId ConfigReader::token_of(const Json& value, const std::string& key) const {
  const std::int64_t id = integer_of(value, key);
  if (id < -1 || id > std::numeric_limits<TokenId>::max())
    fail(quoted(key) + ": expected a token id, found " + value.dump());
  return static_cast<TokenId>(id);
}

void ConfigReader::expect_flag(const std::string& key, bool expected) const {
  if (flag(key, expected) != expected)
    fail(quoted(key) + ": " + (expected ? "false" : "true") + " is not supported, expected " +
         (expected ? "true" : "false"));
}

std::optional<ConfigReader> ConfigReader::object(const std::string& key) const {
  const Json* const value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_object()) fail(quoted(key) + ": expected an object, found " + value->dump());
  return ConfigReader(file_, prefix_ + key + ".", *value);
}

void ConfigReader::expect_all_known() const {
  for (const auto& [key, value] : root_.items()) {
    const bool says_nothing = value.is_null() || value == false || (prefix_.empty() && is_harmless(key));
    if (!says_nothing && !asked_.contains(key))
      fail(quoted(key) + ": " + value.dump().substr(0, 60) +
           " is a field of unknown meaning, expected it absent, null or false");
  }
}

std::int64_t ConfigReader::integer_of(const Json& value, const std::string& key) const {
  if (!value.is_number_integer() ||
      (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()))
    fail(quoted(key) + ": expected an integer, found " + value.dump());
  return value.get<std::int64_t>();
}

}  // namespace rlaif::model
