// Sizes computed from numbers of a file, which may be anything: never by an unchecked product.
#pragma once

#include <cstdint>
#include <optional>

#include "pdrt/tensor.h"

namespace pdrt {

// No tensor of a model, stored or inferred, may need more than this: far beyond any machine this is
// meant for, far below where sums and products of a few sizes overflow.
constexpr std::int64_t kMaxTensorBytes = std::int64_t{1} << 40;

// Bytes of a contiguous tensor; nothing where a dimension is negative or the result exceeds
// kMaxTensorBytes.
inline std::optional<std::int64_t> bytes_of(const Shape& shape, DType dtype) {
  auto bytes = static_cast<std::int64_t>(size_of(dtype));
  bool empty = false;
  for (const std::int64_t dim : shape) {
    if (dim < 0 || dim > kMaxTensorBytes) return std::nullopt;
    if (dim == 0) {
      empty = true;
      continue;  // the other dimensions still have to be sane: their strides are computed too
    }
    if (bytes > kMaxTensorBytes / dim) return std::nullopt;
    bytes *= dim;
  }
  return empty ? 0 : bytes;
}

}  // namespace pdrt
