// The hot loops of kernels.h, compiled once per instruction set (SHARKS_ISA_NAME names it). Only plain types and
// intrinsics here: a template of the standard library instantiated in this file could replace its portable twin.
#include "cpu/kernels.h"

#include "core/sampling.h"
#include "cpu/vec.h"

namespace sharks::cpu {
namespace {

// Accumulators that fit the registers beside the weights and inputs in flight.
#if defined(__AVX512F__)
constexpr int kAccumulators = 24;
#elif defined(__ARM_NEON)
constexpr int kAccumulators = 6;
#else
constexpr int kAccumulators = 4;
#endif
constexpr int kMaxStreams = 6;

// What a product needs at one place of its packed matrix.
struct Place {
  const float* w;
  size_t group_size;
  int stride, cols;
  const float* x;
  size_t ld_x;
  const float* init;
  size_t ld_init;
  float* y;
  size_t ld_y;
  bool relu;
};

// G groups x P panels x NB streams of y = init + W x, the columns dealt to S partial sums in turn.
template <int G, int P, int S, int NB>
void tile(const Place& at) {
  const auto [w, group_size, stride, cols, x, ld_x, init, ld_init, y, ld_y, relu] = at;
  Vec sum[NB][G][P][S];
  for (int b = 0; b < NB; ++b)
    for (int g = 0; g < G; ++g)
      for (int p = 0; p < P; ++p) {
        sum[b][g][p][0] = init ? Vec::load(init + b * ld_init + (g * kGroupPanels + p) * kLanes) : Vec::zero();
        for (int s = 1; s < S; ++s) sum[b][g][p][s] = Vec::zero();
      }
  for (int i = 0; i < cols; i += S)
    for (int s = 0; s < S; ++s) {
      const float* column = w + static_cast<size_t>(i + s) * stride;
      Vec in[NB];
      for (int b = 0; b < NB; ++b) in[b] = Vec::all(x[b * ld_x + i + s]);
      for (int g = 0; g < G; ++g)
        for (int p = 0; p < P; ++p) {
          const Vec weight = Vec::load(column + g * group_size + p * kLanes);
          for (int b = 0; b < NB; ++b) sum[b][g][p][s] = fma(weight, in[b], sum[b][g][p][s]);
        }
    }
  for (int b = 0; b < NB; ++b)
    for (int g = 0; g < G; ++g)
      for (int p = 0; p < P; ++p) {
        Vec total = sum[b][g][p][0];
        if constexpr (S == 2) total = total + sum[b][g][p][1];
        if constexpr (S == 4) total = (total + sum[b][g][p][1]) + (sum[b][g][p][2] + sum[b][g][p][3]);
        if (relu) total = max(total, Vec::zero());
        total.store(y + b * ld_y + (g * kGroupPanels + p) * kLanes);
      }
}

// As many streams at a time as registers allow, then the rest with ever fewer.
template <int G, int P, int S, int NB>
void streams_of(Place at, int B) {
  if constexpr (G * P * S * NB <= kAccumulators || NB == 1) {
    for (; B >= NB; B -= NB) {
      tile<G, P, S, NB>(at);
      at.x += NB * at.ld_x;
      at.init += at.init ? NB * at.ld_init : 0;
      at.y += NB * at.ld_y;
    }
  }
  if constexpr (NB > 1) {
    if (B > 0) streams_of<G, P, S, NB - 1>(at, B);
  }
}

template <int S>
void panels_of(const Place& at, int panels, int B) {
  // As many panels at once as leave a register for each partial sum of one stream.
  constexpr int kMost = kAccumulators / S < kGroupPanels ? kAccumulators / S : kGroupPanels;
  static_assert(kMost >= 1);
  for (int p = 0; p < panels;) {
    Place here = at;
    here.w += p * kLanes;
    here.y += p * kLanes;
    here.init += here.init ? p * kLanes : 0;
    const int now = panels - p < kMost ? panels - p : kMost;
    switch (now) {
      case 1: streams_of<1, 1, S, kMaxStreams>(here, B); break;
      case 2: if constexpr (kMost >= 2) streams_of<1, 2, S, kMaxStreams>(here, B); break;
      case 3: if constexpr (kMost >= 3) streams_of<1, 3, S, kMaxStreams>(here, B); break;
      default: if constexpr (kMost >= 4) streams_of<1, 4, S, kMaxStreams>(here, B); break;
    }
    p += now;
  }
}

void product(const Packed& w, int B, const float* x, size_t ld_x, const float* init, size_t ld_init, float* y,
             size_t ld_y, bool relu) {
  const int panels = w.rows / kPanelRows;
  const size_t group_size = static_cast<size_t>(kGroupPanels) * kPanelRows * w.cols;
  for (int first = 0; first < panels;) {
    const int row = first * kPanelRows, left = panels - first;
    const int in_group = left < kGroupPanels ? left : kGroupPanels;
    const Place at{w.data + static_cast<size_t>(row) * w.cols,
                   group_size,
                   in_group * kPanelRows,
                   w.cols,
                   x,
                   ld_x,
                   init ? init + row : nullptr,
                   ld_init,
                   y + row,
                   ld_y,
                   relu};
    if constexpr (kAccumulators >= 2 * kGroupPanels) {
      if (w.split == 1 && B == 1 && left >= 2 * kGroupPanels) {  // one stream alone needs two groups to stay busy
        tile<2, kGroupPanels, 1, 1>(at);
        first += 2 * kGroupPanels;
        continue;
      }
    }
    if (w.split == 1) panels_of<1>(at, in_group, B);
    if (w.split == 2) panels_of<2>(at, in_group, B);
    if (w.split == 4) panels_of<4>(at, in_group, B);
    first += in_group;
  }
}

void gate(int B, int W, const float* a, size_t ld_a, float* z, size_t ld_z) {
  for (int b = 0; b < B; ++b, a += ld_a, z += ld_z)
    for (int i = 0; i < W; i += kLanes) (tanh(Vec::load(a + i)) * sigmoid(Vec::load(a + W + i))).store(z + i);
}

void residual(int B, int W, const float* x, size_t ld_x, const float* r, size_t ld_r, float scale, float* y,
              size_t ld_y) {
  for (int b = 0; b < B; ++b, x += ld_x, r += ld_r, y += ld_y)
    for (int i = 0; i < W; i += kLanes) ((Vec::load(x + i) + Vec::load(r + i)) * Vec::all(scale)).store(y + i);
}

void rectify(int B, int W, const float* x, size_t ld_x, float* y, size_t ld_y) {
  for (int b = 0; b < B; ++b, x += ld_x, y += ld_y)
    for (int i = 0; i < W; i += kLanes) max(Vec::load(x + i), Vec::zero()).store(y + i);
}

void lstm(int B, int W, const float* gates, size_t ld_gates, float* c, float* h, size_t ld_state) {
  for (int b = 0; b < B; ++b, gates += ld_gates, c += ld_state, h += ld_state)
    for (int i = 0; i < W; i += kLanes) {
      const Vec in = sigmoid(Vec::load(gates + i)), forget = sigmoid(Vec::load(gates + W + i));
      const Vec value = tanh(Vec::load(gates + 2 * W + i)), out = sigmoid(Vec::load(gates + 3 * W + i));
      const Vec cell = fma(forget, Vec::load(c + i), in * value);
      cell.store(c + i);
      (out * tanh(cell)).store(h + i);
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

void gumbel(int Q, uint64_t seed, int64_t stream, int64_t step, float* noise) {
  float block[kNoiseBlock];
  for (int k = 0; k < Q; ++k) {
    if (k % kNoiseBlock == 0) gumbel_block(k, seed, stream, step, block);
    noise[k] = block[k % kNoiseBlock];
  }
}

int32_t draw(const float* logits, int Q, float temperature, uint64_t seed, int64_t stream, int64_t step) {
  return draw_level(logits, Q, temperature, seed, stream, step);
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
                                               rectify,
                                               lstm,
                                               gru,
                                               gru_reset,
                                               gru_update,
                                               look_up,
                                               gumbel,
                                               draw};

}  // namespace sharks::cpu
