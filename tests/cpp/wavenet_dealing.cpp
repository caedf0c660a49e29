// How the work of the WaveNet pipeline is dealt to blocks, and how words come from one to the other, or are given up.
#include <algorithm>
#include <vector>

#include "cuda/device/launch.h"
#include "cuda/wavenet/pipeline/layout.h"
#include "expect.h"

namespace {

using namespace sharks::cuda;
using namespace sharks::cuda::wavenet;
using namespace sharks::cuda::wavenet::pipeline;

// ---- who does what ----

// Roles of one kind must deal out all of `total`, in order, nothing twice.
bool covers(const WaveNetLayout& layout, Role::Kind kind, int total, int blocks) {
  int next = 0, count = 0;
  for (const Role& role : layout.roles) {
    if (role.kind != kind) continue;
    if (role.first != next || role.count < 1) return false;
    next += role.count, ++count;
  }
  return next == total && count == blocks;
}

// A model whose weights nobody looks at.
template <typename T>
PackedWaveNet eleven_layers() {
  PackedWaveNet net;
  WaveNetShape& s = net.shape;
  s.L = 11, s.R = 19, s.D = 21, s.S = 200, s.E = 130, s.Q = 256, s.K = 3, s.taps = 2;
  s.Rt = tiles_of(s.R), s.Dt = tiles_of(s.D), s.St = tiles_of(s.S), s.Et = tiles_of(s.E), s.Qt = tiles_of(s.Q);
  net.layer_bytes = LayerWeights<T>::bytes(s);
  net.skip = {0, 0, s.St, s.L * s.Dt}, net.head = {0, 0, s.Et, s.St}, net.draw = {0, 0, s.Qt, s.Et};
  return net;
}

template <typename T>
void all_work_is_dealt_out_once() {
  const PackedWaveNet net = eleven_layers<T>();
  int found = 0, fewest_chain = 1000;
  for (size_t shared = 8 << 10; shared <= 512 << 10; shared += 8 << 10)
    for (int blocks : {3, 4, 8, 16, 40, 132})
      for (int cluster : {1, 8, 16}) {
        const auto layout = lay_out<T>(net, {shared, blocks, cluster, cluster > 1 ? 2 : 0});
        if (!layout) continue;
        ++found;
        EXPECT(layout->shared_bytes <= shared);
        EXPECT(layout->blocks() % cluster == 0 && (cluster > 1 || layout->blocks() <= blocks));
        EXPECT(covers(*layout, Role::kChain, net.shape.L, layout->chain_blocks));
        EXPECT(covers(*layout, Role::kHead, net.head.rows, layout->head_blocks));
        EXPECT(covers(*layout, Role::kDraw, net.draw.rows, layout->draw_blocks));
        EXPECT(covers(*layout, Role::kSkip, net.skip.rows, layout->skip_blocks));
        for (const Role& role : layout->roles)
          EXPECT(role.kind != Role::kSkip || role.count <= layout->threads / kWarp);
        const WaveNetLinks& links = layout->links;
        EXPECT(cluster > 1 || (links.last_z.near < 0 && links.skip.near < 0));
        EXPECT(cluster > 1 || (links.head.near < 0 && links.best.near < 0));
        EXPECT(layout->blocks() != cluster || (links.last_z.near == 0 && links.skip.near == 0 && links.best.near == 0));
        fewest_chain = std::min(fewest_chain, layout->chain_blocks);
      }
  EXPECT(found > 100 && fewest_chain == 1);
  EXPECT(!lay_out<T>(net, {512 << 10, 3, 1, 0}));
  EXPECT(!lay_out<T>(net, {1 << 10, 132, 1, 0}));
}

// ---- links ----

// Block 0 sends 20 words with number 7, all but `missing`; blocks 1 and 2 take them if they wait for that number.
struct Sending {
  static constexpr int kThreads = 64;
  WaveNetLinks links;
  int missing;
  uint32_t awaited;
  int32_t* trouble;
  uint32_t* taken;   // [2, 20]
  int32_t* gave_up;  // [3]
  uint32_t* flags;

  void operator()(const Block& block) const {
    const Neighbourhood here{block, links, block.index};
    block.each(2 * 20, [&](int i) { static_cast<uint64_t*>(block.shared)[i] = 0; });
    if (!meet(block, links.cluster, flags, 1, trouble)) return;
    const Link link{3, links.together(0, 2) ? 20 : -1, 20, 1, 2};  // near: the places of slot 0 begin at word 20
    const Address address{1, 0, 7};
    if (block.index == 0) {
      const Outlet to(here, link, address);
      block.each(20, [&](int i) {
        if (i != missing) to.put(i, static_cast<uint32_t>(100 + i));
      });
    } else if (block.index <= 2) {
      const bool came = receive(here, link, 20, {1, 0, awaited}, trouble,
                                [&](int at, uint32_t bits) { taken[(block.index - 1) * 20 + at] = bits; });
      gave_up[block.index] = !block.agree(came);
    }
    meet(block, links.cluster, flags, 2, trouble);
  }
};

void words_come_or_are_given_up(int cluster) {
  for (int missing : {-1, 0, 19})
    for (uint32_t awaited : {7u, 8u}) {
      std::vector<uint64_t> words(2 * 32);
      std::vector<uint32_t> taken(40), flags(4);
      std::vector<int32_t> gave_up(3);
      int32_t trouble = kNoTrouble;
      WaveNetLinks links{};
      links.words = words.data(), links.per_group = 32, links.cluster = cluster;
      const Grid grid{cluster == 1 ? 3 : 4, 64, 4096, true, cluster};
      launch(grid, Sending{links, missing, awaited, &trouble, taken.data(), gave_up.data(), flags.data()}, nullptr);
      const bool comes = missing < 0 && awaited == 7;
      EXPECT(trouble == (comes ? kNoTrouble : kWaitedTooLong));
      EXPECT(gave_up[1] == !comes && gave_up[2] == !comes);
      for (uint32_t i = 0; i < 40 && comes; ++i) EXPECT(taken[i] == 100 + i % 20);
      EXPECT((words[32 + 3] != 0) == (cluster == 1 && missing != 0));  // near words take no way through device memory
    }
}

}  // namespace

int main() {
  all_work_is_dealt_out_once<float>();
  all_work_is_dealt_out_once<Half>();
  words_come_or_are_given_up(1);
  words_come_or_are_given_up(4);
  return sharks::test::failures() != 0;
}
