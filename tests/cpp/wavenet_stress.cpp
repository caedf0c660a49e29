// The WaveNet pipeline with a random while before every hop, far and near links, several groups and launches: whatever
// order only luck would keep is broken. Shared memory comes poisoned, as launch.h makes it, and so do the words of the
// links.
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "cpu/simd/kernels.h"
#include "cuda/device/trouble.h"
#include "cuda/products/narrowed.h"
#include "cuda/wavenet/plans.h"
#include "expect.h"
#include "random_models.h"

namespace {

using namespace sharks;
using namespace sharks::cuda;
using namespace sharks::cuda::wavenet;

constexpr int kStreams = 11, kLaunches = 3, kSteps = 8;

WaveNetSpec spec_of_test() {
  WaveNetSpec spec;
  spec.q_levels = test::kLevels, spec.input_filter_width = 3, spec.filter_width = 2, spec.dilations = {1, 2, 4, 1, 3};
  spec.residual = 20, spec.dilation = 18, spec.skip = 40, spec.head = 33;
  spec.bias = spec.head_bias = true;
  return spec;
}

const std::vector<float>& decode() {
  static const std::vector<float> table(test::kLevels, 0.5f);
  return table;
}

struct NoModel : Model {
  Cost cost() const override { return {}; }
  const char* isa() const override { return ""; }
  int q_levels() const override { return 0; }
  std::unique_ptr<Player> player(int, int) const override { return nullptr; }
};

std::unique_ptr<WaveNetPlan> plan_of(const WaveNetSpec& spec, Precision precision) {
  std::unique_ptr<WaveNetPlan> plan;
  test::with_random_weights([&](Weights& weights) -> std::unique_ptr<Model> {
    const WaveNetWeights bound(spec, weights);
    plan =
        pipeline::make_plan({spec, bound, decode().data(), precision, "pipeline", sharks::cpu::kernels("auto").fold});
    return std::make_unique<NoModel>();
  });
  return plan;
}

// Levels [launches, B, steps] that the pipeline draws on the emulated GPU `kind`.
std::vector<int32_t> drawn_on(const char* kind, Precision precision) {
  setenv("SHARKS_EMULATED", kind, 1);
  const WaveNetSpec spec = spec_of_test();
  const std::unique_ptr<WaveNetPlan> plan = plan_of(spec, precision);
  EXPECT(plan != nullptr);
  if (!plan) return {};
  std::vector<int64_t> starts{0};
  for (int d : spec.dilations) starts.push_back(starts.back() + int64_t{kStreams} * d * padded(spec.residual));
  Array<float> rings(static_cast<size_t>(starts.back())), heat(std::vector<float>(kStreams * kSteps, 0.95f));
  std::vector<int32_t> history(kStreams * 3, -1);
  std::vector<int64_t> ids;
  for (int b = 0; b < kStreams; ++b) history[static_cast<size_t>(3 * b + 2)] = 7 * b % test::kLevels, ids.push_back(b);
  Array<int32_t> recent(history), drawn(kStreams * kSteps), trouble(1);
  Array<int64_t> device_starts(starts), streams(ids);
  const auto stepper = plan->stepper({kStreams, recent.data(), rings.data(), device_starts.data(), nullptr});
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

// The same from the CPU engine.
std::vector<int32_t> drawn_on_cpu() {
  const auto model = test::with_random_weights([&](Weights& weights) {
    return sharks::cpu::make_model(spec_of_test(), weights, decode().data(), "auto", sharks::cpu::Type::kFloat32);
  });
  const auto player = model->player(kStreams, 1);
  std::vector<int32_t> first, drawn(kStreams * kSteps), all;
  std::vector<int64_t> ids;
  const std::vector<float> heat(kStreams * kSteps, 0.95f);
  for (int b = 0; b < kStreams; ++b) first.push_back(7 * b % test::kLevels), ids.push_back(b);
  player->reset(first.data());
  for (int i = 0; i < kLaunches; ++i) {
    player->run(kSteps, heat.data(), 3, ids.data(), drawn.data());
    all.insert(all.end(), drawn.begin(), drawn.end());
  }
  return all;
}

}  // namespace

int main() {
  const std::vector<int32_t> want = drawn_on_cpu();
  EXPECT(drawn_on("80 32 40", Precision::kFloat32) == want);
  EXPECT(drawn_on("90 32 56", Precision::kFloat32) == want);
  EXPECT(drawn_on("80 12 96", Precision::kFloat32) == want);
  EXPECT(drawn_on("80 32 24", Precision::kFloat16) == drawn_on("90 32 40", Precision::kFloat16));
  return test::failures() != 0;
}
