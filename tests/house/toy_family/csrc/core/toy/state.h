// The state of the toy's streams: the hidden units.
#pragma once

#include "core/state.h"
#include "core/toy/spec.h"

namespace sharks {

inline std::vector<StateField> state_of(const ToySpec& spec, int B) {
  std::vector<StateField> fields = common_state(B, 1);
  fields.push_back({"h", {B, spec.hidden}, StateField::Type::kFloat32});
  return fields;
}

}  // namespace sharks
