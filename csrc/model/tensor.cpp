#include "pdrt/tensor.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

#include "model/sizes.h"

namespace pdrt {

namespace {

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector
constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Large blocks lie on huge pages where the system has them: planes are further apart than a page,
// and a core keeps the addresses of far fewer small pages than a convolution reads planes.
void* allocate(std::size_t bytes) {
  const std::size_t alignment = bytes < kHugePage ? kAlignment : kHugePage;
  const std::size_t whole = (bytes + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, whole);
  if (memory == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (alignment == kHugePage) ::madvise(memory, bytes, MADV_HUGEPAGE);  // a wish
#endif
  return memory;
}

// One loop of a copy: `count` steps, each moving the two pointers by so many bytes.
struct Loop {
  std::int64_t count;
  std::int64_t from;
  std::int64_t to;
};

// The loops of a copy, outermost first: dimensions of 1 are dropped, neighbours that both views
// walk in one stride become one loop.
int merge_loops(const TensorView& from, const TensorView& to, Loop (&loops)[kMaxRank]) {
  const auto size = static_cast<std::int64_t>(size_of(from.dtype));
  int used = 0;
  for (int d = 0; d < from.rank; ++d) {
    if (from.dims[d] == 1) continue;
    const Loop next{from.dims[d], from.strides[d] * size, to.strides[d] * size};
    Loop* const outer = used > 0 ? &loops[used - 1] : nullptr;
    if (outer && outer->from == next.from * next.count && outer->to == next.to * next.count) {
      *outer = {outer->count * next.count, next.from, next.to};
    } else {
      loops[used++] = next;
    }
  }
  return used;
}

template <typename Word>
void copy_run(const char* from, char* to, const Loop& run) {
  if (run.from == sizeof(Word) && run.to == sizeof(Word)) {
    std::memcpy(to, from, static_cast<std::size_t>(run.count) * sizeof(Word));
    return;
  }
  for (std::int64_t i = 0; i < run.count; ++i)
    std::memcpy(to + i * run.to, from + i * run.from, sizeof(Word));
}

template <typename Word>
void copy_loops(const char* from, char* to, const Loop* loops, int count) {
  if (count == 0) {
    std::memcpy(to, from, sizeof(Word));
  } else if (count == 1) {
    copy_run<Word>(from, to, loops[0]);
  } else {
    for (std::int64_t i = 0; i < loops[0].count; ++i) {
      copy_loops<Word>(from + i * loops[0].from, to + i * loops[0].to, loops + 1, count - 1);
    }
  }
}

}  // namespace

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::u8:
    case DType::boolean:
      return 1;
  }
  throw std::logic_error("size_of: not a dtype");
}

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "float32";
    case DType::f64:
      return "float64";
    case DType::i32:
      return "int32";
    case DType::i64:
      return "int64";
    case DType::u8:
      return "uint8";
    case DType::boolean:
      return "bool";
  }
  throw std::logic_error("name_of: not a dtype");
}

std::int64_t count_of(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) count *= dim;
  return count;
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const std::int64_t dim : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(dim);
  }
  return text;
}

Shape contiguous_strides(const Shape& shape) {
  Shape strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= std::max<std::int64_t>(shape[d], 1);
  }
  return strides;
}

TensorView::TensorView(void* data, DType dtype, const Shape& shape)
    : TensorView(data, dtype, shape, contiguous_strides(shape)) {}

TensorView::TensorView(void* data, DType dtype, const Shape& shape, const Shape& strides)
    : data(data), dtype(dtype), rank(static_cast<int>(shape.size())) {
  if (shape.size() > kMaxRank || shape.size() != strides.size()) {
    throw std::logic_error("TensorView: " + std::to_string(shape.size()) + " dimensions, " +
                           std::to_string(strides.size()) + " strides; at most " +
                           std::to_string(kMaxRank) + " of each");
  }
  std::copy(shape.begin(), shape.end(), dims.begin());
  std::copy(strides.begin(), strides.end(), this->strides.begin());
}

std::int64_t TensorView::count() const {
  std::int64_t count = 1;
  for (int d = 0; d < rank; ++d) count *= dims[d];
  return count;
}

bool TensorView::contiguous() const {
  if (count() == 0) return true;
  std::int64_t stride = 1;
  for (int d = rank; d-- > 0;) {
    if (dims[d] != 1 && strides[d] != stride) return false;
    stride *= dims[d];
  }
  return true;
}

bool TensorView::has_shape_of(const TensorView& other) const {
  return rank == other.rank && std::equal(dims.begin(), dims.begin() + rank, other.dims.begin());
}

void copy(const TensorView& from, const TensorView& to) {
  if (from.dtype != to.dtype || !from.has_shape_of(to)) {
    throw std::logic_error("copy: from " + std::string(name_of(from.dtype)) + ' ' +
                           to_string(from.shape()) + " to " + name_of(to.dtype) + ' ' +
                           to_string(to.shape()));
  }
  if (from.count() == 0) return;
  Loop loops[kMaxRank];
  const int count = merge_loops(from, to, loops);
  const char* const source = from.as<const char>();
  char* const target = to.as<char>();
  switch (size_of(from.dtype)) {
    case 1:
      return copy_loops<std::uint8_t>(source, target, loops, count);
    case 4:
      return copy_loops<std::uint32_t>(source, target, loops, count);
    default:
      return copy_loops<std::uint64_t>(source, target, loops, count);
  }
}

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  const auto bytes = bytes_of(shape_, dtype_);
  if (shape_.size() > kMaxRank || !bytes) {
    throw std::length_error("Tensor: " + to_string(shape_) + " is not a shape that can be had");
  }
  // Never nothing: an empty tensor is present all the same. Whole vectors may be read to the end.
  const std::size_t whole = (static_cast<std::size_t>(*bytes) / kAlignment + 1) * kAlignment;
  data_.reset(allocate(whole));
}

Tensor Tensor::copy_of(const TensorView& view) {
  Tensor tensor(view.dtype, view.shape());
  copy(view, tensor.view());
  return tensor;
}

void Tensor::Free::operator()(void* memory) const { std::free(memory); }

}  // namespace pdrt
