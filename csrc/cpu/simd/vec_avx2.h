// Vec in AVX2 with FMA: two vectors of eight. The meaning of each function is told in vec_avx512.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace sharks {
namespace {

struct Vec {
  __m256 lo, hi;
  static Vec zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static Vec all(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static Vec load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  void store(float* p) const { _mm256_storeu_ps(p, lo), _mm256_storeu_ps(p + 8, hi); }
};
inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)}; }
inline Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
inline Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
inline Vec round(Vec a) {
  constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  return {_mm256_round_ps(a.lo, kNearest), _mm256_round_ps(a.hi, kNearest)};
}
inline __m256 power_of_two_half(__m256 n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}
inline Vec power_of_two(Vec n) { return {power_of_two_half(n.lo), power_of_two_half(n.hi)}; }
inline Vec magnitude(Vec a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, a.lo), _mm256_andnot_ps(sign, a.hi)};
}
inline Vec with_sign(Vec a, Vec s) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_or_ps(a.lo, _mm256_and_ps(sign, s.lo)), _mm256_or_ps(a.hi, _mm256_and_ps(sign, s.hi))};
}

inline float greatest(Vec a) {
  const __m256 eight = _mm256_max_ps(a.lo, a.hi);
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}
inline void store_bytes(Vec a, uint8_t above, uint32_t* to) {
  const __m256i pairs = _mm256_packs_epi32(_mm256_cvtps_epi32(a.lo), _mm256_cvtps_epi32(a.hi));
  const __m256i in_order = _mm256_permute4x64_epi64(pairs, 0xD8);  // packing works within halves
  const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(in_order), _mm256_extracti128_si256(in_order, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(above))));
}

inline Vec even_halves(Vec a) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a.lo), 16)),
          _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a.hi), 16))};
}
inline Vec odd_halves(Vec a) {
  const __m256 high = _mm256_castsi256_ps(_mm256_set1_epi32(INT32_MIN >> 15));
  return {_mm256_and_ps(a.lo, high), _mm256_and_ps(a.hi, high)};
}

struct Whole {
  __m256i lo, hi;
  static Whole zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  Vec to_float() const { return {_mm256_cvtepi32_ps(lo), _mm256_cvtepi32_ps(hi)}; }
  static Whole load(const void* p) {
    const __m256i* halves = static_cast<const __m256i*>(p);
    return {_mm256_loadu_si256(halves), _mm256_loadu_si256(halves + 1)};
  }
  void store(void* p) const {
    __m256i* halves = static_cast<__m256i*>(p);
    _mm256_storeu_si256(halves, lo), _mm256_storeu_si256(halves + 1, hi);
  }
};
inline Whole operator+(Whole a, Whole b) { return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)}; }

struct Words {
  __m256i lo, hi;
  static Words all(uint32_t x) {
    return {_mm256_set1_epi32(static_cast<int>(x)), _mm256_set1_epi32(static_cast<int>(x))};
  }
  static Words load(const uint32_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 8))};
  }
  static Words bits_of(Vec a) { return {_mm256_castps_si256(a.lo), _mm256_castps_si256(a.hi)}; }
  void store(uint32_t* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), lo), _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), hi);
  }
  Vec as_float() const { return {_mm256_castsi256_ps(lo), _mm256_castsi256_ps(hi)}; }
  Vec to_float() const { return {_mm256_cvtepi32_ps(lo), _mm256_cvtepi32_ps(hi)}; }
};
inline Words operator+(Words a, Words b) { return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)}; }
inline Words operator-(Words a, Words b) { return {_mm256_sub_epi32(a.lo, b.lo), _mm256_sub_epi32(a.hi, b.hi)}; }
inline Words operator^(Words a, Words b) { return {_mm256_xor_si256(a.lo, b.lo), _mm256_xor_si256(a.hi, b.hi)}; }
template <int N>
inline Words shift_left(Words a) {
  return {_mm256_slli_epi32(a.lo, N), _mm256_slli_epi32(a.hi, N)};
}
template <int N>
inline Words shift_right(Words a) {
  return {_mm256_srli_epi32(a.lo, N), _mm256_srli_epi32(a.hi, N)};
}
template <int N>
inline Words shift_right_signed(Words a) {
  return {_mm256_srai_epi32(a.lo, N), _mm256_srai_epi32(a.hi, N)};
}
inline void multiply_wide_half(__m256i a, __m256i b, __m256i& high, __m256i& low) {
  const __m256i even = _mm256_mul_epu32(a, b), odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), b);
  low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
  high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
}
inline void multiply_wide(Words a, Words b, Words& high, Words& low) {
  multiply_wide_half(a.lo, b.lo, high.lo, low.lo);
  multiply_wide_half(a.hi, b.hi, high.hi, low.hi);
}
inline void transpose_fours_half(__m256i& r0, __m256i& r1, __m256i& r2, __m256i& r3) {
  const __m256i a = _mm256_unpacklo_epi32(r0, r1), b = _mm256_unpackhi_epi32(r0, r1);
  const __m256i c = _mm256_unpacklo_epi32(r2, r3), d = _mm256_unpackhi_epi32(r2, r3);
  r0 = _mm256_unpacklo_epi64(a, c), r1 = _mm256_unpackhi_epi64(a, c);
  r2 = _mm256_unpacklo_epi64(b, d), r3 = _mm256_unpackhi_epi64(b, d);
}
inline void transpose_fours(Words (&r)[4]) {
  transpose_fours_half(r[0].lo, r[1].lo, r[2].lo, r[3].lo);
  transpose_fours_half(r[0].hi, r[1].hi, r[2].hi, r[3].hi);
}
inline void keep_greater_half(__m256 score, __m256i place, __m256& best, __m256i& best_place) {
  const __m256 greater = _mm256_cmp_ps(score, best, _CMP_GT_OQ);
  best = _mm256_blendv_ps(best, score, greater);
  best_place = _mm256_blendv_epi8(best_place, place, _mm256_castps_si256(greater));
}
inline void keep_greater(Vec score, Words place, Vec& best, Words& best_place) {
  keep_greater_half(score.lo, place.lo, best.lo, best_place.lo);
  keep_greater_half(score.hi, place.hi, best.hi, best_place.hi);
}

// Widened to int16: the byte product of this instruction set saturates.
constexpr bool kUnsignedInputs = false;
struct Whole4 {
  __m256i even, odd;
  static Whole4 of(__m256i bytes) {
    return {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
  }
  static Whole4 all(uint32_t bytes) { return of(_mm256_set1_epi32(static_cast<int>(bytes))); }
};
inline __m256i dot4_half(__m256i sum, __m256i weights, Whole4 in) {
  const Whole4 w = Whole4::of(weights);
  return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(w.even, in.even), _mm256_madd_epi16(w.odd, in.odd)));
}
inline Whole dot4(Whole sum, Vec weights, Whole4 in) {
  return {dot4_half(sum.lo, _mm256_castps_si256(weights.lo), in),
          dot4_half(sum.hi, _mm256_castps_si256(weights.hi), in)};
}

inline void hold(Vec&) {}

}  // namespace
}  // namespace sharks
