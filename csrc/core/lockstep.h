// Streams that go in lockstep: they share their position and step, which every player of them keeps alike.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/engine.h"

namespace sharks {

class Lockstep : public Player {
 public:
  int streams() const final { return B_; }
  int q_levels() const final { return Q_; }
  int64_t position() const final { return position_; }
  std::vector<StateField> state_fields() const final { return state_; }

 protected:
  Lockstep(int B, int Q, std::vector<StateField> state) : B_(B), Q_(Q), state_(std::move(state)) {}

  // `position` and `step`, which are arrays of the state.
  bool get_counter(const std::string& name, void* out) const {
    if (name != "position" && name != "step") return false;
    std::fill_n(static_cast<int64_t*>(out), B_, name == "step" ? step_ : position_);
    return true;
  }

  bool set_counter(const std::string& name, const void* in) {
    if (name != "position" && name != "step") return false;
    const int64_t* values = static_cast<const int64_t*>(in);
    SHARKS_CHECK(values[0] >= 0 && std::all_of(values, values + B_, [&](int64_t v) { return v == values[0]; }),
                 "state '", name, "' differs between streams or is negative; streams that play together share it");
    (name == "step" ? step_ : position_) = values[0];
    return true;
  }

  const int B_, Q_;
  int64_t position_ = 0, step_ = 0;

 private:
  const std::vector<StateField> state_;
};

}  // namespace sharks
