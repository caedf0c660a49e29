// How candidates for the next level compare.
#pragma once

#include "cuda/device/portable.h"

namespace sharks::cuda {

// A score and its level as one number that is larger for the better score, and for the lower level of equal scores.
SHARKS_BOTH uint64_t ranked(float score, int level) {
  const uint32_t bits = bits_as<uint32_t>(score + 0.0f);  // -0 becomes 0
  const uint32_t order = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return static_cast<uint64_t>(order) << 32 | (0xFFFFFFFFu - static_cast<uint32_t>(level));
}
SHARKS_BOTH int level_of(uint64_t rank) { return static_cast<int>(0xFFFFFFFFu - static_cast<uint32_t>(rank)); }

}  // namespace sharks::cuda
