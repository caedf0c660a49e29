// The state of WaveNet's streams: the levels that the input convolution still needs, and the past inputs of every
// dilated layer, oldest first.
#pragma once

#include "core/state.h"
#include "core/wavenet/spec.h"

namespace sharks {

inline std::vector<StateField> state_of(const WaveNetSpec& spec, int B) {
  std::vector<StateField> fields = common_state(B, 1);
  if (spec.input_history()) fields.push_back({"input.levels", {B, spec.input_history()}, StateField::Type::kInt32, -1});
  for (int i = 0; i < spec.layers(); ++i)
    fields.push_back(
        {"rings." + std::to_string(i), {B, spec.ring_length(i), spec.residual}, StateField::Type::kFloat32});
  return fields;
}

}  // namespace sharks
