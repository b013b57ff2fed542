// The stages of an epilogue on vectors in registers.
#pragma once

#include "cpu/isa/vector_math.h"

namespace pdrt::cpu::PDRT_ISA {

// Where a stage's operand lies for the vectors at hand.
enum class PlaneOperands {
  pixels,   // at data + k * channel_stride + pixel: lanes are pixels, a row has one kernel
  numbers,  // at data + k * channel_stride: lanes are kernels, there are no pixels (fully
            // connected)
};

// What a stage is applied to: kCount vectors of each of kRows rows.
struct Place {
  // Of every row, or of every lane.
  const std::int32_t* kernels;
  std::int64_t pixel;  // the first
  PlaneOperands planes;
};

// Stages of a few instructions, which are worth their place in the code of every tile.
static inline bool is_cheap(Stage stage) {
  switch (stage) {
    case Stage::add:
    case Stage::multiply:
    case Stage::affine:
    case Stage::prelu:
    case Stage::relu:
    case Stage::leaky_relu:
    case Stage::clip:
      return true;
    default:
      return false;
  }
}

// Where lanes are kernels: data[k * channel_stride] of every lane.
template <int kCount>
PDRT_INLINE void load_numbers(const float* data, const EpilogueStage& stage, const Place& place,
                              int row, Floats (&numbers)[kCount]) {
  float of_lane[kCount * kVector];
  for (int i = 0; i < kCount * kVector; ++i)
    of_lane[i] = data[place.kernels[row * kCount * kVector + i] * stage.channel_stride];
  unrolled<kCount>([&](int i) PDRT_LAMBDA { numbers[i] = load(of_lane + i * kVector); });
}

template <int kCount>
PDRT_INLINE void load_operand(const EpilogueStage& stage, const Place& place, int row,
                              Floats (&operand)[kCount]) {
  if (place.planes == PlaneOperands::numbers) {
    load_numbers(stage.data, stage, place, row, operand);
    return;
  }
  const float* data = stage.data + place.kernels[row] * stage.channel_stride;
  if (stage.operand == Operand::plane) {
    unrolled<kCount>([&](int i)
                         PDRT_LAMBDA { operand[i] = load(data + place.pixel + i * kVector); });
  } else {
    unrolled<kCount>([&](int i) PDRT_LAMBDA { operand[i] = splat(*data); });
  }
}

// x = function(x)
template <int kRows, int kCount, typename Function>
PDRT_INLINE void each(Floats (&x)[kRows][kCount], const Function& function) {
  unrolled<kRows>([&](int row) PDRT_LAMBDA {
    unrolled<kCount>([&](int i) PDRT_LAMBDA { x[row][i] = function(x[row][i]); });
  });
}

// x = function(x, operand)
template <int kRows, int kCount, typename Function>
PDRT_INLINE void each(const EpilogueStage& stage, const Place& place, Floats (&x)[kRows][kCount],
                      const Function& function) {
  unrolled<kRows>([&](int row) PDRT_LAMBDA {
    Floats y[kCount];
    load_operand(stage, place, row, y);
    unrolled<kCount>([&](int i) PDRT_LAMBDA { x[row][i] = function(x[row][i], y[i]); });
  });
}

template <int kRows, int kCount>
PDRT_INLINE void run_cheap_stage(const EpilogueStage& stage, const Place& place,
                                 Floats (&x)[kRows][kCount]) {
  const Floats a = splat(stage.a);
  const Floats b = splat(stage.b);
  switch (stage.stage) {
    case Stage::add:
      each(stage, place, x, [](Floats u, Floats v) PDRT_LAMBDA { return u + v; });
      break;
    case Stage::multiply:
      unrolled<kRows>([&](int row) PDRT_LAMBDA {
        Floats y[kCount];
        load_operand(stage, place, row, y);
        // A switch at zero: x was never computed, or does not matter, and may be anything.
        if (stage.operand == Operand::channel && place.planes == PlaneOperands::numbers) {
          unrolled<kCount>(
              [&](int i) PDRT_LAMBDA { x[row][i] = y[i] == 0 ? Floats{} : x[row][i] * y[i]; });
          return;
        }
        const bool off = stage.operand == Operand::channel && y[0][0] == 0;
        unrolled<kCount>([&](int i) PDRT_LAMBDA { x[row][i] = off ? Floats{} : x[row][i] * y[i]; });
      });
      break;
    case Stage::affine:
      unrolled<kRows>([&](int row) PDRT_LAMBDA {
        if (place.planes == PlaneOperands::numbers) {
          Floats scale[kCount];
          Floats shift[kCount];
          load_numbers(stage.data, stage, place, row, scale);
          load_numbers(stage.data2, stage, place, row, shift);
          unrolled<kCount>([&](int i) PDRT_LAMBDA { x[row][i] = x[row][i] * scale[i] + shift[i]; });
          return;
        }
        const std::int64_t at = place.kernels[row] * stage.channel_stride;
        const Floats scale = splat(stage.data[at]);
        const Floats shift = splat(stage.data2[at]);
        unrolled<kCount>([&](int i) PDRT_LAMBDA { x[row][i] = x[row][i] * scale + shift; });
      });
      break;
    case Stage::prelu:
      each(stage, place, x, [](Floats u, Floats v) PDRT_LAMBDA { return u < 0 ? u * v : u; });
      break;
    case Stage::relu:
      each(x, [](Floats u) PDRT_LAMBDA { return at_least(u, Floats{}); });
      break;
    case Stage::leaky_relu:
      each(x, [a](Floats u) PDRT_LAMBDA { return u < 0 ? u * a : u; });
      break;
    case Stage::clip:
      if (stage.operand == Operand::channel) {
        each(stage, place, x,
             [a, b](Floats u, Floats v) PDRT_LAMBDA { return clamp(u, a + v, b + v); });
      } else {
        each(x, [a, b](Floats u) PDRT_LAMBDA { return clamp(u, a, b); });
      }
      break;
    default:
      __builtin_unreachable();
  }
}

template <int kRows, int kCount>
PDRT_INLINE void run_other_stage(const EpilogueStage& stage, const Place& place,
                                 Floats (&x)[kRows][kCount]) {
  const Floats a = splat(stage.a);
  const Floats b = splat(stage.b);
  const Floats zero = {};
  const Floats one = splat(1);
  switch (stage.stage) {
    case Stage::subtract:
      each(stage, place, x, [](Floats u, Floats v) PDRT_LAMBDA { return u - v; });
      break;
    case Stage::reverse_subtract:
      each(stage, place, x, [](Floats u, Floats v) PDRT_LAMBDA { return v - u; });
      break;
    case Stage::divide:
      each(stage, place, x, [](Floats u, Floats v) PDRT_LAMBDA { return u / v; });
      break;
    case Stage::reverse_divide:
      each(stage, place, x, [](Floats u, Floats v) PDRT_LAMBDA { return v / u; });
      break;
    case Stage::minimum:
      each(stage, place, x, [](Floats u, Floats v) PDRT_LAMBDA { return smaller(u, v); });
      break;
    case Stage::maximum:
      each(stage, place, x, [](Floats u, Floats v) PDRT_LAMBDA { return larger(u, v); });
      break;
    case Stage::greater:
      each(stage, place, x, [=](Floats u, Floats v) PDRT_LAMBDA { return u > v ? one : zero; });
      break;
    case Stage::greater_or_equal:
      each(stage, place, x, [=](Floats u, Floats v) PDRT_LAMBDA { return u >= v ? one : zero; });
      break;
    case Stage::less:
      each(stage, place, x, [=](Floats u, Floats v) PDRT_LAMBDA { return u < v ? one : zero; });
      break;
    case Stage::less_or_equal:
      each(stage, place, x, [=](Floats u, Floats v) PDRT_LAMBDA { return u <= v ? one : zero; });
      break;
    case Stage::sigmoid:
      each(x, [](Floats u) PDRT_LAMBDA { return sigmoid(u); });
      break;
    case Stage::hard_sigmoid:
      each(x, [=](Floats u) PDRT_LAMBDA { return clamp(u * a + b, zero, one); });
      break;
    case Stage::hard_swish:
      each(x, [=](Floats u)
                  PDRT_LAMBDA { return u * clamp(u * splat(1.0f / 6) + splat(0.5f), zero, one); });
      break;
    case Stage::tanh:
      each(x, [](Floats u) PDRT_LAMBDA { return tanh(u); });
      break;
    case Stage::silu:
      each(x, [](Floats u) PDRT_LAMBDA { return u * sigmoid(u); });
      break;
    case Stage::absolute:
      each(x, [](Floats u) PDRT_LAMBDA { return magnitude(u); });
      break;
    case Stage::negate:
      each(x, [](Floats u) PDRT_LAMBDA { return -u; });
      break;
    case Stage::exponential:
      each(x, [](Floats u) PDRT_LAMBDA { return exponential(u); });
      break;
    case Stage::square_root:
      each(x, [](Floats u) PDRT_LAMBDA { return square_root(u); });
      break;
    default:
      __builtin_unreachable();
  }
}

// x = stage(x) for one stage after the other.
template <int kRows, int kCount>
PDRT_INLINE void run_stages(const Epilogue& epilogue, const Place& place,
                            Floats (&x)[kRows][kCount]) {
  for (int s = 0; s < epilogue.count; ++s) {
    const EpilogueStage& stage = epilogue.stages[s];
    if (is_cheap(stage.stage)) {
      run_cheap_stage(stage, place, x);
    } else {
      run_other_stage(stage, place, x);
    }
  }
}

// Stores x & mask, so that what is no pixel becomes +0 whatever x holds, and leaves it in x;
// returns the stored bits, all vectors ored.
template <int kCount, bool kPastCaches = false>
PDRT_INLINE Words store_pixels(Floats (&x)[kCount], const Words (&mask)[kCount], float* to) {
  Words seen = {};
  unrolled<kCount>([&](int i) PDRT_LAMBDA {
    const Words kept = bits(x[i]) & mask[i];
    seen |= kept;
    x[i] = floats(kept);
    if constexpr (kPastCaches) {
      store_past_caches(to + i * kVector, x[i]);
    } else {
      store(to + i * kVector, x[i]);
    }
  });
  return seen;
}

template <int kCount>
PDRT_INLINE void load_mask(const std::uint32_t* from, Words (&mask)[kCount]) {
  unrolled<kCount>([&](int i) PDRT_LAMBDA { mask[i] = load(from + i * kVector); });
}

// Whether any stored float is not zero; -0 is zero.
PDRT_INLINE bool any_nonzero(Words seen) { return any(seen & 0x7fffffff); }

}  // namespace pdrt::cpu::PDRT_ISA
