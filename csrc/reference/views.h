// Windows on windows: every operator that moves elements is one of these and a copy.
#pragma once

#include <cstdint>
#include <vector>

#include "pdrt/tensor.h"

namespace pdrt::reference {

// The view whose first element lies `elements` behind the first of `view`.
TensorView advanced(TensorView view, std::int64_t elements);
// `count` entries of `axis` beginning with `begin`, `step` apart (negative: backwards).
TensorView sliced(TensorView view, int axis, std::int64_t begin, std::int64_t count,
                  std::int64_t step = 1);
// The axis is gone; the view is that of its entry 0.
TensorView without_axis(const TensorView& view, int axis);
// Entry `index` of the axis, which is gone.
TensorView selected(const TensorView& view, int axis, std::int64_t index);
// Axis d of the result is axis order[d] of the view.
TensorView transposed(const TensorView& view, const std::vector<int>& order);
// The view in the shape of `like`: axes are lined up from the last; those of length 1, and missing
// ones, are repeated with stride 0.
TensorView broadcast(const TensorView& view, const TensorView& like);
// A new axis of length 1 stands at `axis`.
TensorView with_axis(const TensorView& view, int axis);
// N x C x L as N x C x 1 x L, so that one dimension is a case of two; anything else as it is.
TensorView with_height(const TensorView& view);

// Elements of a view with int32 or int64 elements and at most one axis, or the one element of any
// other.
std::vector<std::int64_t> integers_of(const TensorView& view);
// Copies between views of equal dtype and count whose shapes may differ: elements keep their
// row-major order.
void copy_in_order(const TensorView& from, const TensorView& to);

}  // namespace pdrt::reference
