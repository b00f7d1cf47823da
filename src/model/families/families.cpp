#include "families.hpp"

#include "family_configs.hpp"

namespace rlaif::model {
namespace {

// Llama and those that name their tensors alike.
TensorNames llama_names() {
  return {.base_prefix = "model.",
          .embedding = "model.embed_tokens",
          .positions = "",
          .final_norm = "model.norm",
          .score = "score",
          .output = {"lm_head"},
          .layer_prefix = "model.layers.{}.",
          .input_norm = "input_layernorm",
          .query_norm = "self_attn.q_norm",
          .key_norm = "self_attn.k_norm",
          .post_norm = "post_attention_layernorm",
          .qkv = {{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}},
          .attention_output = {{"self_attn.o_proj"}},
          .up = {{"mlp.gate_proj", "mlp.up_proj"}},
          .down = {{"mlp.down_proj"}},
          .ignored_suffixes = {"self_attn.rotary_emb.inv_freq"}};
}

TensorNames gpt_neox_names() {
  return {.base_prefix = "gpt_neox.",
          .embedding = "gpt_neox.embed_in",
          .positions = "",
          .final_norm = "gpt_neox.final_layer_norm",
          .score = "score",
          .output = {"embed_out", "lm_head"},
          .layer_prefix = "gpt_neox.layers.{}.",
          .input_norm = "input_layernorm",
          .query_norm = "",
          .key_norm = "",
          .post_norm = "post_attention_layernorm",
          .qkv = {.parts = {"attention.query_key_value"}, .interleaved = true},
          .attention_output = {{"attention.dense"}},
          .up = {{"mlp.dense_h_to_4h"}},
          .down = {{"mlp.dense_4h_to_h"}},
          .ignored_suffixes = {".attention.bias", ".attention.masked_bias", ".attention.rotary_emb.inv_freq"}};
}

TensorNames gpt2_names() {
  return {.base_prefix = "transformer.",
          .embedding = "transformer.wte",
          .positions = "transformer.wpe",
          .final_norm = "transformer.ln_f",
          .score = "score",
          .output = {"lm_head"},
          .layer_prefix = "transformer.h.{}.",
          .input_norm = "ln_1",
          .query_norm = "",
          .key_norm = "",
          .post_norm = "ln_2",
          .qkv = {.parts = {"attn.c_attn"}, .transposed = true},
          .attention_output = {.parts = {"attn.c_proj"}, .transposed = true},
          .up = {.parts = {"mlp.c_fc"}, .transposed = true},
          .down = {.parts = {"mlp.c_proj"}, .transposed = true},
          .ignored_suffixes = {".attn.bias", ".attn.masked_bias"}};
}

}  // namespace

const std::vector<Family>& families() {
  static const std::vector<Family> all{
      {"llama", "LlamaForCausalLM", "LlamaForSequenceClassification", false, llama_names(), read_llama, write_llama},
      {"mistral", "MistralForCausalLM", "MistralForSequenceClassification", false, llama_names(), read_mistral,
       write_mistral},
      {"qwen2", "Qwen2ForCausalLM", "Qwen2ForSequenceClassification", false, llama_names(), read_qwen2, write_qwen2},
      {"qwen3", "Qwen3ForCausalLM", "Qwen3ForSequenceClassification", false, llama_names(), read_qwen3, write_qwen3},
      {"gpt_neox", "GPTNeoXForCausalLM", "GPTNeoXForSequenceClassification", false, gpt_neox_names(), read_gpt_neox,
       write_gpt_neox},
      {"gpt2", "GPT2LMHeadModel", "GPT2ForSequenceClassification", true, gpt2_names(), read_gpt2, write_gpt2},
  };
  return all;
}

const Family* find_family(std::string_view name) {
  for (const Family& family : families())
    if (family.name == name) return &family;
  return nullptr;
}

std::string family_names() {
  std::string names;
  for (const Family& family : families()) names += (names.empty() ? "" : ", ") + family.name;
  return names;
}

}  // namespace rlaif::model
