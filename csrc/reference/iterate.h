// Strided iteration: the loops behind every element-wise operator and every operator that works
// along one axis.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pdrt/tensor.h"
#include "reference/views.h"

namespace pdrt::reference {

// Per view: an offset or a step, in elements.
template <std::size_t N>
using PerView = std::array<std::int64_t, N>;

// The index space of N views of one shape as rows: axes that run on from one another in every view
// are one, so that a row is as long as it can be. Rows come in row-major order. Made once, it can
// be walked from several starting points.
template <std::size_t N>
class Rows {
 public:
  explicit Rows(const std::array<TensorView, N>& views) {
    for (int axis = 0; axis < views[0].rank; ++axis) {
      const std::int64_t length = views[0].dims[axis];
      if (length == 0) empty_ = true;
      if (length == 1) continue;
      bool runs_on = rank_ > 0;
      for (std::size_t v = 0; runs_on && v < N; ++v) {
        runs_on = strides_[rank_ - 1][v] == views[v].strides[axis] * length;
      }
      if (!runs_on) dims_[rank_++] = 1;
      dims_[rank_ - 1] *= length;
      for (std::size_t v = 0; v < N; ++v) strides_[rank_ - 1][v] = views[v].strides[axis];
    }
    if (rank_ == 0) dims_[rank_++] = 1;
  }

  // row(offset of the first element in each view, elements in the row, step in each view)
  template <typename Row>
  void walk(Row row) const {
    if (empty_) return;
    const int last = rank_ - 1;
    std::array<std::int64_t, kMaxRank> index{};
    PerView<N> offset{};
    for (;;) {
      row(offset, dims_[last], strides_[last]);
      int axis = last - 1;
      for (; axis >= 0; --axis) {
        for (std::size_t v = 0; v < N; ++v) offset[v] += strides_[axis][v];
        if (++index[axis] < dims_[axis]) break;
        for (std::size_t v = 0; v < N; ++v) offset[v] -= strides_[axis][v] * dims_[axis];
        index[axis] = 0;
      }
      if (axis < 0) return;
    }
  }

  // each(offset of the element in each view)
  template <typename Each>
  void each(Each each) const {
    walk([&](PerView<N> offset, std::int64_t count, const PerView<N>& step) {
      for (std::int64_t i = 0; i < count; ++i) {
        each(offset);
        for (std::size_t v = 0; v < N; ++v) offset[v] += step[v];
      }
    });
  }

 private:
  int rank_ = 0;
  bool empty_ = false;
  std::array<std::int64_t, kMaxRank> dims_{};
  std::array<PerView<N>, kMaxRank> strides_{};
};

// line(offset in each view) for every line along `axis`; the views agree in all other axes.
template <std::size_t N, typename Line>
void for_each_line(std::array<TensorView, N> views, int axis, Line line) {
  for (TensorView& view : views) view = without_axis(view, axis);
  Rows<N>(views).each(line);
}

// out = f(in); shapes are equal.
template <typename In, typename Out, typename F>
void map(const TensorView& in, const TensorView& out, F f) {
  Rows<2>({in, out}).walk([&](const PerView<2>& offset, std::int64_t n, const PerView<2>& step) {
    const In* x = in.as<const In>() + offset[0];
    Out* y = out.as<Out>() + offset[1];
    if (step[0] == 1 && step[1] == 1) {
      for (std::int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
    } else {
      for (std::int64_t i = 0; i < n; ++i) y[i * step[1]] = f(x[i * step[0]]);
    }
  });
}

// out = f(a, b), both broadcast to the output's shape.
template <typename A, typename B, typename Out, typename F>
void map(const TensorView& a, const TensorView& b, const TensorView& out, F f) {
  const Rows<3> rows({broadcast(a, out), broadcast(b, out), out});
  rows.walk([&](const PerView<3>& offset, std::int64_t n, const PerView<3>& step) {
    const A* x = a.as<const A>() + offset[0];
    const B* y = b.as<const B>() + offset[1];
    Out* z = out.as<Out>() + offset[2];
    if (step[0] == 1 && step[1] == 1 && step[2] == 1) {
      for (std::int64_t i = 0; i < n; ++i) z[i] = f(x[i], y[i]);
    } else if (step[0] == 1 && step[1] == 0 && step[2] == 1) {
      const B constant = *y;
      for (std::int64_t i = 0; i < n; ++i) z[i] = f(x[i], constant);
    } else {
      for (std::int64_t i = 0; i < n; ++i) z[i * step[2]] = f(x[i * step[0]], y[i * step[1]]);
    }
  });
}

// out = f(a, b, c), all broadcast to the output's shape.
template <typename A, typename B, typename C, typename Out, typename F>
void map(const TensorView& a, const TensorView& b, const TensorView& c, const TensorView& out,
         F f) {
  const Rows<4> rows({broadcast(a, out), broadcast(b, out), broadcast(c, out), out});
  rows.walk([&](const PerView<4>& offset, std::int64_t n, const PerView<4>& step) {
    const A* x = a.as<const A>() + offset[0];
    const B* y = b.as<const B>() + offset[1];
    const C* z = c.as<const C>() + offset[2];
    Out* w = out.as<Out>() + offset[3];
    for (std::int64_t i = 0; i < n; ++i) {
      w[i * step[3]] = f(x[i * step[0]], y[i * step[1]], z[i * step[2]]);
    }
  });
}

// Sets every element of a view.
template <typename T>
void fill(const TensorView& out, T value) {
  Rows<1>({out}).walk([&](const PerView<1>& offset, std::int64_t n, const PerView<1>& step) {
    T* y = out.as<T>() + offset[0];
    for (std::int64_t i = 0; i < n; ++i) y[i * step[0]] = value;
  });
}

}  // namespace pdrt::reference
