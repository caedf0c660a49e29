// Products of a few streams with rows dealt out to blocks: weights in strips of 8 rows, inputs as exact as the weights.
//
// A strip is [k_steps][32 lanes][4 weights], 16 columns deep per step. In half precision a step is B's fragment of a
// warp's product (mma.h): the strip's rows are its columns, the streams are A's rows. An input is cut into a half and
// the half that is left over, high and low; of A's 16 rows stream s has row s for the high part and row s + 8 for the
// low one. So up to 8 streams multiply with inputs of 22 bits, and only the weights are rounded. In float32 lane l of a
// step has row l % 8 and the columns 4 (l / 8) .. + 3.
//
// Every sum has one order: each warp adds its share of the columns, then the 8 warps' sums are added in turn. It
// depends on the width alone: not on the number of streams, of blocks, or on who has which rows.
#pragma once

#include "cuda/device/portable.h"
#include "cuda/products/mma.h"

namespace sharks::cuda {

constexpr int kStripRows = 8, kStepColumns = 16, kStripStep = kStripRows * kStepColumns;
constexpr int kStripWarps = 8, kStripThreads = kStripWarps * kWarp;
constexpr int kPass = 4;          // strips that a warp multiplies side by side
constexpr int kStripStreams = 8;  // at most

SHARKS_BOTH constexpr int steps_of(int columns) { return (columns + kStepColumns - 1) / kStepColumns; }

// The strips of some channels (8 each) and their gates: strip i is gate i % gates of channel strip i / gates.
template <typename W>
struct Slice {
  const W* weights;
  int k_steps, gates;
  int gate_stride;  // strips from a gate to the next
  int channels;     // channel strips

  SHARKS_BOTH int strips() const { return channels * gates; }
  SHARKS_BOTH const W* strip(int i) const {
    return weights + static_cast<int64_t>(i % gates * gate_stride + i / gates) * k_steps * kStripStep;
  }
};

// Where row (0 .. 7) and column of a strip lie in it.
template <typename W>
SHARKS_BOTH constexpr int place_in_strip(int row, int column) {
  const int step = column / kStepColumns, k = column % kStepColumns;
  return step * kStripStep +
         (sizeof(W) == 4 ? (k / 4 * 8 + row) * 4 + k % 4 : (row * 4 + k % 8 / 2) * 4 + k / 8 * 2 + k % 2);
}

// One weight of a slice, for products with a single column.
template <typename W>
SHARKS_BOTH float weight(const Slice<W>& slice, int gate, int channel, int column) {
  const int strip = channel / kStripRows * slice.gates + gate;
  return to_float(slice.strip(strip)[place_in_strip<W>(channel % kStripRows, column)]);
}

// An input vector of S streams in shared memory: [k_steps][S][16 columns], 4 bytes each, 16-byte aligned.
SHARKS_BOTH constexpr int operand_floats(int columns, int S) { return steps_of(columns) * S * kStepColumns; }

template <typename W>
SHARKS_BOTH void put(float* operand, int S, int column, int s, float value) {
  const int k = column % kStepColumns, row = column / kStepColumns * S + s;
  if constexpr (sizeof(W) == 4) {
    operand[row * kStepColumns + k] = value;
  } else {
    Half* halves = reinterpret_cast<Half*>(operand) + (row * 4 + k % 8 / 2) * 8 + k / 8 * 4 + k % 2;
    const Half high = to_half(value);
    halves[0] = high;
    halves[2] = to_half(value - to_float(high));
  }
}

struct alignas(16) Four {
  float value[4];
};

// Number `index` of fragments in a row, by one load: word by word it would be four, or two.
SHARKS_BOTH FragmentA fragment_a(const void* fragments, int64_t index) {
#ifdef __CUDACC__
  const uint4 words = static_cast<const uint4*>(fragments)[index];
  return {{words.x, words.y, words.z, words.w}};
#else
  return static_cast<const FragmentA*>(fragments)[index];
#endif
}
SHARKS_BOTH FragmentB fragment_b(const void* fragments, int64_t index) {
#ifdef __CUDACC__
  const uint2 words = static_cast<const uint2*>(fragments)[index];
  return {{words.x, words.y}};
#else
  return static_cast<const FragmentB*>(fragments)[index];
#endif
}

// Where the strips of a pass begin, reckoned once: each is a division and a product. Behind the last stands the first.
template <typename W>
struct PassStrips {
  const W* of[kPass];

