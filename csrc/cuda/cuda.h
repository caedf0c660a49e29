// The CUDA engine's door: what GPU is here. Nothing here needs the CUDA toolkit: stub.cpp answers where there is none.
// Each family's own model.h makes what plays.
#pragma once

#include <cstddef>
#include <string>

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

}  // namespace sharks::cuda
