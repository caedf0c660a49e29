// The one thing that a CUDA compiler must see of the persistent plan: its kernel.
#pragma once

#include "cuda/launch.h"
#include "cuda/samplernn_pipeline.h"

namespace sharks::cuda::tiered {

template <typename W>
void launch_persistent(const Grid& grid, const Persistent<W>& work, Stream stream);
template <typename W>
int persistent_blocks_at_once(const Grid& grid);

}  // namespace sharks::cuda::tiered
