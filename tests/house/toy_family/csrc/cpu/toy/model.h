// The toy on the CPU.
#pragma once

#include <memory>

#include "core/engine.h"
#include "core/toy/spec.h"
#include "core/weights.h"
#include "cpu/simd/kernels.h"

namespace sharks::cpu {

// The table of amplitudes is nothing to a toy, which embeds its levels.
std::unique_ptr<Model> make_model(const ToySpec& spec, Weights& weights, const float* decode, const char* isa,
                                  Type type);

}  // namespace sharks::cpu
