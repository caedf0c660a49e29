#include "cuda/wavenet/pipeline/pack.h"

#include <cmath>
#include <functional>

#include "core/wavenet/folds.h"
#include "cuda/products/narrowed.h"

namespace sharks::cuda::wavenet::pipeline {
namespace {

// Folded, but still in double precision and not packed. Widths are rounded up to whole tiles.
struct Unpacked {
  struct Matrix : Dense {
    Matrix() : Dense(0, 0) {}
    explicit Matrix(const Dense& dense) : Dense(dense) {}
  };
  using Floats = std::vector<float>;
  static constexpr int kRunColumns = 1 << 30;  // all skips in one product
  static int padded(int n) { return tiles_of(n) * kTileDepth; }
  Matrix matrix(const Dense& dense) const { return Matrix(dense); }
};

using Folded = FoldedWaveNet<Unpacked>;

template <typename T>
bool holds(double value) {
  return sizeof(T) != sizeof(Half) || std::abs(value) <= kLargestHalf;
}

template <typename T>
bool holds(const Dense& dense) {
  for (int r = 0; r < dense.rows(); ++r)
    for (int c = 0; c < dense.cols(); ++c)
      if (!holds<T>(dense.at(r, c))) return false;
  return true;
}

template <typename T>
class Packer {
 public:
  explicit Packer(const Folded& folded, Fold fold) : folded_(folded), fold_(fold) {
    const WaveNetSpec& spec = folded.spec;
    WaveNetShape& s = packed_.shape;
    s.L = spec.layers(), s.R = spec.residual, s.D = spec.dilation, s.S = spec.skip, s.E = spec.head;
    s.Q = spec.q_levels, s.K = spec.filter_width, s.taps = folded.taps;
    s.Rt = tiles_of(s.R), s.Dt = tiles_of(s.D), s.St = tiles_of(s.S), s.Et = tiles_of(s.E), s.Qt = tiles_of(s.Q);
    s.ring_width = padded(s.R);
    s.residual_scale = static_cast<float>(spec.residual_scale);
    packed_.layer_bytes = LayerWeights<T>::bytes(s);
    packed_.input_table = folded.input_table;
    packed_.input_bias = folded.input_bias;
  }

  std::optional<PackedWaveNet> packed() {
    for (int layer = 0; layer < packed_.shape.L; ++layer) add_layer(layer);
    packed_.skip = add_tail(folded_.skips[0], folded_.skip_bias, packed_.shape.St);
    packed_.head = add_tail(folded_.conv1, folded_.conv1_bias, packed_.shape.Et);
    packed_.draw = add_tail(folded_.conv2, folded_.conv2_bias, packed_.shape.Qt);
    if (too_big_) return std::nullopt;
    return std::move(packed_);
  }

 private:
  const WaveNetShape& shape() const { return packed_.shape; }

  // Tiles [rows, depth] of the columns `first` and after of a matrix; row_of(i) is the matrix' row in row i.
  void add_tiles(const Dense& dense, int first, int rows, int depth, const std::function<int(int)>& row_of) {
    std::vector<T> tiles(static_cast<size_t>(rows) * depth * kTileSize, T{});
    for (int i = 0; i < rows * kTileRows; ++i)
      for (int k = 0; k < depth * kTileDepth; ++k) {
        const int row = row_of(i), column = first + k;
        if (row >= dense.rows() || column >= dense.cols()) continue;
        const double value = dense.at(row, column);
        too_big_ = too_big_ || !holds<T>(value);
        tiles[static_cast<size_t>(i / kTileRows * depth + k / kTileDepth) * kTileSize +
              Weight<T>::in_tile(i % kTileRows, k % kTileDepth)] = Weight<T>::narrow(static_cast<float>(value));
      }
    add_bytes(tiles.data(), tiles.size() * sizeof(T));
  }

  void add_bytes(const void* data, size_t bytes) {
    const auto* from = static_cast<const unsigned char*>(data);
    packed_.weights.insert(packed_.weights.end(), from, from + bytes);
  }

