// Which strips of SampleRNN's weights go to which block, and where they lie there, on random shapes: every row is
// multiplied once and by the right weights, no block takes more shared memory than it has, and what finds no room there
// is read from device memory. Faults made on purpose must be found, each in every shape.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "cuda/products/strip_matrix.h"
#include "cuda/samplernn/persistent/residence.h"
#include "expect.h"

namespace {

using namespace sharks::cuda;
using namespace sharks::cuda::samplernn;
using namespace sharks::cuda::samplernn::persistent;

enum class Fault {
  kNone,
  kDropped,   // a block forgets the last channels of a slice
  kTwice,     // a block takes its neighbour's first channels, too
  kUncopied,  // a strip in shared memory was not filled
  kSwapped,   // two strips of a slice have changed places
  kTight,     // a block takes more shared memory than it has
};

// Whole numbers that both types of weights hold, so that every sum is exact.
class Chance {
 public:
  explicit Chance(uint32_t seed) : engine_(seed) {}
  int between(int low, int high) { return low + static_cast<int>(engine_() % static_cast<uint32_t>(high - low + 1)); }
  int no_zero(int most) { return between(1, most) * (between(0, 1) ? 1 : -1); }

 private:
  std::mt19937 engine_;
};

template <typename W>
class Case {
 public:
  explicit Case(uint32_t seed) : chance_(seed) {
    net_.Dp = 8 * chance_.between(1, 30), net_.D = net_.Dp, net_.Q = chance_.between(2, 300);
    net_.tiers = chance_.between(1, 3), net_.layers = chance_.between(1, 2), net_.gates = chance_.between(3, 4);
    net_.longest = 4 * chance_.between(1, 8);
    net_.cell = net_.gates == 4 ? Cell::kLstm : Cell::kGru;
    for (int count = chance_.between(2, 6); count > 0; --count) add_product();
    net_.product = table_.data();
    net_.products = static_cast<int>(table_.size());
    deal();
  }

  // Whether all is as it should be, with this fault made on the way; and whether there was anything to make it of.
  bool right(Fault fault, bool& made) const {
    std::vector<std::vector<int>> times;
    for (const Product& product : table_) times.emplace_back(product.gates * product.gate_stride * kStripRows);
    made = fault == Fault::kNone;
    bool good = true;
    for (int block = 0; block < crew_.blocks; ++block) good = block_is_right(block, fault, made, times) && good;
    for (const std::vector<int>& rows : times)
      good = good && std::all_of(rows.begin(), rows.end(), [](int n) { return n == 1; });
    return good;
  }

  bool streams_and_keeps() const { return streamed_ && kept_; }

 private:
  // Rows of a product's slot: gates of Dp channels each, or the levels. Slots lie behind one another in one matrix.
  void add_product() {
    const bool levels = table_.empty();
    const int gates = levels ? 1 : chance_.between(1, 4), rows = levels ? net_.Q : gates * net_.Dp;
    const int columns = chance_.between(1, 140), slots = levels ? 1 : chance_.between(1, 3);
    sharks::Dense dense(rows * slots, columns);
    for (int r = 0; r < dense.rows(); ++r)
      for (int c = 0; c < columns; ++c) dense.at(r, c) = chance_.no_zero(60);
    const int slot = chance_.between(0, slots - 1);
    matrices_.emplace_back(dense, sizeof(W) == 2 ? Precision::kFloat16 : Precision::kFloat32);
    const StripMatrix& matrix = matrices_.back();
    const int strips = (rows + kStripRows - 1) / kStripRows;
    table_.push_back({matrix.data(slot * strips), matrix.k_steps(), gates, strips / gates,
                      levels                  ? Product::kLevels
                      : chance_.between(0, 1) ? Product::kTierChannels
                                              : Product::kSampleChannels});
    dense_.push_back(std::move(dense));
    first_row_.push_back(slot * rows);
    rows_.push_back(rows);
  }

