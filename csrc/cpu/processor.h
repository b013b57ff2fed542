// What is known of the processor at hand, beside its instruction sets.
#pragma once

#include "cpu/engine.h"

namespace pdrt::cpu {

enum class Cache { first_level, second_level };

// The better one to ask for weights that are needed later.
Cache cache_to_ask();

// Whether a line that two cores have read takes long to be written by one of them again.
bool shared_lines_are_dear();

// Whether far caches give a plane sooner from its begin to its end than by several rows at once.
bool many_streams_are_slow();

// Vectors of kLanes floats that one core multiplies and adds in a cycle with this engine's
// instructions.
double multiply_adds_per_cycle(const Engine& engine);

// Whether its convolutions compute at least half of a panel's kernels at once.
bool has_wide_tiles(const Engine& engine);

}  // namespace pdrt::cpu
