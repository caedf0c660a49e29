// IEEE half precision, the same bits on the device and on the host, whose compilers need not know the type.
#pragma once

#include "cuda/device/portable.h"

#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

namespace sharks::cuda {

struct Half {
  uint16_t bits;
};

SHARKS_BOTH float to_float(float x) { return x; }

SHARKS_BOTH float to_float(Half h) {
#ifdef __CUDACC__
  return __half2float(__ushort_as_half(h.bits));
#else
  const uint32_t sign = static_cast<uint32_t>(h.bits & 0x8000u) << 16, rest = h.bits & 0x7FFFu;
  if (rest >= 0x7C00u) return bits_as<float>(sign | 0x7F800000u | (rest & 0x3FFu) << 13);  // infinity, NaN
  // Read as a float32, `rest` is 2^112 times too small; the product is exact, subnormals included.
  return bits_as<float>(bits_as<uint32_t>(bits_as<float>(rest << 13) * 0x1p112f) | sign);
#endif
}

// The nearest half, ties to even; beyond 65520 infinity.
SHARKS_BOTH Half to_half(float x) {
#ifdef __CUDACC__
  return Half{__half_as_ushort(__float2half_rn(x))};
#else
  const uint32_t bits = bits_as<uint32_t>(x), sign = bits >> 16 & 0x8000u, size = bits & 0x7FFFFFFFu;
  if (size > 0x7F800000u) return Half{static_cast<uint16_t>(sign | 0x7E00u)};
  if (size >= 0x47800000u) return Half{static_cast<uint16_t>(sign | 0x7C00u)};
  uint32_t half;
  if (size < 0x38800000u)  // subnormal: adding 1/2 rounds the value to whole units of 2^-24
    half = bits_as<uint32_t>(bits_as<float>(size) + 0.5f) - 0x3F000000u;
  else
    half = (size - 0x38000000u + 0xFFFu + (size >> 13 & 1u)) >> 13;
  return Half{static_cast<uint16_t>(sign | half)};
#endif
}

// Two halves in a register, the first in the low bits.
SHARKS_BOTH uint32_t pack_halves(float low, float high) {
  return to_half(low).bits | static_cast<uint32_t>(to_half(high).bits) << 16;
}
SHARKS_BOTH float low_half(uint32_t pair) { return to_float(Half{static_cast<uint16_t>(pair)}); }
SHARKS_BOTH float high_half(uint32_t pair) { return to_float(Half{static_cast<uint16_t>(pair >> 16)}); }

}  // namespace sharks::cuda