  // Blocks, streams, and a shared memory that holds the desk and some of the weights.
  void deal() {
    const int strips = net_.channel_strips(), S = chance_.between(1, kStripStreams);
    if (strips >= 16 && chance_.between(0, 1)) {
      const int blocks = 16 * chance_.between(2, 3);
      crew_ = {blocks, S, {16, std::min(blocks - 16, strips)}, {0, 16}, 16};
    } else {
      const int blocks = chance_.between(1, strips);
      crew_ = {blocks, S, {0, blocks}, {0, blocks}, 1};
    }
    size_t most = 0, weights = 0;
    for (int block = 0; block < crew_.blocks; ++block) {
      const Ownership own(net_, crew_, block);
      most = std::max(most, Desk<W>(nullptr, net_, own, links(), crew_.cluster > 1).used);
    }
    for (const StripMatrix& matrix : matrices_) weights += matrix.bytes();
    const size_t each = weights / static_cast<size_t>(crew_.blocks);
    shared_bytes_ = (most + each * static_cast<size_t>(chance_.between(0, 10)) / 10) / 16 * 16;
  }

  Links links() const { return {net_.Dp, net_.layers, net_.tiers, net_.hidden_count, crew_.S, crew_.sample.count}; }

  bool block_is_right(int index, Fault fault, bool& made, std::vector<std::vector<int>>& times) const {
    constexpr size_t kBeyond = 1 << 16;  // what is behind the shared memory
    constexpr unsigned char kUntouched = 0xA5;
    std::vector<Four> memory((shared_bytes_ + kBeyond) / sizeof(Four));
    std::memset(memory.data(), kUntouched, memory.size() * sizeof(Four));
    unsigned char* shared = reinterpret_cast<unsigned char*>(memory.data());
    const Block block{index, crew_.blocks, kStripThreads, shared, nullptr};
    const Ownership own(net_, crew_, index);
    const Desk<W> desk(shared, net_, own, links(), crew_.cluster > 1);
    look_up_slices(block, net_, own, desk);
    for (int i = 0; i < net_.products && !made; ++i) made = spoil_slice(fault, desk.slices[i], share_of_block(own, i));
    const size_t told = shared_bytes_ + (fault == Fault::kTight ? kBeyond : 0);
    keep_slices(block, net_, desk, told);
    for (int i = 0; i < net_.products && !made; ++i) made = spoil_copy(fault, desk.slices[i], shared);
    bool good = true;
    size_t used = desk.used;
    for (int i = 0; i < net_.products; ++i) {
      const Slice<W>& slice = desk.slices[i];
      const size_t bytes = static_cast<size_t>(slice.strips() * slice.k_steps * kStripStep) * sizeof(W);
      const bool here = inside(slice.weights, shared, memory.size() * sizeof(Four));
      if (here) {  // in the table's order, one behind the other
        good = good && reinterpret_cast<const unsigned char*>(slice.weights) == shared + used;
        used += bytes;
      } else {
        good = good && (bytes == 0 || used + bytes > shared_bytes_);  // streamed only for want of room
        good = good && inside(slice.weights, matrices_[static_cast<size_t>(i)]);
      }
      (here ? kept_ : streamed_) |= bytes > 0;
      good = count_rows(i, share_of_block(own, i), slice, times[static_cast<size_t>(i)]) && good;
    }
    if (fault == Fault::kTight) made = made || used > shared_bytes_;
    return good && used <= shared_bytes_ &&
           std::all_of(shared + shared_bytes_, shared + shared_bytes_ + kBeyond,
                       [](unsigned char byte) { return byte == kUntouched; });
  }

  Share share_of_block(const Ownership& own, int product) const {
    const Product::Owner owner = table_[static_cast<size_t>(product)].owner;
    return owner == Product::kTierChannels ? own.channels : owner == Product::kLevels ? own.levels : own.hidden;
  }

  static bool inside(const void* pointer, const void* start, size_t bytes) {
    const auto at = reinterpret_cast<uintptr_t>(pointer), begin = reinterpret_cast<uintptr_t>(start);
    return at >= begin && at < begin + bytes;
  }
  static bool inside(const void* pointer, const StripMatrix& matrix) {
    return inside(pointer, matrix.data(), matrix.bytes() + 1);  // an empty slice may begin at the end
  }

