// Asking a cache for what is needed later.
#pragma once

#include "cpu/isa/simd.h"
#include "cpu/processor.h"

namespace pdrt::cpu::PDRT_ISA {

template <Cache kInto>
struct Fetch {
  static constexpr Cache kCache = kInto;
  inline __attribute__((always_inline)) void operator()(const float* line) const {
    __builtin_prefetch(line, 0, kInto == Cache::second_level ? 2 : 3);
  }
};

// with(fetch), where fetch(address) asks this cache for a line.
template <typename With>
PDRT_INLINE void ask_cache(Cache cache, const With& with) {
#if defined(__x86_64__)
  if (cache == Cache::second_level) return with(Fetch<Cache::second_level>());
#endif
  with(Fetch<Cache::first_level>());
}

}  // namespace pdrt::cpu::PDRT_ISA
