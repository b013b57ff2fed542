#include "model/cache_folder.h"

#include <cstdlib>

namespace pdrt {

std::string cache_folder(const std::string& chosen) {
  if (!chosen.empty()) return chosen;
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (std::string own = variable("PDRT_CACHE_DIR"); !own.empty()) return own;
  if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty()) return cache + "/pdrt";
  if (const std::string home = variable("HOME"); !home.empty()) return home + "/.cache/pdrt";
  return {};
}

}  // namespace pdrt
