// A prior's weights as the CPU reads them: folded, packed and padded to whole vectors, once, when a model is made.
#pragma once

#include <algorithm>

#include "core/codes/folds.h"
#include "cpu/simd/matrix.h"

namespace sharks::cpu {

struct Codes : FoldedCodes<Packing> {
  using FoldedCodes<Packing>::FoldedCodes;

  int widest() const { return std::max(Hp, Wp); }  // columns of the widest matrix
  size_t heaviest() const {                        // bytes of the heaviest
    return std::max({packed_bytes(heads), packed_bytes(layers[0].below), packed_bytes(out[0])});
  }
};

}  // namespace sharks::cpu
