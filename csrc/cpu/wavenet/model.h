// WaveNet on the CPU. The table comes from the pack: no engine contains a codec.
#pragma once

#include <memory>

#include "core/engine.h"
#include "core/wavenet/spec.h"
#include "core/weights.h"
#include "cpu/simd/kernels.h"

namespace sharks::cpu {

// `decode` [Q]: the amplitude of each level, for scalar input.
std::unique_ptr<Model> make_model(const WaveNetSpec& spec, Weights& weights, const float* decode, const char* isa,
                                  Type type);

}  // namespace sharks::cpu
