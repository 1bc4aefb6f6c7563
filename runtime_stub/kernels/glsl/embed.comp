#version 450
// Rows of a table by their ids. Tokens whose id is no row of `row_begin` .. `row_end` - 1 stay as they are.
// Groups x: any; y: tokens. ids: i64, of which the lower words are read.
#extension GL_EXT_control_flow_attributes : require
#include "common.glsl"

layout(constant_id = 1) const uint ALIGNED = 0;  // see weights.glsl; y_inner is a multiple of 8 then
layout(constant_id = 2) const uint Y_HALF = 1;
#define WEIGHT_CONSTANT 3
#define WEIGHT_BINDING 3

layout(set = 0, binding = 1) readonly buffer Ids { uint ids[]; };
layout(set = 0, binding = 2) buffer Y { uint y[]; };

#define KERNEL_PARAMS uint ids_at; uint y_at; uint y_token; uint y_inner; uint y_outer;
#include "weights.glsl"

uint place(uint token, uint column) {
  return y_at + token * y_token + (column / y_inner) * y_outer + column % y_inner;
}

void main() {
  const uint token = gl_WorkGroupID.y;
  const uint row = ids[2u * (ids_at + token)];
  if (ids[2u * (ids_at + token) + 1u] != 0u || row < row_begin || row >= row_end) return;
  const uint at = table_of(row, row), here = row - held;
  const uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
  if (ALIGNED != 0u) {
    for (uint i = gl_GlobalInvocationID.x; i < columns >> 3; i += stride) {
      float v[8];
      load_eight(here, 8u * i, at, v);
      const vec2 found = level(here, 8u * i);
      const uint to = place(token, 8u * i);
      [[unroll]] for (uint j = 0u; j < 8u; j += 2u) {
        const vec2 two = vec2(weight_of(found, v[j]), weight_of(found, v[j + 1u]));
        STORE2(y, Y_HALF, to + j, two);
      }
    }
    return;
  }
  for (uint column = 2u * gl_GlobalInvocationID.x; column < columns; column += 2u * stride) {
    const float first = load_weight(here, column, at);
    if (column + 1u == columns) {  // float32: an odd number of columns
      STORE1(y, place(token, column), first);
      continue;
    }
    const vec2 two = vec2(first, load_weight(here, column + 1u, at));
    if (Y_HALF != 0u) {
      y[place(token, column) >> 1] = pack_halves(two);
    } else {
      STORE1(y, place(token, column), two.x);
      STORE1(y, place(token, column + 1u), two.y);
    }
  }
}
