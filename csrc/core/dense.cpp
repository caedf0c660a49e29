#include "core/dense.h"

#include <algorithm>

namespace sharks {

Dense& Dense::add(int row, int col, const float* source, int rows, int cols, int64_t row_stride, int64_t col_stride) {
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < cols; ++c)
      values_[static_cast<size_t>(row + r) * cols_ + col + c] += source[r * row_stride + c * col_stride];
  return *this;
}

void Dense::place(int row, const Dense& block) {
  for (int r = 0; r < block.rows_; ++r)
    std::copy_n(block.values_.data() + static_cast<size_t>(r) * block.cols_, block.cols_,
                values_.data() + static_cast<size_t>(row + r) * cols_);
}

Dense Dense::times(const Dense& other, Fold fold) const {
  // Columns in strips whose rows lie together, so that a strip of `other` stays in the cache while all rows pass.
  constexpr int kStrip = 16;
  std::vector<double> strip(static_cast<size_t>(cols_) * kStrip), out(static_cast<size_t>(rows_) * kStrip);
  Dense product(rows_, other.cols_);
  for (int n = 0; n < other.cols_; n += kStrip) {
    const int width = std::min(kStrip, other.cols_ - n);
    for (int k = 0; k < cols_; ++k)
      for (int j = 0; j < width; ++j) strip[static_cast<size_t>(k) * kStrip + j] = other.at(k, n + j);
    fold(rows_, kStrip, cols_, values_.data(), strip.data(), out.data());
    for (int m = 0; m < rows_; ++m)
      for (int j = 0; j < width; ++j) product.at(m, n + j) = out[static_cast<size_t>(m) * kStrip + j];
  }
  return product;
}

}  // namespace sharks
