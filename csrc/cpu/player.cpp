#include "cpu/player.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "core/stages.h"
#include "core/threads/threads.h"
#include "cpu/simd/matrix.h"

namespace sharks::cpu {

namespace {

// Bytes of weights that outlast the hand-over of a product to another thread, some tenths of a microsecond.
constexpr size_t kWorthSharing = size_t{96} << 10;

}  // namespace

Stepper::Stepper(const Kernels& kernels, int B, int Q, std::vector<StateField> state, int widest, size_t heaviest,
                 int threads)
    : Lockstep(B, Q, std::move(state)),
      kernels_(kernels),
      ld_logits_(static_cast<size_t>(padded(Q))),
      logits_(B * ld_logits_),
      drawn_(static_cast<size_t>(B)) {
  if (heaviest < kWorthSharing) threads = 1;
  if (threads > 1) team_ = std::make_unique<Team>(threads);
  for (int i = 0; i < threads; ++i) scratch_.emplace_back(scratch_size(B, widest));
}

void Stepper::multiply(const Packed& w, const float* x, size_t ld_x, const float* init, size_t ld_init, float* y,
                       size_t ld_y, bool relu) {
  const int groups = groups_of(w);
  if (!team_ || !worth_sharing(w)) return multiply_rows(w, 0, groups, 0, x, ld_x, init, ld_init, y, ld_y, relu);
  auto rows_of = [&](int member) noexcept {
    const int members = team_->size();
    multiply_rows(w, groups * member / members, groups * (member + 1) / members, member, x, ld_x, init, ld_init, y,
                  ld_y, relu);
  };
  team_->share(rows_of);
}

void Stepper::multiply_rows(const Packed& w, int from, int to, int member, const float* x, size_t ld_x,
                            const float* init, size_t ld_init, float* y, size_t ld_y, bool relu) noexcept {
  if (from >= to) return;
  const int first = from * kGroupRows, last = std::min(w.rows, to * kGroupRows);
  kernels_.product(row_slice(w, first, last), B_, x, ld_x, init ? init + first : nullptr, ld_init, y + first, ld_y,
                   relu, scratch_[member].data());
}

bool Stepper::worth_sharing(const Packed& w) { return packed_bytes(w) >= kWorthSharing; }

void Stepper::force(const int32_t* levels, int64_t T, float* logits, const std::vector<Tap>& taps) {
  struct Open {
    StageSource from;
    float* to;
    int64_t count, done;
  };
  std::vector<Open> open;
  for (const Tap& tap : taps) open.push_back({stage_source(tap.stage), tap.out, tap.count, 0});
  const bool want_logits = logits || !taps.empty();
  const auto step = [&](int64_t t) {
    predict(want_logits);
    if (logits)
      for (int b = 0; b < B_; ++b)
        std::memcpy(logits + (b * T + t) * Q_, logits_.data() + b * ld_logits_, Q_ * sizeof(float));
    for (Open& tap : open) {
      if (position_ % tap.from.period) continue;
      for (int b = 0; b < B_; ++b)
        std::memcpy(tap.to + (b * tap.count + tap.done) * tap.from.width, tap.from.data + b * tap.from.ld,
                    tap.from.width * sizeof(float));
      ++tap.done;
    }
    for (int b = 0; b < B_; ++b) drawn_[b] = levels[b * T + t];
    consume(drawn_.data());
  };
  with_team([&] {
    for (int64_t t = 0; t < T; ++t) step(t);
  });
}

void Stepper::run(int64_t n, const float* temperature, uint64_t seed, const int64_t* streams, int32_t* out) {
  with_team([&] {
    for (int64_t t = 0; t < n; ++t) {
      predict(true);
      for (int b = 0; b < B_; ++b)
        out[b * n + t] = drawn_[b] =
            kernels_.draw(logits_.data() + b * ld_logits_, Q_, temperature[b * n + t], seed, streams[b], step_);
      ++step_;
      consume(drawn_.data());
    }
  });
}

int64_t Stepper::stage_count(const std::string& stage, int64_t T) const {
  return runs(stage_source(stage).period, position_, T);
}

namespace {

size_t bytes_per_stream(const StateField& field) {
  size_t bytes = field.type == StateField::Type::kInt64 ? 8 : 4;
  for (size_t i = 1; i < field.shape.size(); ++i) bytes *= static_cast<size_t>(field.shape[i]);
  return bytes;
}

class SplitPlayer : public Player {
 public:
  SplitPlayer(int streams, int threads, const std::function<std::unique_ptr<Player>(int, int)>& make)
      : streams_(streams), crew_(threads) {
    for (int i = 0; i < threads; ++i) {
      first_.push_back(static_cast<int64_t>(streams) * i / threads);
      slices_.push_back(make(static_cast<int>(static_cast<int64_t>(streams) * (i + 1) / threads - first_.back()), 1));
    }
  }

