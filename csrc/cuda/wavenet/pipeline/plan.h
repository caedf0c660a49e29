// WaveNet as a pipeline of blocks that hand each other what they made: see wavenet_pipeline.cu.
#pragma once

#include <memory>

#include "cuda/player/plan.h"

namespace sharks::cuda {

// Throws NoRoom where the weights do not fit the shared memory of the device's blocks; null where a weight is beyond
// what a half holds.
std::unique_ptr<WaveNetPlan> wavenet_pipeline(const WaveNetSource& source);

}  // namespace sharks::cuda