  // Multiply as the kernel does, and as the matrix says; count who computed which row.
  bool count_rows(int product, const Share& share, const Slice<W>& slice, std::vector<int>& times) const {
    const sharks::Dense& dense = dense_[static_cast<size_t>(product)];
    const int S = crew_.S, columns = dense.cols();
    const int stride = table_[static_cast<size_t>(product)].gate_stride * kStripRows;
    Chance chance(static_cast<uint32_t>(product));
    std::vector<Four> operand(static_cast<size_t>(operand_floats(columns, S)) / 4), partial(partial_floats(S) / 4);
    std::vector<int> inputs(static_cast<size_t>(columns * S));
    for (int i = 0; i < columns * S; ++i) {
      inputs[static_cast<size_t>(i)] = chance.no_zero(3);
      put<W>(operand[0].value, S, i / S, i % S, static_cast<float>(inputs[static_cast<size_t>(i)]));
    }
    bool good = true;
    const Block block{0, 1, kStripThreads, nullptr, nullptr};
    const auto weight_at = [&](int row, int column) {
      const bool real = row < rows_[static_cast<size_t>(product)];
      return real ? dense.at(first_row_[static_cast<size_t>(product)] + row, column) : 0.0;
    };
    multiply(block, slice, operand[0].value, S, partial[0].value, [&](int gate, int channel, int s, float sum) {
      const int row = gate * stride + share.first * kStripRows + channel;
      double wanted = 0;
      for (int c = 0; c < columns; ++c) wanted += weight_at(row, c) * inputs[static_cast<size_t>(c * S + s)];
      good = good && static_cast<double>(sum) == wanted;
      good = good && static_cast<double>(weight(slice, gate, channel, columns - 1)) == weight_at(row, columns - 1);
      if (s == 0 && row < static_cast<int>(times.size())) ++times[static_cast<size_t>(row)];
    });
    return good;
  }

  // ---- faults ----

  static bool spoil_slice(Fault fault, Slice<W>& slice, const Share& share) {
    if (fault == Fault::kDropped && slice.channels > 0) return --slice.channels, true;
    if (fault == Fault::kTwice && slice.channels > 0 && share.first + share.count < slice.gate_stride)
      return ++slice.channels, true;
    return false;
  }

  bool spoil_copy(Fault fault, const Slice<W>& slice, const unsigned char* shared) const {
    const size_t strip = static_cast<size_t>(slice.k_steps * kStripStep);
    if (!inside(slice.weights, shared, shared_bytes_) || slice.strips() == 0) return false;
    W* last = const_cast<W*>(slice.strip(slice.strips() - 1));
    if (fault == Fault::kUncopied) return std::memset(last, 0, strip * sizeof(W)), true;
    if (fault != Fault::kSwapped || slice.strips() < 2) return false;
    std::swap_ranges(last, last + strip, const_cast<W*>(slice.strip(0)));
    return true;
  }

  Chance chance_;
  Net<W> net_{};
  Crew crew_{};
  size_t shared_bytes_ = 0;
  std::vector<StripMatrix> matrices_;
  std::vector<sharks::Dense> dense_;
  std::vector<int> first_row_, rows_;
  std::vector<Product> table_;
  mutable bool streamed_ = false, kept_ = false;
};

template <typename W>
void every_strip_has_one_place() {
  constexpr Fault kFaults[] = {Fault::kDropped, Fault::kTwice, Fault::kUncopied, Fault::kSwapped, Fault::kTight};
  int both = 0, made[std::size(kFaults)] = {};
  for (uint32_t seed = 1; seed <= 24; ++seed) {
    const Case<W> one(seed);
    bool any = false;
    EXPECT(one.right(Fault::kNone, any));
    both += one.streams_and_keeps();
    for (size_t i = 0; i < std::size(kFaults); ++i) {
      bool was_made = false;
      const bool right = one.right(kFaults[i], was_made);
      EXPECT(right == !was_made);
      made[i] += was_made;
    }
  }
  EXPECT(both > 8);
  for (int count : made) EXPECT(count > 8);
}

}  // namespace

int main() {
  every_strip_has_one_place<float>();
  every_strip_has_one_place<Half>();
  return sharks::test::failures() != 0;
}
