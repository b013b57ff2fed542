// Writing a file so that a reader sees the old one or the whole new one, never half of it.
#pragma once

#include <cstddef>
#include <string>

namespace pdrt {

// Writes a temporary in the same folder, forces it to the disk and renames it. Throws ModelError;
// the temporary is gone then.
void write_file(const std::string& path, const void* bytes, std::size_t size);

}  // namespace pdrt
