// Vec in NEON: four vectors of four. The meaning of each function is told in vec_avx512.h.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace sharks {
namespace {

struct Vec {
  float32x4_t q[4];
  static Vec zero() { return all(0.0f); }
  static Vec all(float x) { return {{vdupq_n_f32(x), vdupq_n_f32(x), vdupq_n_f32(x), vdupq_n_f32(x)}}; }
  static Vec load(const float* p) { return {{vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)}}; }
  void store(float* p) const {
    for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, q[i]);
  }
};
#define SHARKS_EACH_QUARTER(expression)                \
  Vec out;                                             \
  for (int i = 0; i < 4; ++i) out.q[i] = (expression); \
  return out
inline Vec operator+(Vec a, Vec b) { SHARKS_EACH_QUARTER(vaddq_f32(a.q[i], b.q[i])); }
inline Vec operator-(Vec a, Vec b) { SHARKS_EACH_QUARTER(vsubq_f32(a.q[i], b.q[i])); }
inline Vec operator*(Vec a, Vec b) { SHARKS_EACH_QUARTER(vmulq_f32(a.q[i], b.q[i])); }
inline Vec operator/(Vec a, Vec b) { SHARKS_EACH_QUARTER(vdivq_f32(a.q[i], b.q[i])); }
inline Vec fma(Vec a, Vec b, Vec c) { SHARKS_EACH_QUARTER(vfmaq_f32(c.q[i], a.q[i], b.q[i])); }
inline Vec max(Vec a, Vec b) { SHARKS_EACH_QUARTER(vmaxq_f32(a.q[i], b.q[i])); }
inline Vec min(Vec a, Vec b) { SHARKS_EACH_QUARTER(vminq_f32(a.q[i], b.q[i])); }
inline Vec round(Vec a) { SHARKS_EACH_QUARTER(vrndnq_f32(a.q[i])); }
inline Vec power_of_two(Vec n) {
  SHARKS_EACH_QUARTER(vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n.q[i]), vdupq_n_s32(127)), 23)));
}
inline Vec magnitude(Vec a) { SHARKS_EACH_QUARTER(vabsq_f32(a.q[i])); }
inline Vec with_sign(Vec a, Vec s) { SHARKS_EACH_QUARTER(vbslq_f32(vdupq_n_u32(0x80000000u), s.q[i], a.q[i])); }
#undef SHARKS_EACH_QUARTER

}  // namespace
}  // namespace sharks
