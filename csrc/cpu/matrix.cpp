#include "cpu/matrix.h"

#include <algorithm>

namespace sharks::cpu {

Floats padded_copy(const float* source, int n) {
  Floats out(static_cast<size_t>(padded(n)));
  if (source) std::copy_n(source, n, out.data());
  return out;
}

Dense& Dense::add(int row, int col, const float* source, int rows, int cols, int64_t row_stride, int64_t col_stride) {
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < cols; ++c)
      values_[static_cast<size_t>(row + r) * cols_ + col + c] += source[r * row_stride + c * col_stride];
  return *this;
}

Matrix::Matrix(const Dense& dense) {
  const int rows = padded(dense.rows()), cols = padded(dense.cols()), panels = rows / kPanelRows;
  values_ = Floats(static_cast<size_t>(rows) * cols);
  view_ = {values_.data(), rows, cols, panels >= 8 ? 1 : panels >= 4 ? 2 : 4};
  for (int panel = 0; panel < panels; ++panel) {
    const int first = panel / kGroupPanels * kGroupPanels;
    const int group_rows = std::min(kGroupPanels, panels - first) * kPanelRows;
    float* group = values_.data() + static_cast<size_t>(first) * kPanelRows * cols + (panel - first) * kPanelRows;
    for (int r = 0; r < kPanelRows && panel * kPanelRows + r < dense.rows(); ++r)
      for (int c = 0; c < dense.cols(); ++c)
        group[static_cast<size_t>(c) * group_rows + r] = static_cast<float>(dense.at(panel * kPanelRows + r, c));
  }
}

}  // namespace sharks::cpu
