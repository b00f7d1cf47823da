// Products of few rows with a large weight, as decoding has them. The weight is read in place and, from far memory, once:
// nothing of it is packed or kept, so it may change between calls. Two loops, chosen by the number of rows:
//   few:  a vector of inputs of a row and of a weight's row at a time; bound by the memory that the weight comes from.
//   many: rows side by side in the lanes of a vector, against one weight broadcast; bound by arithmetic.
// Both are written for vectors of 16 floats (Vec) and of 8 (HalfVec): GCC keeps sums of a width that the processor lacks
// in memory.
#include <algorithm>

#include "attention_common.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/loop_versions.hpp"

namespace rlaif::model::kernels {
namespace {

constexpr std::int64_t few_rows = 6;
constexpr std::int64_t depth_block = 96;  // inputs whose rows stay in the nearest memory while outputs pass by
constexpr std::int64_t line = 16;         // floats that come from memory together
// Far memory is asked for into the second-nearest: the nearest has no room to spare.
constexpr int second_nearest = 2;

template <class V>
constexpr std::int64_t lanes_of = sizeof(V) / sizeof(float);

template <class V>
RLAIF_INLINE V read(const float* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class V>
RLAIF_INLINE void write(float* p, const V& v) {
  std::memcpy(p, &v, sizeof v);
}

// --- few rows ---------------------------------------------------------------------------------------

RLAIF_INLINE QuarterVec quarter(const HalfVec& v) {
  return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
}
RLAIF_INLINE QuarterVec quarter(const Vec& v) {
  return quarter(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                 __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
}
RLAIF_INLINE QuarterVec pair_sums(const QuarterVec& a, const QuarterVec& b) {
  return __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
}
template <class V>
RLAIF_INLINE QuarterVec sums(const V (&v)[4]) {
  const QuarterVec a = pair_sums(quarter(v[0]), quarter(v[1])), b = pair_sums(quarter(v[2]), quarter(v[3]));
  return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
}

// Rows x 4 outputs.
template <class V, int Rows>
RLAIF_INLINE void few_tile(const Product& p, std::int64_t row, std::int64_t output) {
  V acc[Rows][4] = {};
  const float* const x = p.x + row * p.in;
  const float* const weight = p.weight + output * p.in;
  for (std::int64_t k = 0; k < p.in; k += line) {
    for (int o = 0; o < 4; ++o) __builtin_prefetch(weight + (o + 4) * p.in + k, 0, second_nearest);
    for (std::int64_t i = k; i < k + line; i += lanes_of<V>) {
      V w[4];
      for (int o = 0; o < 4; ++o) w[o] = read<V>(weight + o * p.in + i);
      for (int r = 0; r < Rows; ++r) {
        const V in = read<V>(x + r * p.in + i);
        for (int o = 0; o < 4; ++o) acc[r][o] += in * w[o];
      }
    }
  }
  for (int r = 0; r < Rows; ++r) {
    float* const y = p.y + (row + r) * p.out + output;
    const QuarterVec total = sums(acc[r]);
    write(y, p.add ? read<QuarterVec>(y) + total : total);
  }
}

// `Most` rows at a time: as many as registers have room for.
template <class V, int Most>
RLAIF_INLINE void multiply_few(const Product& p) {
  for (std::int64_t begin = 0; begin < p.out; begin += 4) {
    const std::int64_t o = std::min(begin, p.out - 4);  // the last four may be written again
    std::int64_t row = 0;
    for (; row + Most <= p.rows; row += Most) few_tile<V, Most>(p, row, o);
    if (Most > 2 && row + 2 <= p.rows) {
      few_tile<V, 2>(p, row, o);
      row += 2;
    }
    if (row < p.rows) few_tile<V, 1>(p, row, o);
  }
}

// --- many rows --------------------------------------------------------------------------------------

// Two blocks of a square of blocks, `Distance` lanes wide each, change places across its diagonal.
template <int Distance>
RLAIF_INLINE void exchange(Vec& a, Vec& b) {
  const Vec c = a, d = b;
  if constexpr (Distance == 8) {
    a = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    b = __builtin_shufflevector(c, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  } else if constexpr (Distance == 4) {
    a = __builtin_shufflevector(c, d, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
    b = __builtin_shufflevector(c, d, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
  } else if constexpr (Distance == 2) {
    a = __builtin_shufflevector(c, d, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
    b = __builtin_shufflevector(c, d, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  } else {
    a = __builtin_shufflevector(c, d, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
    b = __builtin_shufflevector(c, d, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
  }
}
template <int Distance>
RLAIF_INLINE void exchange(HalfVec& a, HalfVec& b) {
  const HalfVec c = a, d = b;
  if constexpr (Distance == 4) {
    a = __builtin_shufflevector(c, d, 0, 1, 2, 3, 8, 9, 10, 11);
    b = __builtin_shufflevector(c, d, 4, 5, 6, 7, 12, 13, 14, 15);
  } else if constexpr (Distance == 2) {
    a = __builtin_shufflevector(c, d, 0, 1, 8, 9, 4, 5, 12, 13);
    b = __builtin_shufflevector(c, d, 2, 3, 10, 11, 6, 7, 14, 15);
  } else {
    a = __builtin_shufflevector(c, d, 0, 8, 2, 10, 4, 12, 6, 14);
    b = __builtin_shufflevector(c, d, 1, 9, 3, 11, 5, 13, 7, 15);
  }
}
template <int Distance, class V, std::size_t Size>
RLAIF_INLINE void exchange_all(V (&v)[Size]) {
  for (std::size_t i = 0; i < Size; ++i)
    if (!(i & Distance)) exchange<Distance>(v[i], v[i + Distance]);
}
template <class V, std::size_t Size>
RLAIF_INLINE void transpose(V (&v)[Size]) {
  if constexpr (Size == 16) exchange_all<8>(v);
  exchange_all<4>(v);
  exchange_all<2>(v);
  exchange_all<1>(v);
}

// Rows side by side: [in, Vectors, lanes]; rows that are not there are 0.
template <class V, int Vectors>
RLAIF_INLINE void pack_rows(const float* x, std::int64_t rows, std::int64_t in, float* packed) {
  constexpr std::int64_t size = lanes_of<V>;
  for (std::int64_t k = 0; k < in; k += size)
    for (int v = 0; v < Vectors; ++v) {
      V block[size];
      for (int i = 0; i < size; ++i) block[i] = v * size + i < rows ? read<V>(x + (v * size + i) * in + k) : V{};
      transpose(block);
      for (int i = 0; i < size; ++i) write(packed + ((k + i) * Vectors + v) * size, block[i]);
    }
}

// y[o, rows] of `Outputs` outputs over `depth` inputs. `ahead`: how far the weights are that come next from far memory.
template <class V, int Vectors, int Outputs>
RLAIF_INLINE void many_tile(const float* packed, std::int64_t depth, const float* weight, std::int64_t in,
                            std::int64_t ahead, bool first, float* y) {
  constexpr std::int64_t width = Vectors * lanes_of<V>;
  V acc[Outputs][Vectors] = {};
  for (std::int64_t k = 0; k < depth; k += line) {
    for (int o = 0; o < Outputs; ++o) __builtin_prefetch(weight + o * in + k + ahead, 0, second_nearest);
#pragma GCC unroll 16
    for (int i = 0; i < line; ++i) {
      V x[Vectors];
      for (int v = 0; v < Vectors; ++v) x[v] = read<V>(packed + (k + i) * width + v * lanes_of<V>);
      for (int o = 0; o < Outputs; ++o)
        for (int v = 0; v < Vectors; ++v) acc[o][v] += weight[o * in + k + i] * x[v];
    }
  }
  for (int o = 0; o < Outputs; ++o)
    for (int v = 0; v < Vectors; ++v) {
      float* const to = y + o * width + v * lanes_of<V>;
      write(to, first ? acc[o][v] : read<V>(to) + acc[o][v]);
    }
}

// As many outputs as a vector has lanes, of one panel of rows; they pass through `turned`, [lanes, Vectors, lanes].
template <class V, int Vectors, int Outputs>
RLAIF_INLINE void many_block(const Product& p, const float* packed, std::int64_t row, std::int64_t rows,
                             std::int64_t output, std::int64_t ahead, float* turned) {
  constexpr std::int64_t size = lanes_of<V>, width = Vectors * size;
  for (std::int64_t k = 0; k < p.in; k += depth_block)
    for (std::int64_t o = 0; o < size; o += Outputs)
      many_tile<V, Vectors, Outputs>(packed + k * width, std::min(depth_block, p.in - k),
                                     p.weight + (output + o) * p.in + k, p.in, ahead, k == 0, turned + o * width);
  for (int v = 0; v < Vectors; ++v) {
    V block[size];
    for (int i = 0; i < size; ++i) block[i] = read<V>(turned + (i * Vectors + v) * size);
    transpose(block);
    for (int i = 0; i < size && v * size + i < rows; ++i) {
      float* const y = p.y + (row + v * size + i) * p.out + output;
      write(y, p.add ? read<V>(y) + block[i] : block[i]);
    }
  }
}

// Rows in panels of equal width, at most `Widest` vectors. A block of weights serves all of them before the next.
template <class V, int Widest, int Outputs>
RLAIF_INLINE void multiply_many(const Product& p) {
  constexpr std::int64_t size = lanes_of<V>;
  const std::int64_t vectors = (p.rows + size - 1) / size, panels = (vectors + Widest - 1) / Widest;
  const std::int64_t width = (vectors + panels - 1) / panels, panel_rows = width * size;
  Scratch& memory = scratch();
  memory.reset(panels * panel_rows * p.in + size * panel_rows);
  float* const packed = memory.take(panels * panel_rows * p.in);
  float* const turned = memory.take(size * panel_rows);
  const auto each_panel = [&](auto work) __attribute__((always_inline)) {
    for (std::int64_t row = 0; row < p.rows; row += panel_rows)
      work(packed + row * p.in, row, std::min(panel_rows, p.rows - row));
  };
  each_panel([&](float* to, std::int64_t row, std::int64_t rows) __attribute__((always_inline)) {
    const float* const x = p.x + row * p.in;
    if (width == 1) pack_rows<V, 1>(x, rows, p.in, to);
    if (width == 2) pack_rows<V, 2>(x, rows, p.in, to);
    if (width == 3) pack_rows<V, 3>(x, rows, p.in, to);
    if (Widest > 3 && width == 4) pack_rows<V, 4>(x, rows, p.in, to);
  });
  for (std::int64_t begin = 0; begin < p.out; begin += size) {
    const std::int64_t output = std::min(begin, p.out - size);  // the last block may write some outputs again
    std::int64_t ahead = size * p.in;
    each_panel([&](const float* x, std::int64_t row, std::int64_t rows) __attribute__((always_inline)) {
      if (width == 1) many_block<V, 1, Outputs>(p, x, row, rows, output, ahead, turned);
      if (width == 2) many_block<V, 2, Outputs>(p, x, row, rows, output, ahead, turned);
      if (width == 3) many_block<V, 3, Outputs>(p, x, row, rows, output, ahead, turned);
      if (Widest > 3 && width == 4) many_block<V, 4, Outputs / 2>(p, x, row, rows, output, ahead, turned);
      ahead = 0;
    });
  }
}

#if defined(__x86_64__)
RLAIF_AVX512 void multiply_512(const Product& p) {
  p.rows <= few_rows ? multiply_few<Vec, 4>(p) : multiply_many<Vec, 4, 8>(p);
}
RLAIF_AVX2 void multiply_256(const Product& p) {
  p.rows <= few_rows ? multiply_few<HalfVec, 2>(p) : multiply_many<HalfVec, 3, 4>(p);
}
#endif

}  // namespace

bool multiply_fits(const Product& p) {
  return instruction_set() != InstructionSet::base && p.rows > 0 && p.rows <= most_multiplied_rows &&
         p.in % lanes == 0 && p.in > 0 && p.out >= lanes && (p.out % lanes == 0 || !p.add);
}

void multiply(const Product& p) {
#if defined(__x86_64__)
  instruction_set() == InstructionSet::avx512 ? multiply_512(p) : multiply_256(p);
#else
  RLAIF_CHECK(multiply_fits(p), "a product that multiply_fits: there are loops for x86-64 alone");
#endif
}

}  // namespace rlaif::model::kernels
