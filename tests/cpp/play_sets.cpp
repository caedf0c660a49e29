// Plays every instruction set that this CPU runs, and prints what must not depend on the CPU. Each set's products are
// held against double precision and against the plain set; each line is "what set ... checksum".
//
//   product  the int8 products, whose integers and roundings are the same everywhere
//   clip     the levels of a short free run of two streams
//   logits   what a forced run of the plain set predicts, to the bit
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "cpu/simd/matrix.h"
#include "expect.h"
#include "random_models.h"

namespace {

using namespace sharks;
using namespace sharks::test;

template <typename T>
unsigned checksum(const std::vector<T>& values) {  // FNV-1a
  unsigned sum = 2166136261u;
  const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
  for (size_t i = 0; i < values.size() * sizeof(T); ++i) sum = (sum ^ bytes[i]) * 16777619u;
  return sum;
}

struct Case {
  int rows, cols;
  std::vector<float> w, x;  // [rows, cols], [B, cols]
};
constexpr int kStreams = 5;

Case make_case(int rows, int cols) {
  Case made{rows, cols, {}, {}};
  Noise noise(static_cast<uint64_t>(rows) * 1000 + static_cast<uint64_t>(cols));
  for (int i = 0; i < rows * cols; ++i) made.w.push_back(noise());
  for (int i = 0; i < kStreams * cols; ++i) made.x.push_back(noise());
  return made;
}

std::vector<float> product(const Case& c, const std::string& type, const char* isa) {
  using cpu::padded;
  const cpu::Matrix matrix(Dense(c.rows, c.cols).add(0, 0, c.w.data(), c.rows, c.cols, c.cols), type_of(type));
  const size_t in = static_cast<size_t>(padded(c.cols)), out = static_cast<size_t>(padded(c.rows));
  cpu::Floats x(kStreams * in), y(kStreams * out), scratch(cpu::scratch_size(kStreams, padded(c.cols)));
  for (int b = 0; b < kStreams; ++b) std::copy_n(c.x.data() + b * c.cols, c.cols, x.data() + b * in);
  cpu::kernels(isa).product(matrix, kStreams, x.data(), in, nullptr, 0, y.data(), out, false, scratch.data());
  std::vector<float> result;
  for (int b = 0; b < kStreams; ++b) result.insert(result.end(), y.data() + b * out, y.data() + b * out + c.rows);
  return result;
}

// float32: any order of rounded products and sums stays within (n + 2) eps of the sum of magnitudes. The narrow types
// add the rounding of both factors: 2^-8 relative each for bfloat16, half a step of 1/127 of the largest for int8.
void check_products(const char* isa) {
  for (const auto& [rows, cols] : {std::pair{1, 1}, {7, 9}, {31, 33}, {64, 64}, {65, 130}, {200, 40}}) {
    const Case c = make_case(rows, cols);
    for (const std::string type : kTypes) {
      const std::vector<float> got = product(c, type, isa);
      for (int b = 0; b < kStreams; ++b)
        for (int r = 0; r < rows; ++r) {
          double sum = 0, magnitude = 0;
          for (int k = 0; k < cols; ++k) {
            const double term =
                static_cast<double>(c.w[static_cast<size_t>(r * cols + k)]) * c.x[static_cast<size_t>(b * cols + k)];
            sum += term, magnitude += std::abs(term);
          }
          const double exact = magnitude * (cols + 2) * 0x1p-23 + 1e-30;
          const double narrow = type == "bfloat16" ? magnitude * 0x1p-7 : type == "int8" ? cols / 127.0 : 0.0;
          EXPECT(std::abs(got[static_cast<size_t>(b * rows + r)] - sum) <= exact + narrow);
        }
      if (type == "int8") {
        EXPECT(got == product(c, type, "scalar"));
        std::printf("product %dx%d %s %08x\n", rows, cols, isa, checksum(got));
      }
    }
  }
}

void check_clips(const char* isa) {
  for (const char* family : kFamilies)
    for (const char* type : kTypes) {
      const auto model = random_model(family, 33, isa, type);
      const auto player = started(*model, 2, 1);
      const std::vector<int32_t> levels = free_run(*player, 100);
      std::printf("clip %s %s %s %08x\n", family, type, isa, checksum(levels));
      if (std::string(isa) != "scalar") continue;
      std::vector<float> logits(levels.size() * kLevels);
      started(*model, 2, 1)->force(levels.data(), 100, logits.data(), {});
      std::printf("logits %s %s %s %08x\n", family, type, isa, checksum(logits));
    }
}

}  // namespace

int main() {
  std::printf("auto %s\n", cpu::kernels("auto").isa);
  for (const char* const* isa = cpu::available_isas(); *isa; ++isa) {
    check_products(*isa);
    check_clips(*isa);
  }
  return failures() ? 1 : 0;
}
