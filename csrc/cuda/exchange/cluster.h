// Blocks of a cluster (sm_90) reach into each other's shared memory: words are stored into a neighbour's, and waited
// for in one's own. Below sm_90 nobody makes clusters, and none of this is called.
#pragma once

#include "cuda/exchange/exchange.h"

namespace sharks::cuda {

SHARKS_BOTH uint64_t word_of(float value, uint32_t sequence) {
  return static_cast<uint64_t>(sequence) << 32 | bits_as<uint32_t>(value);
}

// Store a word where `place` of the own shared memory lies in that of the cluster's member `rank`.
SHARKS_BOTH void store_near(const Block& block, int cluster, int rank, uint64_t* place, uint64_t word) {
#ifdef __CUDACC__
#if __CUDA_ARCH__ >= 900
  const uint32_t own = static_cast<uint32_t>(__cvta_generic_to_shared(place));
  uint32_t theirs;
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(theirs) : "r"(own), "r"(rank));
  asm volatile("st.relaxed.cluster.shared::cluster.u64 [%0], %1;" ::"r"(theirs), "l"(word) : "memory");
#else
  static_cast<void>(place), static_cast<void>(word), static_cast<void>(rank);
#endif
  static_cast<void>(block), static_cast<void>(cluster);
#else
  const size_t offset = static_cast<size_t>(reinterpret_cast<char*>(place) - static_cast<char*>(block.shared));
  char* theirs = static_cast<char*>(block.everyones_shared[block.index / cluster * cluster + rank]);
  __atomic_store_n(reinterpret_cast<uint64_t*>(theirs + offset), word, __ATOMIC_RELEASE);
#endif
}

SHARKS_BOTH uint64_t load_near(const uint64_t* place) {
#ifdef __CUDACC__
  uint64_t value = 0;
#if __CUDA_ARCH__ >= 900
  const uint32_t own = static_cast<uint32_t>(__cvta_generic_to_shared(place));
  asm volatile("ld.relaxed.cluster.shared::cta.u64 %0, [%1];" : "=l"(value) : "r"(own) : "memory");
#else
  static_cast<void>(place);
#endif
  return value;
#else
  return __atomic_load_n(place, __ATOMIC_ACQUIRE);
#endif
}

// All blocks of the cluster wait for each other, and see what the others wrote before: however long the others play,
// for an idle block waits here for the end of a launch. `flags` [blocks of the grid] and `meeting`, a number that
// grows, are for the host alone. False: somebody gave up. No block may wait without bound before it comes here, for the
// device's barrier has none.
SHARKS_BOTH bool meet(const Block& block, int cluster, uint32_t* flags, uint32_t meeting, int32_t* trouble) {
  if (cluster == 1) return true;
  block.sync();
#ifdef __CUDACC__
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release.aligned;\n\tbarrier.cluster.wait.acquire.aligned;" ::: "memory");
#endif
  static_cast<void>(flags), static_cast<void>(meeting), static_cast<void>(trouble);
  return true;
#else
  raise(flags + block.index, meeting);
  const int first = block.index / cluster * cluster;
  for (int i = first; i < first + cluster; ++i)
    while (static_cast<int32_t>(__atomic_load_n(flags + i, __ATOMIC_ACQUIRE) - meeting) < 0) {
      if (load_trouble(trouble) != kNoTrouble) return false;
      std::this_thread::yield();
    }
  return true;
#endif
}

}  // namespace sharks::cuda
