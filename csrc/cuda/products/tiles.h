// Products of a warp with 16 rows of a matrix, for weights in either precision behind one face: y [16, 8] = W [16, 16
// n] x [16 n, 8], the 8 columns being 8 streams. Column j of y depends on column j of x alone, and is summed in one
// order.
//
// In memory (shared, or a block's own part of device memory):
//   a tile      16 x 16 weights in the order in which a warp reads them: with halves 32 FragmentA; with float32 rows g
//               of all lanes, then rows g + 8, where lane 4 g + q holds the columns q, q + 4, q + 8, q + 12
//   an operand  x in steps of 16 rows: with halves 32 FragmentB per step; with float32 [16, 8]
#pragma once

#include "cuda/products/mma.h"

namespace sharks::cuda {

constexpr int kTileSize = kTileRows * kTileDepth;        // weights
constexpr int kOperandSize = kTileDepth * kTileColumns;  // values of an operand per step
constexpr int kResultSize = kTileRows * kTileColumns;    // values of a product, [lane][4]

SHARKS_BOTH int tiles_of(int width) { return (width + kTileDepth - 1) / kTileDepth; }

// What a lane reads at once, two or four words. All of it lies in shared memory, which has an instruction of its own. A
// promise to the compiler that a pointer leads there (__builtin_assume and __isShared) is no way to it: nvcc 13.0 takes
// what follows for unreachable. The memory clobber keeps the load behind the barrier before it.
template <typename Piece>
SHARKS_BOTH Piece piece(const void* pieces, int index) {
#ifdef __CUDACC__
  static_assert(sizeof(Piece) == 8 || sizeof(Piece) == 16, "a lane reads two or four words");
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(static_cast<const Piece*>(pieces) + index));
  uint32_t word[sizeof(Piece) / sizeof(uint32_t)];
  if constexpr (sizeof(Piece) == 16)
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(word[0]), "=r"(word[1]), "=r"(word[2]), "=r"(word[3])
                 : "r"(address)
                 : "memory");
  else
    asm volatile("ld.shared.v2.u32 {%0, %1}, [%2];" : "=r"(word[0]), "=r"(word[1]) : "r"(address) : "memory");
  Piece piece;
  memcpy(&piece, word, sizeof piece);
  return piece;
#else
  return static_cast<const Piece*>(pieces)[index];
#endif
}

// T is float or Half: how tiles and operands are laid out, what a lane sums meanwhile (Sum), and the first tiles of a
// row in registers (Ahead), fetched before the operand is there.
template <typename T>
struct Weight;

template <>
struct Weight<Half> {
  struct Sum {
    Accumulator even, odd;  // over tiles in turn: two products on the way at once
  };
  struct Ahead {
    FragmentA tile[8];
  };

  // Where the weight (row, column) lies in its tile, and the value (k, column) in its operand.
  static SHARKS_BOTH int in_tile(int row, int column) {
    const int lane = row % 8 * 4 + column % 8 / 2, pair = row / 8 + column / 8 * 2;
    return (lane * 4 + pair) * 2 + column % 2;
  }
  static SHARKS_BOTH int in_operand(int k, int column) {
    const int lane = column * 4 + k % 8 / 2, pair = k % 16 / 8;
    return k / 16 * kOperandSize + (lane * 2 + pair) * 2 + k % 2;
  }
  static SHARKS_BOTH Half narrow(float x) { return to_half(x); }

  static SHARKS_BOTH void clear(const Warp& warp, Lanes<Sum>& sum) {
    warp.lanes([&](int lane) { sum[lane] = Sum{}; });
  }

  static SHARKS_BOTH void accumulate(const Warp& warp, Lanes<Sum>& sum, const Half* tiles, const Half* operand, int n) {
    SHARKS_UNROLL(4)
    for (int k = 0; k < n; ++k) {
      Lanes<FragmentA> a;
      warp.lanes([&](int lane) { a[lane] = piece<FragmentA>(tiles + k * kTileSize, lane); });
      step(warp, sum, k, a, operand);
    }
  }

  static SHARKS_BOTH void fetch(const Warp& warp, Lanes<Ahead>& ahead, const Half* tiles, int n) {
    warp.lanes([&](int lane) {
      SHARKS_UNROLL()
      for (int k = 0; k < 8; ++k)
        if (k < n) ahead[lane].tile[k] = piece<FragmentA>(tiles + k * kTileSize, lane);
    });
  }

  static SHARKS_BOTH void accumulate(const Warp& warp, Lanes<Sum>& sum, const Lanes<Ahead>& ahead, const Half* tiles,
                                     const Half* operand, int n) {
    SHARKS_UNROLL()
    for (int k = 0; k < 8; ++k) {
      if (k >= n) break;
      Lanes<FragmentA> a;
      warp.lanes([&](int lane) { a[lane] = ahead[lane].tile[k]; });
      step(warp, sum, k, a, operand);
    }
    if (n > 8) accumulate(warp, sum, tiles + 8 * kTileSize, operand + 8 * kOperandSize, n - 8);
  }

  static SHARKS_BOTH void finish(const Warp& warp, const Lanes<Sum>& sum, Lanes<Accumulator>& result) {
    warp.lanes([&](int lane) {
      SHARKS_UNROLL()
      for (int i = 0; i < 4; ++i) result[lane].value[i] = sum[lane].even.value[i] + sum[lane].odd.value[i];
    });
  }

