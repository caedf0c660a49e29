// What the WaveNet pipeline is made of, without a pipeline: products over packed tiles, and the packer's folds and
// order. What they must be is computed here anew, in double precision, from the plain weights.
#include <cmath>
#include <cstdio>
#include <map>

#include "cuda/wavenet/pipeline/pack.h"
#include "expect.h"
#include "random_models.h"

namespace {

using namespace sharks;
using namespace sharks::cuda;
using namespace sharks::cuda::wavenet;
using namespace sharks::cuda::wavenet::pipeline;
using sharks::test::Noise;

void plain_fold(int M, int N, int K, const double* a, const double* b, double* c) {
  for (int m = 0; m < M; ++m)
    for (int n = 0; n < N; ++n) {
      c[m * N + n] = 0;
      for (int k = 0; k < K; ++k) c[m * N + n] += a[m * K + k] * b[k * N + n];
    }
}

// ---- products ----

template <typename T>
void a_product_is_the_sum_over_its_row(int depth) {
  Noise noise(static_cast<uint64_t>(depth) + 1);
  std::vector<T> tiles(static_cast<size_t>(depth) * kTileSize), operand(static_cast<size_t>(depth) * kOperandSize);
  const int width = depth * kTileDepth;
  std::vector<double> w(static_cast<size_t>(kTileRows) * width), x(static_cast<size_t>(width) * kTileColumns);
  for (int row = 0; row < kTileRows; ++row)
    for (int k = 0; k < width; ++k) {
      const T value = Weight<T>::narrow(noise());
      tiles[static_cast<size_t>(k / kTileDepth * kTileSize + Weight<T>::in_tile(row, k % kTileDepth))] = value;
      w[static_cast<size_t>(row * width + k)] = to_float(value);
    }
  for (int k = 0; k < width; ++k)
    for (int column = 0; column < kTileColumns; ++column) {
      const float value = noise();
      put(operand.data(), k, column, value);
      x[static_cast<size_t>(k * kTileColumns + column)] = to_float(Weight<T>::narrow(value));
    }
  Lanes<Accumulator> y, y_ahead;
  Lanes<typename Weight<T>::Sum> sum;
  Lanes<typename Weight<T>::Ahead> ahead;
  const Warp warp{0};
  product(warp, tiles.data(), operand.data(), depth, y);
  Weight<T>::fetch(warp, ahead, tiles.data(), depth);
  Weight<T>::clear(warp, sum);
  Weight<T>::accumulate(warp, sum, ahead, tiles.data(), operand.data(), depth);
  Weight<T>::finish(warp, sum, y_ahead);
  for (int lane = 0; lane < kWarp; ++lane)
    for (int i = 0; i < 4; ++i) {
      const Place at = place_in_c(lane, i);
      double want = 0, size = 0;
      for (int k = 0; k < width; ++k) {
        const double term =
            w[static_cast<size_t>(at.row * width + k)] * x[static_cast<size_t>(k * kTileColumns + at.column)];
        want += term, size += std::abs(term);
      }
      EXPECT(std::abs(y[lane].value[i] - want) <= size * (width + 2) * 0x1p-23);
      EXPECT(y[lane].value[i] == y_ahead[lane].value[i]);
    }
}

// A column's sums must not feel its neighbours, or a stream would sound otherwise in other company.
template <typename T>
void a_column_does_not_feel_its_neighbours() {
  Noise noise(9);
  std::vector<T> tiles(3 * kTileSize), alone(3 * kOperandSize, T{}), together(3 * kOperandSize);
  for (T& value : tiles) value = Weight<T>::narrow(noise());
  for (int k = 0; k < 3 * kTileDepth; ++k)
    for (int column = 0; column < kTileColumns; ++column) {
      const float value = noise();
      put(together.data(), k, column, value);
      if (column == 5) put(alone.data(), k, column, value);
    }
  Lanes<Accumulator> a, b;
  product(Warp{0}, tiles.data(), alone.data(), 3, a);
  product(Warp{0}, tiles.data(), together.data(), 3, b);
  for (int lane = 0; lane < kWarp; ++lane)
    for (int i = 0; i < 4; ++i)
      if (place_in_c(lane, i).column == 5) EXPECT(a[lane].value[i] == b[lane].value[i]);
}

// Every place of a tile and of an operand is used once.
template <typename T>
void places_are_a_permutation() {
  std::map<int, int> tile, operand;
  for (int row = 0; row < kTileRows; ++row)
    for (int column = 0; column < kTileDepth; ++column) ++tile[Weight<T>::in_tile(row, column)];
  for (int k = 0; k < 2 * kTileDepth; ++k)
    for (int column = 0; column < kTileColumns; ++column) ++operand[Weight<T>::in_operand(k, column)];
  EXPECT(tile.size() == kTileSize && tile.begin()->first == 0 && tile.rbegin()->first == kTileSize - 1);
  EXPECT(operand.size() == 2 * kOperandSize);
  EXPECT(operand.begin()->first == 0 && operand.rbegin()->first == 2 * kOperandSize - 1);
}

// ---- the packer ----

struct Weighed {  // a model's tensors, kept
  std::vector<test::Tensor> tensors;
  const std::vector<float>& at(const std::string& name) const {
    for (const test::Tensor& tensor : tensors)
      if (tensor.name == name) return tensor.values;
    std::printf("no tensor %s\n", name.c_str());
    std::abort();
  }
};

WaveNetSpec odd_spec(int K) {
  WaveNetSpec spec;
  spec.q_levels = 37, spec.input_filter_width = 2, spec.filter_width = K, spec.dilations = {1, 2, 5};
  spec.residual = 19, spec.dilation = 21, spec.skip = 33, spec.head = 17;
  spec.bias = spec.head_bias = true;
  spec.residual_scale = 0.75, spec.skip_scale = 0.5;
  return spec;
}

template <typename T>
std::optional<PackedWaveNet> packed(const WaveNetSpec& spec, Weighed& model) {
  const std::vector<float> table(static_cast<size_t>(spec.q_levels));
  for (;;) {
    Weights weights;
    for (const test::Tensor& tensor : model.tensors) weights.add(tensor.name, tensor.shape, tensor.values.data());
    try {
      const WaveNetWeights bound(spec, weights);
      const auto precision = sizeof(T) == 2 ? Precision::kFloat16 : Precision::kFloat32;
      return pack_wavenet<T>({spec, bound, table.data(), precision, "default", plain_fold});
    } catch (const std::invalid_argument& refusal) {
      model.tensors.push_back(test::asked_for(refusal));
    }
  }
}

// What packed rows give, and how far rounding each weight once may have moved it.
template <typename T>
struct Sum {
  double value = 0, close = 0x1p-20;

