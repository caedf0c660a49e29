// The draw of the GPU's kernels (cuda/draw.h) against that of core/chance/sampling.h, as the host compiles both: the
// same level at every temperature, among ties, and for any number of levels.
#include "cuda/draw.h"

#include <vector>

#include "expect.h"

namespace {

using namespace sharks;
using namespace sharks::cuda;

constexpr int kStreams = 3, kSteps = 40;
constexpr uint64_t kSeed = 0x9876543210ABCDEFu;

// Samples whose streams and steps need all the bits that the noise is counted from.
struct Clip {
  std::vector<int64_t> streams{0, 7, int64_t{0xFFFFFFF1}};
  std::vector<float> temperature;
  Samples samples{};

  Clip() {
    for (int i = 0; i < kStreams * kSteps; ++i) temperature.push_back(i % 4 ? 0.3f * static_cast<float>(i % 7) : 0.0f);
    samples.B = kStreams, samples.n = kSteps, samples.step = (int64_t{5} << 32) - kSteps / 2;
    samples.temperature = temperature.data(), samples.streams = streams.data(), samples.seed = kSeed;
  }
};

// Few different logits, so that the best one often has company; zeros of both signs among them.
std::vector<float> logits_with_ties(int Q, int64_t t) {
  std::vector<float> logits;
  for (int k = 0; k < Q; ++k) {
    const uint32_t kind = (static_cast<uint32_t>(k) + static_cast<uint32_t>(t) * 977u) * 2654435761u >> 30;
    logits.push_back(kind == 0 ? -0.0f : kind == 1 ? 0.0f : kind == 2 ? -1.5f : -0.25f);
  }
  return logits;
}

int drawn(const Samples& samples, int b, int64_t t, const std::vector<float>& logits) {
  const Lanes<uint64_t> best = best_rank(Warp{0}, static_cast<int>(logits.size()), [&](int k) {
    return ranked(logits[k] + noise_of(samples, b, t, k / 4).of[k % 4], k);
  });
  for (int lane = 1; lane < kWarp; ++lane) EXPECT(best[lane] == best[0]);
  return level_of(best[0]);
}

void draws_what_the_cpu_draws() {
  const Clip clip;
  std::vector<int> times(256);
  for (int Q : {2, 5, 32, 64, 100, 256})
    for (int b = 0; b < kStreams; ++b)
      for (int64_t t = 0; t < kSteps; ++t) {
        const std::vector<float> logits = logits_with_ties(Q, t);
        const int level = drawn(clip.samples, b, t, logits);
        EXPECT(level == draw_level(logits.data(), Q, clip.temperature[b * kSteps + t], kSeed, clip.streams[b],
                                   clip.samples.step + t));
        times[level] += 1;
      }
  int different = 0;
  for (int count : times) different += count > 0;
  EXPECT(different > 64);  // not always the first
}

void given_levels_have_no_noise() {
  Clip clip;
  clip.samples.temperature = nullptr;
  const Noise noise = noise_of(clip.samples, 0, 0, 3);
  for (float value : noise.of) EXPECT(value == 0.0f);
}

void better_scores_rank_higher_and_of_equal_ones_the_lower_level() {
  const float ascending[] = {-__builtin_inff(), -2.0f, -1e-30f, 0.0f, 1e-30f, 2.0f, __builtin_inff()};
  for (float low : ascending)
    for (float high : ascending) {
      EXPECT((key_of(low) < key_of(high)) == (low < high));
      EXPECT((ranked(low, 3) > ranked(high, 200)) == (low >= high));
    }
  EXPECT(key_of(-0.0f) == key_of(0.0f) && key_of(-__builtin_inff()) > 0);
  for (int level : {0, 1, 255, 65535}) {
    EXPECT(level_of(ranked(-3.5f, level)) == level);
    EXPECT(key_of_rank(ranked(-3.5f, level)) == key_of(-3.5f));
  }
  const Lanes<uint64_t> nobody = best_rank(Warp{0}, 0, [](int) { return ranked(1.0f, 1); });
  EXPECT(nobody[0] < ranked(-__builtin_inff(), 65535));
}

}  // namespace

int main() {
  draws_what_the_cpu_draws();
  given_levels_have_no_noise();
  better_scores_rank_higher_and_of_equal_ones_the_lower_level();
  return sharks::test::failures();
}
