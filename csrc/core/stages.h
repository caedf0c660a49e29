// The stages of a step that can be tapped: docs/design.md names them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/spec.h"

namespace sharks {

struct Stage {
  enum Kind { kGated, kOut, kSkip, kHead, kRnn, kHidden, kLogits };
  std::string name;
  Kind kind;
  int index;       // of the layer (WaveNet) or tier (SampleRNN)
  int layer;       // within the tier
  int64_t width;   // values per stream
  int64_t period;  // samples from one run to the next
};

std::vector<Stage> stages(const WaveNetSpec& spec);
std::vector<Stage> stages(const SampleRNNSpec& spec);

// The stage of that name; refuses one that is not among them.
const Stage& find(const std::vector<Stage>& stages, const std::string& name);

// How often something that runs at every multiple of `period` runs in the `n` samples from `position` on.
constexpr int64_t runs(int64_t period, int64_t position, int64_t n) {
  return (position + n + period - 1) / period - (position + period - 1) / period;
}

}  // namespace sharks
