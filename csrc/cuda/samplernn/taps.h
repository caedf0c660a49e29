// Where kernels copy the stages that are asked for while the samples play.
#pragma once

#include <vector>

#include "core/samplernn/stages.h"
#include "cuda/samplernn/net.h"

namespace sharks::cuda::samplernn {

class TapList {
 public:
  explicit TapList(const SampleRNNSpec& spec) : spec_(spec), stages_(stages(spec)) {}

  // On the device, by number; null where nothing is asked for.
  const TapTo* list(const std::vector<StageTap>& taps) {
    if (taps.empty()) return nullptr;
    const int hidden = spec_.tiers() * spec_.layers;
    std::vector<TapTo> list(static_cast<size_t>(hidden) + 2);
    for (const StageTap& tap : taps) {
      const Stage& stage = find(stages_, tap.stage);
      const int number = stage.kind == SampleRNNStage::kRnn      ? stage.index * spec_.layers + stage.layer
                         : stage.kind == SampleRNNStage::kHidden ? hidden
                                                                 : hidden + 1;
      list[static_cast<size_t>(number)] = {tap.out, tap.count};
    }
    on_device_ = Array<TapTo>(list);
    return on_device_.data();
  }

 private:
  const SampleRNNSpec spec_;
  const std::vector<Stage> stages_;
  Array<TapTo> on_device_;
};

}  // namespace sharks::cuda::samplernn
