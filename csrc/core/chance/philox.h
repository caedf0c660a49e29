// Philox4x32-10 (Salmon et al. 2011): counter-based noise, the same numbers on every machine. sharks/levels/sampling.py
// states it; this is its translation, for host and device.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define SHARKS_HD __host__ __device__ static inline
#else
// Internal linkage: this header is compiled once per instruction set, and no copy may stand in for another.
#define SHARKS_HD static inline
#endif

namespace sharks {

struct Philox {
  uint32_t word[4];
};

SHARKS_HD Philox philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = static_cast<uint64_t>(0xD2511F53u) * c0;
    const uint64_t product1 = static_cast<uint64_t>(0xCD9E8D57u) * c2;
    c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(product1);
    c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(product0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

}  // namespace sharks
