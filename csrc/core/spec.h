// What the engine must know of a spec: the same names and meanings as python/sharks/spec.py, already validated there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sharks {

struct WaveNetSpec {
  int q_levels = 0;
  enum class Input { kOneHot, kEmbedding, kScalar } input = Input::kOneHot;
  int embed_dim = 0;
  int input_filter_width = 0;
  bool input_bias = false;
  int filter_width = 0;
  std::vector<int> dilations;
  int residual = 0, dilation = 0, skip = 0, head = 0;
  bool bias = false, head_bias = false, last_residual = false;
  double residual_scale = 1, skip_scale = 1;
  int global_channels = 0, global_classes = 0;

  int layers() const { return static_cast<int>(dilations.size()); }
  int input_history() const { return input_filter_width > 0 ? input_filter_width - 1 : 0; }
};

struct SampleRNNSpec {
  int q_levels = 0;
  std::vector<int> frame_sizes;  // absolute, lowest tier first
  int dim = 0, layers = 0;
  enum class Cell { kGru, kGruResetBefore, kLstm } cell = Cell::kGru;
  enum class Skip { kNone, kGraves, kPrism } skip = Skip::kNone;
  bool skip_bias_all = false;
  bool expand_top = true;
  bool upsample_bias = false;
  bool learned_state = false;
  int embed_dim = 0;  // 0: one-hot
  bool relu_before_hidden = false;
  int hidden_layers = 2;
  bool relu_logits = false;

  int tiers() const { return static_cast<int>(frame_sizes.size()); }
  int lookback() const { return frame_sizes.back(); }
  int gates() const { return cell == Cell::kLstm ? 4 : 3; }
  int ratio(int tier) const { return tier ? frame_sizes[tier] / frame_sizes[tier - 1] : frame_sizes[0]; }
  bool expands(int tier) const { return expand_top || tier + 1 < tiers(); }
  int tier_width(int tier) const { return expands(tier) ? dim : frame_sizes[tier]; }
};

}  // namespace sharks
