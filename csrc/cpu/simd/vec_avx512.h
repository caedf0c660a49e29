// Vec in AVX-512, with the dot products of bytes of AVX-512 VNNI where it is there.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace sharks {
namespace {

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

}  // namespace
}  // namespace sharks
