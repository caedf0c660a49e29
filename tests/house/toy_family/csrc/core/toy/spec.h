// What the engine must know of a toy: the same names and meanings as python/sharks/families/toy/spec.py, already
// validated there.
#pragma once

#include "core/fields.h"

namespace sharks {

struct ToySpec {
  static constexpr const char* kFamily = "toy";
  static constexpr const char* kTable =
      "decode";  // [Q] of the pack: the amplitude of each level, which it does not use

  ToySpec() = default;
  explicit ToySpec(Fields& fields);

  int q_levels = 0, embed_dim = 0, hidden = 0;
};

}  // namespace sharks
