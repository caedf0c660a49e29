// The state of a prior's streams: the hidden vectors of its recurrent layers.
#pragma once

#include "core/codes/spec.h"
#include "core/state.h"

namespace sharks {

inline std::vector<StateField> state_of(const CodesSpec& spec, int B) {
  std::vector<StateField> fields = common_state(B, spec.lookback());
  fields.push_back({"prior.h", {B, spec.layers, spec.hidden}, StateField::Type::kFloat32});
  return fields;
}

}  // namespace sharks
