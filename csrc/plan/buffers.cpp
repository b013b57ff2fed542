#include "plan/buffers.h"

#include <algorithm>

namespace pdrt::plan {
namespace {

// From `at` on, the lowest place where nothing of `sorted` (by offset, without `buffer`) lies that
// `buffer` meets.
std::size_t free_place(const Buffer& buffer, const std::vector<const Buffer*>& sorted,
                       std::size_t at) {
  for (const Buffer* other : sorted) {
    if (!buffer.meets(*other)) continue;
    if (at + buffer.bytes <= *other->offset) break;
    at = std::max(at, *other->offset + other->bytes);
  }
  return at;
}

void insert(std::vector<const Buffer*>& sorted, const Buffer& buffer) {
  const auto before =
      std::upper_bound(sorted.begin(), sorted.end(), *buffer.offset,
                       [](std::size_t at, const Buffer* b) { return at < *b->offset; });
  sorted.insert(before, &buffer);
}

}  // namespace

std::size_t place_low(std::vector<Buffer>& buffers) {
  std::stable_sort(buffers.begin(), buffers.end(),
                   [](const Buffer& a, const Buffer& b) { return a.bytes > b.bytes; });
  std::size_t end = 0;
  std::vector<const Buffer*> placed;
  for (const Buffer& buffer : buffers) {
    *buffer.offset = free_place(buffer, placed, 0);
    end = std::max(end, *buffer.offset + buffer.bytes);
    insert(placed, buffer);
  }
  return end;
}

void move_apart(std::vector<Buffer>& buffers, std::size_t end) {
  std::stable_sort(buffers.begin(), buffers.end(),
                   [](const Buffer& a, const Buffer& b) { return a.first < b.first; });
  std::vector<const Buffer*> sorted;
  for (const Buffer& buffer : buffers) insert(sorted, buffer);
  std::size_t next = 0;
  for (const Buffer& buffer : buffers) {
    if (buffer.stays) continue;
    sorted.erase(std::find(sorted.begin(), sorted.end(), &buffer));
    std::size_t at = free_place(buffer, sorted, next);
    // There is room: at the latest where it lies.
    if (at + buffer.bytes > end) at = free_place(buffer, sorted, 0);
    *buffer.offset = at;
    insert(sorted, buffer);
    next = at + buffer.bytes;
  }
}

}  // namespace pdrt::plan
