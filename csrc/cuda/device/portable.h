// Stage code written once and compiled twice: by nvcc for the GPU, and by any C++ compiler for a CPU, where the tests
// run it. Work is written as phases: `block.each(n, f)` does f(0) .. f(n - 1), by all threads of the block or in turn,
// then `block.sync()` lets every thread see what the others wrote. Within a phase no index may read what another one
// writes.
//
// Compile with contraction off (-fmad=false, -ffp-contract=off) and say fmaf where a fused one is wanted: then both
// compilations round alike, up to tanhf and expf.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define SHARKS_PRAGMA(words) _Pragma(#words)
#define SHARKS_BOTH __device__ __forceinline__
#define SHARKS_UNROLL(times) SHARKS_PRAGMA(unroll times)
#else
#include <cmath>
#include <vector>
#define SHARKS_BOTH inline
#define SHARKS_UNROLL(times)
#endif

namespace sharks::cuda {

constexpr int kWarp = 32;

// One value of every thread of a warp: on the device only this lane's, on the host all 32. Index it by lane.
template <typename T>
struct Lanes {
#ifdef __CUDACC__
  T own;
  SHARKS_BOTH T& operator[](int) { return own; }
  SHARKS_BOTH const T& operator[](int) const { return own; }
#else
  T all[kWarp];
  T& operator[](int lane) { return all[lane]; }
  const T& operator[](int lane) const { return all[lane]; }
#endif
};

struct Warp {
  int index;  // within the block

  // f(lane) for every lane, each on its own thread.
  template <typename F>
  SHARKS_BOTH void lanes(const F& f) const {
#ifdef __CUDACC__
    f(static_cast<int>(threadIdx.x % kWarp));
#else
    for (int lane = 0; lane < kWarp; ++lane) f(lane);
#endif
  }

  // Every lane's value combined with all others', in one fixed order; op must not care which of its two comes first.
  template <typename T, typename Op>
  SHARKS_BOTH void reduce(Lanes<T>& value, const Op& op) const {
    for (int distance = kWarp / 2; distance > 0; distance /= 2) {
#ifdef __CUDACC__
      value.own = op(value.own, __shfl_xor_sync(0xFFFFFFFFu, value.own, distance));
#else
      const Lanes<T> before = value;
      for (int lane = 0; lane < kWarp; ++lane) value[lane] = op(before[lane], before[lane ^ distance]);
#endif
    }
  }

  SHARKS_BOTH void sync() const {
#ifdef __CUDACC__
    __syncwarp();
#endif
  }
};

// The threads of one block of a grid, a multiple of a warp.
struct Block {
  int index, blocks, threads;
  void* shared;  // as many bytes as the launch asked for, 16-byte aligned, not cleared
#ifndef __CUDACC__
  void* const* everyones_shared;  // [blocks]: what a cluster reaches into
#endif

  template <typename F>
  SHARKS_BOTH void each(int n, const F& f) const {
#ifdef __CUDACC__
    for (int i = static_cast<int>(threadIdx.x); i < n; i += static_cast<int>(blockDim.x)) f(i);
#else
    for (int i = 0; i < n; ++i) f(i);
#endif
  }

  // f(warp) once for every warp of the block.
  template <typename F>
  SHARKS_BOTH void warps(const F& f) const {
#ifdef __CUDACC__
    f(Warp{static_cast<int>(threadIdx.x / kWarp)});
#else
    for (int warp = 0; warp < threads / kWarp; ++warp) f(Warp{warp});
#endif
  }

  SHARKS_BOTH void sync() const {
#ifdef __CUDACC__
    __syncthreads();
#endif
  }

  // A sync that also tells every thread whether all came with `mine` true. Collect it in a variable outside each(): on
  // the device it is the thread's own, on the host all share it.
  SHARKS_BOTH bool agree(bool mine) const {
#ifdef __CUDACC__
    return __syncthreads_and(mine);
#else
    return mine;
#endif
  }
};

// What every thread of a block keeps in registers from phase to phase: per warp a Lanes<T>.
template <typename T>
class Registers {
 public:
#ifdef __CUDACC__
  SHARKS_BOTH explicit Registers(const Block&) {}
  SHARKS_BOTH Lanes<T>& operator[](const Warp&) { return own_; }

 private:
  Lanes<T> own_;
#else
  explicit Registers(const Block& block) : all_(static_cast<size_t>(block.threads / kWarp)) {}
  Lanes<T>& operator[](const Warp& warp) { return all_[static_cast<size_t>(warp.index)]; }

 private:
  std::vector<Lanes<T> > all_;
#endif
};

template <typename To, typename From>
SHARKS_BOTH To bits_as(const From& from) {
  static_assert(sizeof(To) == sizeof(From), "bits are neither added nor dropped");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace sharks::cuda
