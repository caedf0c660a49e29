// Mistakes made on purpose: what looks for them must find them. `faults NAME` commits one, and only reaches its end
// where nobody looked.
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

volatile int zero = 0;  // which the compiler does not know

void past_the_end() {
  std::vector<int> row(4, 1);
  volatile int* places = row.data();
  places[4 + zero] = 1;
}

void overflow() {
  volatile int most = INT_MAX;
  most = most + 1 + zero;
}

void race() {
  long shared = 0;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) *const_cast<volatile long*>(&shared) = i;
  });
  for (int i = 0; i < 1000; ++i) *const_cast<volatile long*>(&shared) = i;
  other.join();
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void new_instruction() {
  volatile __m256i sum = _mm256_add_epi32(_mm256_set1_epi32(zero), _mm256_set1_epi32(1));
  static_cast<void>(sum);
}
#else
void new_instruction() {}
#endif

}  // namespace

int main(int count, char** words) {
  const char* fault = count > 1 ? words[1] : "";
  if (std::strcmp(fault, "past-the-end") == 0)
    past_the_end();
  else if (std::strcmp(fault, "overflow") == 0)
    overflow();
  else if (std::strcmp(fault, "race") == 0)
    race();
  else if (std::strcmp(fault, "new-instruction") == 0)
    new_instruction();
  else
    return std::fprintf(stderr, "faults: which one?\n"), 2;
  std::puts("nobody looked");
  return 0;
}
