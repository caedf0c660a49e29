// The GPU as the host sees it: memory, streams, errors. device.cu speaks to CUDA; device_emulated.cpp lets a CPU play
// the GPU for the tests. Everything here may throw std::runtime_error with what CUDA said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sharks::cuda {

using Stream = void*;  // cudaStream_t

// What decides which plan a model gets.
struct Device {
  std::string name;
  int capability = 0;         // 10 major + minor: 75, 80, 86, 89, 90, ...
  int processors = 0;         // streaming multiprocessors
  size_t shared_bytes = 0;    // that one block may ask for
  size_t resident_bytes = 0;  // registers and shared memory of all processors
  uint64_t patience = 0;      // nanoseconds that blocks wait for each other before a launch begins, see opening.h
  bool emulated = false;
};

// The GPU has no room for what is to run on it at once; nothing has begun. what() is the plan's name, or CUDA's words.
struct NoRoom : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The GPU that plays: visible.h says which. Throws where there is none.
const Device& device();

// While it lives, this thread's CUDA calls go to one GPU, the one that plays unless another is named, whichever the
// caller's program had chosen.
class OnDevice {
 public:
  OnDevice();
  explicit OnDevice(int index);
  ~OnDevice();
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  const int index_;
  int before_ = 0;
};

// Device memory, zeroed at birth.
class Memory {
 public:
  Memory() = default;
  explicit Memory(size_t bytes);
  void* data() const { return data_.get(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(void* p) const;
  };
  std::unique_ptr<void, Free> data_;
  size_t bytes_ = 0;
};

// Copies from and to the memory of host or device, whichever: ordered by `stream`, and complete when they return.
// `rows` rows of `bytes` each, which lie so many bytes apart.
void copy(void* to, const void* from, size_t bytes, Stream stream);
void copy_rows(void* to, size_t to_stride, const void* from, size_t from_stride, size_t bytes, size_t rows,
               Stream stream);

void clear(void* data, size_t bytes, Stream stream);

// `count` values of T in device memory.
template <typename T>
class Array {
 public:
  Array() = default;
  explicit Array(size_t count) : memory_(count * sizeof(T)), size_(count) {}
  explicit Array(const std::vector<T>& values) : Array(values.size()) { upload(values.data(), nullptr); }

  T* data() const { return static_cast<T*>(memory_.data()); }
  size_t size() const { return size_; }
  void upload(const T* from, Stream stream) { copy(data(), from, size_ * sizeof(T), stream); }
  void download(T* to, Stream stream) const { copy(to, data(), size_ * sizeof(T), stream); }
  void zero(Stream stream) { clear(data(), size_ * sizeof(T), stream); }

 private:
  Memory memory_;
  size_t size_ = 0;
};

// Plain records in device memory, for a kernel that knows their type.
template <typename T>
Memory uploaded(const std::vector<T>& records) {
  Memory memory(records.size() * sizeof(T));
  copy(memory.data(), records.data(), memory.bytes(), nullptr);
  return memory;
}

// A stream of the player's own: what is put into it happens in order.
class OwnStream {
 public:
  OwnStream();
  ~OwnStream();
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;
  operator Stream() const { return stream_; }

 private:
  Stream stream_ = nullptr;
};

// The caller's stream: a cudaStream_t of the GPU that plays, 0 for its default stream. It must outlive its use.
Stream callers_stream(void* handle);

}  // namespace sharks::cuda
