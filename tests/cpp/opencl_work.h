// A piece of work on a device that uses everything csrc/opencl has, and knows what comes out.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "opencl/context.h"
#include "opencl/mapping.h"

namespace opencl_work {

using pdrt::opencl::Buffer;
using pdrt::opencl::Context;
using pdrt::opencl::Event;
using pdrt::opencl::Kernel;
using pdrt::opencl::Queue;

constexpr std::size_t kCount = 64, kBytes = kCount * sizeof(std::int32_t);
using Numbers = std::array<std::int32_t, kCount>;

// Whether every number came out as it should: 3 * (3 * i + 7) + 7, then the fill.
inline bool runs(const Context& context) {
  const Queue queue = context.make_queue(true);
  const Buffer first = context.make_buffer(kBytes);
  const Buffer second = context.make_buffer(kBytes, Context::Memory::mapped);
  Kernel kernel = context.kernel("probe", "probe", "");
  const Kernel other = context.kernel("probe", "probe", "");
  const Kernel shared = other;  // NOLINT(performance-unnecessary-copy-initialization): retains

  Numbers numbers{};
  for (std::size_t i = 0; i < kCount; ++i) numbers[i] = static_cast<std::int32_t>(i);
  const pdrt::opencl::Drain drain(queue);
  queue.write(first, 0, numbers.data(), kBytes, false);
  kernel.set(0, first);
  kernel.set(1, std::int32_t{7});
  Event launched;
  for (int i = 0; i < 2; ++i) queue.launch(kernel, {{kCount, 1, 1}, {1, 1, 1}}, &launched);
  queue.copy(first, 0, second, 0, kBytes);
  queue.fill(second, kBytes - 4, 4, 1);
  queue.flush();
  const Event all = queue.marker();
  all.wait();
  bool right = all.done() && kernel.group_multiple() > 0 && launched.ended() >= launched.started();

  Numbers read{};
  queue.read(second, 0, read.data(), kBytes, true);
  // What the host writes in part of it, the device reads.
  pdrt::opencl::Mapping mapping(queue, second, 8, kBytes - 8);
  auto* const mapped = reinterpret_cast<std::int32_t*>(mapping.data());
  right = right && std::equal(read.begin() + 2, read.end(), mapped);
  const std::int32_t last = std::exchange(mapped[kCount - 3], 5);
  pdrt::opencl::Mapping moved(std::move(mapping));
  right = right && !mapping && moved.covers(12, 4) && !moved.covers(4, 8);  // NOLINT
  moved.unmap();
  Numbers again{};
  queue.copy(second, 0, first, 0, kBytes);
  queue.read(first, 0, again.data(), kBytes, true);
  right =
      right && again[kCount - 1] == 5 && std::equal(again.begin(), again.end() - 1, read.begin());
  queue.finish();
  right = right && read[kCount - 1] == last;
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto n = static_cast<std::int32_t>(i);
    right = right && read[i] == (i + 1 < kCount ? 3 * (3 * n + 7) + 7 : 0x01010101);
  }
  return right;
}

// A folder of this test alone, removed at its end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "pdrt-opencl-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace opencl_work
