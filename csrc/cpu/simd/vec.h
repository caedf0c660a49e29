// Vec: sixteen floats and the few operations the kernels use, for the instruction set this file is compiled with.
//
// Sixteen everywhere, so that packed weights look the same on every CPU. Everything has internal linkage: the file is
// compiled once per instruction set, and the linker must never exchange one copy for another.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace sharks {
namespace {

constexpr int kLanes = 16;

#if defined(__AVX512F__)

struct Vec {
  __m512 v;
  static Vec zero() { return {_mm512_setzero_ps()}; }
  static Vec all(float x) { return {_mm512_set1_ps(x)}; }
  static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
};
inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec round(Vec a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
// 2^n for whole n in [-126, 127].
inline Vec power_of_two(Vec n) {
  return {
      _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(127)), 23))};
}
inline Vec magnitude(Vec a) { return {_mm512_abs_ps(a.v)}; }
inline float greatest(Vec a) { return _mm512_reduce_max_ps(a.v); }
// |a| with the sign of s.
inline Vec with_sign(Vec a, Vec s) {
  const __m512i sign = _mm512_and_si512(_mm512_castps_si512(s.v), _mm512_set1_epi32(INT32_MIN));
  return {_mm512_castsi512_ps(_mm512_or_si512(_mm512_castps_si512(a.v), sign))};
}

// The two bfloat16 of each 32-bit place, as floats.
inline Vec even_halves(Vec a) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a.v), 16))}; }
inline Vec odd_halves(Vec a) {
  return {_mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a.v), _mm512_set1_epi32(INT32_MIN >> 15)))};
}
// Have it in a register now: left alone, GCC reads it from memory again for every product.
inline void hold(Vec& a) { asm("" : "+v"(a.v)); }

// The whole numbers nearest to values in [-127, 127] (ties to even) as bytes, sixteen in a row, `above` added to each.
inline void store_bytes(Vec a, uint8_t above, uint32_t* to) {
  const __m128i bytes =
      _mm_add_epi8(_mm512_cvtepi32_epi8(_mm512_cvtps_epi32(a.v)), _mm_set1_epi8(static_cast<char>(above)));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
}

// Sixteen int32.
struct Whole {
  __v16si v;  // not __m512i: GCC keeps arrays of these in registers
  static Whole of(__m512i v) { return {(__v16si)v}; }
  static Whole zero() { return of(_mm512_setzero_si512()); }
  static Whole load(const void* p) { return of(_mm512_loadu_si512(p)); }
  void store(void* p) const { _mm512_storeu_si512(p, (__m512i)v); }
  Vec to_float() const { return {_mm512_cvtepi32_ps((__m512i)v)}; }
};
inline Whole operator+(Whole a, Whole b) { return {a.v + b.v}; }

// Sixteen uint32, for noise.h.
struct Words {
  __m512i v;
  static Words all(uint32_t x) { return {_mm512_set1_epi32(static_cast<int>(x))}; }
  static Words load(const uint32_t* p) { return {_mm512_loadu_si512(p)}; }
  static Words bits_of(Vec a) { return {_mm512_castps_si512(a.v)}; }
  void store(uint32_t* p) const { _mm512_storeu_si512(p, v); }
  Vec as_float() const { return {_mm512_castsi512_ps(v)}; }
  Vec to_float() const { return {_mm512_cvtepi32_ps(v)}; }  // below 2^31
};
inline Words operator+(Words a, Words b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline Words operator-(Words a, Words b) { return {_mm512_sub_epi32(a.v, b.v)}; }
inline Words operator^(Words a, Words b) { return {_mm512_xor_si512(a.v, b.v)}; }
template <int N>
inline Words shift_left(Words a) {
  return {_mm512_slli_epi32(a.v, N)};
}
template <int N>
inline Words shift_right(Words a) {
  return {_mm512_srli_epi32(a.v, N)};
}
template <int N>
inline Words shift_right_signed(Words a) {
  return {_mm512_srai_epi32(a.v, N)};
}
inline void multiply_wide(Words a, Words b, Words& high, Words& low) {
  const __m512i even = _mm512_mul_epu32(a.v, b.v), odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), b.v);
  low = {_mm512_mask_mov_epi32(even, 0xAAAA, _mm512_slli_epi64(odd, 32))};
  high = {_mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xAAAA, odd)};
}
// Within each four lanes: the rows become columns.
inline void transpose_fours(Words (&r)[4]) {
  const __m512i a = _mm512_unpacklo_epi32(r[0].v, r[1].v), b = _mm512_unpackhi_epi32(r[0].v, r[1].v);
  const __m512i c = _mm512_unpacklo_epi32(r[2].v, r[3].v), d = _mm512_unpackhi_epi32(r[2].v, r[3].v);
  r[0] = {_mm512_unpacklo_epi64(a, c)}, r[1] = {_mm512_unpackhi_epi64(a, c)};
  r[2] = {_mm512_unpacklo_epi64(b, d)}, r[3] = {_mm512_unpackhi_epi64(b, d)};
}
// Lane by lane: where score is greater than best, it and its place replace best and place.
inline void keep_greater(Vec score, Words place, Vec& best, Words& best_place) {
  const __mmask16 greater = _mm512_cmp_ps_mask(score.v, best.v, _CMP_GT_OQ);
  best.v = _mm512_mask_mov_ps(best.v, greater, score.v);
  best_place.v = _mm512_mask_mov_epi32(best_place.v, greater, place.v);
}

