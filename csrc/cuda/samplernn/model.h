// SampleRNN on a GPU.
#pragma once

#include <memory>
#include <string>

#include "core/samplernn/spec.h"
#include "core/weights.h"
#include "cuda/cuda.h"

namespace sharks::cuda {

// `plan`: "default", "throughput" (for many streams), or the name of one plan. `fold`: fast products for the folds. The
// caller keeps weights and table alive as long as the model: another plan may be made of them.
std::unique_ptr<Model> make_model(const SampleRNNSpec& spec, Weights& weights, const float* tier_input,
                                  Precision precision, const std::string& plan, Fold fold);

}  // namespace sharks::cuda
