// Dense collects a matrix block by block, in double precision; Matrix is the packed form that the kernels read.
#pragma once

#include <cstdint>
#include <vector>

#include "core/engine.h"
#include "cpu/aligned.h"
#include "cpu/kernels.h"

namespace sharks::cpu {

// A width rounded up to whole vectors.
inline int padded(int n) { return (n + kPanelRows - 1) / kPanelRows * kPanelRows; }

// `n` values, or zeros where there is no source, padded with zeros to whole vectors.
Floats padded_copy(const float* source, int n);

// A zero-filled matrix [rows, cols] in double precision, where folds are computed.
class Dense {
 public:
  Dense(int rows, int cols) : rows_(rows), cols_(cols), values_(static_cast<size_t>(rows) * cols) {}

  // Add a block of `rows` x `cols` source values with the given strides at (row, col).
  Dense& add(int row, int col, const float* source, int rows, int cols, int64_t row_stride, int64_t col_stride = 1);

  // Copy a whole matrix to rows `row` and after.
  void place(int row, const Dense& block);

  // this (M x K) times `other` (K x N).
  Dense times(const Dense& other, const Kernels& kernels) const;

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

// Count a product that runs in `share` of the steps.
void add(Cost& cost, const Packed& w, double share = 1);

}  // namespace sharks::cpu
