// Which driver serves a build: majors count.
#include "cuda/device/driver.h"

#include <cstring>

#include "expect.h"

using sharks::cuda::driver_serves;
using sharks::cuda::oldest_driver;

int main() {
  EXPECT(driver_serves(13000, 13000));
  EXPECT(driver_serves(13000, 13010));  // minor versions do not count
  EXPECT(driver_serves(12000, 12090));
  EXPECT(driver_serves(13000, 12090));
  EXPECT(!driver_serves(12090, 13000));
  EXPECT(!driver_serves(11080, 12000));
  EXPECT(std::strcmp(oldest_driver(13000), "580") == 0);
  EXPECT(std::strcmp(oldest_driver(12090), "525") == 0);
  return sharks::test::failures() != 0;
}
