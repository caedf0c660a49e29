// SampleRNN's weights as the CPU reads them: folded, packed and padded to whole vectors, once, when a model is made.
#pragma once

#include "core/samplernn/folds.h"
#include "cpu/simd/matrix.h"

namespace sharks::cpu {

struct SampleRNN : FoldedSampleRNN<Packing> {
  using FoldedSampleRNN::FoldedSampleRNN;

  int widest() const;       // columns of the widest matrix
  size_t heaviest() const;  // bytes of the heaviest
};

}  // namespace sharks::cpu
