// What the engine must know of a model of codes: the same names and meanings as python/sharks/families/codes/spec.py,
// already validated there. What a code sounds like is no engine's business.
#pragma once

#include "core/fields.h"

namespace sharks {

struct CodesSpec {
  static constexpr const char* kFamily = "codes";

  CodesSpec() = default;
  explicit CodesSpec(Fields& fields);

  int q_levels = 0;  // entries of a book
  int books = 0;     // codes of a frame
  int dims = 0;      // numbers that an entry is
  int frame = 0;     // numbers of a frame's spectra: pair x bands
  int hidden = 0, layers = 0, width = 0;

  int lookback() const { return 3 * books; }
};

}  // namespace sharks
