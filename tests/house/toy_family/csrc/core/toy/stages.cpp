#include "core/toy/stages.h"

namespace sharks {

std::vector<Stage> stages(const ToySpec& spec) {
  return {{"hidden", ToyStage::kHidden, 0, 0, spec.hidden, 1}, {"logits", ToyStage::kLogits, 0, 0, spec.q_levels, 1}};
}

}  // namespace sharks
