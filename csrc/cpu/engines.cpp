// Which instruction sets this library was built with, which of them this machine has, and which one
// is used.
#include <cstdlib>
#include <string>
#include <vector>

#include "cpu/engine.h"
#include "pdrt/error.h"

namespace pdrt::cpu {

// One table per instruction set built in; csrc/cpu/CMakeLists.txt says which.
#ifdef PDRT_HAVE_AVX512
namespace avx512 {
extern const Engine kEngine;
}
#endif
#ifdef PDRT_HAVE_AVX2
namespace avx2 {
extern const Engine kEngine;
}
#endif
#ifdef PDRT_HAVE_NEON
namespace neon {
extern const Engine kEngine;
}
#endif
namespace portable {
extern const Engine kEngine;
}

namespace {

std::vector<const Engine*> find_engines() {
  std::vector<const Engine*> found;
#if defined(PDRT_HAVE_AVX512) || defined(PDRT_HAVE_AVX2)
  __builtin_cpu_init();
#endif
#ifdef PDRT_HAVE_AVX512
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("fma")) {
    found.push_back(&avx512::kEngine);
  }
#endif
#ifdef PDRT_HAVE_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    found.push_back(&avx2::kEngine);
#endif
#ifdef PDRT_HAVE_NEON
  found.push_back(&neon::kEngine);  // part of every 64-bit Arm
#endif
  found.push_back(&portable::kEngine);
  return found;
}

}  // namespace

const std::vector<const Engine*>& engines() {
  static const std::vector<const Engine*> found = find_engines();
  return found;
}

const Engine& select_engine() {
  const char* wanted = std::getenv("PDRT_ISA");
  if (wanted == nullptr || *wanted == '\0') return *engines().front();
  std::string names;
  for (const Engine* engine : engines()) {
    if (engine->name == wanted) return *engine;
    names += (names.empty() ? "" : ", ") + std::string(engine->name);
  }
  throw DeviceError("PDRT_ISA is \"" + std::string(wanted) +
                    "\", but this library on this machine has: " + names);
}

}  // namespace pdrt::cpu
