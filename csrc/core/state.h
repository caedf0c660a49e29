// The state of streams as tables: one list of arrays for every device, so that one can go on where another stopped.
// core/<family>/state.h holds a family's; the tests compare it with Python's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sharks {

// One named array of the state of B streams.
struct StateField {
  enum class Type { kFloat32, kInt32, kInt64 };
  std::string name;
  std::vector<int64_t> shape;  // [B, ...]
  Type type;
  int32_t lowest = 0;  // of levels (kInt32): -1 where a place may be empty
};

// What every family's state begins with: the last levels, oldest first, and the counters of Lockstep.
inline std::vector<StateField> common_state(int B, int lookback) {
  return {{"levels", {B, lookback}, StateField::Type::kInt32},
          {"position", {B}, StateField::Type::kInt64},
          {"step", {B}, StateField::Type::kInt64}};
}

}  // namespace sharks
