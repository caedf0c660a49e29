#include "binding/filters.h"

#include <algorithm>
#include <vector>

#include "core/all_pole.h"

namespace sharks::binding {

std::pair<Array<float>, Array<double>> all_pole(const py::array& excitation, const py::array& predictors,
                                                const py::array& gains, const py::array& past) {
  const double* a = checked<double>(predictors, "predictors", {-1, -1, -1});
  const py::ssize_t B = predictors.shape(0), S = predictors.shape(1), order = predictors.shape(2);
  const double* g = checked<double>(gains, "gains", {B, S});
  const double* before = checked<double>(past, "past", {B, order});
  const float* e = checked<float>(excitation, "excitation", {B, -1});
  const py::ssize_t T = excitation.shape(1), length = S ? T / S : 0;
  SHARKS_CHECK(length * S == T, "excitation has ", T, " samples; wanted a multiple of ", S, " segments");
  Array<float> sound(Shape{B, T});
  Array<double> after(Shape{B, order});
  std::copy_n(before, B * order, after.mutable_data());
  float* out = sound.mutable_data();
  double* state = after.mutable_data();
  std::vector<double> work(static_cast<size_t>(order + T));
  {
    py::gil_scoped_release release;
    for (py::ssize_t b = 0; b < B; ++b)
      sharks::all_pole(S, length, static_cast<int>(order), e + b * T, a + b * S * order, g + b * S, state + b * order,
                       work.data(), out + b * T);
  }
  return {sound, after};
}

}  // namespace sharks::binding