// Four int8 inputs, the same for every row; dot4 adds their products with four int8 weights per row, exactly.
#if defined(__AVX512VNNI__)
constexpr bool kUnsignedInputs = true;  // 128 above their value
struct Whole4 {
  __m512i v;
  static Whole4 all(uint32_t bytes) { return {_mm512_set1_epi32(static_cast<int>(bytes))}; }
};
inline Whole dot4(Whole sum, Vec weights, Whole4 in) {
  return Whole::of(_mm512_dpbusd_epi32((__m512i)sum.v, in.v, _mm512_castps_si512(weights.v)));
}
#else
constexpr bool kUnsignedInputs = false;
struct Whole4 {
  __m512i even, odd;  // bytes 0 and 2, bytes 1 and 3, as int16: wide enough for every sum of two products
  static Whole4 of(__m512i bytes) {
    return {_mm512_srai_epi16(_mm512_slli_epi16(bytes, 8), 8), _mm512_srai_epi16(bytes, 8)};
  }
  static Whole4 all(uint32_t bytes) { return of(_mm512_set1_epi32(static_cast<int>(bytes))); }
};
inline Whole dot4(Whole sum, Vec weights, Whole4 in) {
  const Whole4 w = Whole4::of(_mm512_castps_si512(weights.v));
  return sum + Whole::of(_mm512_add_epi32(_mm512_madd_epi16(w.even, in.even), _mm512_madd_epi16(w.odd, in.odd)));
}
#endif

#elif defined(__AVX2__)

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

#elif defined(__ARM_NEON)

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

#else  // any other CPU: plain loops, which the compiler vectorises as far as it may

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

#endif

#if !defined(__AVX512F__) && !defined(__AVX2__)  // whole numbers in plain loops

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

#endif

#if !defined(__AVX512F__)
inline void hold(Vec&) {}
#endif

// e^x for x in [-87, 88] (clamped there), relative error below 2e-7: x = n ln2 + r, |r| <= ln2 / 2, and a polynomial
// for e^r fitted to minimise the largest relative error.
inline Vec exp(Vec x) {
  x = min(max(x, Vec::all(-87.0f)), Vec::all(88.0f));
  const Vec n = round(x * Vec::all(1.44269504f));
  Vec r = fma(n, Vec::all(-0.693145751953125f), x);
  r = fma(n, Vec::all(-1.42860682030941723e-6f), r);
  Vec p = Vec::all(0.0013814467f);
  p = fma(p, r, Vec::all(0.008368781f));
  p = fma(p, r, Vec::all(0.041668393f));
  p = fma(p, r, Vec::all(0.1666652f));
  p = fma(p, r, Vec::all(0.49999994f));
  p = fma(p, r, Vec::all(1.0f));
  p = fma(p, r, Vec::all(1.0f));
  return p * power_of_two(n);
}

// 1 / (1 + e^-x), absolute error below 2e-7.
inline Vec sigmoid(Vec x) { return Vec::all(1.0f) / (Vec::all(1.0f) + exp(Vec::zero() - x)); }

// (1 - e^-2|x|) / (1 + e^-2|x|) with the sign of x, absolute error below 2e-7.
inline Vec tanh(Vec x) {
  const Vec e = exp(magnitude(x) * Vec::all(-2.0f));
  return with_sign((Vec::all(1.0f) - e) / (Vec::all(1.0f) + e), x);
}

// tanh(x) sigmoid(y) with one division, the slowest of all these operations; absolute error below 3e-7. The divisor is
// finite: at most 2 (1 + e^88).
inline Vec tanh_sigmoid(Vec x, Vec y) {
  const Vec e = exp(magnitude(x) * Vec::all(-2.0f)), f = exp(Vec::zero() - y);
  return with_sign((Vec::all(1.0f) - e) / ((Vec::all(1.0f) + e) * (Vec::all(1.0f) + f)), x);
}

}  // namespace
}  // namespace sharks
