// The size of what the CPU keeps of a toy.
#include "cpu/toy/net.h"

#include <algorithm>

namespace sharks::cpu {

size_t Toy::heaviest() const { return std::max(packed_bytes(recurrent), packed_bytes(out)); }

}  // namespace sharks::cpu
