#include "families.hpp"

namespace rlaif::model {

const std::vector<Family>& families() {
  static const std::vector<Family> all{
      {.name = "llama",
       .causal_architecture = "LlamaForCausalLM",
       .scalar_architecture = "LlamaForSequenceClassification",
       .tensors = {.embedding = "model.embed_tokens.weight",
                   .final_norm = "model.norm.weight",
                   .output = "lm_head.weight",
                   .score = "score.weight",
                   .layer_prefix = "model.layers.{}.",
                   .input_norm = "input_layernorm.weight",
                   .post_norm = "post_attention_layernorm.weight",
                   .attention_output = "self_attn.o_proj.weight",
                   .down = "mlp.down_proj.weight",
                   .qkv = {"self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"},
                   .gate_up = {"mlp.gate_proj.weight", "mlp.up_proj.weight"},
                   .ignored_suffixes = {"self_attn.rotary_emb.inv_freq"}}},
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
