// One step of one channel of a recurrent layer, from the sums of its gates.
#pragma once

#include "cuda/device/portable.h"

namespace sharks::cuda::samplernn {

enum class Cell { kGru, kGruResetBefore, kLstm };

// Rows r, z, n or i, f, g, o: from the layer's input, and from its own past. The reset-before GRU's input[2] holds
// both.
struct Gates {
  float input[4], past[4];
  SHARKS_BOTH float both(int gate) const { return input[gate] + past[gate]; }
};

SHARKS_BOTH float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// What the reset-before GRU's candidate reads.
SHARKS_BOTH float reset_state(const Gates& gates, float h) { return sigmoid(gates.both(0)) * h; }

// The new h; the LSTM's c moves on.
SHARKS_BOTH float next_state(Cell cell, const Gates& gates, float h, float& c) {
  if (cell == Cell::kLstm) {
    c = sigmoid(gates.both(1)) * c + sigmoid(gates.both(0)) * tanhf(gates.both(2));
    return sigmoid(gates.both(3)) * tanhf(c);
  }
  const float z = sigmoid(gates.both(1));
  const float from_past = cell == Cell::kGru ? sigmoid(gates.both(0)) * gates.past[2] : 0.0f;
  return (1.0f - z) * tanhf(gates.input[2] + from_past) + z * h;
}

}  // namespace sharks::cuda::samplernn
