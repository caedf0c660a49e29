#include "cuda/products/narrowed.h"

#include "core/check.h"

namespace sharks::cuda {

template <>
float narrowed<float>(double value) {
  return static_cast<float>(value);
}

template <>
Half narrowed<Half>(double value) {
  SHARKS_CHECK(value <= kLargestHalf && value >= -kLargestHalf, "a folded weight is ", value,
               ", beyond what float16 holds; play this pack with dtype float32");
  return to_half(static_cast<float>(value));
}

}  // namespace sharks::cuda
