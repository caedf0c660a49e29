#include "cpu/simd/matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace sharks::cpu {

namespace {

uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The bfloat16 nearest to a value, ties to even.
uint32_t bfloat16_of(double value) {
  const uint32_t bits = bits_of(static_cast<float>(value));
  return (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
}

}  // namespace

Matrix::Matrix(const Dense& dense, Type type) {
  const int rows = padded(dense.rows()), cols = padded(dense.cols()), panels = rows / kPanelRows;
  const int per_unit = columns_per_unit(type), units = cols / per_unit;
  values_ = Floats(static_cast<size_t>(rows) * units);
  row_scale_ = Floats(static_cast<size_t>(rows));
  row_offset_.resize(static_cast<size_t>(rows));
  for (int row = 0; row < dense.rows(); ++row) {
    double peak = 0;
    for (int c = 0; c < dense.cols(); ++c) peak = std::max(peak, std::abs(dense.at(row, c)));
    row_scale_[row] = static_cast<float>(peak / 127);
    const double steps = peak > 0 ? 127 / peak : 0;
    const int panel = row / kPanelRows, first = panel / kGroupPanels * kGroupPanels;
    const int group_rows = std::min(kGroupPanels, panels - first) * kPanelRows;
    float* lane = values_.data() + static_cast<size_t>(first) * kPanelRows * units + (row - first * kPanelRows);
    for (int u = 0; u < units; ++u, lane += group_rows) {
      uint32_t bits = 0;
      for (int k = 0; k < per_unit; ++k) {
        const int c = u * per_unit + k;
        const double value = c < dense.cols() ? dense.at(row, c) : 0;
        if (type == Type::kFloat32) bits = bits_of(static_cast<float>(value));
        if (type == Type::kBfloat16) bits |= bfloat16_of(value) << 16 * k;
        if (type == Type::kInt8) {
          const int whole = static_cast<int>(std::nearbyint(value * steps));
          bits |= (static_cast<uint32_t>(whole) & 0xFFu) << 8 * k;
          row_offset_[row] -= 128 * whole;
        }
      }
      std::memcpy(lane, &bits, sizeof bits);
    }
  }
  view_ = {values_.data(),    rows, cols, panels >= 8 ? 1 : panels >= 4 ? 2 : 4, type, row_scale_.data(),
           row_offset_.data()};
}

void add(Cost& cost, const Packed& w, double share) {
  cost.add(static_cast<double>(packed_bytes(w)), static_cast<double>(w.rows) * w.cols, share);
}

}  // namespace sharks::cpu
