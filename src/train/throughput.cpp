#include "rlaif/train/throughput.hpp"

#include <algorithm>
#include <numeric>

namespace rlaif::train {

double training_flops_per_token(const model::Transformer& model, OutputMatrix output) {
  constexpr double forward = 2.0, through = 2.0, trained = 2.0;
  const auto count = [](const torch::Tensor& tensor) {
    return tensor.defined() ? static_cast<double>(tensor.numel()) : 0.0;
  };
  double flops = 0.0;
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const model::Layer& layer = model.layers[l];
    const double weights = count(layer.qkv.weight_OI) + count(layer.output.weight_OI) + count(layer.up.weight_OI) +
                           count(layer.down.weight_OI);
    if (!model.adapter) {
      flops += (forward + through + trained) * weights;
      continue;
    }
    const model::Adapter::LayerParts& parts = model.adapter->layer(l);
    double low_rank = 0.0;
    for (const model::LowRank* part : {&parts.qkv, &parts.output, &parts.up, &parts.down})
      if (!part->empty()) low_rank += count(part->a_RI) + count(part->b_Or);
    const bool reached = static_cast<std::int64_t>(l) >= model.adapter->options().first_layer;
    flops += (forward + (reached ? through : 0.0)) * weights + (forward + through + trained) * low_rank;
  }
  if (output == OutputMatrix::used)
    flops += (forward + through + (model.adapter ? 0.0 : trained)) * count(model.output_Vd);
  return flops;
}

std::vector<std::vector<std::size_t>> micro_batches(std::span<const std::int64_t> item_tokens, std::int64_t limit) {
  std::vector<std::size_t> order(item_tokens.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (order.empty()) return {};
  if (limit <= 0) return {order};
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return item_tokens[a] > item_tokens[b]; });
  std::vector<std::vector<std::size_t>> groups;
  std::int64_t tokens = 0;
  for (const std::size_t item : order) {
    if (groups.empty() || tokens + item_tokens[item] > limit) {
      groups.emplace_back();
      tokens = 0;
    }
    groups.back().push_back(item);
    tokens += item_tokens[item];
  }
  return groups;
}

}  // namespace rlaif::train
