// Which block of a pipeline does what. Only how the work is dealt out follows from it, never how a sum is made: runs of
// layers and runs of rows may be cut anywhere.
#pragma once

#include <optional>
#include <vector>

#include "core/wavenet/stages.h"
#include "cuda/wavenet/pipeline/links.h"
#include "cuda/wavenet/pipeline/pack.h"

namespace sharks::cuda::wavenet::pipeline {

constexpr int kPipelineThreads = 384;  // at most, per block

// What a pipeline may use.
struct WaveNetLimits {
  size_t shared_bytes;  // of a block
  int blocks;           // of a pipeline
  int cluster = 1;      // blocks; the pipeline's are a multiple of it
  int slots = 0;        // groups with near words, where there are clusters
};

struct WaveNetLayout {
  std::vector<Role> roles;  // the chain first, then head, draw, skip, idle
  int chain_blocks = 0, head_blocks = 0, draw_blocks = 0, skip_blocks = 0;
  int threads = 0;          // per block
  size_t shared_bytes = 0;  // of the largest block
  int skip_chunk = 0;
  WaveNetLinks links{};  // without the words, which are the stepper's

  int blocks() const { return static_cast<int>(roles.size()); }
  int first_draw() const { return chain_blocks + head_blocks; }
};

// As few chain blocks as hold the layers, so that there are few hops; the tail on as many more as there may be, as long
// as that shortens its products. Empty where the limits are too narrow.
template <typename T>
std::optional<WaveNetLayout> lay_out(const PackedWaveNet& net, const WaveNetLimits& limits);

// The index of a tapped stage, see StageIndex.
int stage_index(const WaveNetShape& shape, const Stage& stage);

}  // namespace sharks::cuda::wavenet::pipeline
