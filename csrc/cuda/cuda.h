// The CUDA engine's door. Nothing here needs the CUDA toolkit: stub.cpp answers where there is none.
#pragma once

#include <memory>
#include <string>

#include "core/dense.h"
#include "core/engine.h"
#include "core/spec.h"
#include "core/weights.h"

namespace sharks::cuda {

// Empty when a GPU can play; else one sentence that says why not.
std::string status();

// The GPU that plays, for people; empty where none can.
std::string device_name();

// Its number among the GPUs that CUDA shows.
int device_index();

// Copy from any GPU's memory, when all that was put into its default stream before is done.
void fetch(void* to, const void* from, size_t bytes);

// What a GPU needs, in clocks, for steps that wait for each other, and clocks per second.
struct Latencies {
  double shared_load = 0;  // from shared memory
  double barrier = 0;      // of a block of 256 threads
  double tile = 0;         // a tile product
  double hop = 0;          // a number from one block to another through L2
  double clock = 0;
};
Latencies probe();

enum class Precision { kFloat32, kFloat16 };  // of the weights; sums are float32

// `plan`: "default", "throughput" (for many streams), or the name of one plan. `fold`: fast products for the folds. The
// caller keeps weights and table alive as long as the model: another plan may be made of them.
std::unique_ptr<Model> make_wavenet(const WaveNetSpec& spec, Weights& weights, const float* decode, Precision precision,
                                    const std::string& plan, Fold fold);
std::unique_ptr<Model> make_samplernn(const SampleRNNSpec& spec, Weights& weights, const float* tier_input,
                                      Precision precision, const std::string& plan, Fold fold);

}  // namespace sharks::cuda
