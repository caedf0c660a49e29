// The stages of a SampleRNN, in the order in which docs/design.md names them.
#pragma once

#include <vector>

#include "core/samplernn/spec.h"
#include "core/stages.h"

namespace sharks {

struct SampleRNNStage {
  enum Kind { kRnn, kHidden, kLogits };
};

std::vector<Stage> stages(const SampleRNNSpec& spec);

}  // namespace sharks
