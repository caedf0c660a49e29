// A folded matrix in device memory, cut into the strips that strips.h multiplies with.
#pragma once

#include <vector>

#include "core/dense.h"
#include "core/engine.h"
#include "cuda/cuda.h"
#include "cuda/device/device.h"
#include "cuda/products/narrowed.h"
#include "cuda/products/strips.h"

namespace sharks::cuda {

class StripMatrix {
 public:
  StripMatrix() = default;
  StripMatrix(const Dense& dense, Precision precision);

  int strips() const { return strips_; }
  int k_steps() const { return k_steps_; }
  size_t bytes() const { return memory_.bytes(); }
  bool empty() const { return strips_ == 0; }
  // From strip `first` on.
  const void* data(int first = 0) const {
    const size_t strip = strips_ ? bytes() / static_cast<size_t>(strips_) : 0;
    return static_cast<const char*>(memory_.data()) + strip * static_cast<size_t>(first);
  }

 private:
  Memory memory_;
  int strips_ = 0, k_steps_ = 0;
};

// How plans made of strips keep what core/ folds.
struct StripPacking {
  using Matrix = StripMatrix;
  using Floats = std::vector<float>;
  Precision precision;
  Fold fold;

  static int padded(int n) { return cuda::padded(n); }
  Matrix matrix(const Dense& dense) const { return Matrix(dense, precision); }
  Dense times(const Dense& a, const Dense& b) const { return a.times(b, fold); }
};

// Count a product that runs in `share` of the steps.
void add(Cost& cost, const StripMatrix& w, double share = 1);

// Values as a kernel reads them: float32, or rounded to halves; refused beyond what halves hold.
Memory narrowed_copy(const std::vector<float>& values, Precision precision);

}  // namespace sharks::cuda
