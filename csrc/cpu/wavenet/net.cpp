// What the CPU keeps of WaveNet, and what it costs to play.
#include <algorithm>

#include "cpu/wavenet/stepper.h"

namespace sharks::cpu {

int WaveNet::widest() const {
  return std::max({skips[0].cols(), conv1.cols(), conv2.cols(), blocks[0].dilated.cols(), blocks[0].gcond.cols()});
}

size_t WaveNet::heaviest() const {
  return std::max({packed_bytes(skips[0]), packed_bytes(conv1), packed_bytes(conv2), packed_bytes(blocks[0].dilated)});
}

Cost WaveNet::cost() const {
  Cost cost;
  for (size_t i = 0; i < blocks.size(); ++i) {
    add(cost, blocks[i].dilated);
    if (i + 1 < blocks.size()) add(cost, blocks[i].res);  // the last layer's is never computed
  }
  for (const Matrix& run : skips) add(cost, run);
  for (const Matrix* matrix : {&conv1, &conv2}) add(cost, *matrix);
  return cost;
}

}  // namespace sharks::cpu
