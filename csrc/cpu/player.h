// What every CPU player shares: the loop over samples, the taps, and the split of streams over threads.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/lockstep.h"
#include "core/threads/team.h"
#include "cpu/simd/aligned.h"
#include "cpu/simd/kernels.h"

namespace sharks::cpu {

// Where a stage's newest value lies: `width` floats per stream, `ld` apart, renewed every `period` samples.
struct StageSource {
  const float* data;
  size_t ld;
  int64_t width;
  int64_t period;
};

// B streams stepped together on one thread. A model family supplies predict, consume and its state.
class Stepper : public Lockstep {
 public:
  void force(const int32_t* levels, int64_t T, float* logits, const std::vector<Tap>& taps) final;
  void run(int64_t n, const float* temperature, uint64_t seed, const int64_t* streams, int32_t* out) final;
  int64_t stage_count(const std::string& stage, int64_t T) const final;
  int64_t stage_width(const std::string& stage) const final { return stage_source(stage).width; }

 protected:
  // `state`: the family's table. `widest`: columns of the model's widest matrix; `heaviest`: bytes of its heaviest.
  // Several threads share the products of each step, where one is heavy enough.
  Stepper(const Kernels& kernels, int B, int Q, std::vector<StateField> state, int widest, size_t heaviest,
          int threads);

  // y = init + W x over all streams; see Kernels::product.
  void multiply(const Packed& w, const float* x, size_t ld_x, const float* init, size_t ld_init, float* y, size_t ld_y,
                bool relu);

  // One member's rows of such a product: `from` to `to` in groups of rows, on the thread that calls.
  void multiply_rows(const Packed& w, int from, int to, int member, const float* x, size_t ld_x, const float* init,
                     size_t ld_init, float* y, size_t ld_y, bool relu) noexcept;

  // The threads that share this stepper's products, the lead among them; null where it is alone.
  Team* team() const { return team_.get(); }
  static bool worth_sharing(const Packed& w);

  // Advance the network to the current position; write logits_ if asked.
  virtual void predict(bool want_logits) = 0;
  // Append one level per stream to the history and advance position_.
  virtual void consume(const int32_t* levels) = 0;
  virtual StageSource stage_source(const std::string& stage) const = 0;

  const Kernels& kernels_;
  const size_t ld_logits_;
  Floats logits_;  // [B, ld_logits]

 private:
  // Run `work` with the team standing by, if there is one.
  template <typename Work>
  void with_team(const Work& work) {
    team_ ? team_->session(work) : work();
  }

  std::unique_ptr<Team> team_;
  std::vector<Floats> scratch_;  // per thread, for narrowed inputs
  std::vector<int32_t> drawn_;   // [B]
};

// A player that keeps `threads` threads busy: streams are dealt to them in contiguous slices, each slice a stepper of
// its own; fewer streams than threads become one stepper whose products all threads share. Streams never meet and every
// output is summed in one order, so neither can be heard.
std::unique_ptr<Player> split_streams(int streams, int threads,
                                      const std::function<std::unique_ptr<Player>(int streams, int threads)>& make);

}  // namespace sharks::cpu
