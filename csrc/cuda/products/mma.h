// A warp's matrix product: C [16, 8] += A [16, 16] B [16, 8], halves in, float32 sums, and where each number lies.
//
// With g = lane / 4 and q = lane % 4, lane holds (rows first; "2q, +1" means two neighbours, the lower in the low
// bits):
//   A  pair 0: (g, 2q +1)      pair 1: (g + 8, 2q +1)    pair 2: (g, 2q + 8 +1)   pair 3: (g + 8, 2q + 8 +1)
//   B  pair 0: (2q +1, g)      pair 1: (2q + 8 +1, g)
//   C  0: (g, 2q)   1: (g, 2q + 1)   2: (g + 8, 2q)   3: (g + 8, 2q + 1)
// Packers and tests use the functions below instead of this drawing. On the host the sums run over k in order and round
// once per product; the device's order within a tile is its own, so the two agree within float32 rounding, not to the
// bit.
#pragma once

#include "cuda/device/half.h"

namespace sharks::cuda {

constexpr int kTileRows = 16, kTileColumns = 8, kTileDepth = 16;

struct FragmentA {
  uint32_t pair[4];
};
struct FragmentB {
  uint32_t pair[2];
};
struct Accumulator {
  float value[4];
};

struct Place {
  int row, column;
};

// Where the first of a pair lies in its tile; the second is one column (A) or one row (B) further.
SHARKS_BOTH Place place_in_a(int lane, int pair) { return {lane / 4 + pair % 2 * 8, lane % 4 * 2 + pair / 2 * 8}; }
SHARKS_BOTH Place place_in_b(int lane, int pair) { return {lane % 4 * 2 + pair * 8, lane / 4}; }
SHARKS_BOTH Place place_in_c(int lane, int value) { return {lane / 4 + value / 2 * 8, lane % 4 * 2 + value % 2}; }

SHARKS_BOTH void mma(Lanes<Accumulator>& c, const Lanes<FragmentA>& a, const Lanes<FragmentB>& b) {
#ifdef __CUDACC__
  float* d = c.own.value;
  const uint32_t *x = a.own.pair, *y = b.own.pair;
#if __CUDA_ARCH__ >= 800
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(y[0]), "r"(y[1]));
#else  // Turing multiplies half the depth at a time
  for (int half = 0; half < 2; ++half)
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(x[2 * half]), "r"(x[2 * half + 1]), "r"(y[half]));
#endif
#else
  float A[kTileRows][kTileDepth], B[kTileDepth][kTileColumns];
  for (int lane = 0; lane < kWarp; ++lane) {
    for (int pair = 0; pair < 4; ++pair) {
      const Place at = place_in_a(lane, pair);
      A[at.row][at.column] = low_half(a[lane].pair[pair]);
      A[at.row][at.column + 1] = high_half(a[lane].pair[pair]);
    }
    for (int pair = 0; pair < 2; ++pair) {
      const Place at = place_in_b(lane, pair);
      B[at.row][at.column] = low_half(b[lane].pair[pair]);
      B[at.row + 1][at.column] = high_half(b[lane].pair[pair]);
    }
  }
  for (int lane = 0; lane < kWarp; ++lane)
    for (int i = 0; i < 4; ++i) {
      const Place at = place_in_c(lane, i);
      for (int k = 0; k < kTileDepth; ++k) c[lane].value[i] += A[at.row][k] * B[k][at.column];
    }
#endif
}

}  // namespace sharks::cuda
