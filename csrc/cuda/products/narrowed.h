// Widths and weights as device memory holds them.
#pragma once

#include "cuda/device/half.h"

namespace sharks::cuda {

// Widths in device memory are rounded up to 16 bytes of halves; what is added stays zero. A small p marks such a width.
inline int padded(int n) { return (n + 7) / 8 * 8; }

constexpr double kLargestHalf = 65504;

// A folded weight as a kernel reads it: W is float or Half. Throws std::invalid_argument where W cannot hold it.
template <typename W>
W narrowed(double value);
template <>
float narrowed<float>(double value);
template <>
Half narrowed<Half>(double value);

}  // namespace sharks::cuda
