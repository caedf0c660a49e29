#include "cuda/products/strip_matrix.h"

#include "cuda/products/narrowed.h"

namespace sharks::cuda {
namespace {

template <typename W>
Memory packed(const Dense& dense, int strips, int k_steps) {
  std::vector<W> values(static_cast<size_t>(strips) * static_cast<size_t>(k_steps) * kStripStep);
  for (int r = 0; r < dense.rows(); ++r) {
    W* strip = values.data() + static_cast<size_t>(r / kStripRows) * static_cast<size_t>(k_steps) * kStripStep;
    for (int c = 0; c < dense.cols(); ++c) strip[place_in_strip<W>(r % kStripRows, c)] = narrowed<W>(dense.at(r, c));
  }
  return uploaded(values);
}

}  // namespace

StripMatrix::StripMatrix(const Dense& dense, Precision precision)
    : strips_((dense.rows() + kStripRows - 1) / kStripRows), k_steps_(steps_of(dense.cols())) {
  memory_ = precision == Precision::kFloat16 ? packed<Half>(dense, strips_, k_steps_)
                                             : packed<float>(dense, strips_, k_steps_);
}

void add(Cost& cost, const StripMatrix& w, double share) {
  const double weights = static_cast<double>(w.strips()) * kStripRows * w.k_steps() * kStepColumns;
  cost.add(static_cast<double>(w.bytes()), weights, share);
}

Memory narrowed_copy(const std::vector<float>& values, Precision precision) {
  if (precision == Precision::kFloat32) return uploaded(values);
  std::vector<Half> halves;
  halves.reserve(values.size());
  for (float value : values) halves.push_back(narrowed<Half>(value));
  return uploaded(halves);
}

}  // namespace sharks::cuda
