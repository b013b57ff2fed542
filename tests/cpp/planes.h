// What the tests of the plane engine share: random numbers, planes with guarded borders, epilogues
// in double precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "cpu/engine.h"

namespace planes {

using pdrt::kLanes;
using pdrt::Operand;
using pdrt::Plane;
using pdrt::Stage;
using pdrt::cpu::Epilogue;
using pdrt::cpu::EpilogueStage;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

inline std::uint32_t bits(float x) {
  std::uint32_t word = 0;
  std::memcpy(&word, &x, sizeof word);
  return word;
}

// The same bits; a NaN equals every NaN, since which of two comes out of a sum is the compiler's
// choice.
inline bool same(const float* x, const float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (bits(x[i]) != bits(y[i]) && !(std::isnan(x[i]) && std::isnan(y[i]))) return false;
  }
  return true;
}

class Random {
 public:
  explicit Random(unsigned seed) : generator_(seed) {}
  int between(int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(generator_);
  }
  float real(float low = -1, float high = 1) {
    return std::uniform_real_distribution<float>(low, high)(generator_);
  }
  bool chance(double p) { return std::uniform_real_distribution<>()(generator_) < p; }
  // An ascending list of some of 0 ... count - 1, sometimes all of them; empty only where
  // `may_be_empty`.
  std::vector<std::int32_t> some_of(int count, bool may_be_empty) {
    const double share = chance(0.3) ? 1.0 : real(0, 1);
    std::vector<std::int32_t> list;
    for (int i = 0; i < count; ++i) {
      if (chance(share)) list.push_back(i);
    }
    if (list.empty() && !may_be_empty) list.push_back(between(0, count - 1));
    return list;
  }
  std::mt19937& generator() { return generator_; }

 private:
  std::mt19937 generator_;
};

// `size` floats, NaN to begin with, between guard words; exactly sized, so that AddressSanitizer
// sees what goes past them.
class Guarded {
 public:
  explicit Guarded(std::int64_t size) : memory_(static_cast<std::size_t>(size) + 2 * kGuard, kNaN) {
    for (std::size_t i = 0; i < kGuard; ++i) memory_[i] = memory_[memory_.size() - 1 - i] = kMark;
  }
  float* data() { return memory_.data() + kGuard; }
  std::int64_t size() const { return static_cast<std::int64_t>(memory_.size() - 2 * kGuard); }
  bool intact() const {
    for (std::size_t i = 0; i < kGuard; ++i) {
      if (memory_[i] != kMark || memory_[memory_.size() - 1 - i] != kMark) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kGuard = 32;
  static constexpr float kMark = 12345.678f;
  std::vector<float> memory_;
};

inline int round_up(int x) { return (x + kLanes - 1) / kLanes * kLanes; }

// A plane's geometry together with its mask.
struct Geometry {
  Plane plane;
  std::vector<std::uint32_t> mask;

  Geometry(int height, int width, int gap, int lead, int tail) {
    plane.height = height;
    plane.width = width;
    plane.row = width + gap;
    plane.lead = round_up(lead);
    plane.flat = round_up(height * plane.row);
    plane.stride = plane.lead + plane.flat + round_up(tail);
    mask.assign(static_cast<std::size_t>(plane.flat), 0);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) mask[static_cast<std::size_t>(y * plane.row + x)] = ~0u;
    }
    plane.mask = mask.data();
  }
  Geometry(const Geometry&) = delete;
  Geometry& operator=(const Geometry&) = delete;

  bool is_pixel(int at) const { return mask[static_cast<std::size_t>(at)] != 0; }
};

// One stage in double precision. The functions of one operand are rounded by nobody but the caller.
inline double reference_stage(const EpilogueStage& stage, double x, double operand, double shift) {
  switch (stage.stage) {
    case Stage::add:
      return x + operand;
    case Stage::subtract:
      return x - operand;
    case Stage::reverse_subtract:
      return operand - x;
    case Stage::multiply:
      return stage.operand == Operand::channel && operand == 0 ? 0 : x * operand;
    case Stage::divide:
      return x / operand;
    case Stage::reverse_divide:
      return operand / x;
    case Stage::minimum:
      return std::isnan(x) || std::isnan(operand) ? kNaN : std::min(x, operand);
    case Stage::maximum:
      return std::isnan(x) || std::isnan(operand) ? kNaN : std::max(x, operand);
    case Stage::affine:
      return x * operand + shift;
    case Stage::prelu:
      return x < 0 ? x * operand : x;
    case Stage::greater:
      return x > operand;
    case Stage::greater_or_equal:
      return x >= operand;
    case Stage::less:
      return x < operand;
    case Stage::less_or_equal:
      return x <= operand;
    case Stage::relu:
      return x < 0 ? 0 : x;
    case Stage::leaky_relu:
      return x < 0 ? x * stage.a : x;
    case Stage::clip:
      return std::isnan(x) ? x : std::min(std::max(x, stage.a + operand), stage.b + operand);
    case Stage::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Stage::hard_sigmoid:
      return std::isnan(x)
                 ? x
                 : std::max(0.0, std::min(1.0, static_cast<double>(stage.a) * x + stage.b));
    case Stage::hard_swish:
      return std::isnan(x) ? x : x * std::max(0.0, std::min(1.0, x / 6 + 0.5));
    case Stage::tanh:
      return std::tanh(x);
    case Stage::silu:
      return x / (1 + std::exp(-x));
    case Stage::absolute:
      return std::fabs(x);
    case Stage::negate:
      return -x;
    case Stage::exponential:
      return std::exp(x);
    case Stage::square_root:
      return std::sqrt(x);
  }
  return kNaN;
}

