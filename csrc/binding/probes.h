// What this machine has: its instruction sets, and how fast it reads, multiplies and waits at most.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "binding/arrays.h"

namespace sharks::binding {

// Seconds to read `bytes` of memory once, the best of `rounds` passes.
double probe_read(size_t bytes, int rounds);

// Multiply-adds per second on registers alone, the best of `rounds` tries.
double probe_multiply(const std::string& dtype, int rounds);

// What the GPU needs, in clocks, for steps that wait for each other.
py::dict probe_gpu();

// Instruction sets that this build holds and this CPU runs, best first.
std::vector<std::string> isas();

}  // namespace sharks::binding
