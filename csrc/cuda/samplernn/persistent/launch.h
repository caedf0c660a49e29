// What a CUDA compiler must see of the persistent plan: its kernel.
#pragma once

#include "cuda/device/launch.h"
#include "cuda/samplernn/persistent/kernel.h"

namespace sharks::cuda::samplernn::persistent {

template <typename W>
void launch_persistent(const Grid& grid, const Persistent<W>& work, Stream stream);
template <typename W>
int persistent_blocks_at_once(const Grid& grid);

}  // namespace sharks::cuda::samplernn::persistent
