// Vec on any other CPU: plain loops, which the compiler vectorises as far as it may. The meaning of each function is
// told in vec_avx512.h.
#pragma once

#include <cstdint>
#include <cstring>

namespace sharks {
namespace {

struct Vec {
  float f[kLanes];
  static Vec zero() { return all(0.0f); }
  static Vec all(float x) {
    Vec out;
    for (float& lane : out.f) lane = x;
    return out;
  }
  static Vec load(const float* p) {
    Vec out;
    std::memcpy(out.f, p, sizeof out.f);
    return out;
  }
  void store(float* p) const { std::memcpy(p, f, sizeof f); }
};
#define SHARKS_EACH_LANE(expression)                        \
  Vec out;                                                  \
  for (int i = 0; i < kLanes; ++i) out.f[i] = (expression); \
  return out
inline Vec operator+(Vec a, Vec b) { SHARKS_EACH_LANE(a.f[i] + b.f[i]); }
inline Vec operator-(Vec a, Vec b) { SHARKS_EACH_LANE(a.f[i] - b.f[i]); }
inline Vec operator*(Vec a, Vec b) { SHARKS_EACH_LANE(a.f[i] * b.f[i]); }
inline Vec operator/(Vec a, Vec b) { SHARKS_EACH_LANE(a.f[i] / b.f[i]); }
inline Vec fma(Vec a, Vec b, Vec c) { SHARKS_EACH_LANE(a.f[i] * b.f[i] + c.f[i]); }  // rounded twice here
inline Vec max(Vec a, Vec b) { SHARKS_EACH_LANE(a.f[i] > b.f[i] ? a.f[i] : b.f[i]); }
inline Vec min(Vec a, Vec b) { SHARKS_EACH_LANE(a.f[i] < b.f[i] ? a.f[i] : b.f[i]); }
// Adding and taking away 1.5 * 2^23 leaves the nearest whole number, for |a| < 2^22.
inline Vec round(Vec a) { SHARKS_EACH_LANE((a.f[i] + 12582912.0f) - 12582912.0f); }
inline float power_of_two_lane(float n) {
  const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
  float out;
  std::memcpy(&out, &bits, sizeof out);
  return out;
}
inline Vec power_of_two(Vec n) { SHARKS_EACH_LANE(power_of_two_lane(n.f[i])); }
inline Vec magnitude(Vec a) { SHARKS_EACH_LANE(a.f[i] < 0 ? -a.f[i] : a.f[i]); }
inline Vec with_sign(Vec a, Vec s) { SHARKS_EACH_LANE(s.f[i] < 0 ? -a.f[i] : a.f[i]); }
#undef SHARKS_EACH_LANE

}  // namespace
}  // namespace sharks
