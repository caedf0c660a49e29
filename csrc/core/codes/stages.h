// The stages of a prior, in the order of stages() in python/sharks/families/codes/spec.py.
#pragma once

#include <vector>

#include "core/codes/spec.h"
#include "core/stages.h"

namespace sharks {

struct CodesStage {
  enum Kind { kRnn, kNorm, kHead, kLogits };
};

std::vector<Stage> stages(const CodesSpec& spec);

}  // namespace sharks