  SHARKS_BOTH PassStrips(const Slice<W>& w, int first, int count) {
    SHARKS_UNROLL(kPass)
    for (int i = 0; i < kPass; ++i) of[i] = w.strip(first + (i < count ? i : 0));
  }
};

struct StripSums {
  float of[kPass][kStripStreams];
};

// Add what lanes l, l + 8, l + 16, l + 24 have; all of them get it.
SHARKS_BOTH void add_quarters(Lanes<StripSums>& sums, int i, int s) {
#ifdef __CUDACC__
  float& own = sums.own.of[i][s];
  own += __shfl_xor_sync(0xFFFFFFFFu, own, 16);
  own += __shfl_xor_sync(0xFFFFFFFFu, own, 8);
#else
  for (int distance = 16; distance >= 8; distance /= 2) {
    const Lanes<StripSums> before = sums;
    for (int lane = 0; lane < kWarp; ++lane) sums[lane].of[i][s] += before[lane ^ distance].of[i][s];
  }
#endif
}

// A call keeps the kernel small: a dozen products share one copy of these loops.
#ifdef __CUDACC__
#define SHARKS_CALLED static __device__ __noinline__
#else
#define SHARKS_CALLED inline
#endif

// One warp's share of the columns of `count` strips from `first` on -> partial [8 warps][kPass][8 rows][S].
SHARKS_CALLED void multiply_share(Warp warp, Slice<float> w, int first, int count, const float* x, int S,
                                  float* partial) {
  const int begin = w.k_steps * warp.index / kStripWarps, end = w.k_steps * (warp.index + 1) / kStripWarps;
  const PassStrips<float> strips(w, first, count);
  Lanes<StripSums> sums = {};
  for (int step = begin; step < end; ++step)
    warp.lanes([&](int lane) {
      const Four* inputs = reinterpret_cast<const Four*>(x) + step * S * 4 + lane / 8;
      Four weights[kPass] = {};
      SHARKS_UNROLL(kPass)
      for (int i = 0; i < kPass; ++i)
        if (i < count) weights[i] = reinterpret_cast<const Four*>(strips.of[i])[step * kWarp + lane];
      SHARKS_UNROLL(kStripStreams)
      for (int s = 0; s < kStripStreams; ++s) {
        if (s < S) {
          const Four input = inputs[s * 4];
          SHARKS_UNROLL(kPass)
          for (int i = 0; i < kPass; ++i) SHARKS_UNROLL(4)
          for (int c = 0; c < 4; ++c)
            sums[lane].of[i][s] = fmaf(weights[i].value[c], input.value[c], sums[lane].of[i][s]);
        }
      }
    });
  SHARKS_UNROLL(kPass)
  for (int i = 0; i < kPass; ++i) {
    SHARKS_UNROLL(kStripStreams)
    for (int s = 0; s < kStripStreams; ++s) {
      if (i < count && s < S) {
        add_quarters(sums, i, s);
        warp.lanes([&](int lane) {
          if (lane < kStripRows) partial[((warp.index * kPass + i) * kStripRows + lane) * S + s] = sums[lane].of[i][s];
        });
      }
    }
  }
}

// Two sums for every strip, of every other step: a product need not wait for the one before.
struct PassAccumulators {
  Lanes<Accumulator> of[kPass][2];
};

SHARKS_CALLED void multiply_share(Warp warp, Slice<Half> w, int first, int count, const float* x, int S,
                                  float* partial) {
  const int begin = w.k_steps * warp.index / kStripWarps, end = w.k_steps * (warp.index + 1) / kStripWarps;
  PassAccumulators sums = {};
  const PassStrips<Half> strips(w, first, count);
  // All that two steps read is on its way before the first product waits for it. What is not there counts as zeros.
  const auto add_steps = [&](int step, int steps) {
    Lanes<FragmentA> inputs[2];
    Lanes<FragmentB> weights[2][kPass];
    SHARKS_UNROLL(2)
    for (int k = 0; k < 2; ++k)
      warp.lanes([&](int lane) {
        const int at = (step + k) * kWarp + lane;
        SHARKS_UNROLL(kPass)
        for (int i = 0; i < kPass; ++i)
          weights[k][i][lane] = i < count && k < steps ? fragment_b(strips.of[i], at) : FragmentB{};
        inputs[k][lane] = lane / 4 < S && k < steps ? fragment_a(x, (step + k) * S * 4 + lane) : FragmentA{};
      });
    SHARKS_UNROLL(2)
    for (int k = 0; k < 2; ++k) SHARKS_UNROLL(kPass)
    for (int i = 0; i < kPass; ++i) mma(sums.of[i][k], inputs[k], weights[k][i]);
  };
  int step = begin;
  SHARKS_UNROLL(2)
  for (; step + 1 < end; step += 2) add_steps(step, 2);
  if (step < end) add_steps(step, 1);
  SHARKS_UNROLL(kPass)
  for (int i = 0; i < kPass; ++i) {
    warp.lanes([&](int lane) {
      const int s = lane / 4, row = lane % 4 * 2;
      if (i >= count || s >= S) return;
      const float *even = sums.of[i][0][lane].value, *odd = sums.of[i][1][lane].value;  // high parts, then low parts
      float* to = partial + ((warp.index * kPass + i) * kStripRows + row) * S + s;
      to[0] = (even[0] + odd[0]) + (even[2] + odd[2]);
      to[S] = (even[1] + odd[1]) + (even[3] + odd[3]);
    });
  }
}

SHARKS_BOTH constexpr int partial_floats(int S) { return kStripWarps * kPass * kStripRows * S; }

// finish(gate, channel, s, sum) for every row of the slice and every stream; `channel` counts within the slice. The
// input must be visible to the block; what finish writes is, when this returns.
template <typename W, typename Finish>
SHARKS_BOTH void multiply(const Block& block, const Slice<W>& w, const float* x, int S, float* partial,
                          const Finish& finish) {
  for (int first = 0; first < w.strips(); first += kPass) {
    const int left = w.strips() - first, count = left < kPass ? left : kPass;
    block.warps([&](const Warp& warp) { multiply_share(warp, w, first, count, x, S, partial); });
    block.sync();
    block.each(count * kStripRows * S, [&](int i) {
      const int s = i % S, row = i / S, strip = first + row / kStripRows;
      float sum = 0.0f;
      SHARKS_UNROLL(kStripWarps)
      for (int warp = 0; warp < kStripWarps; ++warp) sum += partial[warp * kPass * kStripRows * S + i];
      finish(strip % w.gates, strip / w.gates * kStripRows + row % kStripRows, s, sum);
    });
    block.sync();
  }
}

}  // namespace sharks::cuda
