#include "opencl/handle.h"

#include <atomic>

namespace pdrt::opencl {
namespace {

std::atomic<std::int64_t> alive{0};

}  // namespace

std::int64_t live_objects() { return alive.load(); }
void count_objects(std::int64_t change) noexcept { alive.fetch_add(change); }

}  // namespace pdrt::opencl
