// Prints why no GPU can play here, or an empty line.
#include <cstdio>

#include "cuda/cuda.h"

int main() { std::puts(sharks::cuda::status().c_str()); }
