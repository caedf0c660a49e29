// The state of SampleRNN's streams: the hidden vectors of every tier, and the cells of the LSTM.
#pragma once

#include "core/samplernn/spec.h"
#include "core/state.h"

namespace sharks {

inline std::vector<StateField> state_of(const SampleRNNSpec& spec, int B) {
  std::vector<StateField> fields = common_state(B, spec.lookback());
  for (int t = 0; t < spec.tiers(); ++t) {
    const std::string tier = "tiers." + std::to_string(t);
    fields.push_back({tier + ".h", {B, spec.layers, spec.dim}, StateField::Type::kFloat32});
    if (spec.cell == SampleRNNSpec::Cell::kLstm)
      fields.push_back({tier + ".c", {B, spec.layers, spec.dim}, StateField::Type::kFloat32});
  }
  return fields;
}

}  // namespace sharks
