// How weights are stored, from Python's word to the engine's own types.
#pragma once

#include <string>

#include "cpu/simd/kernels.h"
#include "cuda/cuda.h"

namespace sharks::binding {

cpu::Type type_of(const std::string& dtype);
cuda::Precision precision_of(const std::string& dtype);

}  // namespace sharks::binding
