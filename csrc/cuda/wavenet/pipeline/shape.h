// The pipeline's WaveNet in numbers: what its blocks are told, and how the weights of a layer lie side by side.
//
// Letters: R residual, D one half of the gate, S skip, E head, K filter width, L layers, Q levels; a small t marks a
// width in tiles of 16.
#pragma once

#include "cuda/products/tiles.h"

namespace sharks::cuda::wavenet::pipeline {

struct WaveNetShape {
  int L, R, D, S, E, Q, K, taps;
  int Rt, Dt, St, Et, Qt;
  int ring_width;  // of a row of the state's rings
  float residual_scale;

  // Of one layer, in tiles; rows of the gate go in tiles of 8 filter channels above the gates of the same 8.
  SHARKS_BOTH int gate_rows() const { return 2 * Dt; }
  SHARKS_BOTH int gate_depth() const { return Dt + Rt; }
  SHARKS_BOTH int past_depth() const { return (K - 1) * Rt; }
};

// What stands in front of a layer's weights.
struct LayerHead {
  int composed;  // whether W_now W_res of the layer before is one matrix, so that z alone is waited for
  int dilation;
  int ring_length;  // (K - 1) dilation
  int unused;
};

// One layer as a chain block keeps it in shared memory. Layer l brings with it the way on of layer l - 1:
//
//   x_l = scale x_{l-1} + res z_{l-1} + res_bias              (res, scale and bias hold the residual scale)
//   a_l = gate [z_{l-1}; x_{l-1}] + past x_l(t - d, ...) + bias      composed: gate = [scale W_now W_res, scale W_now]
//   a_l = gate [0; x_l] + past x_l(t - d, ...) + bias                not composed, and layer 0: gate = [0, W_now]
template <typename T>
struct LayerWeights {
  const LayerHead* head;
  const T *gate, *res, *past;    // tiles [2 Dt, Dt + Rt], [Rt, Dt], [2 Dt, (K - 1) Rt]
  const float *bias, *res_bias;  // [32 Dt] in the order of the rows of gate; [16 Rt]

  SHARKS_BOTH LayerWeights(const WaveNetShape& shape, const unsigned char* image) {
    head = reinterpret_cast<const LayerHead*>(image);
    gate = reinterpret_cast<const T*>(head + 1);
    res = gate + shape.gate_rows() * shape.gate_depth() * kTileSize;
    past = res + shape.Rt * shape.Dt * kTileSize;
    bias = reinterpret_cast<const float*>(past + shape.gate_rows() * shape.past_depth() * kTileSize);
    res_bias = bias + shape.gate_rows() * kTileRows;
  }

  static SHARKS_BOTH int bytes(const WaveNetShape& shape) {
    const LayerWeights at_zero(shape, nullptr);
    return static_cast<int>(reinterpret_cast<uintptr_t>(at_zero.res_bias + shape.Rt * kTileRows));
  }
};

// A matrix of the tail (skips, head, draw): its tiles [rows, depth], and a bias [16 rows], as offsets into the weights.
struct TailMatrix {
  int64_t tiles, bias;  // bytes
  int rows, depth;      // tiles
};

// What a block of a pipeline does: a run of layers, or a run of rows (in tiles) of one matrix of the tail; or nothing,
// where a cluster has blocks to spare.
struct Role {
  enum Kind : int { kChain, kSkip, kHead, kDraw, kIdle } kind;
  int first, count;
  int inbox;  // words at the beginning of its shared memory, where neighbours write
};

// Where a stage is copied to while forcing: [B, count, width].
struct StageOut {
  float* out;
  int64_t count;
};

// The order of StageOut: gated and out of every layer, then the tail.
struct StageIndex {
  int L;
  SHARKS_BOTH int gated(int layer) const { return 2 * layer; }
  SHARKS_BOTH int out(int layer) const { return 2 * layer + 1; }
  SHARKS_BOTH int skip() const { return 2 * L; }
  SHARKS_BOTH int head() const { return 2 * L + 1; }
  SHARKS_BOTH int logits() const { return 2 * L + 2; }
  SHARKS_BOTH int count() const { return 2 * L + 3; }
};

// Hands out a block's shared memory in pieces of whole 16 bytes. From a null start it only measures.
class Carve {
 public:
  SHARKS_BOTH explicit Carve(void* start) : start_(static_cast<unsigned char*>(start)) {}

  template <typename T>
  SHARKS_BOTH T* take(int count) {
    T* piece = reinterpret_cast<T*>(start_ + used_);
    used_ += (count * static_cast<int>(sizeof(T)) + 15) / 16 * 16;
    return piece;
  }
  SHARKS_BOTH int used() const { return used_; }

 private:
  unsigned char* start_;
  int used_ = 0;
};

}  // namespace sharks::cuda::wavenet::pipeline
