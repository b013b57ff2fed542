// The stages of an epilogue on vectors in registers.
#pragma once

#include "cpu/isa/vector_math.h"

namespace pdrt::cpu::PDRT_ISA {

// Where a stage's operand lies for the vectors at hand.
enum class PlaneOperands {
  pixels,   // at data + k * channel_stride + pixel
  numbers,  // at data + k * channel_stride: there are no pixels (fully connected)
};

template <int kCount>
PDRT_INLINE void load_operand(const EpilogueStage& stage, int k, std::int64_t pixel,
                              PlaneOperands planes, Floats (&operand)[kCount]) {
  const float* data = stage.data + k * stage.channel_stride;
  if (stage.operand == Operand::plane && planes == PlaneOperands::pixels) {
    for (int i = 0; i < kCount; ++i) operand[i] = load(data + pixel + i * kVector);
  } else {
    for (int i = 0; i < kCount; ++i) operand[i] = splat(*data);
  }
}

// x = stage(x) for one stage after the other, on kCount vectors that start at `pixel` of channel k.
template <int kCount>
PDRT_INLINE void run_stages(const Epilogue& epilogue, int k, std::int64_t pixel,
                            PlaneOperands planes, Floats (&x)[kCount]) {
  for (int s = 0; s < epilogue.count; ++s) {
    const EpilogueStage& stage = epilogue.stages[s];
    Floats y[kCount] = {};
    if (stage.operand != Operand::none) load_operand(stage, k, pixel, planes, y);
    const auto each = [&x, &y ](auto&& function) __attribute__((always_inline)) {
      for (int i = 0; i < kCount; ++i) x[i] = function(x[i], y[i]);
    };
    const Floats a = splat(stage.a);
    const Floats b = splat(stage.b);
    switch (stage.stage) {
      case Stage::add:
        each([](Floats u, Floats v) { return u + v; });
        break;
      case Stage::subtract:
        each([](Floats u, Floats v) { return u - v; });
        break;
      case Stage::reverse_subtract:
        each([](Floats u, Floats v) { return v - u; });
        break;
      case Stage::multiply:
        // A switch at zero: x was never computed, or does not matter, and may be anything.
        if (stage.operand == Operand::channel && stage.data[k * stage.channel_stride] == 0) {
          for (int i = 0; i < kCount; ++i) x[i] = Floats{};
        } else {
          each([](Floats u, Floats v) { return u * v; });
        }
        break;
      case Stage::divide:
        each([](Floats u, Floats v) { return u / v; });
        break;
      case Stage::reverse_divide:
        each([](Floats u, Floats v) { return v / u; });
        break;
      case Stage::minimum:
        each([](Floats u, Floats v) { return smaller(u, v); });
        break;
      case Stage::maximum:
        each([](Floats u, Floats v) { return larger(u, v); });
        break;
      case Stage::affine: {
        const Floats shift = splat(stage.data2[k * stage.channel_stride]);
        each([shift](Floats u, Floats v) { return u * v + shift; });
        break;
      }
      case Stage::prelu:
        each([](Floats u, Floats v) { return u < 0 ? u * v : u; });
        break;
      case Stage::relu:
        each([](Floats u, Floats) { return u < 0 ? Floats{} : u; });
        break;
      case Stage::leaky_relu:
        each([a](Floats u, Floats) { return u < 0 ? u * a : u; });
        break;
      case Stage::clip:
        each([a, b](Floats u, Floats) { return clamp(u, a, b); });
        break;
      case Stage::sigmoid:
        each([](Floats u, Floats) { return sigmoid(u); });
        break;
      case Stage::hard_sigmoid:
        each([a, b](Floats u, Floats) { return clamp(u * a + b, splat(0), splat(1)); });
        break;
      case Stage::hard_swish:
        each([](Floats u, Floats) {
          return u * clamp(u * splat(1.0f / 6) + splat(0.5f), splat(0), splat(1));
        });
        break;
      case Stage::tanh:
        each([](Floats u, Floats) { return tanh(u); });
        break;
      case Stage::silu:
        each([](Floats u, Floats) { return u * sigmoid(u); });
        break;
      case Stage::absolute:
        each([](Floats u, Floats) { return magnitude(u); });
        break;
      case Stage::negate:
        each([](Floats u, Floats) { return -u; });
        break;
      case Stage::exponential:
        each([](Floats u, Floats) { return exponential(u); });
        break;
      case Stage::square_root:
        each([](Floats u, Floats) { return square_root(u); });
        break;
    }
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
