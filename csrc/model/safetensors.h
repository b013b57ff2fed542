// The container of a .pdrt file: safetensors, written, and read strictly. It knows tensors and
// text, and nothing of graphs.
#pragma once

#include <cstddef>
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
constexpr std::size_t kLengthBytes = 8;  // of the header's length, which comes first

// "F32", "F64", "I32", "I64", "U8" or "BOOL".
const char* stored_name_of(DType dtype);

// Throws ModelError naming the fault. `source` is the file's name, for messages.
Safetensors read_safetensors(const FileBytes& file, const std::string& source);

// The bytes of a file; views may be of any strides. The same content gives the same bytes, whatever
// the order of the tensors.
std::vector<std::byte> write_safetensors(const std::map<std::string, std::string>& metadata,
                                         std::vector<StoredTensor> tensors);

}  // namespace pdrt
