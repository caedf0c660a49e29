// What a CUDA compiler must see of the throughput plan: its kernel.
#pragma once

#include "cuda/device/launch.h"
#include "cuda/samplernn/throughput/kernel.h"

namespace sharks::cuda::samplernn::throughput {

void launch_batch(const Grid& grid, const Batch& work, Stream stream);
int batch_blocks_at_once(const Grid& grid);

}  // namespace sharks::cuda::samplernn::throughput
