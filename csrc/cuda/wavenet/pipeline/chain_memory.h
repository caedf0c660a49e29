// The shared memory of a chain block.
#pragma once

#include "cuda/wavenet/pipeline/pipe.h"

namespace sharks::cuda::wavenet::pipeline {

// Where a layer's past inputs lie at this step.
struct RingNow {
  float* streams;  // [B, length, ring_width]
  int64_t stride;  // from stream to stream
  int64_t row[3];  // where the taps' rows begin, oldest first; the newest goes over the oldest

  SHARKS_BOTH float* at(int b, int tap) const { return streams + b * stride + row[tap]; }
};

template <typename T>
struct ChainMemory {
  unsigned char* layers;  // [count] images
  T* input;               // two operands [z; x], of this layer and of the next, in turn
  T* past;                // [count] operands of past inputs
  float* known;           // [count, 2 Dt] results: past products and biases
  float* x;               // [Rt] results: the residual stream, in float32
  RingNow* rings;         // [count]
  int* levels;            // [8, taps] the group's last, oldest first
  uint32_t* best;         // [draw blocks, 8, {key, level}]

  SHARKS_BOTH ChainMemory(const WaveNetShape& shape, int layer_bytes, const Role& role, int draw_blocks, Carve& carve) {
    const int count = role.count;
    carve.take<uint64_t>(role.inbox);
    layers = carve.take<unsigned char>(count * layer_bytes);
    input = carve.take<T>(2 * shape.gate_depth() * kOperandSize);
    past = carve.take<T>(count * shape.past_depth() * kOperandSize);
    known = carve.take<float>(count * shape.gate_rows() * kResultSize);
    x = carve.take<float>(shape.Rt * kResultSize);
    rings = carve.take<RingNow>(count);
    levels = carve.take<int>(kTileColumns * shape.taps);
    best = carve.take<uint32_t>(draw_blocks * kTileColumns * 2);
  }

  // x lies as products come out: [tile][lane][4].
  static SHARKS_BOTH int place_of_x(int r, int column) {
    const int lane = r % 8 * 4 + column / 2, value = r % kTileRows / 8 * 2 + column % 2;
    return (r / kTileRows * kWarp + lane) * 4 + value;
  }
};

}  // namespace sharks::cuda::wavenet::pipeline
