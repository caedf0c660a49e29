// WaveNet on a GPU.
#pragma once

#include <memory>
#include <string>

#include "core/dense.h"
#include "core/engine.h"
#include "core/wavenet/spec.h"
#include "core/weights.h"
#include "cuda/cuda.h"

namespace sharks::cuda {

// `decode` [Q]: the amplitude of each level, for scalar input. Weights and table stay where they are as long as the
// model lives; see registry.h for `plan` and `fold`.
std::unique_ptr<Model> make_model(const WaveNetSpec& spec, Weights& weights, const float* decode, Precision precision,
                                  const std::string& plan, Fold fold);

}  // namespace sharks::cuda
