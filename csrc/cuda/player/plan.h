// Between the player and whatever plays: a plan is one way of playing a model (which kernel, how a sum is split), made
// once per model with the weights as it wants them; a stepper plays it for one player.
//
// The state lies in device memory in the spec's terms, the same for every plan, so that one plan can go on where
// another stopped. What a stepper keeps besides must follow from it (resume) or be written back to it when asked
// (settle).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/dense.h"
#include "core/engine.h"
#include "cuda/cuda.h"
#include "cuda/device/device.h"

namespace sharks::cuda {

// `n` samples of `B` streams; pointers are to device memory. Handed to kernels as it is.
struct Samples {
  int B;
  int64_t n;
  int64_t position, step;    // of the first sample; step counts what was drawn
  const int32_t* given;      // [B, n] levels to consume, or null: draw them, into
  int32_t* drawn;            // [B, n]
  const float* temperature;  // [B, n], with the noise of (seed, streams[b], step)
  const int64_t* streams;    // [B]
  uint64_t seed;
  float* logits;     // [B, n, Q], or null
  int32_t* trouble;  // one word, see device/trouble.h
};

// A stage to copy out while the samples play: [B, count, width], the first value at index 0.
struct StageTap {
  std::string stage;
  float* out;
  int64_t count;
};

// How much of the GPU a stepper takes: pipelines that play side by side, and how many its streams would like.
struct Strength {
  int pipelines, wanted;
  int blocks;  // of all pipelines
};

// What plays one player's streams. The memory that its state points to is the player's and outlives it.
class Stepper {
 public:
  virtual ~Stepper() = default;

  // Whether this stepper can play such samples; asked before every launch.
  virtual bool plays(const Samples& samples, const std::vector<StageTap>& taps) const = 0;

  // The state (or the condition) now is what somebody else wrote, at this position: rebuild what follows from it. Comes
  // before the first launch.
  virtual void resume(int64_t position, Stream stream) = 0;

  // Put the work into the stream; the state moves on by samples.n.
  virtual void launch(const Samples& samples, const std::vector<StageTap>& taps, Stream stream) = 0;

  // Write back whatever of the state this stepper kept elsewhere: somebody else will read it.
  virtual void settle(int64_t position, Stream stream) = 0;

  // Its last launch could not begin, for want of blocks that run at once (kTooFewCame, NoRoom): leave the state
  // settled, as it was before, and ask for half as many from now on. With none left it plays() nothing any more.
  virtual void retreat(Stream) {}

  // All zero where blocks do not wait for each other.
  virtual Strength strength() const { return {}; }
};

template <typename State>
class Plan {
 public:
  virtual ~Plan() = default;
  virtual const char* name() const = 0;  // one word, which may be asked for
  virtual Cost cost() const = 0;
  virtual std::unique_ptr<Stepper> stepper(const State& state) const = 0;
};

// What a plan is made from. Weights and table are the pack's own, and stay where they are as long as the model lives.
template <typename Spec, typename Weights>
struct Source {
  Spec spec;
  Weights weights;
  const float* table;  // [Q]
  Precision precision;
  std::string plan;  // "default", "throughput", or the one plan that is wanted
  Fold fold;
};

// A family's plans.h declares a make_plan(source) for each of its plans, and its player.cpp lists them: one that
// returns null where spec, precision or source.plan do not suit it, and throws NoRoom where the GPU is too small. The
// first that gives a plan plays; first light is made, and its weights with it, when a stepper of that one refuses
// samples, or can find no room for its blocks.

}  // namespace sharks::cuda
