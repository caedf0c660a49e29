#include "cuda/samplernn/throughput/launch.h"

namespace sharks::cuda::samplernn::throughput {

void launch_batch(const Grid& grid, const Batch& work, Stream stream) { launch(grid, work, stream); }
int batch_blocks_at_once(const Grid& grid) { return blocks_at_once<Batch>(grid); }

}  // namespace sharks::cuda::samplernn::throughput
