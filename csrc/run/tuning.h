// Costs measured on this machine, kept in a file between sessions.
#pragma once

#include <memory>
#include <string>

#include "cpu/engine.h"
#include "model/cache_folder.h"
#include "plan/cost.h"

namespace pdrt::run {

using pdrt::cache_folder;

struct Tuning {
  std::string file;                              // where it is, or would be
  std::shared_ptr<const plan::CostTable> costs;  // nullptr: none
  std::string ignored;                           // why a file that is there is not used; or empty
};

// What plans have to know of a core that runs this engine.
plan::Core core_of(const cpu::Engine& engine);

// What is known for this engine on this processor. A missing file is no fault; one that cannot be
// understood is left alone and said in `ignored`.
Tuning read_tuning(const std::string& folder, const cpu::Engine& engine);

// Adds the layers to what is known and writes the file, whole or not at all. The folder is made if
// need be, for this user alone.
void write_tuning(const Tuning& known, const plan::CostTable& layers);

}  // namespace pdrt::run
