// Any function of up to three arrays of dense numbers, element by element, with broadcasting.
//
// Range: [elements], or more.
// Arguments: a, b, c, out, BroadcastArguments. Arrays that the expression does not name may be any
// buffer.
//
// Options:
//   EXPRESSION  in terms of a, b, c and of the numbers alpha and beta; written without spaces,
//               since these end an option
//   A_TYPE, B_TYPE, C_TYPE, OUT_TYPE  of the numbers: float, or uchar for booleans
#ifndef EXPRESSION
#define EXPRESSION a
#endif
#ifndef A_TYPE
#define A_TYPE float
#endif
#ifndef B_TYPE
#define B_TYPE float
#endif
#ifndef C_TYPE
#define C_TYPE float
#endif
#ifndef OUT_TYPE
#define OUT_TYPE float
#endif
#include "arguments.h"

__kernel void broadcast(__global const A_TYPE* array_a, __global const B_TYPE* array_b,
                        __global const C_TYPE* array_c, __global OUT_TYPE* out,
                        const BroadcastArguments arguments) {
  uint rest = (uint)get_global_id(0);
  uint at_a = arguments.a, at_b = arguments.b, at_c = arguments.c;
  for (int axis = 5; axis >= 0; --axis) {
    const uint size = (uint)arguments.dims[axis];
    if (size == 1) continue;
    const uint i = rest % size;
    rest /= size;
    at_a += i * (uint)arguments.a_strides[axis];
    at_b += i * (uint)arguments.b_strides[axis];
    at_c += i * (uint)arguments.c_strides[axis];
  }
  if (rest > 0) return;  // past the last element

  const A_TYPE a = array_a[at_a];
  const B_TYPE b = array_b[at_b];
  const C_TYPE c = array_c[at_c];
  const float alpha = arguments.alpha, beta = arguments.beta;
  out[arguments.out + (uint)get_global_id(0)] = (OUT_TYPE)(EXPRESSION);
}
