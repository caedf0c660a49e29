// The stages of a step that can be tapped: docs/design.md names them. Each family's spec lists its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sharks {

struct Stage {
  std::string name;
  int kind;        // of product, as the family numbers them
  int index;       // of the layer or tier
  int layer;       // within the tier
  int64_t width;   // values per stream
  int64_t period;  // samples from one run to the next
};

// The stage of that name; refuses one that is not among them.
const Stage& find(const std::vector<Stage>& stages, const std::string& name);

// How often something that runs at every multiple of `period` runs in the `n` samples from `position` on.
constexpr int64_t runs(int64_t period, int64_t position, int64_t n) {
  return (position + n + period - 1) / period - (position + period - 1) / period;
}

}  // namespace sharks