// All stages on pixel `at` of channel k.
inline double reference_epilogue(const Epilogue& epilogue, int k, std::int64_t at, double x) {
  for (int s = 0; s < epilogue.count; ++s) {
    const EpilogueStage& stage = epilogue.stages[s];
    const std::int64_t base = k * stage.channel_stride;
    double operand = 0;
    if (stage.operand == Operand::channel) operand = stage.data[base];
    if (stage.operand == Operand::plane) operand = stage.data[base + at];
    x = reference_stage(stage, x, operand, stage.data2 != nullptr ? stage.data2[base] : 0);
  }
  return x;
}

// A random epilogue of stages that magnify errors little, with its operands. Plane operands cover
// `flat` floats exactly.
class RandomEpilogue {
 public:
  RandomEpilogue(Random& random, int kernels, int flat, bool planes) {
    const Stage with_operand[] = {Stage::add,      Stage::subtract, Stage::reverse_subtract,
                                  Stage::multiply, Stage::minimum,  Stage::maximum,
                                  Stage::affine,   Stage::prelu,    Stage::divide};
    const Stage without[] = {
        Stage::relu,         Stage::leaky_relu, Stage::clip, Stage::sigmoid,  Stage::tanh,
        Stage::hard_sigmoid, Stage::hard_swish, Stage::silu, Stage::absolute, Stage::negate};
    const int count = random.chance(0.3) ? 0 : random.between(1, 4);
    for (int s = 0; s < count; ++s) {
      EpilogueStage stage;
      if (random.chance(0.5)) {
        stage.stage = with_operand[random.between(0, 8)];
        const bool plane = planes && stage.stage != Stage::affine && random.chance(0.5);
        const bool shared = random.chance(0.3);
        stage.operand = plane ? Operand::plane : Operand::channel;
        stage.channel_stride = shared ? 0 : plane ? flat : random.between(1, 3);
        const bool divisor = stage.stage == Stage::divide;
        stage.data = operands(random, stage, kernels, plane ? flat : 1, divisor);
        if (stage.stage == Stage::affine) stage.data2 = operands(random, stage, kernels, 1, false);
      } else {
        stage.stage = without[random.between(0, 9)];
        stage.a = stage.stage == Stage::clip ? random.real(-1, 0) : random.real(0, 0.5f);
        stage.b = random.real(0, 1);
        if (stage.stage == Stage::clip && random.chance(0.5)) {
          stage.operand = Operand::channel;
          stage.channel_stride = random.between(0, 2);
          stage.data = operands(random, stage, kernels, 1, false);
        }
      }
      stages_.push_back(stage);
    }
    epilogue.stages = stages_.data();
    epilogue.count = count;
  }
  RandomEpilogue(const RandomEpilogue&) = delete;
  RandomEpilogue& operator=(const RandomEpilogue&) = delete;

  Epilogue epilogue;

 private:
  const float* operands(Random& random, const EpilogueStage& stage, int kernels, int each,
                        bool divisor) {
    std::vector<float> data(static_cast<std::size_t>((kernels - 1) * stage.channel_stride + each));
    for (float& x : data)
      x = divisor ? random.real(1, 2) : random.chance(0.2) ? 0.0f : random.real();
    data_.push_back(std::move(data));
    return data_.back().data();
  }

  std::vector<EpilogueStage> stages_;
  std::vector<std::vector<float>> data_;
};

inline bool close(double expected, float got, double tolerance) {
  if (std::isnan(expected)) return std::isnan(got);
  if (std::isinf(expected)) return got == static_cast<float>(expected);
  return std::fabs(expected - got) <= tolerance * (1 + std::fabs(expected));
}

// Calls run(first, last, begin, end) so that all of `count` kernels x `flat` pixels are covered
// once, cut at random.
template <typename Run>
void in_pieces(Random& random, int count, int flat, const Run& run) {
  for (int begin = 0; begin < flat;) {
    const int end = std::min(flat, begin + kLanes * random.between(1, std::max(1, flat / kLanes)));
    for (int first = 0; first < count;) {
      const int last = std::min(count, first + random.between(1, count));
      run(first, last, begin, end);
      first = last;
    }
    begin = end;
  }
}

}  // namespace planes
