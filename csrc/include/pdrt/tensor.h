// Tensors: element types, shapes, strided views that own nothing, and arrays that own their memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pdrt {

enum class DType : std::uint8_t { f32, f64, i32, i64, u8, boolean };

// Bytes of one element; boolean is one byte, 0 or 1.
std::size_t size_of(DType dtype);
// "float32", "float64", "int32", "int64", "uint8", "bool": numpy's names.
const char* name_of(DType dtype);

using Shape = std::vector<std::int64_t>;

constexpr int kMaxRank = 8;

// Elements in a shape; 1 for rank 0. The loader has checked that shapes of a model do not overflow.
std::int64_t count_of(const Shape& shape);
// "1x3x224x224"; "scalar" for rank 0.
std::string to_string(const Shape& shape);
// Row-major strides in elements.
Shape contiguous_strides(const Shape& shape);

// A strided window on someone else's memory. Strides count elements and may be zero or negative.
// data == nullptr marks an optional input that is absent, or one that is on a device: in the OpenCL
// buffer (cl_mem) `buffer`, from byte `offset` on.
struct TensorView {
  void* data = nullptr;
  void* buffer = nullptr;
  std::size_t offset = 0;
  DType dtype = DType::f32;
  int rank = 0;
  std::array<std::int64_t, kMaxRank> dims{};
  std::array<std::int64_t, kMaxRank> strides{};

  TensorView() = default;
  // A contiguous view.
  TensorView(void* data, DType dtype, const Shape& shape);
  TensorView(void* data, DType dtype, const Shape& shape, const Shape& strides);

  bool present() const { return data != nullptr; }
  Shape shape() const { return Shape(dims.begin(), dims.begin() + rank); }
  bool has_shape_of(const TensorView& other) const;
  std::int64_t count() const;
  bool contiguous() const;
  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

// Copies element by element between views of one shape and dtype, whatever their strides.
void copy(const TensorView& from, const TensorView& to);

// A contiguous array that owns 64-byte aligned memory. Cheap to move, copies share nothing.
class Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, Shape shape);  // uninitialised
  static Tensor copy_of(const TensorView& view);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t count() const { return count_of(shape_); }
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * size_of(dtype_); }
  void* data() const { return data_.get(); }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_.get());
  }
  TensorView view() const { return TensorView(data_.get(), dtype_, shape_); }

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  DType dtype_ = DType::f32;
  Shape shape_;
  std::unique_ptr<void, Free> data_;
};

}  // namespace pdrt
