#include "core/samplernn/stages.h"

#include <string>

namespace sharks {

std::vector<Stage> stages(const SampleRNNSpec& spec) {
  std::vector<Stage> all;
  for (int t = 0; t < spec.tiers(); ++t)
    for (int k = 0; k < spec.layers; ++k)
      all.push_back({"tier." + std::to_string(t) + ".rnn." + std::to_string(k), SampleRNNStage::kRnn, t, k, spec.dim,
                     spec.frame_sizes[t]});
  all.push_back({"sample.hidden.last", SampleRNNStage::kHidden, 0, 0, spec.dim, 1});
  all.push_back({"logits", SampleRNNStage::kLogits, 0, 0, spec.q_levels, 1});
  return all;
}

}  // namespace sharks
