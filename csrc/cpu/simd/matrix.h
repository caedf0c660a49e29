// A matrix packed as the kernels read it, and how the folds of core/ get there.
#pragma once

#include <cstdint>
#include <vector>

#include "core/dense.h"
#include "core/engine.h"
#include "cpu/simd/aligned.h"
#include "cpu/simd/kernels.h"

namespace sharks::cpu {

// A width rounded up to whole vectors.
inline int padded(int n) { return (n + kPanelRows - 1) / kPanelRows * kPanelRows; }

class Matrix {
 public:
  Matrix() = default;
  Matrix(const Dense& dense, Type type);

  int rows() const { return view_.rows; }
  int cols() const { return view_.cols; }
  operator const Packed&() const { return view_; }

 private:
  Floats values_, row_scale_;
  std::vector<int32_t> row_offset_;
  Packed view_{};
};

// How the CPU keeps what core/ folds.
struct Packing {
  using Matrix = cpu::Matrix;
  using Floats = cpu::Floats;
  // Few enough that another thread is not far behind when the last layer is done, enough that a product is worth its
  // call.
  static constexpr int kRunColumns = 256;
  const Kernels& kernels;
  Type type;

  static int padded(int n) { return cpu::padded(n); }
  Matrix matrix(const Dense& dense) const { return Matrix(dense, type); }
  Dense times(const Dense& a, const Dense& b) const { return a.times(b, kernels.fold); }
};

// Count a product that runs in `share` of the steps.
void add(Cost& cost, const Packed& w, double share = 1);

}  // namespace sharks::cpu
