// WaveNet on a GPU.
#pragma once

#include <memory>
#include <string>

#include "core/wavenet/spec.h"
#include "core/weights.h"
#include "cuda/cuda.h"

namespace sharks::cuda {

// `plan`: "default", "throughput" (for many streams), or the name of one plan. `fold`: fast products for the folds. The
// caller keeps weights and table alive as long as the model: another plan may be made of them.
std::unique_ptr<Model> make_model(const WaveNetSpec& spec, Weights& weights, const float* decode, Precision precision,
                                  const std::string& plan, Fold fold);

}  // namespace sharks::cuda
