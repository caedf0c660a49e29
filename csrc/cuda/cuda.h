// The CUDA engine's door. Nothing here needs the CUDA toolkit: stub.cpp answers where there is none.
#pragma once

#include <memory>
#include <string>

#include "core/engine.h"
#include "core/spec.h"
#include "core/weights.h"

namespace sharks::cuda {

// Empty when a GPU can play; else one sentence that says why not.
std::string status();

std::unique_ptr<Model> make_wavenet(const WaveNetSpec& spec, Weights& weights, const float* decode);
std::unique_ptr<Model> make_samplernn(const SampleRNNSpec& spec, Weights& weights, const float* tier_input);

}  // namespace sharks::cuda
