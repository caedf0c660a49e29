#include "cuda/samplernn/persistent/launch.h"

namespace sharks::cuda::samplernn::persistent {

template <typename W>
void launch_persistent(const Grid& grid, const Persistent<W>& work, Stream stream) {
  launch(grid, work, stream);
}
template <typename W>
int persistent_blocks_at_once(const Grid& grid) {
  return blocks_at_once<Persistent<W>>(grid);
}

template void launch_persistent(const Grid&, const Persistent<float>&, Stream);
template void launch_persistent(const Grid&, const Persistent<Half>&, Stream);
template int persistent_blocks_at_once<float>(const Grid&);
template int persistent_blocks_at_once<Half>(const Grid&);

}  // namespace sharks::cuda::samplernn::persistent
