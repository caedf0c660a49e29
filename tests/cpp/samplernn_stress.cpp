// SampleRNN's plans with a random while before every hop and every meeting, words of links poisoned: one block alone, a
// few blocks, and clusters beside tier blocks must draw the same levels, every time.
#include <cstdlib>

#include "cpu/simd/kernels.h"
#include "cuda/device/trouble.h"
#include "cuda/products/narrowed.h"
#include "cuda/samplernn/plans.h"
#include "expect.h"
#include "random_models.h"

namespace {

using namespace sharks;
using namespace sharks::cuda;
using namespace sharks::cuda::samplernn;

constexpr int kStreams = 3, kLaunches = 2, kSteps = 9;

SampleRNNSpec spec_of_test(SampleRNNSpec::Cell cell) {
  SampleRNNSpec spec;
  spec.q_levels = test::kLevels, spec.frame_sizes = {2, 4}, spec.dim = 132, spec.layers = 2, spec.cell = cell;
  spec.skip = cell == SampleRNNSpec::Cell::kLstm ? SampleRNNSpec::Skip::kGraves : SampleRNNSpec::Skip::kNone;
  spec.embed_dim = 5;
  return spec;
}

struct NoModel : Model {
  Cost cost() const override { return {}; }
  const char* isa() const override { return ""; }
  int q_levels() const override { return 0; }
  std::unique_ptr<Player> player(int, int) const override { return nullptr; }
};

std::unique_ptr<SampleRNNPlan> plan_of(const SampleRNNSpec& spec, const std::string& name, Precision precision) {
  static const std::vector<float> table(test::kLevels, 0.5f);
  std::unique_ptr<SampleRNNPlan> plan;
  test::with_random_weights([&](Weights& weights) -> std::unique_ptr<Model> {
    const SampleRNNWeights bound(spec, weights);
    const SampleRNNSource source{spec, bound, table.data(), precision, name, sharks::cpu::kernels("auto").fold};
    plan = name == "throughput" ? throughput::make_plan(source) : persistent::make_plan(source);
    return std::make_unique<NoModel>();
  });
  return plan;
}

// Levels [launches, B, steps] drawn on the emulated GPU `kind`.
std::vector<int32_t> drawn_on(const char* kind, const SampleRNNSpec& spec, const char* name, Precision precision) {
  setenv("SHARKS_EMULATED", kind, 1);
  const std::unique_ptr<SampleRNNPlan> plan = plan_of(spec, name, precision);
  EXPECT(plan != nullptr);
  if (!plan) return {};
  const size_t vectors = static_cast<size_t>(spec.tiers() * kStreams * spec.layers) * padded(spec.dim);
  Array<float> h(vectors), c(vectors), heat(std::vector<float>(kStreams * kSteps, 0.95f));
  Array<int32_t> history(std::vector<int32_t>(static_cast<size_t>(kStreams * spec.lookback()), 7)), trouble(1);
  Array<int32_t> drawn(kStreams * kSteps);
  Array<int64_t> streams(std::vector<int64_t>{0, 1, 2});
  const bool lstm = spec.cell == SampleRNNSpec::Cell::kLstm;
  const auto stepper = plan->stepper({kStreams, history.data(), h.data(), lstm ? c.data() : nullptr});
  stepper->resume(0, nullptr);
  std::vector<int32_t> all;
  for (int i = 0; i < kLaunches; ++i) {
    Samples samples{};
    samples.B = kStreams, samples.n = kSteps, samples.position = samples.step = i * kSteps;
    samples.drawn = drawn.data(), samples.temperature = heat.data(), samples.streams = streams.data();
    samples.seed = 3, samples.trouble = trouble.data();
    stepper->launch(samples, {}, nullptr);
    EXPECT(*trouble.data() == kNoTrouble);
    all.insert(all.end(), drawn.data(), drawn.data() + drawn.size());
  }
  return all;
}

void draw_the_same(const SampleRNNSpec& spec, const char* name, Precision precision) {
  const std::vector<int32_t> alone = drawn_on("75 1 96", spec, name, precision);
  int changes = 0;
  for (size_t i = 1; i < alone.size(); ++i) changes += alone[i] != alone[i - 1];
  EXPECT(changes > 10);
  for (const char* kind : {"80 5 64", "90 48 160", "90 48 160"}) EXPECT(drawn_on(kind, spec, name, precision) == alone);
}

}  // namespace

int main() {
  using Cell = SampleRNNSpec::Cell;
  for (Cell cell : {Cell::kGru, Cell::kGruResetBefore, Cell::kLstm})
    draw_the_same(spec_of_test(cell), "persistent", cell == Cell::kLstm ? Precision::kFloat32 : Precision::kFloat16);
  draw_the_same(spec_of_test(Cell::kLstm), "throughput", Precision::kFloat16);
  return test::failures();
}
