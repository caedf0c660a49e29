// Prints why no GPU can play here, or an empty line; and once more after every line that it reads.
#include <cstdio>

#include "cuda/cuda.h"

int main() {
  for (int c = '\n'; c != EOF; c = std::getchar())
    if (c == '\n') {
      std::puts(sharks::cuda::status().c_str());
      std::fflush(stdout);
    }
}
