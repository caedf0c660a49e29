// The stages of a toy, in the order of a step.
#pragma once

#include <vector>

#include "core/stages.h"
#include "core/toy/spec.h"

namespace sharks {

struct ToyStage {
  enum Kind { kHidden, kLogits };
};

std::vector<Stage> stages(const ToySpec& spec);

}  // namespace sharks
