// The size of what the CPU keeps of WaveNet.
#include "cpu/wavenet/net.h"

#include <algorithm>

namespace sharks::cpu {

int WaveNet::widest() const {
  return std::max({skips[0].cols(), conv1.cols(), conv2.cols(), blocks[0].dilated.cols(), blocks[0].gcond.cols()});
}

size_t WaveNet::heaviest() const {
  return std::max({packed_bytes(skips[0]), packed_bytes(conv1), packed_bytes(conv2), packed_bytes(blocks[0].dilated)});
}

}  // namespace sharks::cpu
