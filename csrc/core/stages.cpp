#include "core/stages.h"

#include "core/check.h"

namespace sharks {

std::vector<Stage> stages(const WaveNetSpec& spec) {
  std::vector<Stage> all;
  for (int i = 0; i < spec.layers(); ++i) {
    const std::string layer = "layer." + std::to_string(i);
    all.push_back({layer + ".gated", Stage::kGated, i, 0, spec.dilation, 1});
    if (i + 1 < spec.layers()) all.push_back({layer + ".out", Stage::kOut, i, 0, spec.residual, 1});
  }
  all.push_back({"skip", Stage::kSkip, 0, 0, spec.skip, 1});
  all.push_back({"head.0", Stage::kHead, 0, 0, spec.head, 1});
  all.push_back({"logits", Stage::kLogits, 0, 0, spec.q_levels, 1});
  return all;
}

std::vector<Stage> stages(const SampleRNNSpec& spec) {
  std::vector<Stage> all;
  for (int t = 0; t < spec.tiers(); ++t)
    for (int k = 0; k < spec.layers; ++k)
      all.push_back({"tier." + std::to_string(t) + ".rnn." + std::to_string(k), Stage::kRnn, t, k, spec.dim,
                     spec.frame_sizes[static_cast<size_t>(t)]});
  all.push_back({"sample.hidden.last", Stage::kHidden, 0, 0, spec.dim, 1});
  all.push_back({"logits", Stage::kLogits, 0, 0, spec.q_levels, 1});
  return all;
}

const Stage& find(const std::vector<Stage>& stages, const std::string& name) {
  for (const Stage& stage : stages)
    if (stage.name == name) return stage;
  refuse("stage '", name, "' is unknown in this model of ", stages.size(), " stages");
}

}  // namespace sharks
