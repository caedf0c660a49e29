// A matrix in double precision, collected block by block: where folds are computed, before a backend packs the result.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sharks {

// c [M, N] = a [M, K] b [K, N], row-major; N a multiple of 16. A model's folds are many of these, so who has fast ones
// hands them in.
using Fold = void (*)(int M, int N, int K, const double* a, const double* b, double* c);

class Dense {
 public:
  Dense(int rows, int cols) : rows_(rows), cols_(cols), values_(static_cast<size_t>(rows) * cols) {}

  // Add a block of `rows` x `cols` source values with the given strides at (row, col).
  Dense& add(int row, int col, const float* source, int rows, int cols, int64_t row_stride, int64_t col_stride = 1);

  // Copy a whole matrix to rows `row` and after.
  void place(int row, const Dense& block);

  // this (M x K) times `other` (K x N).
  Dense times(const Dense& other, Fold fold) const;

  void scale(double factor) {
    for (double& value : values_) value *= factor;
  }

  int rows() const { return rows_; }
  int cols() const { return cols_; }
  double at(int row, int col) const { return values_[static_cast<size_t>(row) * cols_ + col]; }
  double& at(int row, int col) { return values_[static_cast<size_t>(row) * cols_ + col]; }

 private:
  int rows_, cols_;
  std::vector<double> values_;
};

// `n` values, or zeros where there is no source, padded with zeros as a backend pads its widths.
template <typename Packing>
typename Packing::Floats padded_copy(const float* source, int n) {
  typename Packing::Floats out(static_cast<size_t>(Packing::padded(n)));
  if (source) std::copy_n(source, n, out.data());
  return out;
}

}  // namespace sharks
