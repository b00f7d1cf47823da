#include "config_reader.hpp"

#include <array>
#include <limits>
#include <string_view>

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

TokenId token_of(const JsonReader& value) {
  const std::int64_t id = value.integer();
  if (id < -1 || id > std::numeric_limits<TokenId>::max()) throw value.unexpected("a token id");
  return static_cast<TokenId>(id);
}

}  // namespace

ConfigReader::ConfigReader(const std::filesystem::path& file)
    : document_(std::make_shared<const Document>(file, read_json_object(file))),
      reader_(document_->file, document_->json) {}

bool ConfigReader::has(const std::string& key) const { return reader_.find(key).has_value(); }

JsonReader ConfigReader::at(const std::string& key) const {
  asked_.insert(key);
  return reader_.at(key);
}

std::optional<JsonReader> ConfigReader::given(const std::string& key) const {
  asked_.insert(key);
  return reader_.given(key);
}

std::int64_t ConfigReader::integer(const std::string& key, std::optional<std::int64_t> otherwise) const {
  return given(key) || !otherwise ? at(key).integer() : *otherwise;
}

double ConfigReader::number(const std::string& key, std::optional<double> otherwise) const {
  return given(key) || !otherwise ? at(key).number() : *otherwise;
}

std::string ConfigReader::text(const std::string& key, const std::string& otherwise) const {
  asked_.insert(key);
  return reader_.string_or(key, otherwise);
}

bool ConfigReader::flag(const std::string& key, bool otherwise) const {
  asked_.insert(key);
  return reader_.boolean_or(key, otherwise);
}

TokenId ConfigReader::token(const std::string& key) const {
  const auto value = given(key);
  return value ? token_of(*value) : -1;
}

std::vector<TokenId> ConfigReader::tokens(const std::string& key) const {
  const auto value = given(key);
  if (!value) return {};
  std::vector<TokenId> ids;
  for (const JsonReader& one : value->json().is_array() ? value->items() : std::vector{*value}) {
    // Some configs say -1 where they mean none.
    if (const TokenId id = token_of(one); id >= 0) ids.push_back(id);
  }
  return ids;
}

void ConfigReader::expect_flag(const std::string& key, bool expected) const {
  if (flag(key, expected) != expected) throw at(key).unexpected(expected ? "true" : "false");
}

std::optional<ConfigReader> ConfigReader::object(const std::string& key) const {
  const auto value = given(key);
  if (!value) return std::nullopt;
  value->object();  // throws where it is none
  return ConfigReader(document_, *value);
}

void ConfigReader::expect_all_known() const {
  const bool is_whole = reader_.path().empty();
  for (const auto& [key, value] : reader_.members()) {
    const bool says_nothing = value.json().is_null() || value.json() == false || (is_whole && is_harmless(key));
    if (!says_nothing && !asked_.contains(key))
      throw value.unexpected("it absent, null or false, as a field of unknown meaning");
  }
}

}  // namespace rlaif::model
