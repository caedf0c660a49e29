#include "cuda/products/matrix.h"

#include <algorithm>

#include "cuda/products/narrowed.h"

namespace sharks::cuda {
namespace {

template <typename W>
Memory packed(const Dense& dense, int rows, int cols) {
  constexpr int kUnit = 16 / sizeof(W);
  std::vector<W> values(static_cast<size_t>(rows) * cols);
  for (int r = 0; r < dense.rows(); ++r)
    for (int c = 0; c < dense.cols(); ++c)
      values[(static_cast<size_t>(c / kUnit) * rows + r) * kUnit + c % kUnit] = narrowed<W>(dense.at(r, c));
  return uploaded(values);
}

}  // namespace

Matrix::Matrix(const Dense& dense, Precision precision)
    : rows_(padded(dense.rows())),
      cols_(padded(dense.cols())),
      parts_(std::max(1, std::min(kProductThreads / std::max(rows_, 1), cols_ / kGroupColumns))) {
  memory_ = precision == Precision::kFloat16 ? packed<Half>(dense, rows_, cols_) : packed<float>(dense, rows_, cols_);
}

void add(Cost& cost, const Matrix& w, double share) {
  cost.add(static_cast<double>(w.bytes()), static_cast<double>(w.rows()) * w.cols(), share);
}

}  // namespace sharks::cuda
