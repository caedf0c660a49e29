// Each probe runs loops that do nothing else, without the GIL.
#include "binding/probes.h"

#include <algorithm>
#include <chrono>

#include "binding/dtypes.h"
#include "cpu/simd/aligned.h"
#include "cpu/simd/kernels.h"
#include "cpu/simd/matrix.h"
#include "cuda/cuda.h"

namespace sharks::binding {

namespace {

template <typename Work>
double best_of(int rounds, const Work& work) {
  double best = 1e30;
  for (int i = 0; i < rounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    volatile float used = work();
    static_cast<void>(used);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

double probe_read(size_t bytes, int rounds) {
  const size_t count = std::max<size_t>(bytes / sizeof(float) / 128, 1) * 128;
  const cpu::Kernels& kernels = cpu::kernels("auto");
  py::gil_scoped_release release;
  cpu::Floats data(count);
  const size_t passes =
      std::max<size_t>(1, (size_t{8} << 20) / (count * sizeof(float)));  // more than the clock's grain
  const double seconds = best_of(rounds, [&] {
    float sum = 0;
    for (size_t i = 0; i < passes; ++i) sum += kernels.read_all(data.data(), count);
    return sum;
  });
  return seconds / passes * bytes / (count * sizeof(float));
}

double probe_multiply(const std::string& dtype, int rounds) {
  constexpr size_t kTurns = 200000;
  const cpu::Type type = type_of(dtype);
  const cpu::Kernels& kernels = cpu::kernels("auto");
  py::gil_scoped_release release;
  const double seconds = best_of(rounds, [&] { return kernels.multiply(type, kTurns); });
  const int lanes = cpu::kPanelRows * cpu::columns_per_unit(type);
  return kTurns * cpu::kProbeSums * lanes / seconds;
}

py::dict probe_gpu() {
  const auto found = [] {
    py::gil_scoped_release release;
    return cuda::probe();
  }();
  return py::dict(py::arg("shared_load") = found.shared_load, py::arg("barrier") = found.barrier,
                  py::arg("tile") = found.tile, py::arg("hop") = found.hop, py::arg("clock") = found.clock);
}

std::vector<std::string> isas() {
  std::vector<std::string> names;
  for (const char* const* name = cpu::available_isas(); *name; ++name) names.emplace_back(*name);
  return names;
}

}  // namespace sharks::binding
