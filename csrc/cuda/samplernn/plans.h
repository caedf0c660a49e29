// SampleRNN's state in device memory, and the plans that play from it, the fastest first.
#pragma once

#include <memory>

#include "core/samplernn/weights.h"
#include "cuda/player/plan.h"

namespace sharks::cuda::samplernn {

// The level at position t lies in slot t mod lookback.
struct SampleRNNState {
  int B;
  int32_t* history;  // [B, lookback]
  float *h, *c;      // [tiers, B, layers, Dp]; c of the LSTM, else null
};

using SampleRNNPlan = Plan<SampleRNNState>;
using SampleRNNSource = Source<SampleRNNSpec, SampleRNNWeights>;  // its table is tier_input

// Every layer one product of all streams; for hundreds of them, float16 weights, and only where plan="throughput" asks.
namespace throughput {
std::unique_ptr<SampleRNNPlan> make_plan(const SampleRNNSource& source);
}

// All blocks of the GPU play a few streams together, weights in shared memory as far as they fit.
namespace persistent {
std::unique_ptr<SampleRNNPlan> make_plan(const SampleRNNSource& source);
}

// One block for a few streams, weights read from memory: any spec on any device, every stage can be tapped.
namespace fallback {
std::unique_ptr<SampleRNNPlan> make_plan(const SampleRNNSource& source);
}

}  // namespace sharks::cuda::samplernn
