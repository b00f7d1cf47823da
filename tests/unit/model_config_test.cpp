#include "rlaif/model/config.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "rlaif/core/files.hpp"

namespace rlaif::model {
namespace {

ModelConfig read(const std::string& json) {
  const auto file = std::filesystem::temp_directory_path() / ("rlaif_config_" + std::to_string(::getpid()) + ".json");
  write_file_atomic(file, json);
  const ModelConfig config = read_config(file);
  std::filesystem::remove(file);
  return config;
}

// Fields as in the configs of published models, of transformers 4.
TEST(ReadConfig, KnowsLlama31) {
  const ModelConfig config =
      read(R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
    "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "hidden_act": "silu", "hidden_size": 4096,
    "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 131072, "mlp_bias": false,
    "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8, "pretraining_tp": 1,
    "rms_norm_eps": 1e-05, "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192, "rope_type": "llama3"}, "rope_theta": 500000.0, "tie_word_embeddings": false,
    "torch_dtype": "bfloat16", "transformers_version": "4.42.3", "use_cache": true, "vocab_size": 128256})");
  EXPECT_EQ(config.head_dim, 128);
  EXPECT_EQ(config.end_tokens.ids(), (std::vector<TokenId>{128001, 128008, 128009}));
  EXPECT_EQ(config.rope_scaling, (RopeScaling{RopeScaling::Kind::llama3, 8.0, 8192, 1.0, 4.0}));
  EXPECT_EQ(config.num_parameters(), 8030261248);
}

TEST(ReadConfig, KnowsSmolLM2) {
  const ModelConfig config = read(R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false, "bos_token_id": 1,
    "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 576, "initializer_range": 0.041666666666666664,
    "intermediate_size": 1536, "is_llama_config": true, "max_position_embeddings": 8192, "model_type": "llama",
    "num_attention_heads": 9, "num_hidden_layers": 30, "num_key_value_heads": 3, "pad_token_id": 2, "pretraining_tp": 1,
    "rms_norm_eps": 1e-05, "rope_interleaved": false, "rope_scaling": null, "rope_theta": 100000, "tie_word_embeddings": true,
    "torch_dtype": "bfloat16", "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16"}}, "use_cache": true,
    "vocab_size": 49152})");
  EXPECT_EQ(config.num_parameters(), 134515008);
}

TEST(ReadConfig, KnowsMistralAndItsWindow) {
  const std::string start =
      R"({"architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
    "hidden_size": 4096, "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mistral",
    "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
    "tie_word_embeddings": false, "vocab_size": 32000)";
  EXPECT_EQ(read(start + R"(, "sliding_window": 4096})").window(0), 4096);
  EXPECT_EQ(read(start + "}").window(0), 4096);
  EXPECT_EQ(read(start + R"(, "sliding_window": null})").window(0), 0);
  EXPECT_EQ(read(start + "}").num_parameters(), 7241732096);
}

TEST(ReadConfig, KnowsQwenOfBothGenerations) {
  const ModelConfig second =
      read(R"({"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
    "eos_token_id": 151645, "hidden_act": "silu", "hidden_size": 896, "intermediate_size": 4864, "max_position_embeddings": 32768,
    "max_window_layers": 21, "model_type": "qwen2", "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2,
    "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": true,
    "use_sliding_window": false, "vocab_size": 151936})");
  EXPECT_TRUE(second.qkv_bias && !second.output_bias && !second.query_key_norm);
  EXPECT_EQ(second.sliding_window, 0);
  EXPECT_EQ(second.num_parameters(), 494032768);
  const ModelConfig third =
      read(R"({"architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "bos_token_id": 151643,
    "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu", "hidden_size": 1024, "intermediate_size": 3072,
    "max_position_embeddings": 40960, "max_window_layers": 28, "model_type": "qwen3", "num_attention_heads": 16,
    "num_hidden_layers": 28, "num_key_value_heads": 8, "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 1000000,
    "sliding_window": null, "tie_word_embeddings": true, "use_sliding_window": false, "vocab_size": 151936})");
  EXPECT_TRUE(third.query_key_norm && !third.qkv_bias);
  EXPECT_EQ(third.num_parameters(), 596049920);
}

TEST(ReadConfig, KnowsPythiaAndGpt2) {
  const ModelConfig pythia =
      read(R"({"architectures": ["GPTNeoXForCausalLM"], "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "gelu",
    "hidden_size": 512, "intermediate_size": 2048, "layer_norm_eps": 1e-05, "max_position_embeddings": 2048,
    "model_type": "gpt_neox", "num_attention_heads": 8, "num_hidden_layers": 6, "rotary_emb_base": 10000, "rotary_pct": 0.25,
    "tie_word_embeddings": false, "torch_dtype": "float16", "use_cache": true, "use_parallel_residual": true, "vocab_size": 50304})");
  EXPECT_EQ(pythia.rotary_dims, 16);
  EXPECT_TRUE(pythia.parallel_residual);
  EXPECT_EQ(pythia.num_parameters(), 70426624);
  const ModelConfig gpt2 =
      read(R"({"activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
    "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "resid_pdrop": 0.1,
    "summary_activation": null, "summary_first_dropout": 0.1, "summary_proj_to_labels": true, "summary_type": "cls_index",
    "summary_use_proj": true, "task_specific_params": {"text-generation": {"do_sample": true, "max_length": 50}},
    "vocab_size": 50257})");
  EXPECT_TRUE(gpt2.tied_embeddings && gpt2.learned_positions);
  EXPECT_EQ(gpt2.rotated(), 0);
  EXPECT_EQ(gpt2.num_parameters(), 124439808);
}

}  // namespace
}  // namespace rlaif::model
