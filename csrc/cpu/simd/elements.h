// The weight types a product can read, as policies for product.h. Like vec.h, compiled once per instruction set.
//
// Whatever the type, sixteen rows of one "unit" of columns fill one vector of 64 bytes: one column of float32, two of
// bfloat16, four of int8. An input unit is 32 bits in the same order, spread over all rows.
//
//   float32   one fused multiply-add
//   bfloat16  inputs rounded to bfloat16 (nearest, ties to even), products and sums in float32
//   int8      inputs scaled per stream to -127..127, exact int32 sums, one float32 scaling at the end: any order of
//             summation, and any instruction set, gives the same integers
#pragma once

#include "cpu/simd/kernels.h"
#include "cpu/simd/vec.h"

namespace sharks::cpu {
namespace {

inline uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline float float_of(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// The bfloat16 nearest to a finite x, in the low half.
inline uint32_t bfloat16_of(float x) {
  const uint32_t bits = bits_of(x);
  return (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
}

struct Float32 {
  static constexpr int kUnit = 1;
  using Input = float;
  using Sum = Vec;
  using In = Vec;
  static Sum start(const Packed&, int) { return Vec::zero(); }
  static In spread(float unit) { return Vec::all(unit); }
  static Sum add(Sum sum, Vec weights, In in) { return fma(weights, in, sum); }
  static Sum plus(Sum a, Sum b) { return a + b; }
  static Vec finish(Sum sum, const Packed&, int, float) { return sum; }
};

struct Bfloat16 {
  static constexpr int kUnit = 2;
  using Input = uint32_t;
  using Sum = Vec;
  static Sum start(const Packed&, int) { return Vec::zero(); }
#if defined(__AVX512BF16__)
  struct In {
    __m512bh pair;
  };
  static In spread(uint32_t unit) { return {(__m512bh)_mm512_set1_epi32(static_cast<int>(unit))}; }
  static Sum add(Sum sum, Vec weights, In in) { return {_mm512_dpbf16_ps(sum.v, (__m512bh)weights.v, in.pair)}; }
#else
  struct In {
    Vec even, odd;
  };
  static In spread(uint32_t unit) { return {Vec::all(float_of(unit << 16)), Vec::all(float_of(unit & 0xFFFF0000u))}; }
  static Sum add(Sum sum, Vec weights, In in) {
    return fma(odd_halves(weights), in.odd, fma(even_halves(weights), in.even, sum));
  }
#endif
  static Sum plus(Sum a, Sum b) { return a + b; }
  static Vec finish(Sum sum, const Packed&, int, float) { return sum; }

  // `cols` values of one stream -> cols / 2 units; there is no scale.
  static float narrow(const float* x, int cols, uint32_t* units) {
    for (int i = 0; i < cols; i += 2) units[i / 2] = bfloat16_of(x[i]) | bfloat16_of(x[i + 1]) << 16;
    return 1.0f;
  }
};

struct Int8 {
  static constexpr int kUnit = 4;
  using Input = uint32_t;
  using Sum = Whole;
  using In = Whole4;
  // The byte product takes its inputs unsigned, 128 above their value; the sum starts as much below.
  static Sum start(const Packed& w, int row) {
    return kUnsignedInputs ? Whole::load(w.row_offset + row) : Whole::zero();
  }
  static In spread(uint32_t unit) { return Whole4::all(unit); }
  static Sum add(Sum sum, Vec weights, In in) { return dot4(sum, weights, in); }
  static Sum plus(Sum a, Sum b) { return a + b; }
  static Vec finish(Sum sum, const Packed& w, int row, float scale) {
    return sum.to_float() * (Vec::load(w.row_scale + row) * Vec::all(scale));
  }

  // `cols` values of one stream -> cols / 4 units of whole numbers; returns what one whole step is worth.
  static float narrow(const float* x, int cols, uint32_t* units) {
    Vec most = Vec::zero(), also = Vec::zero();  // two, for a maximum takes longer than the next can wait
    int i = 0;
    for (; i + 2 * kLanes <= cols; i += 2 * kLanes) {
      most = max(most, magnitude(Vec::load(x + i)));
      also = max(also, magnitude(Vec::load(x + i + kLanes)));
    }
    if (i < cols) most = max(most, magnitude(Vec::load(x + i)));
    const float peak = greatest(max(most, also));
    const Vec steps = Vec::all(peak > 0.0f ? 127.0f / peak : 0.0f);
    for (i = 0; i < cols; i += kLanes, units += kLanes / kUnit)
      store_bytes(Vec::load(x + i) * steps, kUnsignedInputs ? 128 : 0, units);
    return peak / 127.0f;
  }
};

}  // namespace
}  // namespace sharks::cpu