  void add(double term, double size) { value += term, close += size * (sizeof(T) == 2 ? 0x1p-11 : 0x1p-23); }

  // A row of tiles times x, from row `from` of its operand on.
  void add_row(const T* tiles, int depth, int row, const std::vector<double>& x) {
    for (int k = 0; k < depth * kTileDepth; ++k) {
      const size_t at = (static_cast<size_t>(row / kTileRows) * depth + k / kTileDepth) * kTileSize;
      const double w = to_float(tiles[at + Weight<T>::in_tile(row % kTileRows, k % kTileDepth)]);
      if (k >= static_cast<int>(x.size()))
        EXPECT(w == 0);
      else
        add(w * x[static_cast<size_t>(k)], std::abs(w * x[static_cast<size_t>(k)]) + 0x1p-14);
    }
  }

  bool is(double want) const { return std::abs(value - want) <= close; }
};

std::vector<double> noises(int n, uint64_t seed) {
  Noise noise(seed);
  std::vector<double> values;
  for (int i = 0; i < n; ++i) values.push_back(noise());
  return values;
}

// What the packed layer makes of z and x of the layer before, and of past inputs, against the layer as the spec writes
// it.
template <typename T>
void a_packed_layer_is_the_layer(int K, bool big) {
  const WaveNetSpec spec = odd_spec(K);
  const int R = spec.residual, D = spec.dilation;
  Weighed model;
  packed<T>(spec, model);  // makes the tensors
  if (big)                 // halves hold these, but not the products of the two
    for (test::Tensor& tensor : model.tensors)
      if (tensor.name == "blocks.0.res.weight" || tensor.name == "blocks.1.dilated.weight")
        for (float& value : tensor.values) value *= 5000;
  const std::optional<PackedWaveNet> net = packed<T>(spec, model);
  EXPECT(net.has_value());
  if (!net) return;
  EXPECT(!net->composed[0] && net->composed[2]);
  EXPECT(net->composed[1] == (sizeof(T) == 4 || !big));
  const WaveNetShape& s = net->shape;
  const int Dp = s.Dt * kTileDepth, Rp = s.Rt * kTileDepth;
  for (int layer = 0; layer < spec.layers(); ++layer) {
    const LayerWeights<T> w(s, net->weights.data() + layer * net->layer_bytes);
    const std::string name = "blocks." + std::to_string(layer) + ".";
    const std::string before = "blocks." + std::to_string(layer - 1) + ".";
    EXPECT(w.head->dilation == spec.dilations[static_cast<size_t>(layer)]);
    EXPECT(w.head->ring_length == (K - 1) * w.head->dilation);
    const std::vector<double> z = noises(D, 1), x_before = noises(R, 2);
    std::vector<double> x = x_before, past((K - 1) * static_cast<size_t>(Rp));
    if (layer > 0)
      for (int r = 0; r < R; ++r) {
        double sum = model.at(before + "res.bias")[static_cast<size_t>(r)] + x_before[static_cast<size_t>(r)];
        const std::vector<float>& res = model.at(before + "res.weight");
        for (int d = 0; d < D; ++d) sum += res[static_cast<size_t>(r * D + d)] * z[static_cast<size_t>(d)];
        x[static_cast<size_t>(r)] = sum * spec.residual_scale;
      }
    for (int tap = 0; tap < K - 1; ++tap) {
      const std::vector<double> row = noises(R, 3 + static_cast<uint64_t>(tap));
      std::copy(row.begin(), row.end(), past.begin() + tap * Rp);
    }
    // The operand [z; x]: x of the layer before where it is composed, of this one where not.
    std::vector<double> operand(static_cast<size_t>(Dp + Rp));
    std::copy(z.begin(), z.end(), operand.begin());
    const std::vector<double>& second = net->composed[static_cast<size_t>(layer)] ? x_before : x;
    std::copy(second.begin(), second.end(), operand.begin() + Dp);
    for (int row = 0; row < 2 * Dp; ++row) {
      const int channel = row / kTileRows * 8 + row % 8, half = row % kTileRows / 8;
      double want = 0;
      if (channel < D) {
        const auto& dilated = model.at(name + "dilated.weight");
        want = model.at(name + "dilated.bias")[static_cast<size_t>(half * D + channel)];
        for (int r = 0; r < R; ++r)
          for (int k = 0; k < K; ++k) {
            const double input = k + 1 < K ? past[static_cast<size_t>(k * Rp + r)] : x[static_cast<size_t>(r)];
            want += dilated[static_cast<size_t>(((half * D + channel) * R + r) * K + k)] * input;
          }
      }
      Sum<T> got;
      got.add(w.bias[row], std::abs(w.bias[row]));
      got.add_row(w.gate, s.gate_depth(), row, operand);
      got.add_row(w.past, s.past_depth(), row, past);
      EXPECT(got.is(want));
    }
    for (int r = 0; r < Rp && layer > 0; ++r) {
      Sum<T> got;
      got.add(w.res_bias[r], std::abs(w.res_bias[r]));
      got.add_row(w.res, s.Dt, r, z);
      EXPECT(got.is(r < R ? x[static_cast<size_t>(r)] - spec.residual_scale * x_before[static_cast<size_t>(r)] : 0));
    }
  }
}

template <typename T>
void the_packed_tail_is_the_tail() {
  const WaveNetSpec spec = odd_spec(2);
  Weighed model;
  packed<T>(spec, model);
  const std::optional<PackedWaveNet> net = packed<T>(spec, model);
  const int D = spec.dilation, L = spec.layers(), Dp = net->shape.Dt * kTileDepth;
  const auto check = [&](const TailMatrix& matrix, int rows, const std::vector<double>& x, const auto& want) {
    const T* tiles = reinterpret_cast<const T*>(net->weights.data() + matrix.tiles);
    const float* bias = reinterpret_cast<const float*>(net->weights.data() + matrix.bias);
    for (int row = 0; row < matrix.rows * kTileRows; ++row) {
      Sum<T> got;
      got.add(bias[row], std::abs(bias[row]));
      got.add_row(tiles, matrix.depth, row, x);
      EXPECT(got.is(row < rows ? want(row) : 0));
    }
  };
  std::vector<double> z(static_cast<size_t>(L * Dp));
  for (int layer = 0; layer < L; ++layer) {
    const std::vector<double> one = noises(D, 20 + static_cast<uint64_t>(layer));
    std::copy(one.begin(), one.end(), z.begin() + layer * Dp);
  }
  check(net->skip, spec.skip, z, [&](int row) {
    double sum = 0;
    for (int layer = 0; layer < L; ++layer) {
      const std::string name = "blocks." + std::to_string(layer) + ".skip.";
      sum += model.at(name + "bias")[static_cast<size_t>(row)];
      for (int d = 0; d < D; ++d)
        sum += model.at(name + "weight")[static_cast<size_t>(row * D + d)] * z[static_cast<size_t>(layer * Dp + d)];
    }
    return sum * spec.skip_scale;
  });
  const auto plain = [&](const std::string& name, const std::vector<double>& x) {
    return [&, name](int row) {
      double sum = model.at(name + ".bias")[static_cast<size_t>(row)];
      const float* weights = model.at(name + ".weight").data() + static_cast<size_t>(row) * x.size();
      for (size_t k = 0; k < x.size(); ++k) sum += weights[k] * x[k];
      return sum;
    };
  };
  const std::vector<double> skip = noises(spec.skip, 30), head = noises(spec.head, 31);
  check(net->head, spec.head, skip, plain("head.conv1", skip));
  check(net->draw, spec.q_levels, head, plain("head.conv2", head));
}

void a_weight_that_halves_cannot_hold_is_refused() {
  const WaveNetSpec spec = odd_spec(2);
  for (const char* name : {"blocks.2.skip.weight", "head.conv2.weight", "blocks.0.dilated.weight"}) {
    Weighed model;
    packed<Half>(spec, model);
    for (test::Tensor& tensor : model.tensors)
      if (tensor.name == name) tensor.values[3] = 140000;  // the skip scale halves it
    EXPECT(!packed<Half>(spec, model).has_value());
    EXPECT(packed<float>(spec, model).has_value());
  }
}

template <typename T>
void everything() {
  for (int depth : {1, 2, 3, 7, 8, 9, 17}) a_product_is_the_sum_over_its_row<T>(depth);
  a_column_does_not_feel_its_neighbours<T>();
  places_are_a_permutation<T>();
  for (int K : {2, 3})
    for (bool big : {false, true}) a_packed_layer_is_the_layer<T>(K, big);
  the_packed_tail_is_the_tail<T>();
}

}  // namespace

int main() {
  everything<float>();
  everything<Half>();
  a_weight_that_halves_cannot_hold_is_refused();
  return test::failures() != 0;
}
