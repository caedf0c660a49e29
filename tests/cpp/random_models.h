// Models with random weights, for programs that run where no Python does.
//
// A model says itself which tensors it wants, by refusing those it misses; so no second table of shapes stands here.
// The numbers are the same on every machine.
#pragma once

#include <cmath>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/engine.h"
#include "core/weights.h"
#include "cpu/samplernn/model.h"
#include "cpu/wavenet/model.h"

namespace sharks::test {

constexpr int kLevels = 64;
constexpr const char* kFamilies[] = {"wavenet", "samplernn"};
constexpr const char* kTypes[] = {"float32", "bfloat16", "int8"};

// Uniform in [-1, 1), by a multiplicative generator (Knuth's MMIX).
class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed) {}
  float operator()() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(static_cast<int32_t>(state_ >> 32)) * 0x1p-31f;
  }

 private:
  uint64_t state_;
};

struct Tensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<float> values;
};

// The tensor that a refusal names: "tensor 'NAME' is missing; wanted shape [A, B]". Other refusals are thrown on.
inline Tensor asked_for(const std::invalid_argument& refusal) {
  const std::string text = refusal.what();
  const size_t name = text.find('\'') + 1, end = text.find("' is missing; wanted shape [");
  if (end == std::string::npos) throw refusal;
  Tensor tensor{text.substr(name, end - name), {}, {}};
  size_t count = 1;
  for (size_t at = text.find('['); text[at] != ']'; at = text.find_first_of(",]", at + 1)) {
    tensor.shape.push_back(std::stoll(text.substr(at + 1)));
    count *= static_cast<size_t>(tensor.shape.back());
  }
  const bool matrix = tensor.shape.size() > 1, transposed = tensor.name.find("upsample.weight") != std::string::npos;
  const size_t inputs =
      transposed ? static_cast<size_t>(tensor.shape[0]) : count / static_cast<size_t>(tensor.shape[0]);
  const float scale = matrix ? 3.0f / std::sqrt(static_cast<float>(inputs)) : 0.25f;
  uint64_t seed = 0;
  for (char letter : tensor.name) seed = seed * 131 + static_cast<unsigned char>(letter);
  Noise noise(seed);
  for (size_t i = 0; i < count; ++i) tensor.values.push_back(noise() * scale);
  return tensor;
}

template <typename Make>
std::unique_ptr<Model> with_random_weights(const Make& make) {
  for (std::vector<Tensor> tensors;;) {
    Weights weights;
    for (const Tensor& tensor : tensors) weights.add(tensor.name, tensor.shape, tensor.values.data());
    try {
      return make(weights);
    } catch (const std::invalid_argument& refusal) {
      tensors.push_back(asked_for(refusal));
    }
  }
}

inline cpu::Type type_of(const std::string& name) {
  return name == "int8" ? cpu::Type::kInt8 : name == "bfloat16" ? cpu::Type::kBfloat16 : cpu::Type::kFloat32;
}

// A small model of either family. Products of a `width` of 320 and more are shared among threads, whatever their type.
inline std::unique_ptr<Model> random_model(const std::string& family, int width, const char* isa,
                                           const std::string& type) {
  std::vector<float> table;
  for (int level = 0; level < kLevels; ++level) table.push_back(static_cast<float>(level) * (2.0f / kLevels) - 1.0f);
  if (family == "wavenet") {
    WaveNetSpec spec;
    spec.q_levels = kLevels;
    spec.input_filter_width = 2;
    spec.filter_width = 2;
    spec.dilations = {1, 2, 4, 8, 16};
    spec.residual = spec.dilation = spec.skip = spec.head = width;
    spec.bias = spec.head_bias = true;
    spec.global_channels = 3;
    return with_random_weights(
        [&](Weights& weights) { return cpu::make_model(spec, weights, table.data(), isa, type_of(type)); });
  }
  SampleRNNSpec spec;
  spec.q_levels = kLevels;
  spec.frame_sizes = {4, 16};
  spec.dim = width;
  spec.layers = 2;
  spec.cell = SampleRNNSpec::Cell::kLstm;
  spec.skip = SampleRNNSpec::Skip::kGraves;
  spec.embed_dim = 8;
  return with_random_weights(
      [&](Weights& weights) { return cpu::make_model(spec, weights, table.data(), isa, type_of(type)); });
}

// A player at the start of its clips, behind `lookback` levels of the middle.
inline std::unique_ptr<Player> started(const Model& model, int streams, int threads) {
  std::unique_ptr<Player> player = model.player(streams, threads);
  const std::vector<int32_t> history(static_cast<size_t>(streams) * player->lookback(), kLevels / 2);
  player->reset(history.data());
  return player;
}

// The next `n` levels [B, n] of a player whose streams count from `first`.
inline std::vector<int32_t> free_run(Player& player, int64_t n, int64_t first = 0) {
  const size_t B = static_cast<size_t>(player.streams());
  const std::vector<float> temperature(B * n, 0.95f);
  std::vector<int64_t> streams(B);
  for (size_t b = 0; b < B; ++b) streams[b] = first + static_cast<int64_t>(b);
  std::vector<int32_t> levels(B * n);
  player.run(n, temperature.data(), 11, streams.data(), levels.data());
  return levels;
}

}  // namespace sharks::test
