// The toy's weights as the CPU reads them: folded, packed and padded to whole vectors, once, when a model is made.
#pragma once

#include "core/toy/folds.h"
#include "cpu/simd/matrix.h"

namespace sharks::cpu {

struct Toy : FoldedToy<Packing> {
  using FoldedToy::FoldedToy;

  size_t heaviest() const;  // bytes of the heaviest matrix
};

}  // namespace sharks::cpu
