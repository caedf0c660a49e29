// Vec: sixteen floats and the few operations the kernels use, for the instruction set this file is compiled with.
//
// Sixteen everywhere, so that packed weights look the same on every CPU. Everything has internal linkage: the file is
// compiled once per instruction set, and the linker must never exchange one copy for another.
#pragma once

#include <cstdint>
#include <cstring>

namespace sharks {
namespace {

constexpr int kLanes = 16;

}  // namespace
}  // namespace sharks

#if defined(__AVX512F__)
#include "cpu/simd/vec_avx512.h"
#elif defined(__AVX2__)
#include "cpu/simd/vec_avx2.h"
#elif defined(__ARM_NEON)
#include "cpu/simd/vec_neon.h"
#include "cpu/simd/whole_scalar.h"
#else
#include "cpu/simd/vec_scalar.h"
#include "cpu/simd/whole_scalar.h"
#endif

namespace sharks {
namespace {

// e^x for x in [-87, 88] (clamped there), relative error below 2e-7: x = n ln2 + r, |r| <= ln2 / 2, and a polynomial
// for e^r fitted to minimise the largest relative error.
inline Vec exp(Vec x) {
  x = min(max(x, Vec::all(-87.0f)), Vec::all(88.0f));
  const Vec n = round(x * Vec::all(1.44269504f));
  Vec r = fma(n, Vec::all(-0.693145751953125f), x);
  r = fma(n, Vec::all(-1.42860682030941723e-6f), r);
  Vec p = Vec::all(0.0013814467f);
  p = fma(p, r, Vec::all(0.008368781f));
  p = fma(p, r, Vec::all(0.041668393f));
  p = fma(p, r, Vec::all(0.1666652f));
  p = fma(p, r, Vec::all(0.49999994f));
  p = fma(p, r, Vec::all(1.0f));
  p = fma(p, r, Vec::all(1.0f));
  return p * power_of_two(n);
}

// 1 / (1 + e^-x), absolute error below 2e-7.
inline Vec sigmoid(Vec x) { return Vec::all(1.0f) / (Vec::all(1.0f) + exp(Vec::zero() - x)); }

// (1 - e^-2|x|) / (1 + e^-2|x|) with the sign of x, absolute error below 2e-7.
inline Vec tanh(Vec x) {
  const Vec e = exp(magnitude(x) * Vec::all(-2.0f));
  return with_sign((Vec::all(1.0f) - e) / (Vec::all(1.0f) + e), x);
}

// tanh(x) sigmoid(y) with one division, the slowest of all these operations; absolute error below 3e-7. The divisor is
// finite: at most 2 (1 + e^88).
inline Vec tanh_sigmoid(Vec x, Vec y) {
  const Vec e = exp(magnitude(x) * Vec::all(-2.0f)), f = exp(Vec::zero() - y);
  return with_sign((Vec::all(1.0f) - e) / ((Vec::all(1.0f) + e) * (Vec::all(1.0f) + f)), x);
}

}  // namespace
}  // namespace sharks
