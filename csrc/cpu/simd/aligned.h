// A float buffer that starts on a cache line and is zero at birth.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace sharks::cpu {

class Floats {
 public:
  Floats() = default;
  explicit Floats(size_t count)
      : size_(count),
        data_(static_cast<float*>(std::aligned_alloc(kLine, (count * sizeof(float) + kLine) / kLine * kLine))) {
    if (!data_) throw std::bad_alloc();
    std::memset(data_.get(), 0, count * sizeof(float));
  }

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  size_t size() const { return size_; }
  float& operator[](size_t i) { return data_.get()[i]; }
  float operator[](size_t i) const { return data_.get()[i]; }
  void zero() { std::memset(data_.get(), 0, size_ * sizeof(float)); }

 private:
  static constexpr size_t kLine = 64;
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  size_t size_ = 0;
  std::unique_ptr<float, Free> data_;
};

}  // namespace sharks::cpu
