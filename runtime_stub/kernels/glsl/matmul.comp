#version 450
// A matrix times the vectors of many tokens. A workgroup makes a tile of TILE_TOKENS x TILE_ROWS results, a thread
// 4 x 4 of them: 16 x 32 for 32 threads, 32 x 32 for 64, 32 x 64 for 128, 64 x 64 for 256.
// Groups x: blocks of TILE_ROWS rows, or fewer; y: tokens / TILE_TOKENS rounded up.
#define SHARED_BOOK
#include "common.glsl"

#define LINEAR_CONSTANT 1
#include "linear.glsl"

#define ACROSS (gl_WorkGroupSize.x >= 128u ? 16u : 8u)  // threads along the rows of a tile
#define TILE_ROWS (4u * ACROSS)
#define TILE_TOKENS (4u * (gl_WorkGroupSize.x / ACROSS))
const uint DEPTH = 16u;  // columns of a tile
shared vec4 x_tile[16u * DEPTH];  // (DEPTH, TILE_TOKENS / 4) of four tokens
shared vec4 w_tile[16u * DEPTH];  // (DEPTH, TILE_ROWS / 4) of four rows

// Eight columns of a row as weights, or zeros outside of the matrix.
void fetch_weights(uint row, uint column, out float v[8]) {
  [[unroll]] for (uint j = 0u; j < 8u; ++j) v[j] = 0.0;
  if (row >= row_end || column >= columns) return;
  const uint at = table_of(row, row);
  if (ALIGNED != 0u) {
    load_eight(row - held, column, at, v);
    const vec2 found = level(row - held, column);
    [[unroll]] for (uint j = 0u; j < 8u; ++j) v[j] = weight_of(found, v[j]);
    return;
  }
  const uint count = min(8u, columns - column);
  for (uint j = 0u; j < count; ++j) v[j] = load_weight(row - held, column + j, at);
}

void fetch_x(uint token, uint column, out float v[8]) {
  [[unroll]] for (uint j = 0u; j < 8u; ++j) v[j] = 0.0;
  if (token >= tokens || column >= columns) return;
  if (ALIGNED != 0u) {
    load_x8(token, column, v);
    return;
  }
  const uint count = min(8u, columns - column);
  for (uint j = 0u; j < count; ++j) v[j] = load_x(token, column + j);
}

void main() {
  const uint thread = gl_LocalInvocationID.x;
  const uint token0 = gl_WorkGroupID.y * TILE_TOKENS;
  const uint my_row = 4u * (thread % ACROSS), my_token = 4u * (thread / ACROSS);
  open_book();
  for (uint row0 = row_begin + gl_WorkGroupID.x * TILE_ROWS; row0 < row_end;
       row0 += gl_NumWorkGroups.x * TILE_ROWS) {
    vec4 acc[4];
    [[unroll]] for (uint i = 0u; i < 4u; ++i) acc[i] = vec4(0.0);
    for (uint column0 = 0u; column0 < columns; column0 += DEPTH) {
      for (uint i = thread; i < 2u * (TILE_ROWS + TILE_TOKENS); i += gl_WorkGroupSize.x) {
        float v[8];
        if (i < 2u * TILE_ROWS) {
          const uint row = i % TILE_ROWS, k = 8u * (i / TILE_ROWS);
          fetch_weights(row0 + row, column0 + k, v);
          [[unroll]] for (uint j = 0u; j < 8u; ++j) {
            w_tile[(k + j) * (TILE_ROWS / 4u) + row / 4u][row % 4u] = v[j];
          }
        } else {
          const uint token = (i - 2u * TILE_ROWS) % TILE_TOKENS;
          const uint k = 8u * ((i - 2u * TILE_ROWS) / TILE_TOKENS);
          fetch_x(token0 + token, column0 + k, v);
          [[unroll]] for (uint j = 0u; j < 8u; ++j) {
            x_tile[(k + j) * (TILE_TOKENS / 4u) + token / 4u][token % 4u] = v[j];
          }
        }
      }
      barrier();
      for (uint k = 0u; k < DEPTH; ++k) {
        const vec4 w4 = w_tile[k * (TILE_ROWS / 4u) + my_row / 4u];
        const vec4 x4 = x_tile[k * (TILE_TOKENS / 4u) + my_token / 4u];
        [[unroll]] for (uint i = 0u; i < 4u; ++i) acc[i] += x4[i] * w4;
      }
      barrier();
    }
    const uint row = row0 + my_row;
    [[unroll]] for (uint i = 0u; i < 4u; ++i) {
      const uint token = token0 + my_token + i;
      if (token >= tokens) continue;
      if (row < row_end) store_rows(token, row, acc[i].xy);
      if (row + 2u < row_end) store_rows(token, row + 2u, acc[i].zw);
    }
  }
}
