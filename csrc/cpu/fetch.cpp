#include "cpu/fetch.h"

namespace pdrt::cpu {
namespace {

// On Zen 4 (AMD family 25) few lines can be under way to the first-level cache at once: scattered
// ones arrive from memory at 6 to 8 GB/s, and at 13 to 20 in the second-level cache. Zen 5 is the
// other way round, see bench/NOTES.md; Zen 3, of the same family, was not measured.
Cache find_cache() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_is("amdfam19h")) return Cache::second_level;
#endif
  return Cache::first_level;
}

}  // namespace

Cache cache_to_ask() {
  static const Cache cache = find_cache();
  return cache;
}

}  // namespace pdrt::cpu
