#version 450
// Kernels of single numbers over strided views of four axes (0 the outermost; leading ones may be 1):
// copy (no definition), UNARY: y = f(x), BINARY: y = f(a, b), GATED: y = f(gate) * up.
// Groups: ceil(ceil(width / 2) / local), size of axis 2, product of the sizes of axes 0 and 1.
// width is the size of axis 3. y may be the very view that an input is. copy of float32 to float32 moves
// words, so i64 numbers may be copied as pairs of them.
#include "common.glsl"
#include "functions.glsl"

#if defined(GATED)
#define A gate
#define A_AT gate_at
#define A_STRIDE(n) gate_##n
#define B up
#define B_AT up_at
#define B_STRIDE(n) up_##n
#elif defined(BINARY)
#define A a
#define A_AT a_at
#define A_STRIDE(n) a_##n
#define B b
#define B_AT b_at
#define B_STRIDE(n) b_##n
#else
#define A x
#define A_AT x_at
#define A_STRIDE(n) x_##n
#endif

#if defined(GATED)
layout(constant_id = 1) const uint GATE_HALF = 1u;
layout(constant_id = 2) const uint UP_HALF = 1u;
layout(constant_id = 3) const uint Y_HALF = 1u;
layout(constant_id = 4) const uint FUNCTION = 0u;
#define A_HALF GATE_HALF
#define B_HALF UP_HALF
#elif defined(BINARY)
layout(constant_id = 1) const uint A_HALF = 1u;
layout(constant_id = 2) const uint B_HALF = 1u;
layout(constant_id = 3) const uint Y_HALF = 1u;
layout(constant_id = 4) const uint FUNCTION = 0u;
#else
layout(constant_id = 1) const uint X_HALF = 1u;
layout(constant_id = 2) const uint Y_HALF = 1u;
#define A_HALF X_HALF
#endif
#if defined(UNARY)
layout(constant_id = 3) const uint FUNCTION = 0u;
#endif

layout(set = 0, binding = 0) uniform Params {
  uint width;
  uint size_1;
  uint A_AT;
  uint A_STRIDE(0);
  uint A_STRIDE(1);
  uint A_STRIDE(2);
  uint A_STRIDE(3);
#if defined(B)
  uint B_AT;
  uint B_STRIDE(0);
  uint B_STRIDE(1);
  uint B_STRIDE(2);
  uint B_STRIDE(3);
#endif
  uint y_at;
  uint y_0;
  uint y_1;
  uint y_2;
  uint y_3;  // 1 where y has fp16 numbers
};
#if defined(B)
layout(set = 0, binding = 1) readonly buffer First { uint A[]; };
layout(set = 0, binding = 2) readonly buffer Second { uint B[]; };
layout(set = 0, binding = 3) buffer Y { uint y[]; };
#else
layout(set = 0, binding = 1) readonly buffer First { uint A[]; };
layout(set = 0, binding = 2) buffer Y { uint y[]; };
#endif

void main() {
  const uint i = 2u * gl_GlobalInvocationID.x;
  if (i >= width) return;
  const uint at_0 = gl_WorkGroupID.z / size_1, at_1 = gl_WorkGroupID.z % size_1, at_2 = gl_WorkGroupID.y;
  const uint to = y_at + at_0 * y_0 + at_1 * y_1 + at_2 * y_2 + i * y_3;
  const uint first = A_AT + at_0 * A_STRIDE(0) + at_1 * A_STRIDE(1) + at_2 * A_STRIDE(2) + i * A_STRIDE(3);
  const bool two = i + 1u < width;
  const uint next = two ? first + A_STRIDE(3) : first;
#if !defined(UNARY) && !defined(B)
  if (A_HALF == 0u && Y_HALF == 0u) {  // words as they are: a device may drop what is not a number
    const uint left = A[first], right = A[next];
    y[to] = left;
    if (two) y[to + y_3] = right;
    return;
  }
#endif
  vec2 v = vec2(LOAD(A, A_HALF, first), LOAD(A, A_HALF, next));
#if defined(B)
  const uint second = B_AT + at_0 * B_STRIDE(0) + at_1 * B_STRIDE(1) + at_2 * B_STRIDE(2) + i * B_STRIDE(3);
  const uint after = two ? second + B_STRIDE(3) : second;
  const vec2 w = vec2(LOAD(B, B_HALF, second), LOAD(B, B_HALF, after));
#endif
#if defined(GATED)
  v = vec2(unary_of(FUNCTION, v.x), unary_of(FUNCTION, v.y)) * w;
#elif defined(BINARY)
  v = vec2(binary_of(FUNCTION, v.x, w.x), binary_of(FUNCTION, v.y, w.y));
#elif defined(UNARY)
  v = vec2(unary_of(FUNCTION, v.x), unary_of(FUNCTION, v.y));
#endif
  if (Y_HALF != 0u) {
    STORE2(y, Y_HALF, to, v);
    return;
  }
  STORE1(y, to, v.x);
  if (two) STORE1(y, to + y_3, v.y);
}
