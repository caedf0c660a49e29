#include "cuda/player/player.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "core/check.h"
#include "cuda/device/trouble.h"

namespace sharks::cuda {
namespace {

// A chunk lasts some hundredths of a second: long enough that starting one costs nothing, short enough for Ctrl-C and
// for the watchdogs of GPUs that also draw a screen.
using Clock = std::chrono::steady_clock;
constexpr int64_t kFirstChunk = 64;
constexpr double kTooShort = 0.025, kTooLong = 0.1;  // seconds

// Levels, temperatures and logits of a chunk stay below this many values.
constexpr int64_t kMostValues = int64_t{1} << 22;

// A chunk's values [B, count] from `from`, whose rows lie `from_stride` values apart, to `to`.
template <typename T>
void copy_chunk(T* to, int64_t to_stride, const T* from, int64_t from_stride, int64_t count, int B, Stream stream) {
  const auto bytes = [](int64_t values) { return static_cast<size_t>(values) * sizeof(T); };
  copy_rows(to, bytes(to_stride), from, bytes(from_stride), bytes(count), static_cast<size_t>(B), stream);
}

int64_t within(int64_t low, int64_t value, int64_t high) { return std::max(low, std::min(value, high)); }

}  // namespace

DevicePlayer::DevicePlayer(int B, int Q, std::vector<Stage> stages, std::vector<StateField> state)
    : Lockstep(B, Q, std::move(state)),
      stages_(std::move(stages)),
      longest_(within(16, kMostValues / B, 16384)),
      chunk_(std::min(kFirstChunk, longest_)),
      levels_(static_cast<size_t>(B * longest_)),
      temperature_(static_cast<size_t>(B * longest_)),
      stream_ids_(static_cast<size_t>(B)),
      trouble_(1) {}

// The first that can play these samples.
Stepper* DevicePlayer::stepper_for(const Samples& samples, const std::vector<StageTap>& taps) {
  const auto able = [&](const auto& stepper) { return stepper->plays(samples, taps); };
  const auto found = std::find_if(steppers_.begin(), steppers_.end(), able);
  if (found != steppers_.end()) return found->get();
  steppers_.push_back(last_resort());
  return steppers_.back().get();
}

// Let the first stepper that can play these samples; state and position move on. Where a busy GPU has no room for all
// its blocks, it takes half of them, and so on; at last first light plays, whose blocks wait for nobody.
void DevicePlayer::play(Samples samples, const std::vector<StageTap>& taps) {
  samples.B = B_;
  samples.position = position_;
  samples.step = step_;
  samples.trouble = trouble_.data();
  const Strength wanted = stepper_for(samples, taps)->strength();
  if (notes_.told().empty() && wanted.pipelines < wanted.wanted) notes_.add(too_small_for(wanted));
  int32_t trouble = kNoTrouble;
  do {
    Stepper& next = *stepper_for(samples, taps);
    broken_ = true;  // unless all goes well
    if (&next != playing_) hand_over(next);
    trouble = trouble_of(next, samples, taps);
    if (trouble == kTooFewCame) {  // nothing has been played
      playing_ = nullptr;
      broken_ = false;
      next.retreat(stream_);
    }
  } while (trouble == kTooFewCame);
  if (trouble != kNoTrouble)
    throw std::runtime_error(
        "the GPU's blocks waited for each other in vain, perhaps because other programs use it; try again, or play "
        "with plan='first-light', whose blocks do not wait");
  const Strength now = playing_->strength();
  if (now.blocks != wanted.blocks) notes_.add(busy(wanted, now));
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
    copy_chunk(levels_.data(), n, levels + done, T, n, B_, stream_);
    Samples samples{};
    samples.n = n;
    samples.given = levels_.data();
    samples.logits = logits ? device_logits.data() : nullptr;
    std::vector<StageTap> mine;
    for (size_t i = 0; i < taps.size(); ++i)
      mine.push_back({taps[i].stage, values[i].data(), stage_count(taps[i].stage, n)});
    play(samples, mine);
    if (logits) copy_chunk(logits + done * Q_, T * Q_, device_logits.data(), n * Q_, n * Q_, B_, stream_);
    for (size_t i = 0; i < taps.size(); ++i) {
      const int64_t width = stage_width(taps[i].stage), count = mine[i].count * width;
      copy_chunk(taps[i].out + tapped[i] * width, taps[i].count * width, mine[i].out, count, count, B_, stream_);
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
    copy_chunk(temperature_.data(), count, temperature + done, n, count, B_, stream_);
    Samples samples{};
    samples.n = count;
    samples.drawn = levels_.data();
    samples.temperature = temperature_.data();
    samples.streams = stream_ids_.data();
    samples.seed = seed;
    play(samples, {});
    copy_chunk(out + done, n, levels_.data(), count, count, B_, stream_);
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
