// y = init + W x for B streams: tiles of a few panels and streams whose sums stay in registers.
#pragma once

#include "cpu/simd/elements.h"
#include "cpu/simd/kernels.h"

namespace sharks::cpu {
namespace {

// Sums that fit the registers beside the weights and inputs in flight.
#if defined(__AVX512F__)
constexpr int kSums = 24;
#elif defined(__ARM_NEON)
constexpr int kSums = 6;
#else
constexpr int kSums = 4;
#endif
constexpr int kMaxStreams = 6;

// Where a tile stands: a row of the matrix, and the first of its streams.
template <class E>
struct Place {
  const Packed* w;
  const float* weights;  // of the first panel
  int stride;            // floats from one unit to the next
  int row;
  const typename E::Input* x;  // units
  size_t ld_x;
  const float* scale;  // per stream
  const float* init;
  size_t ld_init;
  float* y;
  size_t ld_y;
  bool relu;
};

// G groups x P panels x NB streams, the units of columns dealt to S partial sums in turn.
template <class E, int G, int P, int S, int NB>
void tile(const Place<E>& at) {
  const size_t group_size = static_cast<size_t>(kGroupPanels) * kLanes * (at.w->cols / E::kUnit);
  typename E::Sum sum[NB][G][P][S];
  for (int b = 0; b < NB; ++b)
    for (int g = 0; g < G; ++g)
      for (int p = 0; p < P; ++p)
        for (int s = 0; s < S; ++s)
          sum[b][g][p][s] =
              s ? typename E::Sum(E::Sum::zero()) : E::start(*at.w, at.row + (g * kGroupPanels + p) * kLanes);
  const int units = at.w->cols / E::kUnit;
  for (int i = 0; i < units; i += S)
    for (int s = 0; s < S; ++s) {
      const float* column = at.weights + static_cast<size_t>(i + s) * at.stride;
      typename E::In in[NB];
      for (int b = 0; b < NB; ++b) in[b] = E::spread(at.x[b * at.ld_x + i + s]);
      for (int g = 0; g < G; ++g)
        for (int p = 0; p < P; ++p) {
          Vec weights = Vec::load(column + g * group_size + p * kLanes);
          if (NB > 1) hold(weights);
          for (int b = 0; b < NB; ++b) sum[b][g][p][s] = E::add(sum[b][g][p][s], weights, in[b]);
        }
    }
  // Unrolled, or the sums would take a turn through memory.
#pragma GCC unroll 8
  for (int b = 0; b < NB; ++b)
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g)
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) {
        const int row = (g * kGroupPanels + p) * kLanes;
        typename E::Sum total = sum[b][g][p][0];
        if constexpr (S == 2) total = E::plus(total, sum[b][g][p][1]);
        if constexpr (S == 4)
          total = E::plus(E::plus(total, sum[b][g][p][1]), E::plus(sum[b][g][p][2], sum[b][g][p][3]));
        Vec out = E::finish(total, *at.w, at.row + row, at.scale ? at.scale[b] : 1.0f);
        if (at.init) out = out + Vec::load(at.init + b * at.ld_init + row);
        if (at.relu) out = max(out, Vec::zero());
        out.store(at.y + b * at.ld_y + row);
      }
}

// As many streams at a time as registers allow, then the rest with ever fewer.
template <class E, int P, int S, int NB>
void streams_of(Place<E> at, int B) {
  if constexpr (P * S * NB <= kSums || NB == 1) {
    for (; B >= NB; B -= NB) {
      tile<E, 1, P, S, NB>(at);
      at.x += NB * at.ld_x;
      at.scale += at.scale ? NB : 0;
      at.init += at.init ? NB * at.ld_init : 0;
      at.y += NB * at.ld_y;
    }
  }
  if constexpr (NB > 1) {
    if (B > 0) streams_of<E, P, S, NB - 1>(at, B);
  }
}

// As many panels at once as leave a register for each partial sum of one stream.
template <class E, int S>
void panels_of(const Place<E>& at, int panels, int B) {
  constexpr int kMost = kSums / S < kGroupPanels ? kSums / S : kGroupPanels;
  static_assert(kMost >= 1);
  for (int p = 0; p < panels;) {
    Place<E> here = at;
    here.row += p * kLanes;
    here.weights += p * kLanes;
    here.y += p * kLanes;
    here.init += here.init ? p * kLanes : 0;
    const int now = panels - p < kMost ? panels - p : kMost;
    switch (now) {
      case 1:
        streams_of<E, 1, S, kMaxStreams>(here, B);
        break;
      case 2:
        if constexpr (kMost >= 2) streams_of<E, 2, S, kMaxStreams>(here, B);
        break;
      case 3:
        if constexpr (kMost >= 3) streams_of<E, 3, S, kMaxStreams>(here, B);
        break;
      default:
        if constexpr (kMost >= 4) streams_of<E, 4, S, kMaxStreams>(here, B);
        break;
    }
    p += now;
  }
}

template <class E>
void product_of(const Packed& w, int B, const typename E::Input* x, size_t ld_x, const float* scale, const float* init,
                size_t ld_init, float* y, size_t ld_y, bool relu) {
  const int panels = w.rows / kPanelRows, units = w.cols / E::kUnit;
  for (int first = 0; first < panels;) {
    const int row = first * kPanelRows, left = panels - first;
    const int in_group = left < kGroupPanels ? left : kGroupPanels;
    const Place<E> at{&w,
                      w.data + static_cast<size_t>(row) * units,
                      in_group * kPanelRows,
                      row,
                      x,
                      ld_x,
                      scale,
                      init ? init + row : nullptr,
                      ld_init,
                      y + row,
                      ld_y,
                      relu};
    if constexpr (kSums >= 2 * kGroupPanels) {
      if (w.split == 1 && B == 1 && left >= 2 * kGroupPanels) {  // one stream alone needs two groups to stay busy
        tile<E, 2, kGroupPanels, 1, 1>(at);
        first += 2 * kGroupPanels;
        continue;
      }
    }
    if (w.split == 1) panels_of<E, 1>(at, in_group, B);
    if (w.split == 2) panels_of<E, 2>(at, in_group, B);
    if (w.split == 4) panels_of<E, 4>(at, in_group, B);
    first += in_group;
  }
}

// Inputs of a narrow type are converted once per product, into the scratch: the units of all streams, then their
// scales.
template <class E>
void narrow_product(const Packed& w, int B, const float* x, size_t ld_x, const float* init, size_t ld_init, float* y,
                    size_t ld_y, bool relu, float* scratch) {
  const size_t units = static_cast<size_t>(w.cols / E::kUnit);
  uint32_t* narrow = reinterpret_cast<uint32_t*>(scratch);
  float* scale = scratch + B * units;
  for (int b = 0; b < B; ++b) scale[b] = E::narrow(x + b * ld_x, w.cols, narrow + b * units);
  product_of<E>(w, B, narrow, units, scale, init, ld_init, y, ld_y, relu);
}

void product(const Packed& w, int B, const float* x, size_t ld_x, const float* init, size_t ld_init, float* y,
             size_t ld_y, bool relu, float* scratch) {
  switch (w.type) {
    case Type::kFloat32:
      return product_of<Float32>(w, B, x, ld_x, nullptr, init, ld_init, y, ld_y, relu);
    case Type::kBfloat16:
      return narrow_product<Bfloat16>(w, B, x, ld_x, init, ld_init, y, ld_y, relu, scratch);
    case Type::kInt8:
      return narrow_product<Int8>(w, B, x, ld_x, init, ld_init, y, ld_y, relu, scratch);
  }
}

}  // namespace
}  // namespace sharks::cpu
