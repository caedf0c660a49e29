// What musicians are told where a GPU plays with less of itself than it should. What is heard is the same, but for the
// rounding of another plan.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cuda/player/plan.h"

namespace sharks::cuda {

inline std::string too_small_for(const std::string& plan) {
  return "this GPU is too small for plan '" + plan +
         "' of this model, so first light plays it, which is slower; a GPU with more processors, or with more shared "
         "memory for each, would be faster";
}

inline std::string too_small_for(const Strength& now) {
  return "this GPU has room for " + std::to_string(now.pipelines) + " of the " + std::to_string(now.wanted) +
         " pipelines that so many streams would like, so they take turns, which is slower; fewer streams at a time are "
         "heard sooner";
}

inline std::string busy(const Strength& wanted, const Strength& now) {
  const auto count = [](int n, const char* what) { return std::to_string(n) + what + (n == 1 ? "" : "s"); };
  const auto crowd = [&](const Strength& s) {
    return count(s.pipelines, " pipeline") + " on " + count(s.blocks, " block");
  };
  return "this GPU has too little room just now, perhaps because other programs use it, so " +
         (now.pipelines ? crowd(now) : "first light") + " must do instead of " + crowd(wanted) +
         ", which is slower; start again when the GPU is free";
}

// What has been told so far. One thread may ask while another plays.
class Notes {
 public:
  void add(std::string note) {
    const std::lock_guard lock(telling_);
    told_.push_back(std::move(note));
  }
  std::vector<std::string> told() const {
    const std::lock_guard lock(telling_);
    return told_;
  }

 private:
  mutable std::mutex telling_;
  std::vector<std::string> told_;
};

}  // namespace sharks::cuda
