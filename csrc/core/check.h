// One way to refuse: SHARKS_CHECK(condition, "name is ", got, "; wanted ", wanted) throws std::invalid_argument.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace sharks {

template <typename... Parts>
[[noreturn]] inline void refuse(const Parts&... parts) {
  std::ostringstream sentence;
  (sentence << ... << parts);
  throw std::invalid_argument(sentence.str());
}

}  // namespace sharks

#define SHARKS_CHECK(condition, ...)                 \
  do {                                               \
    if (!(condition)) ::sharks::refuse(__VA_ARGS__); \
  } while (false)
