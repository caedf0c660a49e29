// The hot loops of kernels.h, compiled once per instruction set (SHARKS_ISA_NAME names it). Only plain types and
// intrinsics here: a template of the standard library instantiated in this file could replace its portable twin.
#include "cpu/simd/kernels.h"

#include "cpu/simd/noise.h"
#include "cpu/simd/product.h"
#include "cpu/simd/vec.h"

namespace sharks::cpu {
namespace {

inline Vec sum_of(Vec sum) { return sum; }
inline Vec sum_of(Whole sum) { return sum.to_float(); }

void gate(int B, int W, const float* a, size_t ld_a, float* z, size_t ld_z) {
  for (int b = 0; b < B; ++b, a += ld_a, z += ld_z)
    for (int i = 0; i < W; i += kLanes) tanh_sigmoid(Vec::load(a + i), Vec::load(a + W + i)).store(z + i);
}

void residual(int B, int W, const float* x, size_t ld_x, const float* r, size_t ld_r, float scale, float* y,
              size_t ld_y) {
  for (int b = 0; b < B; ++b, x += ld_x, r += ld_r, y += ld_y)
    for (int i = 0; i < W; i += kLanes) ((Vec::load(x + i) + Vec::load(r + i)) * Vec::all(scale)).store(y + i);
}

void copy(int B, int W, const float* x, size_t ld_x, float* y, size_t ld_y) {
  for (int b = 0; b < B; ++b, x += ld_x, y += ld_y)
    for (int i = 0; i < W; i += kLanes) Vec::load(x + i).store(y + i);
}

void rectify(int B, int W, const float* x, size_t ld_x, float* y, size_t ld_y) {
  for (int b = 0; b < B; ++b, x += ld_x, y += ld_y)
    for (int i = 0; i < W; i += kLanes) max(Vec::load(x + i), Vec::zero()).store(y + i);
}

void lstm(int B, int W, const float* gates, size_t ld_gates, float* c, float* h, size_t ld_state) {
  for (int b = 0; b < B; ++b, gates += ld_gates, c += ld_state, h += ld_state)
    for (int i = 0; i < W; i += kLanes) {
      const Vec in = Vec::load(gates + i), forget = sigmoid(Vec::load(gates + W + i));
      const Vec value = Vec::load(gates + 2 * W + i), out = Vec::load(gates + 3 * W + i);
      const Vec cell = fma(forget, Vec::load(c + i), tanh_sigmoid(value, in));
      cell.store(c + i);
      tanh_sigmoid(cell, out).store(h + i);
    }
}

void gru(int B, int W, const float* in, const float* rec, size_t ld, float* h, size_t ld_h) {
  for (int b = 0; b < B; ++b, in += ld, rec += ld, h += ld_h)
    for (int i = 0; i < W; i += kLanes) {
      const Vec r = sigmoid(Vec::load(in + i) + Vec::load(rec + i));
      const Vec z = sigmoid(Vec::load(in + W + i) + Vec::load(rec + W + i));
      const Vec n = tanh(fma(r, Vec::load(rec + 2 * W + i), Vec::load(in + 2 * W + i)));
      fma(z, Vec::load(h + i) - n, n).store(h + i);
    }
}

void gru_reset(int B, int W, float* gates, size_t ld, const float* h, size_t ld_h, float* rh, size_t ld_rh) {
  for (int b = 0; b < B; ++b, gates += ld, h += ld_h, rh += ld_rh)
    for (int i = 0; i < W; i += kLanes) {
      const Vec r = sigmoid(Vec::load(gates + i));
      (r * Vec::load(h + i)).store(rh + i);
      r.store(gates + i);
      sigmoid(Vec::load(gates + W + i)).store(gates + W + i);
    }
}

void gru_update(int B, int W, const float* gates, size_t ld, float* h, size_t ld_h) {
  for (int b = 0; b < B; ++b, gates += ld, h += ld_h)
    for (int i = 0; i < W; i += kLanes) {
      const Vec n = tanh(Vec::load(gates + 2 * W + i));
      fma(Vec::load(gates + W + i), Vec::load(h + i) - n, n).store(h + i);
    }
}

void look_up(int W, int N, int Q, const float* table, const int32_t* levels, const float* init, float* y, bool relu) {
  for (int i = 0; i < W; i += kLanes) {
    Vec sum = init ? Vec::load(init + i) : Vec::zero();
    for (int p = 0; p < N; ++p)
      if (levels[p] >= 0) sum = sum + Vec::load(table + (static_cast<size_t>(p) * Q + levels[p]) * W + i);
    (relu ? max(sum, Vec::zero()) : sum).store(y + i);
  }
}

// Eight doubles. Contraction is off for the draw's sake; here each product may be fused with its sum.
typedef double Doubles __attribute__((vector_size(64), aligned(8)));

// R rows of c: all of K in registers for 16 columns at a time.
template <int R>
__attribute__((optimize("fp-contract=fast"))) void fold_rows(int N, int K, const double* a, const double* b,
                                                             double* c) {
  for (int n = 0; n < N; n += 16) {
    Doubles sum[R][2] = {};
    for (int k = 0; k < K; ++k) {
      const Doubles* row = reinterpret_cast<const Doubles*>(b + static_cast<size_t>(k) * N + n);
      for (int r = 0; r < R; ++r) {
        sum[r][0] += a[static_cast<size_t>(r) * K + k] * row[0];
        sum[r][1] += a[static_cast<size_t>(r) * K + k] * row[1];
      }
    }
    for (int r = 0; r < R; ++r)
      for (int half = 0; half < 2; ++half)
        std::memcpy(c + static_cast<size_t>(r) * N + n + 8 * half, &sum[r][half], sizeof(Doubles));
  }
}

void fold(int M, int N, int K, const double* a, const double* b, double* c) {
  constexpr int kRows = 8;
  int m = 0;
  for (; m + kRows <= M; m += kRows)
    fold_rows<kRows>(N, K, a + static_cast<size_t>(m) * K, b, c + static_cast<size_t>(m) * N);
  for (; m < M; ++m) fold_rows<1>(N, K, a + static_cast<size_t>(m) * K, b, c + static_cast<size_t>(m) * N);
}

float read_all(const float* data, size_t count) {
  constexpr int kAtOnce = 8;
  Vec sums[kAtOnce];
  for (Vec& sum : sums) sum = Vec::zero();
  for (size_t i = 0; i < count; i += kAtOnce * kLanes)
    for (int j = 0; j < kAtOnce; ++j) sums[j] = sums[j] + Vec::load(data + i + j * kLanes);
  float lanes[kLanes], total = 0;
  for (int j = 1; j < kAtOnce; ++j) sums[0] = sums[0] + sums[j];
  sums[0].store(lanes);
  for (float lane : lanes) total += lane;
  return total;
}

template <class E>
float multiply_with(size_t rounds) {
  alignas(64) float weights[kLanes] = {};
  volatile typename E::Input unknown{};  // so that nothing can be computed ahead of time
  const typename E::In in = E::spread(unknown);
  typename E::Sum sums[kProbeSums];
  for (auto& sum : sums) sum = E::Sum::zero();
  for (size_t i = 0; i < rounds; ++i)
    for (auto& sum : sums) sum = E::add(sum, Vec::load(weights), in);
  for (int j = 1; j < kProbeSums; ++j) sums[0] = E::plus(sums[0], sums[j]);
  float lanes[kLanes];
  sum_of(sums[0]).store(lanes);
  return lanes[0];
}

float multiply(Type type, size_t rounds) {
  switch (type) {
    case Type::kBfloat16:
      return multiply_with<Bfloat16>(rounds);
    case Type::kInt8:
      return multiply_with<Int8>(rounds);
    default:
      return multiply_with<Float32>(rounds);
  }
}

}  // namespace

#define SHARKS_JOIN(a, b) a##b
#define SHARKS_TABLE(isa) SHARKS_JOIN(kernels_, isa)
#define SHARKS_TEXT(isa) #isa
#define SHARKS_QUOTE(isa) SHARKS_TEXT(isa)

extern const Kernels SHARKS_TABLE(SHARKS_ISA_NAME);
const Kernels SHARKS_TABLE(SHARKS_ISA_NAME) = {SHARKS_QUOTE(SHARKS_ISA_NAME),
                                               product,
                                               gate,
                                               residual,
                                               copy,
                                               rectify,
                                               lstm,
                                               gru,
                                               gru_reset,
                                               gru_update,
                                               look_up,
                                               fold,
                                               read_all,
                                               multiply,
                                               gumbel,
                                               draw};

}  // namespace sharks::cpu
