// WaveNet's state in device memory, and the plans that play from it, the fastest first.
#pragma once

#include <memory>

#include "core/wavenet/weights.h"
#include "cuda/player/plan.h"

namespace sharks::cuda::wavenet {

// x of layer i at position t, [Rp], lies in row t mod length of ring i, length = (filter_width - 1) d.
struct WaveNetState {
  int B;
  int32_t* recent;            // [B, taps] levels, oldest first, the last consumed but not fed yet; -1: nothing
  float* rings;               // layer i from ring_start[i] on: [B, length, Rp]
  const int64_t* ring_start;  // [L], in device memory
  const float* condition;     // [B, L, 2 D] to add to the dilated biases, filter first, or null
};

using WaveNetPlan = Plan<WaveNetState>;
using WaveNetSource = Source<WaveNetSpec, WaveNetWeights>;  // its table is decode

// Blocks that hand each other what they made, weights in their shared memory. Null where a weight is beyond what a half
// holds.
namespace pipeline {
std::unique_ptr<WaveNetPlan> make_plan(const WaveNetSource& source);
}

// One block for a few streams, weights read from memory: any spec on any device, every stage can be tapped.
namespace fallback {
std::unique_ptr<WaveNetPlan> make_plan(const WaveNetSource& source);
}

}  // namespace sharks::cuda::wavenet
