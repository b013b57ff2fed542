// Where buffers of known size and lifetime lie in one block of memory.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

namespace pdrt::plan {

struct Buffer {
  std::size_t bytes = 0;
  int first = std::numeric_limits<int>::max(), last = -1;  // steps during which it is in use
  std::size_t* offset = nullptr;                           // its place, which is set
  bool stays = false;                                      // move_apart leaves it where it is

  bool meets(const Buffer& other) const { return other.first <= last && first <= other.last; }
};

// Largest first, each at the lowest place where nothing that lives at the same time lies. Returns
// where the last one ends.
std::size_t place_low(std::vector<Buffer>& buffers);

// Moves what has been placed within `end` bytes: in order of time, each behind the one before, so
// that as much as possible is written elsewhere before memory is written again.
void move_apart(std::vector<Buffer>& buffers, std::size_t end);

}  // namespace pdrt::plan
