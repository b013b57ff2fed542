// For loops that look for what another thread does.
#pragma once

namespace pdrt::cpu {

// A moment in which a thread on the same core gets more of it.
inline void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace pdrt::cpu