  int streams() const override { return streams_; }
  int q_levels() const override { return slices_[0]->q_levels(); }
  int lookback() const override { return slices_[0]->lookback(); }
  int64_t position() const override { return slices_[0]->position(); }
  int64_t stage_count(const std::string& stage, int64_t T) const override { return slices_[0]->stage_count(stage, T); }
  int64_t stage_width(const std::string& stage) const override { return slices_[0]->stage_width(stage); }

  void reset(const int32_t* levels) override {
    each([&](Player& slice, int64_t first) { slice.reset(levels + first * lookback()); });
  }

  void force(const int32_t* levels, int64_t T, float* logits, const std::vector<Tap>& taps) override {
    const int64_t Q = q_levels();
    std::vector<int64_t> widths;
    for (const Tap& tap : taps) widths.push_back(stage_width(tap.stage));
    each([&](Player& slice, int64_t first) {
      std::vector<Tap> mine = taps;
      for (size_t i = 0; i < mine.size(); ++i) mine[i].out += first * mine[i].count * widths[i];
      slice.force(levels + first * T, T, logits ? logits + first * T * Q : nullptr, mine);
    });
  }

  void run(int64_t n, const float* temperature, uint64_t seed, const int64_t* streams, int32_t* out) override {
    each([&](Player& slice, int64_t first) {
      slice.run(n, temperature + first * n, seed, streams + first, out + first * n);
    });
  }

  std::vector<StateField> state_fields() const override {
    std::vector<StateField> fields = slices_[0]->state_fields();
    for (StateField& field : fields) field.shape[0] = streams_;
    return fields;
  }

  void get_state(const std::string& name, void* out) const override {
    for (size_t i = 0; i < slices_.size(); ++i)
      slices_[i]->get_state(name, static_cast<char*>(out) + first_[i] * bytes(name));
  }

  void set_state(const std::string& name, const void* in) override {
    for (size_t i = 0; i < slices_.size(); ++i)
      slices_[i]->set_state(name, static_cast<const char*>(in) + first_[i] * bytes(name));
  }

  void state_changed() override {
    each([](Player& slice, int64_t) { slice.state_changed(); });
  }

  void set_condition(const float* vectors, int64_t width) override {
    for (size_t i = 0; i < slices_.size(); ++i) slices_[i]->set_condition(vectors + first_[i] * width, width);
  }

 private:
  template <typename Work>
  void each(const Work& work) {
    crew_.run([&](int i) { work(*slices_[i], first_[i]); });
  }

  int64_t bytes(const std::string& name) const {
    for (const StateField& field : slices_[0]->state_fields())
      if (field.name == name) return static_cast<int64_t>(bytes_per_stream(field));
    refuse("state '", name, "' is unknown");
  }

  int streams_;
  Crew crew_;
  std::vector<int64_t> first_;
  std::vector<std::unique_ptr<Player>> slices_;
};

}  // namespace

std::unique_ptr<Player> split_streams(int streams, int threads,
                                      const std::function<std::unique_ptr<Player>(int, int)>& make) {
  if (threads == 1 || streams < threads) return make(streams, threads);
  return std::make_unique<SplitPlayer>(streams, threads, make);
}

}  // namespace sharks::cpu
