// Which weights a block keeps in its shared memory, and which it reads from device memory every time.
#pragma once

#include "cuda/samplernn/persistent/member.h"

namespace sharks::cuda::samplernn::persistent {

// The own slices of all products, where they lie in device memory. The block must sync before they are read.
template <typename W>
SHARKS_BOTH void look_up_slices(const Block& block, const Net<W>& net, const Ownership& own, const Desk<W>& at) {
  block.each(net.products, [&](int i) {
    const Product& from = net.product[i];
    const Share share = from.owner == Product::kTierChannels     ? own.channels
                        : from.owner == Product::kSampleChannels ? own.hidden
                                                                 : own.levels;
    const int64_t before = static_cast<int64_t>(share.first) * from.k_steps * kStripStep;
    const W* weights = static_cast<const W*>(from.weights) + before;
    at.slices[i] = {weights, from.k_steps, from.gates, from.gate_stride, share.count};
  });
}

// Copy slices behind the desk, in the table's order, as long as there is room; a copy has a channel's gates behind one
// another. The block must sync before they are read.
template <typename W>
SHARKS_BOTH void keep_slices(const Block& block, const Net<W>& net, const Desk<W>& at, size_t shared_bytes) {
  size_t used = at.used;
  for (int i = 0; i < net.products; ++i) {
    const Slice<W> slice = at.slices[i];
    const size_t strip = static_cast<size_t>(slice.k_steps) * kStripStep * sizeof(W), bytes = slice.strips() * strip;
    if (bytes == 0 || used + bytes > shared_bytes) continue;
    unsigned char* home = static_cast<unsigned char*>(block.shared) + used;
    const Slice<W> here{reinterpret_cast<const W*>(home), slice.k_steps, slice.gates, slice.channels, slice.channels};
    const int units = static_cast<int>(strip / sizeof(Four));
    for (int s = 0; s < slice.strips(); ++s) {
      const Four* from = reinterpret_cast<const Four*>(slice.strip(s));
      Four* to = reinterpret_cast<Four*>(const_cast<W*>(here.strip(s)));
      block.each(units, [&](int u) { to[u] = from[u]; });
    }
    block.sync();
    block.each(1, [&](int) { at.slices[i] = here; });
    used += bytes;
  }
}

}  // namespace sharks::cuda::samplernn::persistent
