// What can go wrong between blocks that wait for each other, and how long they wait: never for ever.
#pragma once

#include <cstdint>

namespace sharks::cuda {

// Trouble that a kernel writes into its word and stops for. Zero: none.
enum Trouble : int32_t {
  kNoTrouble = 0,
  kWaitedTooLong = 1,  // an exchange between blocks did not come within kPatience
  kTooFewCame = 2,     // not all blocks came to the opening of a launch (exchange/opening.h): it has changed nothing
};

// Wall time after which a wait is given up; sanitizers slow kernels down a hundredfold and want more.
#ifndef SHARKS_PATIENCE_SECONDS
#define SHARKS_PATIENCE_SECONDS 5
#endif
constexpr uint64_t kPatience = uint64_t{SHARKS_PATIENCE_SECONDS} * 1000000000u;  // nanoseconds

// At the opening of a launch, where giving up costs no more than a second launch; later it costs the state. Long enough
// for what another program does at a time.
constexpr uint64_t kOpeningPatience = kPatience / 5;

}  // namespace sharks::cuda
