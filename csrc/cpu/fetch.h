// Which cache is asked for weights that are needed later.
#pragma once

namespace pdrt::cpu {

enum class Cache { first_level, second_level };

// The better one on this processor.
Cache cache_to_ask();

}  // namespace pdrt::cpu
