// Asking a cache for what is needed later.
#pragma once

#include "cpu/fetch.h"
#include "cpu/isa/simd.h"

namespace pdrt::cpu::PDRT_ISA {

// with(fetch), where fetch(address) asks this cache for a line.
template <typename With>
PDRT_INLINE void ask_cache(Cache cache, const With& with) {
#if defined(__x86_64__)
  if (cache == Cache::second_level) {
    with([](const float* line) PDRT_LAMBDA { __builtin_prefetch(line, 0, 2); });
    return;
  }
#endif
  with([](const float* line) PDRT_LAMBDA { __builtin_prefetch(line, 0, 3); });
}

}  // namespace pdrt::cpu::PDRT_ISA
