// What the engine must know of a SampleRNN: the same names and meanings as python/sharks/families/samplernn/spec.py,
// already validated there.
#pragma once

#include <vector>

#include "core/fields.h"

namespace sharks {

struct SampleRNNSpec {
  static constexpr const char* kFamily = "samplernn";
  static constexpr const char* kTable = "tier_input";  // [Q] of the pack: the number an upper tier sees for each level

  SampleRNNSpec() = default;
  explicit SampleRNNSpec(Fields& fields);

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
