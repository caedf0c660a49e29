// What the engine must know of a WaveNet: the same names and meanings as python/sharks/families/wavenet/spec.py,
// already validated there.
#pragma once

#include <cstdint>
#include <vector>

#include "core/fields.h"

namespace sharks {

struct WaveNetSpec {
  static constexpr const char* kFamily = "wavenet";
  static constexpr const char* kTable = "decode";  // [Q] of the pack: the amplitude of each level, for scalar input

  WaveNetSpec() = default;
  explicit WaveNetSpec(Fields& fields);

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
  int64_t ring_length(int layer) const { return static_cast<int64_t>(filter_width - 1) * dilations[layer]; }
  int input_history() const { return input_filter_width > 0 ? input_filter_width - 1 : 0; }
};

}  // namespace sharks
