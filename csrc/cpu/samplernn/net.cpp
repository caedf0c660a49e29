// The size of what the CPU keeps of SampleRNN.
#include "cpu/samplernn/net.h"

#include <algorithm>

namespace sharks::cpu {

int SampleRNN::widest() const {
  int widest = Dp;
  for (const Tier& tier : tiers) widest = std::max({widest, tier.expand.cols(), tier.layers[0].frame.cols()});
  return widest;
}

size_t SampleRNN::heaviest() const {
  size_t bytes = packed_bytes(out);
  for (const Matrix& matrix : hidden) bytes = std::max(bytes, packed_bytes(matrix));
  for (const Tier& tier : tiers) bytes = std::max(bytes, packed_bytes(tier.upsample));
  return bytes;
}

}  // namespace sharks::cpu
