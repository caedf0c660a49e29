// SampleRNN on the CPU. The table comes from the pack: no engine contains a codec.
#pragma once

#include <memory>

#include "core/engine.h"
#include "core/samplernn/spec.h"
#include "core/weights.h"
#include "cpu/simd/kernels.h"

namespace sharks::cpu {

// `tier_input` [Q]: the number an upper tier sees for each level.
std::unique_ptr<Model> make_model(const SampleRNNSpec& spec, Weights& weights, const float* tier_input, const char* isa,
                                  Type type);

}  // namespace sharks::cpu
