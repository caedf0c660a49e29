// What kernels do with whole numbers and bits, in plain loops: for sets that have no better, on top of their Vec.
#pragma once

#include <cstdint>
#include <cstring>

namespace sharks {
namespace {

inline float greatest(Vec a) {
  float lanes[kLanes], most;
  a.store(lanes);
  most = lanes[0];
  for (float lane : lanes) most = lane > most ? lane : most;
  return most;
}
inline void store_bytes(Vec a, uint8_t above, uint32_t* to) {
  float lanes[kLanes];
  uint8_t bytes[kLanes];
  round(a).store(lanes);
  for (int i = 0; i < kLanes; ++i) bytes[i] = static_cast<uint8_t>(static_cast<int32_t>(lanes[i]) + above);
  std::memcpy(to, bytes, sizeof bytes);
}

template <typename Change>
inline Vec with_bits(Vec a, const Change& change) {
  float lanes[kLanes];
  a.store(lanes);
  for (float& lane : lanes) {
    uint32_t bits;
    std::memcpy(&bits, &lane, sizeof bits);
    bits = change(bits);
    std::memcpy(&lane, &bits, sizeof bits);
  }
  return Vec::load(lanes);
}
inline Vec even_halves(Vec a) {
  return with_bits(a, [](uint32_t bits) { return bits << 16; });
}
inline Vec odd_halves(Vec a) {
  return with_bits(a, [](uint32_t bits) { return bits & 0xFFFF0000u; });
}

struct Whole {
  int32_t v[kLanes];
  static Whole zero() { return {}; }
  static Whole load(const void* p) {
    Whole out;
    std::memcpy(out.v, p, sizeof out.v);
    return out;
  }
  void store(void* p) const { std::memcpy(p, v, sizeof v); }
  Vec to_float() const {
    float lanes[kLanes];
    for (int i = 0; i < kLanes; ++i) lanes[i] = static_cast<float>(v[i]);
    return Vec::load(lanes);
  }
};
inline Whole operator+(Whole a, Whole b) {
  for (int i = 0; i < kLanes; ++i) a.v[i] += b.v[i];
  return a;
}

constexpr bool kUnsignedInputs = false;
struct Whole4 {
  int32_t v[4];
  static Whole4 all(uint32_t bytes) {
    Whole4 out;
    for (int k = 0; k < 4; ++k) out.v[k] = static_cast<int8_t>(bytes >> 8 * k);
    return out;
  }
};
inline Whole dot4(Whole sum, Vec weights, Whole4 in) {
  float lanes[kLanes];
  int8_t w[4 * kLanes];
  weights.store(lanes);
  std::memcpy(w, lanes, sizeof w);
  for (int i = 0; i < kLanes; ++i)
    sum.v[i] += w[4 * i] * in.v[0] + w[4 * i + 1] * in.v[1] + w[4 * i + 2] * in.v[2] + w[4 * i + 3] * in.v[3];
  return sum;
}

inline void hold(Vec&) {}

}  // namespace
}  // namespace sharks
