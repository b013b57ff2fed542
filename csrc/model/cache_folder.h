// Where pdrt keeps what depends on the machine: measured costs, built programs.
#pragma once

#include <string>

namespace pdrt {

// `chosen`, or $PDRT_CACHE_DIR, or pdrt/ in $XDG_CACHE_HOME or in ~/.cache. Empty where none of
// them is known.
std::string cache_folder(const std::string& chosen);

}  // namespace pdrt
