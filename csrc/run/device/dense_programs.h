// Which operators on dense numbers have a program, and its options.
#pragma once

#include <optional>
#include <string>

#include "plan/plan.h"

namespace pdrt::run::device {

// An operator that works element by element, as broadcast.cl wants it.
struct Expression {
  std::string text;  // of a, b, c, alpha and beta
  int operands = 1;
  float alpha = 0, beta = 0;
};
std::optional<Expression> expression_of(const plan::Plan& plan, const plan::Step& step);

// [outer][length][inner], along `length`.
struct Axes {
  std::int64_t outer = 1, length = 1, inner = 1;
};
struct Reduction {
  Axes axes;
  int operation = 0;  // of reduce.cl
};
std::optional<Reduction> reduction_of(const plan::Plan& plan, const plan::Step& step);

struct SoftmaxOf {
  Axes axes;
  bool logarithm = false;
};
std::optional<SoftmaxOf> softmax_of(const plan::Plan& plan, const plan::Step& step);

}  // namespace pdrt::run::device
