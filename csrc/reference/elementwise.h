// One function, applied to every element of one input or of two that broadcast.
#pragma once

#include "reference/invocation.h"
#include "reference/iterate.h"
#include "reference/visit.h"

namespace pdrt::reference {

// f takes and returns double, whatever the real type: it is rounded once.
template <typename F>
void map_reals(const EvaluationCall& call, F f) {
  visit_floats(call.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    map<T, T>(call.inputs[0], call.outputs[0],
              [f](T x) { return static_cast<T>(f(static_cast<double>(x))); });
  });
}

// f is generic: it takes and returns the element type.
template <typename F>
void map_numbers(const EvaluationCall& call, F f) {
  visit_numbers(call.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    map<T, T>(call.inputs[0], call.outputs[0], f);
  });
}

template <typename F>
void map_pairs(const EvaluationCall& call, F f) {
  visit_numbers(call.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    map<T, T, T>(call.inputs[0], call.inputs[1], call.outputs[0], f);
  });
}

}  // namespace pdrt::reference
