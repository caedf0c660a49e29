// SampleRNN on a GPU.
#pragma once

#include <memory>
#include <string>

#include "core/dense.h"
#include "core/engine.h"
#include "core/samplernn/spec.h"
#include "core/weights.h"
#include "cuda/cuda.h"

namespace sharks::cuda {

// `tier_input` [Q]: the number an upper tier sees for each level. Weights and table stay where they are as long as the
// model lives; see registry.h for `plan` and `fold`.
std::unique_ptr<Model> make_model(const SampleRNNSpec& spec, Weights& weights, const float* tier_input,
                                  Precision precision, const std::string& plan, Fold fold);

}  // namespace sharks::cuda
