// SampleRNN's plan for hundreds of streams, on the host: the memory that a batch needs besides its state.
#include <algorithm>

#include "cuda/samplernn/parts.h"
#include "cuda/samplernn/taps.h"
#include "cuda/samplernn/throughput/launch.h"

namespace sharks::cuda::samplernn::throughput {
namespace {

constexpr char kThroughput[] = "throughput";

Grid grid_of(int blocks) { return {blocks, kStripThreads, 0, true, 1}; }

class ThroughputPlan final : public SampleRNNPlan {
 public:
  ThroughputPlan(const SampleRNNSource& source, int blocks) : parts_(source), blocks_(blocks) {}
  const char* name() const override { return kThroughput; }
  Cost cost() const override { return parts_.cost(); }
  std::unique_ptr<Stepper> stepper(const SampleRNNState& state) const override;

  const Parts& parts() const { return parts_; }
  int blocks() const { return blocks_; }

 private:
  const Parts parts_;
  const int blocks_;
};

class ThroughputStepper final : public Stepper {
 public:
  ThroughputStepper(const ThroughputPlan& plan, const SampleRNNState& state);

  bool plays(const Samples&, const std::vector<StageTap>&) const override { return blocks_ > 0; }
  void resume(int64_t, Stream) override {}
  void settle(int64_t, Stream) override {}
  void retreat(Stream) override { blocks_ /= 2; }
  Strength strength() const override { return {1, 1, blocks_}; }

  void launch(const Samples& samples, const std::vector<StageTap>& taps, Stream stream) override {
    flags_.zero(stream);
    const Batch work{net_, state_, samples, taps_.list(taps), opening_.next(stream), memory_};
    launch_batch(grid_of(blocks_), work, stream);
  }

 private:
  static int padded_streams(int B) { return (B + kTileStreams - 1) / kTileStreams * kTileStreams; }

  const Net<Half> net_;
  const SampleRNNState state_;
  int blocks_;
  OpeningWord opening_;
  TapList taps_;
  Array<float> input_, past_, wide_, logits_;
  Array<Half> frame_, x_, y_;
  std::vector<Array<float>> handed_down_;
  std::vector<Array<Half>> h_;
  Array<float*> handed_down_list_;
  Array<Half*> h_list_;
  Array<uint32_t> flags_;
  BatchMemory memory_;
};

ThroughputStepper::ThroughputStepper(const ThroughputPlan& plan, const SampleRNNState& state)
    : net_(plan.parts().net<Half>()), state_(state), blocks_(plan.blocks()), taps_(plan.parts().spec()) {
  const SampleRNNSpec& spec = plan.parts().spec();
  const size_t B = static_cast<size_t>(state.B), vector = B * static_cast<size_t>(net_.Dp);
  const size_t gates = vector * static_cast<size_t>(net_.gates * net_.layers);
  const auto batch = [&](int columns) { return Array<Half>(static_cast<size_t>(batch_halves(columns, state.B))); };
  input_ = Array<float>(gates);
  past_ = Array<float>(gates);
  wide_ = Array<float>(vector);
  logits_ = Array<float>(B * static_cast<size_t>(net_.Q));
  frame_ = batch(spec.lookback());
  x_ = batch(net_.Dp);
  y_ = batch(net_.Dp);
  std::vector<float*> handed_down;
  std::vector<Half*> h;
  for (int t = 0; t < spec.tiers(); ++t) {
    handed_down_.emplace_back(vector * static_cast<size_t>(spec.ratio(t) * plan.parts().row_gates(t)));
    handed_down.push_back(handed_down_.back().data());
    for (int k = 0; k < spec.layers; ++k) h.push_back(h_.emplace_back(batch(net_.Dp)).data());
  }
  handed_down_list_ = Array<float*>(handed_down);
  h_list_ = Array<Half*>(h);
  flags_ = Array<uint32_t>(static_cast<size_t>(blocks_) + 1);
  memory_ = {input_.data(), past_.data(),   handed_down_list_.data(),
             wide_.data(),  logits_.data(), h_list_.data(),
             frame_.data(), x_.data(),      y_.data(),
             flags_.data()};
}

std::unique_ptr<Stepper> ThroughputPlan::stepper(const SampleRNNState& state) const {
  return std::make_unique<ThroughputStepper>(*this, state);
}

}  // namespace

std::unique_ptr<SampleRNNPlan> make_plan(const SampleRNNSource& source) {
  if (source.plan != kThroughput || source.precision != Precision::kFloat16) return nullptr;
  const int blocks = batch_blocks_at_once(grid_of(1));
  if (blocks == 0) throw NoRoom(kThroughput);
  return std::make_unique<ThroughputPlan>(source, blocks);
}

}  // namespace sharks::cuda::samplernn::throughput
