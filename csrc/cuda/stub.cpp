// Stands in for the CUDA engine in a build without it.
#include "core/check.h"
#include "cuda/cuda.h"

namespace sharks::cuda {

std::string status() {
  return "this build has no CUDA engine; use device=\"cpu\", or install a build made with SHARKS_CUDA=on";
}
std::string device_name() { return ""; }
int device_index() { refuse(status()); }
void fetch(void*, const void*, size_t) { refuse(status()); }
Latencies probe() { refuse(status()); }

}  // namespace sharks::cuda
