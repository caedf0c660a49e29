// What a CUDA compiler must see of SampleRNN's plans: their kernels.
#pragma once

#include "cuda/device/launch.h"
#include "cuda/samplernn/persistent/kernel.h"
#include "cuda/samplernn/throughput/kernel.h"

namespace sharks::cuda::tiered {

template <typename W>
void launch_persistent(const Grid& grid, const Persistent<W>& work, Stream stream);
template <typename W>
int persistent_blocks_at_once(const Grid& grid);

void launch_batch(const Grid& grid, const Batch& work, Stream stream);
int batch_blocks_at_once(const Grid& grid);

}  // namespace sharks::cuda::tiered