  // Filter and gate of a channel meet in one thread: rows g and g + 8 of a tile.
  int gate_row(int i) const {
    const int channel = i / kTileRows * 8 + i % 8;
    return i % kTileRows < 8 ? channel : shape().Dt * kTileDepth + channel;
  }

  void add_layer(int layer) {
    const int Rp = shape().Rt * kTileDepth, Dp = shape().Dt * kTileDepth, past = (shape().K - 1) * Rp;
    const auto& block = folded_.blocks[static_cast<size_t>(layer)];
    Dense now(2 * Dp, Rp);
    for (int r = 0; r < now.rows(); ++r)
      for (int c = 0; c < Rp; ++c) now.at(r, c) = block.dilated.at(r, past + c);
    std::vector<double> bias(block.dilated_bias.begin(), block.dilated_bias.end());
    Dense way_on(Rp, Dp), gate(2 * Dp, Dp + Rp);
    std::vector<float> way_on_bias(static_cast<size_t>(Rp));
    bool composed = false;
    if (layer > 0) {
      const auto& before = folded_.blocks[static_cast<size_t>(layer - 1)];
      const double scale = folded_.spec.residual_scale;
      way_on.place(0, before.res);
      way_on.scale(scale);
      Dense product = now.times(way_on, fold_);
      composed = holds<T>(product);
      for (int r = 0; r < Rp; ++r) way_on_bias[static_cast<size_t>(r)] = static_cast<float>(before.res_bias[r] * scale);
      for (int r = 0; r < 2 * Dp && composed; ++r) {
        for (int c = 0; c < Dp; ++c) gate.at(r, c) = product.at(r, c);
        for (int c = 0; c < Rp; ++c) gate.at(r, Dp + c) = scale * now.at(r, c);
        for (int c = 0; c < Rp; ++c) bias[static_cast<size_t>(r)] += now.at(r, c) * scale * before.res_bias[c];
      }
    }
    if (!composed)
      for (int r = 0; r < 2 * Dp; ++r)
        for (int c = 0; c < Rp; ++c) gate.at(r, Dp + c) = now.at(r, c);
    packed_.composed.push_back(composed);

    const int d = folded_.spec.dilations[static_cast<size_t>(layer)];
    const LayerHead head{composed, d, (shape().K - 1) * d, 0};
    add_bytes(&head, sizeof head);
    const auto same = [](int i) { return i; };
    const auto gates = [&](int i) { return gate_row(i); };
    add_tiles(gate, 0, shape().gate_rows(), shape().gate_depth(), gates);
    add_tiles(way_on, 0, shape().Rt, shape().Dt, same);
    add_tiles(block.dilated, 0, shape().gate_rows(), shape().past_depth(), gates);
    std::vector<float> gate_bias;
    for (int i = 0; i < 2 * Dp; ++i) gate_bias.push_back(static_cast<float>(bias[static_cast<size_t>(gate_row(i))]));
    add_bytes(gate_bias.data(), gate_bias.size() * sizeof(float));
    add_bytes(way_on_bias.data(), way_on_bias.size() * sizeof(float));
  }

  TailMatrix add_tail(const Dense& dense, std::vector<float> bias, int rows) {
    TailMatrix matrix{static_cast<int64_t>(packed_.weights.size()), 0, rows, tiles_of(dense.cols())};
    add_tiles(dense, 0, rows, matrix.depth, [](int i) { return i; });
    matrix.bias = static_cast<int64_t>(packed_.weights.size());
    bias.resize(static_cast<size_t>(rows) * kTileRows);
    add_bytes(bias.data(), bias.size() * sizeof(float));
    return matrix;
  }

  const Folded& folded_;
  const Fold fold_;
  PackedWaveNet packed_;
  bool too_big_ = false;
};

}  // namespace

template <typename T>
std::optional<PackedWaveNet> pack_wavenet(const WaveNetSource& source) {
  const Folded folded(source.spec, source.weights, source.table, Unpacked{});
  return Packer<T>(folded, source.fold).packed();
}

template std::optional<PackedWaveNet> pack_wavenet<float>(const WaveNetSource& source);
template std::optional<PackedWaveNet> pack_wavenet<Half>(const WaveNetSource& source);

}  // namespace sharks::cuda::wavenet::pipeline
