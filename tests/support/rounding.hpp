// How far results in floating point may lie from exact ones, by their type, the lengths of their sums and the magnitudes of what
// is added up: the same bounds for every processor, library and order of summation.
//   dot = sum a b;  EXPECT_NEAR(dot, exact, rounding::of_sum(n) * sum_of_magnitudes)
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace rlaif::rounding {

// Unit roundoffs: a result is rounded by at most so much of itself.
inline constexpr double single = 0x1p-24, twice = 0x1p-53;

// Of exp, log, sine and the like, in units: vectorised libraries promise 4 at least, ours 5.
inline constexpr double function_units = 8;

// Of a sum of n numbers or products, in whatever order, as a part of the sum of their magnitudes. Never above the worst case
// n u / (1 - n u); long sums stay within 8 sqrt(n) u where rounding errors are independent and of mean 0, for all but one sum in
// 10^13 (N. Higham, T. Mary: A new approach to probabilistic rounding error analysis, 2019, theorem 2.4). They are not where one
// term outweighs so many that each of them is lost beside it: code that meets such sums of 10^5 terms adds them in blocks.
inline double of_sum(double n, double unit = single) {
  const double worst = n * unit < 1.0 ? n * unit / (1.0 - n * unit) : 1.0;
  return std::min(worst, 8.0 * std::sqrt(n) * unit);
}

// Of stages one after another, each of which adds up so many products of what came before: their errors add up. `functions`:
// exp, log and divisions on the way.
inline double of_chain(std::initializer_list<double> sums, int functions = 0, double unit = single) {
  double bound = functions * function_units * unit;
  for (const double n : sums) bound += of_sum(n, unit);
  return bound;
}

// A decoder's sizes. `context`: the longest sequence.
struct Decoder {
  double layers, width, inner, heads_width, context;
};
template <class Config>
Decoder decoder_of(const Config& config, double context) {
  const auto number = [](auto value) { return static_cast<double>(value); };
  return {number(config.num_layers), number(config.hidden_size), number(config.intermediate_size),
          number(config.num_heads * config.head_dim), context};
}

// Of its states, logits or scores, as a part of the largest of them: norms, projections, scores, softmax, values and the two
// halves of the feed-forward layer.
inline double of_forward(const Decoder& d, double unit = single) {
  const double layer = of_chain(
      {d.width, d.width, d.width, d.context, d.context, d.heads_width, 1, d.width, d.width, d.inner, 1}, 4, unit);
  return d.layers * layer + of_chain({d.width, d.width}, 1, unit);
}
// Of a gradient of a loss of `rows` rows of its logits, as a part of the gradient's largest number or norm: back through every
// stage, whose products of two factors are rounded as each of them was, and a sum over rows at the end.
inline double of_backward(const Decoder& d, double rows, double unit = single) {
  return 3.0 * of_forward(d, unit) + of_sum(rows, unit);
}

}  // namespace rlaif::rounding
