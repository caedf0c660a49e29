// What every device offers: a Model (constant weights, shared by all) makes Players (the state of B streams).
//
// A player predicts the level at the current position from its state, then consumes a level: the given one (force) or
// the drawn one (run). Buffers are row-major; B streams, T time, Q levels.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/state.h"

namespace sharks {

// A stage value to copy out while forcing: `out` is [B, count, width], count = times the stage runs within the call.
struct Tap {
  std::string stage;
  float* out;
  int64_t count;
};

class Player {
 public:
  virtual ~Player() = default;

  virtual int streams() const = 0;
  virtual int q_levels() const = 0;
  virtual int lookback() const = 0;
  virtual int64_t position() const = 0;

  // Forget everything but `levels` [B, lookback], the history before the first prediction.
  virtual void reset(const int32_t* levels) = 0;

  // Consume `levels` [B, T]; write the logits [B, T, Q] that predicted them unless `logits` is null.
  virtual void force(const int32_t* levels, int64_t T, float* logits, const std::vector<Tap>& taps) = 0;

  // Draw `n` levels into `out` [B, n] at `temperature` [B, n], with the noise of (seed, streams[b], step).
  virtual void run(int64_t n, const float* temperature, uint64_t seed, const int64_t* streams, int32_t* out) = 0;

  virtual std::vector<StateField> state_fields() const = 0;
  virtual void get_state(const std::string& name, void* out) const = 0;
  virtual void set_state(const std::string& name, const void* in) = 0;
  virtual void state_changed() = 0;  // after the last set_state: rebuild what follows from the state

  // Global conditioning vectors [B, G]; refused by a model that has none.
  virtual void set_condition(const float* vectors, int64_t width) = 0;

  // A player that works in chunks calls `pause` between them; what it throws ends the call there, with a valid state.
  virtual void between_chunks(std::function<void()> pause) { static_cast<void>(pause); }

  // What a GPU does for this player goes into this queue of the device (a cudaStream_t), the player's own until the
  // caller names one of his, before anything plays; null on a CPU. `logits` and `out` may then lie in the GPU's memory.
  virtual void* queue() const { return nullptr; }
  virtual void use_queue(void* queue) { static_cast<void>(queue); }

  // How often the stage runs in a force of T steps from the current position, and how wide it is.
  virtual int64_t stage_count(const std::string& stage, int64_t T) const = 0;
  virtual int64_t stage_width(const std::string& stage) const = 0;

  // Sentences for whoever listens, in the order in which they became true: why it is slower than it might be.
  virtual std::vector<std::string> notes() const { return {}; }
};

// What one sample of one stream costs, folds done; products that run once per frame count by their share.
struct Cost {
  double step_bytes = 0;     // of weights read in every step, whatever the number of streams
  double frame_bytes = 0;    // of weights read once per frame, by their share
  double working_set = 0;    // bytes of all weights: where they lie decides how fast they are read
  double multiply_adds = 0;  // per stream

  // A matrix of so many bytes and weights, used in `share` of all steps.
  void add(double bytes, double weights, double share) {
    (share == 1 ? step_bytes : frame_bytes) += bytes * share;
    working_set += bytes;
    multiply_adds += weights * share;
  }
};

class Model {
 public:
  virtual ~Model() = default;
  virtual Cost cost() const = 0;
  virtual const char* isa() const = 0;
  virtual const char* plan() const { return "default"; }  // which way of playing was chosen
  virtual int q_levels() const = 0;
  virtual std::vector<std::string> notes() const { return {}; }  // as a player's
  // The model must outlive its players. `threads` share the streams among them.
  virtual std::unique_ptr<Player> player(int streams, int threads) const = 0;
};

}  // namespace sharks