 private:
  static SHARKS_BOTH void step(const Warp& warp, Lanes<Sum>& sum, int k, const Lanes<FragmentA>& a,
                               const Half* operand) {
    Lanes<FragmentB> b;
    Lanes<Accumulator> c;
    warp.lanes([&](int lane) {
      b[lane] = piece<FragmentB>(operand + k * kOperandSize, lane);
      c[lane] = k % 2 ? sum[lane].odd : sum[lane].even;
    });
    mma(c, a, b);
    warp.lanes([&](int lane) { (k % 2 ? sum[lane].odd : sum[lane].even) = c[lane]; });
  }
};

// What the lane `distance` away holds.
SHARKS_BOTH void across(const Lanes<float>& value, int distance, Lanes<float>& theirs) {
#ifdef __CUDACC__
  theirs.own = __shfl_xor_sync(0xFFFFFFFFu, value.own, distance);
#else
  for (int lane = 0; lane < kWarp; ++lane) theirs[lane] = value[lane ^ distance];
#endif
}

template <>
struct Weight<float> {
  struct Sum {
    float part[2][kTileColumns];  // of rows g and g + 8, over this lane's columns of W
  };
  struct Ahead {};  // a row of float32 tiles fills too many registers
  struct Four {
    float value[4];
  };

  static SHARKS_BOTH int in_tile(int row, int column) {
    const int lane = row % 8 * 4 + column % 4;
    return row / 8 * (4 * kWarp) + lane * 4 + column / 4;
  }
  static SHARKS_BOTH int in_operand(int k, int column) { return k * kTileColumns + column; }
  static SHARKS_BOTH float narrow(float x) { return x; }

  static SHARKS_BOTH void clear(const Warp& warp, Lanes<Sum>& sum) {
    warp.lanes([&](int lane) { sum[lane] = Sum{}; });
  }

  static SHARKS_BOTH void accumulate(const Warp& warp, Lanes<Sum>& sum, const float* tiles, const float* operand,
                                     int n) {
    warp.lanes([&](int lane) {
      for (int k = 0; k < n; ++k) {
        const Four upper = piece<Four>(tiles + k * kTileSize, lane);
        const Four lower = piece<Four>(tiles + k * kTileSize, kWarp + lane);
        SHARKS_UNROLL()
        for (int i = 0; i < 4; ++i) SHARKS_UNROLL()
        for (int half = 0; half < 2; ++half) {
          const Four columns = piece<Four>(operand + k * kOperandSize, (4 * i + lane % 4) * 2 + half);
          SHARKS_UNROLL()
          for (int j = 0; j < 4; ++j) {
            float &above = sum[lane].part[0][half * 4 + j], &below = sum[lane].part[1][half * 4 + j];
            above = fmaf(upper.value[i], columns.value[j], above);
            below = fmaf(lower.value[i], columns.value[j], below);
          }
        }
      }
    });
  }

  static SHARKS_BOTH void fetch(const Warp&, Lanes<Ahead>&, const float*, int) {}

  static SHARKS_BOTH void accumulate(const Warp& warp, Lanes<Sum>& sum, const Lanes<Ahead>&, const float* tiles,
                                     const float* operand, int n) {
    accumulate(warp, sum, tiles, operand, n);
  }

  // The four lanes of a row add up their parts: first columns 0-3 go to lanes 0, 1 and 4-7 to lanes 2, 3, then pairs.
  static SHARKS_BOTH void finish(const Warp& warp, const Lanes<Sum>& sum, Lanes<Accumulator>& result) {
    SHARKS_UNROLL()
    for (int row = 0; row < 2; ++row) {
      Lanes<float> four[4], theirs;
      SHARKS_UNROLL()
      for (int j = 0; j < 4; ++j) {
        warp.lanes([&](int lane) {
          const float* part = sum[lane].part[row];
          four[j][lane] = lane & 2 ? part[j] : part[j + 4];
        });
        across(four[j], 2, theirs);
        warp.lanes([&](int lane) {
          const float* part = sum[lane].part[row];
          four[j][lane] = (lane & 2 ? part[j + 4] : part[j]) + theirs[lane];
        });
      }
      SHARKS_UNROLL()
      for (int j = 0; j < 2; ++j) {
        Lanes<float> given;
        warp.lanes([&](int lane) { given[lane] = lane & 1 ? four[j][lane] : four[j + 2][lane]; });
        across(given, 1, theirs);
        warp.lanes([&](int lane) {
          result[lane].value[row * 2 + j] = (lane & 1 ? four[j + 2][lane] : four[j][lane]) + theirs[lane];
        });
      }
    }
  }
};

// y = W x: `n` tiles side by side times an operand of n steps.
template <typename T>
SHARKS_BOTH void product(const Warp& warp, const T* tiles, const T* operand, int n, Lanes<Accumulator>& y) {
  Lanes<typename Weight<T>::Sum> sum;
  Weight<T>::clear(warp, sum);
  Weight<T>::accumulate(warp, sum, tiles, operand, n);
  Weight<T>::finish(warp, sum, y);
}

// Write one value of an operand.
template <typename T>
SHARKS_BOTH void put(T* operand, int k, int column, float value) {
  operand[Weight<T>::in_operand(k, column)] = Weight<T>::narrow(value);
}

}  // namespace sharks::cuda
