// The hot loops, one set per instruction set; dispatch.cpp picks a set once, when a model is made.
//
// Letters: B streams, N columns, W a width padded to whole vectors. Every buffer is row-major [B, W]; the `ld` of a
// buffer is the distance between streams in floats. No kernel lets a stream's result depend on B: each output is summed
// in one fixed order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sharks::cpu {

constexpr int kPanelRows = 16;
constexpr int kGroupPanels = 4;
constexpr int kGroupRows = kGroupPanels * kPanelRows;

// How weights are stored while playing; elements.h says what a product does with each.
enum class Type { kFloat32, kBfloat16, kInt8 };

// A packed matrix, borrowed. Rows lie in panels of 16 (one vector), four panels to a group, groups one after the other;
// inside a group one unit of columns (1, 2 or 4, by type) after the other, so that a product streams each group from
// front to back.
struct Packed {
  const float* data;  // 4 bytes per row and unit, whatever the type
  int rows, cols;     // padded with zeros to whole vectors: padded outputs are exactly zero
  // Partial sums per output: unit i goes to sum i % split, and they are added in a fixed order at the end. Follows from
  // the shape alone, so that few outputs still keep the multiply-add units busy, and no output depends on the streams.
  int split;  // 1, 2 or 4
  Type type = Type::kFloat32;
  const float* row_scale = nullptr;     // [rows] of int8: what one whole step of a row's weights is worth
  const int32_t* row_offset = nullptr;  // [rows] of int8: -128 times the sum of a row's weights
};

constexpr int kProbeSums = 12;  // independent sums of Kernels::multiply

inline int columns_per_unit(Type type) { return type == Type::kFloat32 ? 1 : type == Type::kBfloat16 ? 2 : 4; }

inline size_t packed_bytes(const Packed& w) {
  return static_cast<size_t>(w.rows) * w.cols * 4 / columns_per_unit(w.type);
}

inline int groups_of(const Packed& w) { return (w.rows + kGroupRows - 1) / kGroupRows; }

// Rows first .. last - 1 of a matrix; first lies on a group.
inline Packed row_slice(const Packed& w, int first, int last) {
  Packed slice = w;
  slice.data += static_cast<size_t>(first) * (w.cols / columns_per_unit(w.type));
  slice.rows = last - first;
  slice.row_scale += first;
  slice.row_offset += first;
  return slice;
}

// Floats of scratch that a product of B streams wants for its narrowed inputs.
inline size_t scratch_size(int B, int cols) { return static_cast<size_t>(B) * (cols / 2 + 1); }

struct Kernels {
  const char* isa;

  // y = init + W x, then ReLU if asked. init: null for zero; ld_init 0 for a bias that all streams share; y itself to
  // accumulate. x holds W.cols values per stream, y and init W.rows; scratch is scratch_size of them.
  void (*product)(const Packed& w, int B, const float* x, size_t ld_x, const float* init, size_t ld_init, float* y,
                  size_t ld_y, bool relu, float* scratch);

  // z = tanh(a[0:W]) * sigmoid(a[W:2W])
  void (*gate)(int B, int W, const float* a, size_t ld_a, float* z, size_t ld_z);

  // y = (x + r) * scale
  void (*residual)(int B, int W, const float* x, size_t ld_x, const float* r, size_t ld_r, float scale, float* y,
                   size_t ld_y);

  void (*copy)(int B, int W, const float* x, size_t ld_x, float* y, size_t ld_y);

  // y = max(x, 0)
  void (*rectify)(int B, int W, const float* x, size_t ld_x, float* y, size_t ld_y);

  // gates [B, 4W] rows i, f, g, o: c = f c + i g, h = o tanh(c)
  void (*lstm)(int B, int W, const float* gates, size_t ld_gates, float* c, float* h, size_t ld_state);

  // in, rec [B, 3W] rows r, z, n: n = tanh(in_n + r rec_n), h = (1 - z) n + z h
  void (*gru)(int B, int W, const float* in, const float* rec, size_t ld, float* h, size_t ld_h);

  // The reset-before GRU in two halves around the candidate's product. First: gates [B, 3W] become r, z in place, and
  // rh = r h. Second, when gates' n row holds the candidate before its tanh: h = (1 - z) tanh(n) + z h.
  void (*gru_reset)(int B, int W, float* gates, size_t ld, const float* h, size_t ld_h, float* rh, size_t ld_rh);
  void (*gru_update)(int B, int W, const float* gates, size_t ld, float* h, size_t ld_h);

  // y = init + the sum over p < N of table[p][levels[p]], rows of W floats, table [N, Q, W]; levels < 0 add nothing.
  void (*look_up)(int W, int N, int Q, const float* table, const int32_t* levels, const float* init, float* y,
                  bool relu);

  // c [M, N] = a [M, K] b [K, N] in double precision, row-major; N a multiple of 16. For folds, when a model is made.
  void (*fold)(int M, int N, int K, const double* a, const double* b, double* c);

  // For measuring limits: the sum of `count` floats (a multiple of 128), and the fastest products of this set and type,
  // `rounds` times kProbeSums vectors of them, on registers alone.
  float (*read_all)(const float* data, size_t count);
  float (*multiply)(Type type, size_t rounds);

  // The noise of one place, [Q]: what draw adds. For proof, not for speed.
  void (*gumbel)(int Q, uint64_t seed, int64_t stream, int64_t step, float* noise);

  // The level whose logit plus temperature times Gumbel noise is greatest; see core/chance/sampling.h.
  int32_t (*draw)(const float* logits, int Q, float temperature, uint64_t seed, int64_t stream, int64_t step);
};

// The best set this CPU runs, or the one named ("scalar", "avx2", "avx512",
// "avx512dot" with the dot products of bfloat16 and int8, "neon"; "auto" asks SHARKS_ISA first).
const Kernels& kernels(const char* isa);

// The names of all sets this CPU runs, best first, ended by null.
const char* const* available_isas();

}  // namespace sharks::cpu
