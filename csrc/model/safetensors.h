// The container of a .pdrt file: safetensors, read strictly. It knows tensors and text, and nothing
// of graphs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/mapped_file.h"
#include "pdrt/tensor.h"

namespace pdrt {

struct StoredTensor {
  std::string name;
  TensorView view;  // into the file; contiguous, aligned to its element; must not be written to
};

struct Safetensors {
  std::map<std::string, std::string> metadata;
  std::vector<StoredTensor> tensors;  // in the order of the header
  std::size_t tensor_bytes = 0;       // of all tensors: they fill the data section exactly
};

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // safetensors' own bound
constexpr std::uint64_t kDataAlignment = 64;

// Throws ModelError naming the fault. `source` is the file's name, for messages.
Safetensors read_safetensors(const FileBytes& file, const std::string& source);

}  // namespace pdrt
