// The hot loops of any instruction set, called as a player calls them.
#include "binding/proofs.h"

#include <algorithm>

#include "binding/dtypes.h"
#include "cpu/simd/kernels.h"
#include "cpu/simd/matrix.h"

namespace sharks::binding {

Array<float> product(const py::array& weights, const py::array& inputs, const std::string& dtype,
                     const std::string& isa) {
  using cpu::padded;
  const float* w = checked<float>(weights, "weights", {-1, -1});
  const int rows = static_cast<int>(weights.shape(0)), cols = static_cast<int>(weights.shape(1));
  const float* x = checked<float>(inputs, "inputs", {-1, cols});
  const int B = static_cast<int>(inputs.shape(0));
  const cpu::Matrix matrix(Dense(rows, cols).add(0, 0, w, rows, cols, cols), type_of(dtype));
  cpu::Floats in(static_cast<size_t>(B) * padded(cols)), out(static_cast<size_t>(B) * padded(rows));
  cpu::Floats scratch(cpu::scratch_size(B, padded(cols)));
  for (int b = 0; b < B; ++b) std::copy_n(x + b * cols, cols, in.data() + b * padded(cols));
  cpu::kernels(isa.c_str())
      .product(matrix, B, in.data(), padded(cols), nullptr, 0, out.data(), padded(rows), false, scratch.data());
  Array<float> result(Shape{B, rows});
  for (int b = 0; b < B; ++b) std::copy_n(out.data() + b * padded(rows), rows, result.mutable_data() + b * rows);
  return result;
}

Array<float> gumbel(uint64_t seed, int64_t stream, int64_t step, int q, const std::string& isa) {
  SHARKS_CHECK(q >= 1 && q <= 65536, "q is ", q, "; wanted 1 to 65536");
  Array<float> noise(Shape{q});
  cpu::kernels(isa.c_str()).gumbel(q, seed, stream, step, noise.mutable_data());
  return noise;
}

}  // namespace sharks::binding
