#include "run/finite.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <type_traits>

#include "cpu/pool.h"
#include "pdrt/error.h"

namespace pdrt::run {
namespace {

using Index = std::array<std::int64_t, kMaxRank>;

// Floats that are worth a thread's while.
constexpr std::int64_t kPiece = std::int64_t{1} << 14;

bool all_finite(const float* in, std::int64_t count, const cpu::Engine& engine, int threads) {
  if (threads == 1 || count < 2 * kPiece || !cpu::workers_awake())
    return engine.all_finite(in, count);
  std::atomic<bool> finite{true};
  cpu::parallel_for(static_cast<int>((count + kPiece - 1) / kPiece), threads, [&](int piece) {
    const std::int64_t first = piece * kPiece;
    if (!engine.all_finite(in + first, std::min(kPiece, count - first)))
      finite.store(false, std::memory_order_relaxed);
  });
  return finite.load(std::memory_order_relaxed);
}

// What the last dimension counts; of a scalar, itself.
struct Row {
  explicit Row(const TensorView& view)
      : count(view.rank == 0 ? 1 : view.dims[view.rank - 1]),
        stride(view.rank == 0 ? 1 : view.strides[view.rank - 1]) {}
  std::int64_t count, stride;
};

// visit(offset, index) for the first element of each row, until one returns false. The view is not
// empty.
template <typename Visit>
void for_each_row(const TensorView& view, const Visit& visit) {
  Index index{};
  std::int64_t offset = 0;
  for (;;) {
    if (!visit(offset, index)) return;
    int d = view.rank - 2;
    for (; d >= 0; --d) {
      offset += view.strides[d];
      if (++index[d] < view.dims[d]) break;
      offset -= view.dims[d] * view.strides[d];
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

template <typename T>
bool row_is_finite(const TensorView& view, std::int64_t offset, const cpu::Engine& engine) {
  const T* const from = view.as<T>() + offset;
  const Row row(view);
  if constexpr (std::is_same_v<T, float>) {
    if (row.stride == 1) return engine.all_finite(from, row.count);
  }
  for (std::int64_t i = 0; i < row.count; ++i) {
    if (!std::isfinite(from[i * row.stride])) return false;
  }
  return true;
}

template <typename T>
bool all_finite(const TensorView& view, const cpu::Engine& engine, int threads) {
  if constexpr (std::is_same_v<T, float>) {
    if (view.contiguous()) return all_finite(view.as<float>(), view.count(), engine, threads);
  }
  bool finite = true;
  for_each_row(view, [&](std::int64_t offset, const Index&) {
    return finite = row_is_finite<T>(view, offset, engine);
  });
  return finite;
}

std::string text_of(double value) {
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

// "(0, 1, 2)", as numpy writes it.
std::string text_of(const Index& index, int rank) {
  std::string text = "(";
  for (int d = 0; d < rank; ++d) text += (d > 0 ? ", " : "") + std::to_string(index[d]);
  return text + (rank == 1 ? ",)" : ")");
}

// What is not finite in a view that holds such: how many, and the first.
template <typename T>
std::string found_in(const TensorView& view) {
  std::int64_t count = 0;
  std::string first;
  const Row row(view);
  for_each_row(view, [&](std::int64_t offset, const Index& begin) {
    for (std::int64_t i = 0; i < row.count; ++i) {
      const double value = view.as<T>()[offset + i * row.stride];
      if (std::isfinite(value) || ++count > 1) continue;
      Index index = begin;
      if (view.rank > 0) index[view.rank - 1] = i;
      first = text_of(value) + " at " + text_of(index, view.rank);
    }
    return true;
  });
  return (count == 1 ? "1 value that is" : std::to_string(count) + " values that are") +
         std::string(" not finite, the first ") + first;
}

template <typename T>
void check(const std::string& source, const Spec& spec, const TensorView& view,
           const cpu::Engine& engine, int threads) {
  if (view.count() == 0 || all_finite<T>(view, engine, threads)) return;
  throw InputError(source + ": input '" + spec.name + "' has " + found_in<T>(view) +
                   "; mend the input, or run it without this check (check_finite)");
}

}  // namespace

void check_finite(const std::string& source, const Spec& spec, const TensorView& view,
                  const cpu::Engine& engine, int threads) {
  if (view.buffer != nullptr) return;
  if (view.dtype == DType::f32) check<float>(source, spec, view, engine, threads);
  if (view.dtype == DType::f64) check<double>(source, spec, view, engine, threads);
}

}  // namespace pdrt::run
