// Buffers of known lifetimes in one block of memory: none lies on another that lives at the same
// time, and those that move apart write as much as there is room for before they write again.
#include <cstddef>
#include <vector>

#include "check.h"
#include "plan/buffers.h"
#include "planes.h"

namespace {

using pdrt::plan::Buffer;
using planes::Random;

struct Buffers {
  std::vector<Buffer> buffers;
  std::vector<std::size_t> offsets;

  explicit Buffers(const std::vector<Buffer>& lifetimes)
      : buffers(lifetimes), offsets(lifetimes.size(), 0) {
    for (std::size_t i = 0; i < buffers.size(); ++i) buffers[i].offset = &offsets[i];
  }

  void check_apart(std::size_t end) const {
    for (const Buffer& a : buffers) {
      CHECK(*a.offset + a.bytes <= end);
      for (const Buffer& b : buffers) {
        const bool same_time = a.first <= b.last && b.first <= a.last;
        const bool same_place = *a.offset < *b.offset + b.bytes && *b.offset < *a.offset + a.bytes;
        CHECK(a.offset == b.offset || !same_time || !same_place);
      }
    }
  }
};

void test_random() {
  Random random(3);
  for (int turn = 0; turn < 300; ++turn) {
    std::vector<Buffer> lifetimes(static_cast<std::size_t>(random.between(1, 40)));
    for (Buffer& buffer : lifetimes) {
      buffer.bytes =
          64 * static_cast<std::size_t>(random.between(1, random.chance(0.2) ? 500 : 30));
      buffer.first = random.between(-1, 40);
      buffer.last = buffer.first + random.between(0, random.chance(0.2) ? 40 : 3);
      buffer.stays = random.chance(0.2);
    }
    Buffers all(lifetimes);
    const std::size_t end = place_low(all.buffers);
    all.check_apart(end);
    const std::vector<std::size_t> low = all.offsets;
    move_apart(all.buffers, end);
    all.check_apart(end);
    for (std::size_t i = 0; i < low.size(); ++i) {
      CHECK(!lifetimes[i].stays || all.offsets[i] == low[i]);
    }
  }
}

// Ten layers one after the other where the first needs room for four: those behind it go around.
void test_turns() {
  std::vector<Buffer> lifetimes{{400, 0, 1, nullptr}};
  for (int step = 2; step < 12; ++step) lifetimes.push_back({100, step, step + 1, nullptr});
  Buffers layers(lifetimes);
  const std::size_t end = place_low(layers.buffers);
  CHECK(end == 400);
  for (std::size_t i = 1; i < 11; ++i) CHECK(layers.offsets[i] == (i % 2 == 1 ? 0u : 100u));
  move_apart(layers.buffers, end);
  for (std::size_t i = 1; i < 11; ++i) CHECK(layers.offsets[i] == (i - 1) % 4 * 100);
}

}  // namespace

int main() {
  test_random();
  test_turns();
  return check::report();
}
