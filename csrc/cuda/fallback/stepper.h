// What the steppers of plan first-light do on the host, in every family: blocks and scratch for their streams, and taps
// for the kernel.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cuda/device/launch.h"
#include "cuda/fallback/block.h"
#include "cuda/player/plan.h"

namespace sharks::cuda {

constexpr char kFirstLight[] = "first-light";
constexpr int kColumns = 8;  // streams that share a block, where there are more streams than processors

class FirstLightStepper : public Stepper {
 public:
  // `scratch`: floats per stream that a block needs; `stages`: what can be tapped.
  FirstLightStepper(int B, int scratch, std::vector<Stage> stages)
      : columns_(B <= device().processors ? 1 : kColumns), stages_(std::move(stages)) {
    const size_t floats = static_cast<size_t>(columns_) * static_cast<size_t>(scratch), bytes = floats * sizeof(float);
    grid_ = {(B + columns_ - 1) / columns_, threads_for(columns_)};
    if (bytes <= device().shared_bytes)
      grid_.shared_bytes = bytes;
    else
      scratch_ = Array<float>(floats * static_cast<size_t>(grid_.blocks));
  }

  bool plays(const Samples&, const std::vector<StageTap>&) const final { return true; }

  void launch(const Samples& samples, const std::vector<StageTap>& taps, Stream stream) final {
    std::vector<DeviceTap> list;
    for (const StageTap& tap : taps) {
      const Stage& stage = find(stages_, tap.stage);
      list.push_back({stage.kind, stage.index, stage.layer, tap.count, stage.width, tap.out});
    }
    if (!list.empty()) taps_ = Array<DeviceTap>(list);
    play(samples, Taps{taps_.data(), static_cast<int>(list.size())}, stream);
  }

  void settle(int64_t, Stream) override {}  // the state is played in place

 protected:
  virtual void play(const Samples& samples, const Taps& taps, Stream stream) = 0;

  int columns() const { return columns_; }
  const Grid& grid() const { return grid_; }
  float* scratch() const { return scratch_.data(); }

 private:
  int columns_;
  std::vector<Stage> stages_;
  Grid grid_;
  Array<float> scratch_;
  Array<DeviceTap> taps_;
};

}  // namespace sharks::cuda
