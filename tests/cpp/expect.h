// EXPECT(condition): a line for every expectation that fails; failures() is a program's exit status.
#pragma once

#include <atomic>
#include <cstdio>

namespace sharks::test {

inline std::atomic<int>& failures() {
  static std::atomic<int> count{0};
  return count;
}

}  // namespace sharks::test

#define EXPECT(...)                                                          \
  do {                                                                       \
    if (!(__VA_ARGS__)) {                                                    \
      std::printf("%s:%d: expected %s\n", __FILE__, __LINE__, #__VA_ARGS__); \
      ++::sharks::test::failures();                                          \
    }                                                                        \
  } while (false)
