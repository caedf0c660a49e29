// The stages of a WaveNet, in the order in which docs/design.md names them.
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
