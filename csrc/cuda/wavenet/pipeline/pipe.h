// What every block of the pipeline is told, and the work item they all take in the same order: step after step, and
// within a step the groups of 8 streams that this pipeline plays.
#pragma once

#include "cuda/exchange/opening.h"
#include "cuda/wavenet/pipeline/links.h"
#include "cuda/wavenet/plans.h"

namespace sharks::cuda::wavenet::pipeline {

template <typename T>
struct WaveNetPipe {
  WaveNetShape shape;
  const unsigned char* weights;  // the layers from 0, layer_bytes each; then the tail
  int layer_bytes;
  TailMatrix skip, head, draw;
  const float *input_table, *input_bias;              // [taps, Q, 16 Rt], [16 Rt]
  const Role* roles;                                  // [blocks], the chain first, then head, draw and skip
  int blocks, chain_blocks, first_draw, draw_blocks;  // of one pipeline
  int pipelines, groups;
  int skip_chunk;  // layers whose z the skip blocks take at once
  WaveNetLinks links;
  WaveNetState state;
  Samples samples;
  uint32_t sequence;  // of the first step
  Opening opening;
  uint32_t* flags;  // [blocks of the grid] and the number of the first of this launch's two, for meet()
  uint32_t meeting;
  const StageOut* taps;  // [StageIndex::count], or null
};

// One step of one group.
struct Item : Address {
  int64_t t;  // within this launch

  SHARKS_BOTH int stream(int column) const { return group * kTileColumns + column; }
};

// Work::operator()(item) for all items of this block's pipeline, until the end or until it gives up.
template <typename T, typename Work>
SHARKS_BOTH bool each_item(const WaveNetPipe<T>& pipe, int pipeline, const Work& work) {
  for (int64_t t = 0; t < pipe.samples.n; ++t)
    for (int slot = 0, group = pipeline; group < pipe.groups; ++slot, group += pipe.pipelines)
      if (!work(Item{{group, slot, pipe.sequence + static_cast<uint32_t>(t)}, t})) return false;
  return true;
}

// Copy one value of a stage out, if it is asked for.
template <typename T>
SHARKS_BOTH void tap(const WaveNetPipe<T>& pipe, int stage, const Item& item, int column, int width, int channel,
                     float value) {
  const int b = item.stream(column);
  if (b >= pipe.samples.B || channel >= width) return;
  const StageOut& to = pipe.taps[stage];
  if (to.out) to.out[(b * to.count + item.t) * width + channel] = value;
}

// Copy weights into shared memory; 16 bytes at a time, which everything is padded to. The block must sync before it
// reads.
SHARKS_BOTH void fetch(const Block& block, void* to, const void* from, int bytes) {
  struct alignas(16) Piece {
    uint32_t word[4];
  };
  block.each(bytes / 16, [&](int i) { static_cast<Piece*>(to)[i] = static_cast<const Piece*>(from)[i]; });
}

}  // namespace sharks::cuda::wavenet::pipeline
