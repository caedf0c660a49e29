// Matrices in device memory, as the products of fallback/block.h read them.
//
// Columns come in groups of 8, padded with zeros; a thread that has a row reads a group of it in units of 16 bytes, and
// its neighbours read the next rows: [groups, units per group, rows, values per unit].
#pragma once

#include <vector>

#include "core/dense.h"
#include "core/engine.h"
#include "cuda/cuda.h"
#include "cuda/device/device.h"
#include "cuda/products/narrowed.h"

namespace sharks::cuda {

constexpr int kGroupColumns = 8;
constexpr int kProductThreads = 512;

// What a kernel sees; W is float or Half.
template <typename W>
struct Packed {
  const W* data;
  int rows, cols;  // multiples of 8
  // Partial sums per row, added in order: few rows still busy many threads. Follows from the shape alone.
  int parts;
};

class Matrix {
 public:
  Matrix() = default;
  Matrix(const Dense& dense, Precision precision);

  template <typename W>
  Packed<W> view() const {
    return {static_cast<const W*>(memory_.data()), rows_, cols_, parts_};
  }
  size_t bytes() const { return memory_.bytes(); }
  int rows() const { return rows_; }
  int cols() const { return cols_; }

 private:
  Memory memory_;
  int rows_ = 0, cols_ = 0, parts_ = 1;
};

// How the GPU keeps what core/ folds.
struct Packing {
  using Matrix = cuda::Matrix;
  using Floats = std::vector<float>;
  static constexpr int kRunColumns = 1 << 30;  // all layers together
  Precision precision;
  Fold fold;

  static int padded(int n) { return cuda::padded(n); }
  Matrix matrix(const Dense& dense) const { return Matrix(dense, precision); }
  Dense times(const Dense& a, const Dense& b) const { return a.times(b, fold); }
};

// Count a product that runs in `share` of the steps.
void add(Cost& cost, const Matrix& w, double share = 1);

}  // namespace sharks::cuda
