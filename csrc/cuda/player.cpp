#include "cuda/player.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "core/check.h"
#include "cuda/notes.h"

namespace sharks::cuda {
namespace {

// A chunk lasts some hundredths of a second: long enough that starting one costs nothing, short enough for Ctrl-C and
// for the watchdogs of GPUs that also draw a screen.
using Clock = std::chrono::steady_clock;
constexpr int64_t kFirstChunk = 64;
constexpr double kTooShort = 0.025, kTooLong = 0.1;  // seconds

// Levels, temperatures and logits of a chunk stay below this many values.
constexpr int64_t kMostValues = int64_t{1} << 22;

// The rows [B, count] of `from` [B, stride], side by side.
template <typename T>
std::vector<T> gather(const T* from, int B, int64_t stride, int64_t count) {
  std::vector<T> rows(static_cast<size_t>(B * count));
  for (int b = 0; b < B; ++b) std::copy_n(from + b * stride, count, rows.data() + b * count);
  return rows;
}

// Device rows [B, count] to `to` [B, stride].
template <typename T>
void scatter(const T* device, int B, int64_t count, T* to, int64_t stride, Stream stream) {
  std::vector<T> rows(static_cast<size_t>(B * count));
  copy_to_host(rows.data(), device, rows.size() * sizeof(T), stream);
  for (int b = 0; b < B; ++b) std::copy_n(rows.data() + b * count, count, to + b * stride);
}

int64_t within(int64_t low, int64_t value, int64_t high) { return std::max(low, std::min(value, high)); }

}  // namespace

DevicePlayer::DevicePlayer(int B, int Q, std::vector<Stage> stages)
    : Lockstep(B, Q),
      stages_(std::move(stages)),
      longest_(within(16, kMostValues / B, 16384)),
      chunk_(std::min(kFirstChunk, longest_)),
      levels_(static_cast<size_t>(B * longest_)),
      temperature_(static_cast<size_t>(B * longest_)),
      stream_ids_(static_cast<size_t>(B)),
      trouble_(1) {}

// Let the first stepper that can play these samples; state and position move on. Where a busy GPU has no room for all
// its blocks, it takes half of them, and so on; at last first light plays, whose blocks wait for nobody.
void DevicePlayer::play(Samples samples, const std::vector<StageTap>& taps) {
  samples.B = B_;
  samples.position = position_;
  samples.step = step_;
  samples.trouble = trouble_.data();
  const auto able = [&](const auto& stepper) { return stepper->plays(samples, taps); };
  const auto first = [&]() -> Stepper& { return **std::find_if(steppers_.begin(), steppers_.end(), able); };
  broken_ = true;  // unless all goes well
  const Strength wanted = first().strength();
  if (notes_.empty() && wanted.pipelines < wanted.wanted) notes_.push_back(too_small_for(wanted));
  int32_t trouble = kNoTrouble;
  do {
    Stepper& next = first();
    if (&next != playing_) hand_over(next);
    trouble = trouble_of(next, samples, taps);
    if (trouble == kTooFewCame) {
      next.retreat(stream_);
      playing_ = nullptr;
    }
  } while (trouble == kTooFewCame);
  if (trouble != kNoTrouble)
    throw std::runtime_error(
        "the GPU's blocks waited for each other in vain, perhaps because other programs use it; try again, or play "
        "with plan='first-light', whose blocks do not wait");
  const Strength now = playing_->strength();
  if (now.blocks != wanted.blocks) notes_.push_back(busy(wanted, now));
  position_ += samples.n;
  if (!samples.given) step_ += samples.n;
  broken_ = false;
}

// The state is made what the next stepper goes on from.
void DevicePlayer::hand_over(Stepper& next) {
  if (playing_) playing_->settle(position_, stream_);
  next.resume(position_, stream_);
  playing_ = &next;
}

// Have the samples played, and hear how it went.
int32_t DevicePlayer::trouble_of(Stepper& stepper, const Samples& samples, const std::vector<StageTap>& taps) {
  bool refused = false;
  try {
    stepper.launch(samples, taps, stream_);
  } catch (const NoRoom&) {
    refused = true;
  }
  int32_t trouble = kNoTrouble;
  trouble_.download(&trouble, stream_);
  if (trouble != kNoTrouble) trouble_.zero(stream_);
  return refused && trouble == kNoTrouble ? kTooFewCame : trouble;
}

void DevicePlayer::force(const int32_t* levels, int64_t T, float* logits, const std::vector<Tap>& taps) {
  check_whole();
  int64_t widest = logits ? Q_ : 1;
  for (const Tap& tap : taps) widest = std::max(widest, stage_width(tap.stage));
  const int64_t most = within(1, kMostValues / (B_ * widest), chunk_);
  Array<float> device_logits(logits ? static_cast<size_t>(B_ * most * Q_) : 0);
  std::vector<Array<float>> values;
  for (const Tap& tap : taps) values.emplace_back(static_cast<size_t>(B_ * most * stage_width(tap.stage)));
  std::vector<int64_t> tapped(taps.size());
  for (int64_t done = 0; done < T;) {
    const int64_t n = std::min(most, T - done);
    const std::vector<int32_t> given = gather(levels + done, B_, T, n);
    copy_to_device(levels_.data(), given.data(), given.size() * sizeof(int32_t), stream_);
    Samples samples{};
    samples.n = n;
    samples.given = levels_.data();
    samples.logits = logits ? device_logits.data() : nullptr;
    std::vector<StageTap> mine;
    for (size_t i = 0; i < taps.size(); ++i)
      mine.push_back({taps[i].stage, values[i].data(), stage_count(taps[i].stage, n)});
    play(samples, mine);
    if (logits) scatter(device_logits.data(), B_, n * Q_, logits + done * Q_, T * Q_, stream_);
    for (size_t i = 0; i < taps.size(); ++i) {
      const int64_t width = stage_width(taps[i].stage);
      scatter(mine[i].out, B_, mine[i].count * width, taps[i].out + tapped[i] * width, taps[i].count * width, stream_);
      tapped[i] += mine[i].count;
    }
    done += n;
    if (pause_ && done < T) pause_();
  }
}

void DevicePlayer::run(int64_t n, const float* temperature, uint64_t seed, const int64_t* streams, int32_t* out) {
  check_whole();
  stream_ids_.upload(streams, stream_);
  for (int64_t done = 0; done < n;) {
    const auto start = Clock::now();
    const int64_t count = std::min(chunk_, n - done);
    const std::vector<float> heat = gather(temperature + done, B_, n, count);
    copy_to_device(temperature_.data(), heat.data(), heat.size() * sizeof(float), stream_);
    Samples samples{};
    samples.n = count;
    samples.drawn = levels_.data();
    samples.temperature = temperature_.data();
    samples.streams = stream_ids_.data();
    samples.seed = seed;
    play(samples, {});
    scatter(levels_.data(), B_, count, out + done, n, stream_);
    done += count;
    pace(std::chrono::duration<double>(Clock::now() - start).count(), count);
    if (pause_ && done < n) pause_();
  }
}

int64_t DevicePlayer::stage_count(const std::string& stage, int64_t T) const {
  return runs(find(stages_, stage).period, position_, T);
}

// How long chunks are cannot be heard.
void DevicePlayer::pace(double seconds, int64_t count) {
  if (seconds < kTooShort && count == chunk_) chunk_ = std::min(2 * chunk_, longest_);
  if (seconds > kTooLong) chunk_ = std::max<int64_t>(chunk_ / 2, 1);
}

// Refuses a state that a failed chunk left half made.
void DevicePlayer::check_whole() const {
  SHARKS_CHECK(!broken_, "this player failed in the middle of a step; reset it, or set a state, before it plays on");
}

void DevicePlayer::settle() const {
  check_whole();
  if (playing_) playing_->settle(position_, stream_);
}

void DevicePlayer::state_changed() {
  upload_state();
  state_written();
}

void DevicePlayer::state_written() {
  playing_ = nullptr;
  broken_ = false;
}

}  // namespace sharks::cuda
