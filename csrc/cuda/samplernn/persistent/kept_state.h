// A copy of SampleRNN's state on the device, for one that may have to be put back.
#pragma once

#include "cuda/samplernn/net.h"

namespace sharks::cuda::samplernn::persistent {

class KeptState {
 public:
  template <typename W>
  KeptState(const Net<W>& net, const SampleRNNState& state)
      : history_{state.history, static_cast<size_t>(state.B) * static_cast<size_t>(net.lookback())},
        h_{state.h,
           static_cast<size_t>(net.tiers * net.layers) * static_cast<size_t>(state.B) * static_cast<size_t>(net.Dp)},
        c_{state.c, state.c ? h_.count : 0} {}

  void keep(Stream stream) {
    history_.keep(stream);
    h_.keep(stream);
    c_.keep(stream);
  }
  void put_back(Stream stream) const {
    history_.put_back(stream);
    h_.put_back(stream);
    c_.put_back(stream);
  }

 private:
  template <typename T>
  struct Part {
    T* played;
    size_t count;
    Array<T> kept = {};

    void keep(Stream stream) {
      if (kept.size() != count) kept = Array<T>(count);
      copy(kept.data(), played, count * sizeof(T), stream);
    }
    void put_back(Stream stream) const { copy(played, kept.data(), count * sizeof(T), stream); }
  };
  Part<int32_t> history_;
  Part<float> h_, c_;
};

}  // namespace sharks::cuda::samplernn::persistent
