// An all-pole filter that changes from segment to segment: what a voice plays its excitation through.
#pragma once

#include <cstdint>

namespace sharks {

// y[t] = gain e[t] + sum over i of a[i] y[t - 1 - i], where the `order` predictors a and the gain are those of segment
// t / length. `past` [order], the newest first: the outputs before the first, and afterwards those before the next.
// `work`: order + segments * length places. Everything is added up in one order, oldest first.
inline void all_pole(int64_t segments, int64_t length, int order, const float* excitation, const double* predictors,
                     const double* gains, double* past, double* work, float* out) {
  for (int i = 0; i < order; ++i) work[order - 1 - i] = past[i];
  double* y = work + order;
  for (int64_t s = 0; s < segments; ++s) {
    const double* a = predictors + s * order;
    for (int64_t t = s * length; t < (s + 1) * length; ++t) {
      double sum = gains[s] * excitation[t];
      for (int i = order - 1; i >= 0; --i) sum += a[i] * y[t - 1 - i];
      y[t] = sum;
      out[t] = static_cast<float>(sum);
    }
  }
  for (int i = 0; i < order; ++i) past[i] = y[segments * length - 1 - i];
}

}  // namespace sharks
