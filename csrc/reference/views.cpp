#include "reference/views.h"

#include <algorithm>
#include <cstddef>

#include "reference/visit.h"

namespace pdrt::reference {

TensorView advanced(TensorView view, std::int64_t elements) {
  view.data = view.as<std::byte>() + elements * static_cast<std::int64_t>(size_of(view.dtype));
  return view;
}

TensorView sliced(TensorView view, int axis, std::int64_t begin, std::int64_t count,
                  std::int64_t step) {
  if (count > 0) view = advanced(view, begin * view.strides[axis]);
  view.dims[axis] = count;
  view.strides[axis] *= step;
  return view;
}

TensorView without_axis(const TensorView& view, int axis) {
  TensorView result = view;
  std::copy(view.dims.begin() + axis + 1, view.dims.end(), result.dims.begin() + axis);
  std::copy(view.strides.begin() + axis + 1, view.strides.end(), result.strides.begin() + axis);
  --result.rank;
  return result;
}

TensorView selected(const TensorView& view, int axis, std::int64_t index) {
  return without_axis(advanced(view, index * view.strides[axis]), axis);
}

TensorView transposed(const TensorView& view, const std::vector<int>& order) {
  TensorView result = view;
  result.rank = static_cast<int>(order.size());
  for (int axis = 0; axis < result.rank; ++axis) {
    result.dims[axis] = view.dims[order[axis]];
    result.strides[axis] = view.strides[order[axis]];
  }
  return result;
}

TensorView broadcast(const TensorView& view, const TensorView& like) {
  TensorView result = view;
  result.rank = like.rank;
  const int missing = result.rank - view.rank;
  for (int axis = 0; axis < result.rank; ++axis) {
    const bool repeated = axis < missing || view.dims[axis - missing] == 1;
    result.dims[axis] = like.dims[axis];
    result.strides[axis] = repeated ? 0 : view.strides[axis - missing];
  }
  return result;
}

TensorView with_axis(const TensorView& view, int axis) {
  TensorView result = view;
  std::copy(view.dims.begin() + axis, view.dims.begin() + view.rank,
            result.dims.begin() + axis + 1);
  std::copy(view.strides.begin() + axis, view.strides.begin() + view.rank,
            result.strides.begin() + axis + 1);
  result.dims[axis] = 1;
  result.strides[axis] = 0;
  ++result.rank;
  return result;
}

TensorView with_height(const TensorView& view) {
  return view.rank == 3 ? with_axis(view, 2) : view;
}

std::vector<std::int64_t> integers_of(const TensorView& view) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(view.count()));
  const std::int64_t stride = view.rank == 1 ? view.strides[0] : 1;
  visit_integers(view.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const T* from = view.as<const T>();
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = static_cast<std::int64_t>(from[static_cast<std::int64_t>(i) * stride]);
    }
  });
  return result;
}

void copy_in_order(const TensorView& from, const TensorView& to) {
  if (from.contiguous()) return copy(TensorView(from.data, from.dtype, to.shape()), to);
  if (to.contiguous()) return copy(from, TensorView(to.data, to.dtype, from.shape()));
  const Tensor packed = Tensor::copy_of(from);
  copy(TensorView(packed.data(), from.dtype, to.shape()), to);
}

}  // namespace pdrt::reference
