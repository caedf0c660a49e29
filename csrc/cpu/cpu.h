// The CPU's model makers, one per family. Tables come from the pack: no engine contains a codec.
#pragma once

#include <memory>

#include "core/engine.h"
#include "core/spec.h"
#include "core/weights.h"
#include "cpu/simd/kernels.h"

namespace sharks::cpu {

// `decode` [Q]: the amplitude of each level, for scalar input.
std::unique_ptr<Model> make_wavenet(const WaveNetSpec& spec, Weights& weights, const float* decode, const char* isa,
                                    Type type);

// `tier_input` [Q]: the number an upper tier sees for each level.
std::unique_ptr<Model> make_samplernn(const SampleRNNSpec& spec, Weights& weights, const float* tier_input,
                                      const char* isa, Type type);

}  // namespace sharks::cpu
