// A model on the GPU: the plan that plays it, and first light for whatever that one refuses.
#pragma once

#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "cuda/player/notes.h"
#include "cuda/player/plan.h"

namespace sharks::cuda {

template <typename State, typename Source>
class DeviceModel : public Model {
 public:
  const char* isa() const final { return isa_.c_str(); }
  const char* plan() const final { return chosen_->name(); }
  int q_levels() const final { return source_.spec.q_levels; }
  Cost cost() const final { return chosen_->cost(); }
  std::vector<std::string> notes() const final { return notes_; }

  const Source& source() const { return source_; }
  const Plan<State>& chosen() const { return *chosen_; }

  // First light, which holds all weights once more: made when somebody wants it.
  const Plan<State>& last_resort() const {
    const std::lock_guard lock(making_);
    if (!last_resort_) last_resort_ = first_light_(source_);
    return *last_resort_;
  }

 protected:
  using Candidate = std::unique_ptr<Plan<State>> (*)(const Source&);

  // The first plan that a candidate gives plays, or else first light, which plays everything.
  DeviceModel(Source source, std::initializer_list<Candidate> candidates, Candidate first_light)
      : source_(std::move(source)),
        isa_(device().emulated ? "emulated" : "sm_" + std::to_string(device().capability)),
        first_light_(first_light) {
    for (const Candidate& candidate : candidates) try_plan(candidate);
    if (!chosen_) chosen_ = first_light_(source_);
    const bool by_name = source_.plan != "default" && source_.plan != "throughput";
    SHARKS_CHECK(!by_name || source_.plan == chosen_->name(), "plan is '", source_.plan,
                 "', which cannot play this model here; wanted default, throughput or ", chosen_->name());
  }

 private:
  void try_plan(const Candidate& candidate) {
    if (chosen_) return;
    try {
      chosen_ = candidate(source_);
    } catch (const NoRoom& plan) {
      notes_ = {too_small_for(plan.what())};
    }
    if (chosen_) notes_.clear();
  }

  const Source source_;
  const std::string isa_;
  const Candidate first_light_;
  std::unique_ptr<Plan<State>> chosen_;
  std::vector<std::string> notes_;
  mutable std::mutex making_;
  mutable std::unique_ptr<Plan<State>> last_resort_;
};

}  // namespace sharks::cuda
