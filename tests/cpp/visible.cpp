// Which GPU a process takes: what launchers say, and what they cannot have meant.
#include "cuda/device/visible.h"

#include "expect.h"

using sharks::cuda::gpu_of_process;

int main() {
  EXPECT(gpu_of_process(8, nullptr, nullptr) == 0);
  EXPECT(gpu_of_process(8, "0", nullptr) == 0);
  EXPECT(gpu_of_process(8, "5", nullptr) == 5);
  EXPECT(gpu_of_process(8, nullptr, "5") == 5);
  EXPECT(gpu_of_process(8, "3", "5") == 3);
  EXPECT(gpu_of_process(4, "4", nullptr) == 0);
  EXPECT(gpu_of_process(4, "2147483647", nullptr) == 3);
  EXPECT(gpu_of_process(1, "7", nullptr) == 0);
  EXPECT(gpu_of_process(0, "7", nullptr) == 0);
  for (const char* nonsense : {"", " 3", "3 ", "+3", "-3", "3.0", "0x3", "three", "99999999999999999999"}) {
    EXPECT(gpu_of_process(8, nonsense, nullptr) == 0);
    EXPECT(gpu_of_process(8, nonsense, "5") == 5);
    EXPECT(gpu_of_process(8, nullptr, nonsense) == 0);
  }
  return sharks::test::failures() != 0;
}
