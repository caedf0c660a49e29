// The stages of a WaveNet, in the order of stages() in python/sharks/families/wavenet/spec.py.
#pragma once

#include <vector>

#include "core/stages.h"
#include "core/wavenet/spec.h"

namespace sharks {

struct WaveNetStage {
  enum Kind { kGated, kOut, kSkip, kHead, kLogits };
};

std::vector<Stage> stages(const WaveNetSpec& spec);

}  // namespace sharks
