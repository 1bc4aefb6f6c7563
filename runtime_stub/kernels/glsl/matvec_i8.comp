#version 450
// matvec on int8 activations: ROWS rows and TOKENS tokens a workgroup, groups as those of matvec. Without groups of
// columns sums are integers to the end, and the same on every device.
#define USE_GROUP_SUM
#include "common.glsl"

layout(constant_id = 1) const uint ROWS = 4;
layout(constant_id = 2) const uint TOKENS = 1;
#define LINEAR_CONSTANT 3
#include "integer.glsl"

const uint MOST_ROWS = 8u, MOST_TOKENS = 4u;
shared float totals[MOST_ROWS * MOST_TOKENS];

void main() {
  const uint thread = gl_LocalInvocationID.x, token0 = gl_WorkGroupID.y * TOKENS;
  for (uint row0 = row_begin + gl_WorkGroupID.x * ROWS; row0 < row_end;
       row0 += gl_NumWorkGroups.x * ROWS) {
    const uint last = row_end - 1u;
    int whole[MOST_ROWS][MOST_TOKENS];
    float acc[MOST_ROWS][MOST_TOKENS];
    [[unroll]] for (uint r = 0u; r < ROWS; ++r) {
      [[unroll]] for (uint t = 0u; t < TOKENS; ++t) {
        whole[r][t] = 0;
        acc[r][t] = 0.0;
      }
    }
    for (uint column = 8u * thread; column < columns; column += 8u * gl_WorkGroupSize.x) {
      uvec2 w8[MOST_ROWS];
      [[unroll]] for (uint r = 0u; r < ROWS; ++r) w8[r] = load_w8(min(row0 + r, last) - held, column);
      Eight x8[MOST_TOKENS];
      [[unroll]] for (uint t = 0u; t < TOKENS; ++t) {
        x8[t] = load_x8(min(token0 + t, tokens - 1u), column);
      }
      [[unroll]] for (uint r = 0u; r < ROWS; ++r) {
        const float scale = GROUP == 0u ? 0.0 : level(min(row0 + r, last) - held, column).x;
        [[unroll]] for (uint t = 0u; t < TOKENS; ++t) {
          const int sum = dot8(x8[t], w8[r]);
          if (GROUP == 0u) {
            whole[r][t] += sum;
          } else {
            acc[r][t] += scale * float(sum);
          }
        }
      }
    }
    [[unroll]] for (uint i = 0u; i < ROWS * TOKENS; i += 4u) {
      ivec4 four = ivec4(0);
      vec4 scaled = vec4(0.0);
      [[unroll]] for (uint j = 0u; j < 4u; ++j) {
        if (i + j >= ROWS * TOKENS) break;
        four[j] = whole[(i + j) % ROWS][(i + j) / ROWS];
        scaled[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
      }
      if (GROUP == 0u) {
        scaled = vec4(group_sum(four));
      } else {
        scaled = group_sum(scaled);
      }
      if (thread == 0u) {
        [[unroll]] for (uint j = 0u; j < 4u; ++j) {
          if (i + j < ROWS * TOKENS) totals[i + j] = scaled[j];
        }
      }
    }
    barrier();
    for (uint i = thread; i < ROWS / 2u * TOKENS; i += gl_WorkGroupSize.x) {
      const uint token = token0 + 2u * i / ROWS, row = row0 + 2u * i % ROWS;
      if (token >= tokens || row >= row_end) continue;
      vec2 v = vec2(totals[2u * i], totals[2u * i + 1u]) * x_scale(token);
      if (GROUP == 0u) {
        v *= vec2(level(row - held, 0u).x, level(min(row + 1u, last) - held, 0u).x);
      }
      store_rows(token, row, v);
    }
    barrier();
  }
}
