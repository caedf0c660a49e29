// Which block of a pipeline does what. Only how the work is dealt out follows from it, never how a sum is made: runs of
// layers and runs of rows may be cut anywhere.
#pragma once

#include <optional>
#include <vector>

#include "core/stages.h"
#include "cuda/wavenet_links.h"
#include "cuda/wavenet_pack.h"

namespace sharks::cuda {

constexpr int kPipelineThreads = 384;  // at most, per block

struct WaveNetLayout {
  std::vector<Role> roles;  // the chain first, then skip, head and draw blocks
  int chain_blocks = 0, draw_blocks = 0;
  int threads = 0;          // per block
  size_t shared_bytes = 0;  // of the largest block
  int skip_chunk = 0;
  WaveNetLinks links{};     // where the words lie within a group; the words themselves are the stepper's

  int blocks() const { return static_cast<int>(roles.size()); }
};

// As few chain blocks as hold the layers in `shared_limit` bytes each, so that there are few hops; the tail on as many more
// as `most_blocks` allows, as long as that shortens its products. Empty where `most_blocks` are too few.
template <typename T>
std::optional<WaveNetLayout> lay_out(const PackedWaveNet& net, size_t shared_limit, int most_blocks);

// The index of a tapped stage, see StageIndex.
int stage_index(const WaveNetShape& shape, const Stage& stage);

}  // namespace sharks::cuda
