// The stages of a SampleRNN, in the order of stages() in python/sharks/families/samplernn/spec.py.
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
