#include "cpu/processor.h"

namespace pdrt::cpu {
namespace {

// AMD family 25. Zen 3 belongs to it, too, has no AVX-512, and was not measured.
bool is_zen4() {
#if defined(__x86_64__)
  static const bool found = [] {
    __builtin_cpu_init();
    return __builtin_cpu_is("amdfam19h") != 0;
  }();
  return found;
#else
  return false;
#endif
}

}  // namespace

// On Zen 4 few lines can be under way to the first-level cache at once: scattered ones arrive from
// memory at 6 to 8 GB/s, and at 13 to 20 in the second-level cache. Zen 5 is the other way round,
// see bench/NOTES.md.
Cache cache_to_ask() {
  static const Cache cache = is_zen4() ? Cache::second_level : Cache::first_level;
  return cache;
}

// Zen 4: 6.5 to 9.5 ns a line, 0.7 once it has left their second-level caches. Zen 5: 1.5 ns. Not
// measured elsewhere.
bool shared_lines_are_dear() { return is_zen4(); }

// See bench/NOTES.md: 32 planes of 112x112 by seven rows, Zen 4 154 -> 189 us, Zen 5 85 -> 70.
bool many_streams_are_slow() { return is_zen4(); }

// Two units of 64 bytes; Zen 4 has two of 32. Arm's cores differ, and none was measured: they
// get what the costs in plan/ were fitted to.
double multiply_adds_per_cycle(const Engine& engine) {
  const bool halves = engine.name == "avx2" || (engine.name == "avx512" && is_zen4());
  return halves ? 1 : 2;
}

// See convolve.cpp: 16 or 8 kernels of a panel there, six or fewer elsewhere.
bool has_wide_tiles(const Engine& engine) { return engine.name == "avx512"; }

}  // namespace pdrt::cpu
