// Pad: more entries at the ends of axes, or with negative pads fewer.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "reference/checks.h"
#include "reference/iterate.h"
#include "reference/reference.h"
#include "reference/visit.h"

namespace pdrt::reference {
namespace {

constexpr std::int64_t kConstant = -1;     // a position that shows no entry of the input
constexpr std::int64_t kMost = 1LL << 40;  // sums of pads and lengths cannot overflow

struct Ends {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// One pair for each axis; `axes` lists the ones that `pads` are for (nullptr: all of them).
std::vector<Ends> ends_of(int rank, const std::vector<std::int64_t>& pads,
                          const std::vector<std::int64_t>* axes) {
  std::vector<int> where;
  if (axes != nullptr) {
    where = axes_of(*axes, rank, "input 'axes'");
  } else {
    for (int axis = 0; axis < rank; ++axis) where.push_back(axis);
  }
  if (pads.size() != 2 * where.size()) {
    refuse("input 'pads' has " + std::to_string(pads.size()) +
           " values, expected two for each of " + std::to_string(where.size()) + " axes");
  }
  std::vector<Ends> ends(static_cast<std::size_t>(rank));
  for (std::size_t i = 0; i < where.size(); ++i) {
    ends[where[i]] = {pads[i], pads[where.size() + i]};
  }
  return ends;
}

// The input position that output position `at` of an axis shows, or kConstant. Negative pads first
// cut the axis to [first, first + length); reflections, edges and repeats are those of what is
// left.
std::int64_t source_of(std::int64_t at, const Ends& ends, std::int64_t input, char mode) {
  const std::int64_t first = std::max<std::int64_t>(0, -ends.begin);
  const std::int64_t length = input - first - std::max<std::int64_t>(0, -ends.end);
  std::int64_t position = at - std::max<std::int64_t>(0, ends.begin);
  if (position >= 0 && position < length) return first + position;
  if (mode == 'c') return kConstant;
  if (mode == 'e') return first + std::clamp<std::int64_t>(position, 0, length - 1);
  // Wrapping has the period of the axis; reflecting that of the axis there and back, its ends once
  // each.
  const std::int64_t period = mode == 'w' ? length : std::max<std::int64_t>(1, 2 * (length - 1));
  position %= period;
  if (position < 0) position += period;
  return first + (position < length ? position : period - position);
}

}  // namespace

Shapes infer_pad(const InferenceCall& call) {
  const Known& x = input(call, 0, "data", kAll);
  const int rank = static_cast<int>(x.shape.size());
  const std::string& mode =
      one_of(call.attributes, "mode", {"constant", "reflect", "edge", "wrap"});
  const auto pads = known_integers(call, 1, "pads", 2 * kMaxRank);
  if (given(call, 2)) {
    const Known& value = input_like(call, 2, "constant_value", x);
    if (count_of(value.shape) != 1) {
      refuse("input 'constant_value' has shape " + to_string(value.shape) + ", expected one value");
    }
  }
  std::vector<std::int64_t> axes;
  if (given(call, 3)) axes = known_integers(call, 3, "axes");
  const std::vector<Ends> ends = ends_of(rank, pads, given(call, 3) ? &axes : nullptr);
  Shape shape = x.shape;
  for (int axis = 0; axis < rank; ++axis) {
    const auto [least, most] = std::minmax(ends[axis].begin, ends[axis].end);
    if (least < -kMost || most > kMost) refuse("input 'pads' holds " + to_string(pads));
    const std::int64_t left = x.shape[axis] + std::min<std::int64_t>(0, ends[axis].begin) +
                              std::min<std::int64_t>(0, ends[axis].end);
    const std::int64_t more =
        std::max<std::int64_t>(0, ends[axis].begin) + std::max<std::int64_t>(0, ends[axis].end);
    if (left < 0 || (left == 0 && more > 0 && mode != "constant")) {
      refuse("input 'pads' leaves nothing of dimension " + std::to_string(axis) + " of " +
             to_string(x.shape));
    }
    shape[axis] = left + more;
  }
  return result(x.dtype, shape);
}

void evaluate_pad(const EvaluationCall& call) {
  if (call.outputs[0].count() == 0) return;
  const TensorView& in = call.inputs[0];
  const TensorView& out = call.outputs[0];
  const auto has = [&](std::size_t i) {
    return i < call.inputs.size() && call.inputs[i].present();
  };
  std::vector<std::int64_t> axes;
  if (has(3)) axes = integers_of(call.inputs[3]);
  const std::vector<Ends> ends =
      ends_of(in.rank, integers_of(call.inputs[1]), has(3) ? &axes : nullptr);
  const char mode = call.attributes.text("mode")[0];

  // Per axis and output position: the offset of the input's entry, or kConstant.
  std::array<std::vector<std::int64_t>, kMaxRank> source;
  for (int axis = 0; axis < in.rank; ++axis) {
    for (std::int64_t at = 0; at < out.dims[axis]; ++at) {
      source[axis].push_back(source_of(at, ends[axis], in.dims[axis], mode));
    }
  }
  visit_sizes(in.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const T value = has(2) ? *call.inputs[2].as<const T>() : T(0);
    if (in.rank == 0) return copy(in, out);
    const int last = in.rank - 1;
    std::array<std::int64_t, kMaxRank> index{};
    for_each_line<1>({out}, last, [&](const PerView<1>& offset) {
      std::int64_t from = 0;
      bool constant = false;
      for (int axis = 0; axis < last; ++axis) {
        const std::int64_t position = source[axis][index[axis]];
        constant = constant || position == kConstant;
        from += position * in.strides[axis];
      }
      T* to = out.as<T>() + offset[0];
      for (std::int64_t at = 0; at < out.dims[last]; ++at) {
        const std::int64_t position = source[last][at];
        to[at * out.strides[last]] = constant || position == kConstant
                                         ? value
                                         : in.as<const T>()[from + position * in.strides[last]];
      }
      for (int axis = last - 1; axis >= 0 && ++index[axis] == out.dims[axis]; --axis) {
        index[axis] = 0;
      }
    });
  });
}

}  // namespace pdrt::reference
