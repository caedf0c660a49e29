// What the CPU keeps of SampleRNN, and what it costs to play.
#include <algorithm>

#include "cpu/samplernn/stepper.h"

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

Cost SampleRNN::cost() const {
  Cost cost;
  for (size_t t = 0; t < tiers.size(); ++t) {
    const double share = 1.0 / spec.frame_sizes[t];
    for (const Layer& layer : tiers[t].layers)
      for (const Matrix* matrix : {&layer.below, &layer.frame, &layer.recurrent, &layer.candidate, &layer.skip})
        add(cost, *matrix, share);
    add(cost, tiers[t].expand, share);
    add(cost, tiers[t].upsample, share);
  }
  for (const Matrix& matrix : hidden) add(cost, matrix);
  add(cost, out);
  return cost;
}

}  // namespace sharks::cpu
