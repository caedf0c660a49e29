#include "core/codes/stages.h"

#include <string>

namespace sharks {

std::vector<Stage> stages(const CodesSpec& spec) {
  std::vector<Stage> all;
  for (int k = 0; k < spec.layers; ++k)
    all.push_back({"prior.rnn." + std::to_string(k), CodesStage::kRnn, 0, k, spec.hidden, spec.books});
  all.push_back({"prior.norm", CodesStage::kNorm, 0, 0, spec.hidden, spec.books});
  all.push_back({"prior.head", CodesStage::kHead, 0, 0, spec.width, 1});
  all.push_back({"logits", CodesStage::kLogits, 0, 0, spec.q_levels, 1});
  return all;
}

}  // namespace sharks
