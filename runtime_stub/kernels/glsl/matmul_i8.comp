#version 450
// matmul on int8 activations: tiles, threads and groups are those of matmul.
#include "common.glsl"

#define LINEAR_CONSTANT 1
#include "integer.glsl"

#define ACROSS (gl_WorkGroupSize.x >= 128u ? 16u : 8u)  // threads along the rows of a tile
#define TILE_ROWS (4u * ACROSS)
#define TILE_TOKENS (4u * (gl_WorkGroupSize.x / ACROSS))
const uint EIGHTS = 4u;  // of columns in a tile
shared uvec2 x_tile[64u * EIGHTS];  // (EIGHTS, TILE_TOKENS)
shared int x_sums[64u * EIGHTS];
shared uvec2 w_tile[64u * EIGHTS];  // (EIGHTS, TILE_ROWS)
shared float w_scales[64u * EIGHTS];

void fetch(uint i, uint row0, uint token0, uint column0) {
  if (i < EIGHTS * TILE_ROWS) {
    const uint row = row0 + i % TILE_ROWS, column = column0 + 8u * (i / TILE_ROWS);
    const bool inside = row < row_end && column < columns;
    w_tile[i] = inside ? load_w8(row - held, column) : uvec2(0u);
    if (GROUP != 0u) w_scales[i] = inside ? level(row - held, column).x : 0.0;
    return;
  }
  const uint at = i - EIGHTS * TILE_ROWS;
  const uint token = token0 + at % TILE_TOKENS, column = column0 + 8u * (at / TILE_TOKENS);
  const Eight zeros = Eight(uvec2(0u), 0);
  Eight found = zeros;
  if (token < tokens && column < columns) found = load_x8(token, column);
  x_tile[at] = found.codes;
  x_sums[at] = found.sum;
}

void main() {
  const uint thread = gl_LocalInvocationID.x;
  const uint token0 = gl_WorkGroupID.y * TILE_TOKENS;
  const uint my_row = 4u * (thread % ACROSS), my_token = 4u * (thread / ACROSS);
  for (uint row0 = row_begin + gl_WorkGroupID.x * TILE_ROWS; row0 < row_end;
       row0 += gl_NumWorkGroups.x * TILE_ROWS) {
    ivec4 whole[4];  // by token; of four rows
    vec4 acc[4];
    [[unroll]] for (uint i = 0u; i < 4u; ++i) {
      whole[i] = ivec4(0);
      acc[i] = vec4(0.0);
    }
    for (uint column0 = 0u; column0 < columns; column0 += 8u * EIGHTS) {
      for (uint i = thread; i < EIGHTS * (TILE_ROWS + TILE_TOKENS); i += gl_WorkGroupSize.x) {
        fetch(i, row0, token0, column0);
      }
      barrier();
      [[unroll]] for (uint k = 0u; k < EIGHTS; ++k) {
        const uint w_at = k * TILE_ROWS + my_row;
        [[unroll]] for (uint i = 0u; i < 4u; ++i) {
          const uint x_here = k * TILE_TOKENS + my_token + i;
          const Eight x8 = Eight(x_tile[x_here], x_sums[x_here]);
          [[unroll]] for (uint r = 0u; r < 4u; ++r) whole[i][r] += dot8(x8, w_tile[w_at + r]);
          const bool one_group = GROUP % (8u * EIGHTS) == 0u;
          if (GROUP != 0u && (k + 1u == EIGHTS || !one_group)) {
            const uint scale_at = one_group ? my_row : w_at;  // the last eights may be outside
            [[unroll]] for (uint r = 0u; r < 4u; ++r) {
              acc[i][r] += w_scales[scale_at + r] * float(whole[i][r]);
            }
            whole[i] = ivec4(0);
          }
        }
      }
      barrier();
    }
    const uint row = row0 + my_row;
    if (GROUP == 0u && row < row_end) {
      vec4 scales_;
      [[unroll]] for (uint r = 0u; r < 4u; ++r) {
        scales_[r] = level(min(row + r, row_end - 1u) - held, 0u).x;
      }
      [[unroll]] for (uint i = 0u; i < 4u; ++i) {
        const uint token = min(token0 + my_token + i, tokens - 1u);
        acc[i] = vec4(whole[i]) * x_scale(token) * scales_;
      }
    }
    [[unroll]] for (uint i = 0u; i < 4u; ++i) {
      const uint token = token0 + my_token + i;
      if (token >= tokens) continue;
      if (GROUP != 0u) acc[i] *= x_scale(token);
      if (row < row_end) store_rows(token, row, acc[i].xy);
      if (row + 2u < row_end) store_rows(token, row + 2u, acc[i].zw);
    }
  }
}
