// A prior over codes on the CPU. It needs no table of the pack: a code is no amplitude.
#pragma once

#include <memory>

#include "core/codes/spec.h"
#include "core/engine.h"
#include "core/weights.h"
#include "cpu/simd/kernels.h"

namespace sharks::cpu {

std::unique_ptr<Model> make_model(const CodesSpec& spec, Weights& weights, const char* isa, Type type);

}  // namespace sharks::cpu
