// What every player on the GPU shares: chunks, the way from and to the caller's memory, taps, and whose turn it is to
// play.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/lockstep.h"
#include "core/stages.h"
#include "cuda/device/device.h"
#include "cuda/player/notes.h"
#include "cuda/player/plan.h"

namespace sharks::cuda {

// B streams in device memory. A family supplies its state and steppers.
class DevicePlayer : public Lockstep {
 public:
  void force(const int32_t* levels, int64_t T, float* logits, const std::vector<Tap>& taps) final;
  void run(int64_t n, const float* temperature, uint64_t seed, const int64_t* streams, int32_t* out) final;
  void state_changed() final;
  void between_chunks(std::function<void()> pause) final { pause_ = std::move(pause); }
  void* queue() const final { return stream_; }
  void use_queue(void* queue) final { stream_ = callers_stream(queue); }
  int64_t stage_count(const std::string& stage, int64_t T) const final;
  int64_t stage_width(const std::string& stage) const final { return find(stages_, stage).width; }
  std::vector<std::string> notes() const final { return notes_.told(); }

 protected:
  DevicePlayer(int B, int Q, std::vector<Stage> stages, std::vector<StateField> state);

  // The family's steppers, the one that should play first; that one is made when its state is.
  std::vector<std::unique_ptr<Stepper>> steppers_;

  // A stepper that plays everything, when all of those have refused.
  virtual std::unique_ptr<Stepper> last_resort() const = 0;

  // Before the state is read: have it written back.
  void settle() const;

  // Upload the state that set_state left on the host.
  virtual void upload_state() = 0;

  // After the state was written: whoever plays next must resume, and what failed before is forgotten.
  void state_written();

  const OwnStream own_stream_;
  Stream stream_ = own_stream_;  // or the caller's

 private:
  void play(Samples samples, const std::vector<StageTap>& taps);
  Stepper* stepper_for(const Samples& samples, const std::vector<StageTap>& taps);
  void hand_over(Stepper& next);
  int32_t trouble_of(Stepper& stepper, const Samples& samples, const std::vector<StageTap>& taps);
  void check_whole() const;
  void pace(double seconds, int64_t count);

  const std::vector<Stage> stages_;
  const int64_t longest_;  // chunk, in samples
  int64_t chunk_;
  Stepper* playing_ = nullptr;  // whose private parts fit the state
  bool broken_ = false;
  Notes notes_;
  std::function<void()> pause_;
  Array<int32_t> levels_;  // [B, chunk] given or drawn
  Array<float> temperature_;
  Array<int64_t> stream_ids_;
  Array<int32_t> trouble_;
};

}  // namespace sharks::cuda
