#include "core/wavenet/stages.h"

#include <string>

namespace sharks {

std::vector<Stage> stages(const WaveNetSpec& spec) {
  std::vector<Stage> all;
  for (int i = 0; i < spec.layers(); ++i) {
    const std::string layer = "layer." + std::to_string(i);
    all.push_back({layer + ".gated", WaveNetStage::kGated, i, 0, spec.dilation, 1});
    if (i + 1 < spec.layers()) all.push_back({layer + ".out", WaveNetStage::kOut, i, 0, spec.residual, 1});
  }
  all.push_back({"skip", WaveNetStage::kSkip, 0, 0, spec.skip, 1});
  all.push_back({"head.0", WaveNetStage::kHead, 0, 0, spec.head, 1});
  all.push_back({"logits", WaveNetStage::kLogits, 0, 0, spec.q_levels, 1});
  return all;
}

}  // namespace sharks
