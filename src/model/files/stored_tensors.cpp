#include <numeric>

#include "checkpoint.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;

// Heads of ours have the two parts of a rotated pair half a head apart; checkpoints have all rotated dimensions first, the
// two parts of a pair half of those apart. Ours by the checkpoint's.
std::vector<std::int64_t> head_order(const ModelConfig& config) {
  const std::int64_t half = config.head_dim / 2, turned = config.rotated() / 2;
  std::vector<std::int64_t> ours;
  for (std::int64_t i = 0; i < turned; ++i) ours.push_back(i);
  for (std::int64_t i = 0; i < turned; ++i) ours.push_back(half + i);
  for (std::int64_t i = turned; i < half; ++i) ours.push_back(i);
  for (std::int64_t i = turned; i < half; ++i) ours.push_back(half + i);
  return ours;
}

// Rows of the fused queries, keys and values in a checkpoint's order.
std::vector<std::int64_t> qkv_rows(const ModelConfig& config, bool interleaved) {
  const std::int64_t heads[] = {config.num_heads, config.num_kv_heads, config.num_kv_heads};
  const bool partial = config.rotated() > 0 && config.rotated() < config.head_dim;
  std::vector<std::int64_t> straight(static_cast<std::size_t>(config.head_dim));
  std::iota(straight.begin(), straight.end(), 0);
  const std::vector<std::int64_t> turned = partial ? head_order(config) : straight;
  std::vector<std::int64_t> rows;
  const auto add_head = [&](int part, std::int64_t head) {
    const std::int64_t before = part == 0 ? 0 : heads[0] + (part - 1) * heads[1];
    for (const std::int64_t i : part < 2 ? turned : straight) rows.push_back((before + head) * config.head_dim + i);
  };
  if (interleaved) {
    for (std::int64_t head = 0; head < config.num_heads; ++head)
      for (int part = 0; part < 3; ++part) add_head(part, head);
  } else {
    for (int part = 0; part < 3; ++part)
      for (std::int64_t head = 0; head < heads[part]; ++head) add_head(part, head);
  }
  return rows;
}

class Lister {
 public:
  explicit Lister(const Transformer& model) : config_(model.config()) {}

  void add(const std::string& name, const Tensor& tensor) {
    if (tensor.defined()) all_.push_back({prefix_ + name, tensor, {}, false});
  }
  void add_norm(const std::string& name, const Norm& norm) {
    add(name + ".weight", norm.weight_d);
    add(name + ".bias", norm.bias_d);
  }
  // `sizes`: rows of each part.
  void add_linear(const LinearNames& names, const Linear& linear, const std::vector<std::int64_t>& sizes,
                  const std::vector<std::int64_t>& order = {}) {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < names.parts.size(); begin += sizes[i++]) {
      // One tensor of several parts is one below the other.
      const std::int64_t rows = names.parts.size() == 1 ? linear.weight_OI.size(0) : sizes[i];
      std::vector<std::int64_t> order_of_part;
      if (!order.empty())
        for (std::int64_t r = begin; r < begin + rows; ++r)
          order_of_part.push_back(order[static_cast<std::size_t>(r)] - begin);
      const std::string name = prefix_ + names.parts[i];
      all_.push_back({name + ".weight", linear.weight_OI.narrow(0, begin, rows), order_of_part, names.transposed});
      if (linear.bias_O.defined())
        all_.push_back({name + ".bias", linear.bias_O.narrow(0, begin, rows), order_of_part, false});
    }
  }
  void add_layer(const TensorNames& names, const Layer& layer, std::size_t number) {
    prefix_ = names.layer_prefix;
    prefix_.replace(prefix_.find("{}"), 2, std::to_string(number));
    const std::int64_t queries = config_.num_heads * config_.head_dim, keys = config_.num_kv_heads * config_.head_dim;
    const std::int64_t f = config_.intermediate_size;
    if (number == 0) order_ = natural(qkv_rows(config_, names.qkv.interleaved));
    add_norm(names.input_norm, layer.input_norm);
    add_linear(names.qkv, layer.qkv, {queries, keys, keys}, order_);
    if (layer.query_norm_D.defined()) {
      add(names.query_norm + ".weight", layer.query_norm_D);
      add(names.key_norm + ".weight", layer.key_norm_D);
    }
    add_linear(names.attention_output, layer.output, {config_.hidden_size});
    add_norm(names.post_norm, layer.post_norm);
    add_linear(names.up, layer.up, {f, f});
    add_linear(names.down, layer.down, {config_.hidden_size});
    prefix_.clear();
  }
  std::vector<StoredTensor> take() { return std::move(all_); }

 private:
  // Empty where nothing is out of order.
  static std::vector<std::int64_t> natural(std::vector<std::int64_t> rows) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i] != static_cast<std::int64_t>(i)) return rows;
    return {};
  }

  const ModelConfig& config_;
  std::string prefix_;
  std::vector<std::int64_t> order_;
  std::vector<StoredTensor> all_;
};

}  // namespace

std::vector<std::int64_t> StoredTensor::shape() const {
  auto sizes = parameter.sizes().vec();
  if (transposed) std::swap(sizes[0], sizes[1]);
  return sizes;
}

Tensor StoredTensor::to_checkpoint() const {
  Tensor stored = parameter.detach();
  if (!rows.empty()) stored = stored.index_select(0, torch::tensor(rows, torch::kInt64).to(stored.device()));
  return transposed ? stored.t() : stored;
}

void StoredTensor::from_checkpoint(const Tensor& stored) const {
  const Tensor in_rows = transposed ? stored.t() : stored;
  Tensor into = parameter;
  if (rows.empty())
    into.copy_(in_rows);
  else
    into.index_copy_(0, torch::tensor(rows, torch::kInt64).to(into.device()), in_rows.to(into.options()));
}

std::vector<StoredTensor> stored_tensors(const Transformer& model, Purpose purpose) {
  const Family* const family = find_family(model.config().architecture);
  RLAIF_CHECK(family, "a model's family is known");
  const TensorNames& names = family->tensors;
  Lister list(model);
  list.add(names.embedding + ".weight", model.embedding_Vd);
  list.add(names.positions + ".weight", model.positions_Pd);
  for (std::size_t l = 0; l < model.layers.size(); ++l) list.add_layer(names, model.layers[l], l);
  list.add_norm(names.final_norm, model.final_norm);
  if (purpose == Purpose::causal && !model.config().tied_embeddings)
    list.add(names.output.front() + ".weight", model.output_Vd);
  return list.take();
}

}  // namespace rlaif::model
