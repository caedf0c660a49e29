// Which instruction sets this build holds and this CPU runs, and which one a model uses.
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/check.h"
#include "cpu/simd/kernels.h"

namespace sharks::cpu {

extern const Kernels kernels_scalar;
#if defined(SHARKS_X86)
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
extern const Kernels kernels_avx512dot;
#elif defined(SHARKS_ARM64)
extern const Kernels kernels_neon;
#endif

namespace {

struct Choices {
  const Kernels* sets[5] = {};
  const char* names[5] = {};

  Choices() {
    int n = 0;
#if defined(SHARKS_X86)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx512 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni"))
      sets[n++] = &kernels_avx512dot;
    if (avx512) sets[n++] = &kernels_avx512;
    if (avx2) sets[n++] = &kernels_avx2;
#elif defined(SHARKS_ARM64)
    sets[n++] = &kernels_neon;
#endif
    sets[n++] = &kernels_scalar;
    for (int i = 0; i < n; ++i) names[i] = sets[i]->isa;
  }
};

const Choices& choices() {
  static const Choices found;
  return found;
}

}  // namespace

const char* const* available_isas() { return choices().names; }

const Kernels& kernels(const char* isa) {
  const char* forced = std::getenv("SHARKS_ISA");
  if (std::strcmp(isa, "auto") == 0) isa = forced && *forced ? forced : choices().names[0];
  std::string known;
  for (const Kernels* const* set = choices().sets; *set; ++set) {
    if (std::strcmp((*set)->isa, isa) == 0) return **set;
    known += std::string(known.empty() ? "" : ", ") + (*set)->isa;
  }
  refuse("SHARKS_ISA is '", isa, "'; this CPU runs ", known);
}

}  // namespace sharks::cpu
