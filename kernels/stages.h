// The epilogue: stages that follow a convolution, a pool, ..., on the numbers that one work-item
// holds in registers: KERNELS_HELD kernels by PIXELS_HELD pixels. What the stages mean is told in
// csrc/planes/planes.h.
//
// Options:
//   KERNELS_HELD, PIXELS_HELD  set by the program that includes this
//   STAGES                     a bit for each stage that may occur, 1 << STAGE_RELU and so on; code
//                              is made for these alone
#ifndef PDRT_KERNELS_STAGES_H
#define PDRT_KERNELS_STAGES_H

#include "storage.h"

#ifndef KERNELS_HELD
#define KERNELS_HELD 1
#endif
#ifndef PIXELS_HELD
#define PIXELS_HELD 1
#endif
#ifndef STAGES
#define STAGES 0xffffffffu
#endif

// Where stages find their operands. Programs without planes leave `planes` at 0.
typedef struct {
  __global const PLANE* planes;
  __global const float* dense;
  __global const float* parameters;
} Operands;

INLINE float limited(float x, float low, float high) {
  x = x < low ? low : x;  // a NaN stays, which clamp() and fmin() do not promise
  return x > high ? high : x;
}

// Stages of many instructions. Not inlined: a kernel's worth of copies for every pixel that a
// work-item holds is more than compilers unroll, and sums that are not in registers are slow.
__attribute__((noinline)) static float long_stage(int stage, float x, float y) {
  switch (stage) {
    case STAGE_DIVIDE:
      return x / y;
    case STAGE_REVERSE_DIVIDE:
      return y / x;
    case STAGE_SIGMOID:
      return 1.0f / (1.0f + exp(-x));
    case STAGE_SILU:
      return x * (1.0f / (1.0f + exp(-x)));
    case STAGE_TANH:
      return tanh(x);
    case STAGE_EXPONENTIAL:
      return exp(x);
    default:
      return sqrt(x);
  }
}

// `value` is said in terms of x, of the operand y, and of the stage's numbers a and b.
#define EACH_PIXEL(value)                 \
  UNROLL                                  \
  for (int j = 0; j < PIXELS_HELD; ++j) { \
    const float x = row[j];               \
    const float y = operand[j];           \
    row[j] = value;                       \
  }
#define STAGE(name, value)       \
  case name:                     \
    if ((STAGES) >> name & 1u) { \
      EACH_PIXEL(value)          \
    }                            \
    break;
#define LONG_STAGES                                                                           \
  (1u << STAGE_DIVIDE | 1u << STAGE_REVERSE_DIVIDE | 1u << STAGE_SIGMOID | 1u << STAGE_SILU | \
   1u << STAGE_TANH | 1u << STAGE_EXPONENTIAL | 1u << STAGE_SQUARE_ROOT)

// One stage on the pixels of one kernel. `off`: the operand is a switch, and off; the pixels were
// never computed, or do not matter, and may be anything.
INLINE void run_stage(int stage, float a, float b, bool off, float shift, const float* operand,
                      float* row) {
  switch (stage) {
    STAGE(STAGE_ADD, x + y)
    STAGE(STAGE_SUBTRACT, x - y)
    STAGE(STAGE_REVERSE_SUBTRACT, y - x)
    STAGE(STAGE_MULTIPLY, off ? 0.0f : x * y)
    STAGE(STAGE_MINIMUM, x < y || x != x ? x : y)
    STAGE(STAGE_MAXIMUM, x > y || x != x ? x : y)
    STAGE(STAGE_AFFINE, mad(x, y, shift))
    STAGE(STAGE_PRELU, x < 0.0f ? x * y : x)
    STAGE(STAGE_GREATER, x > y ? 1.0f : 0.0f)
    STAGE(STAGE_GREATER_OR_EQUAL, x >= y ? 1.0f : 0.0f)
    STAGE(STAGE_LESS, x < y ? 1.0f : 0.0f)
    STAGE(STAGE_LESS_OR_EQUAL, x <= y ? 1.0f : 0.0f)
    STAGE(STAGE_RELU, x < 0.0f ? 0.0f : x)
    STAGE(STAGE_LEAKY_RELU, x < 0.0f ? x * a : x)
    STAGE(STAGE_CLIP, limited(x, a, b))
    STAGE(STAGE_HARD_SIGMOID, limited(mad(x, a, b), 0.0f, 1.0f))
    STAGE(STAGE_HARD_SWISH, x * limited(mad(x, 1.0f / 6, 0.5f), 0.0f, 1.0f))
    STAGE(STAGE_ABSOLUTE, fabs(x))
    STAGE(STAGE_NEGATE, -x)
    default:
      if ((STAGES)&LONG_STAGES) {
        EACH_PIXEL(long_stage(stage, x, y))
      }
  }
}

// All stages, on held[i][j]: pixel j of kernel kernels[i] of a sample. pixels[j] is where that
// pixel is from pixel (0, 0) of the output's plane on; it is looked up in planes of operands, so
// that all kernels and pixels must exist, whether their results are wanted or not.
INLINE void run_stages(Epilogue epilogue, __global const StageArguments* stages, Operands operands,
                       int sample, const int* kernels, const uint* pixels,
                       float (*held)[PIXELS_HELD]) {
  for (int s = 0; s < epilogue.count; ++s) {
    const StageArguments stage = stages[epilogue.first + s];
    __global const float* numbers =
        stage.operand == OPERAND_DENSE ? operands.dense : operands.parameters;
    UNROLL
    for (int i = 0; i < KERNELS_HELD; ++i) {
      const uint of_kernel = (uint)kernels[i] * stage.channel_stride;
      const uint at = stage.base + (uint)sample * stage.sample_stride + of_kernel;
      float operand[PIXELS_HELD];
      bool off = false;
      if (stage.operand == OPERAND_PLANE) {
        UNROLL
        for (int j = 0; j < PIXELS_HELD; ++j)
          operand[j] = load_pixel(operands.planes, at + pixels[j]);
      } else {
        const float number = stage.operand == OPERAND_NONE ? 0.0f : numbers[at];
        off = number == 0.0f;
        UNROLL
        for (int j = 0; j < PIXELS_HELD; ++j) operand[j] = number;
      }
      const float shift =
          stage.stage == STAGE_AFFINE ? operands.parameters[stage.second + of_kernel] : 0.0f;
      run_stage(stage.stage, stage.a, stage.b, off, shift, operand, held[i]);
    }
  }
}

#endif
