// What matrix products have in common: y (tokens, rows) = x (tokens, columns) @ weight^T + bias + residual.
// A kernel defines LINEAR_CONSTANT, the id of the first constant, before.
//
// The rows of a weight go to up to three outputs in order: rows before `end0` to y0, before `end1` to y1, the
// others to y2. Row r of an output is at y_at + t * y_token + (r / y_inner) * y_outer + r % y_inner. An output of
// fp16 begins with an even row and has an even number of them, as `row_begin` and `row_end` have.
#extension GL_EXT_control_flow_attributes : require

#define LINEAR(n_) layout(constant_id = LINEAR_CONSTANT + n_) const uint
LINEAR(0) ALIGNED = 0;       // see weights.glsl; x_at, x_token, x_inner and x_outer are even then
LINEAR(1) X_HALF = 1;
LINEAR(2) X_RUNS = 0;        // 1: the columns of x are in runs of x_inner, a multiple of 8 where ALIGNED
LINEAR(3) BIAS = 0;          // 1: bias (rows) float32
LINEAR(4) RESIDUAL = 0;      // 1: a residual (tokens, rows); it may be the view of an output
LINEAR(5) RESIDUAL_HALF = 0;
LINEAR(6) Y0_HALF = 1;
LINEAR(7) Y1_HALF = 1;
LINEAR(8) Y2_HALF = 1;
#define WEIGHT_CONSTANT (LINEAR_CONSTANT + 9)
#define WEIGHT_BINDING 7

layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(set = 0, binding = 2) readonly buffer Bias { uint bias[]; };
layout(set = 0, binding = 3) readonly buffer Residual { uint residual[]; };
layout(set = 0, binding = 4) buffer Y0 { uint y0[]; };
layout(set = 0, binding = 5) buffer Y1 { uint y1[]; };
layout(set = 0, binding = 6) buffer Y2 { uint y2[]; };

#if !defined(INTEGER_PARAMS)
#define INTEGER_PARAMS
#endif
#define KERNEL_PARAMS                                                          \
  uint tokens;                                                                 \
  uint x_at; uint x_token; uint x_inner; uint x_outer;                         \
  uint residual_at; uint residual_token; uint residual_inner; uint residual_outer; \
  uint y0_at; uint y0_token; uint y0_inner; uint y0_outer;                     \
  uint y1_at; uint y1_token; uint y1_inner; uint y1_outer;                     \
  uint y2_at; uint y2_token; uint y2_inner; uint y2_outer;                     \
  uint end0; uint end1;                                                        \
  INTEGER_PARAMS

#include "weights.glsl"

uint x_place(uint token, uint column) {
  const uint at = x_at + token * x_token;
  return X_RUNS == 0u ? at + column : at + (column / x_inner) * x_outer + column % x_inner;
}

#if !defined(INTEGER)
float load_x(uint token, uint column) {
  const uint at = x_place(token, column);
  return LOAD(x, X_HALF, at);
}

// The eight columns that begin with `column`, a multiple of 8 (ALIGNED).
void load_x8(uint token, uint column, out float v[8]) {
  const uint at = x_place(token, column);
  [[unroll]] for (uint j = 0u; j < 8u; j += 2u) {
    const vec2 two = LOAD2(x, X_HALF, at + j);
    v[j] = two.x;
    v[j + 1u] = two.y;
  }
}

#endif

#define PLACE(y_, token_, row_) \
  (y_##_at + (token_) * y_##_token + ((row_) / y_##_inner) * y_##_outer + (row_) % y_##_inner)

// What bias and residual add to a row.
float added(uint token, uint row) {
  float sum = BIAS != 0u ? uintBitsToFloat(bias[row]) : 0.0;
  if (RESIDUAL != 0u) {
    const uint at = PLACE(residual, token, row);
    sum += LOAD(residual, RESIDUAL_HALF, at);
  }
  return sum;
}

// One row of a float32 output.
void store_row(uint token, uint row, float v) {
  if (row < end0) {
    STORE1(y0, PLACE(y0, token, row), v);
  } else if (row < end1) {
    STORE1(y1, PLACE(y1, token, row - end0), v);
  } else {
    STORE1(y2, PLACE(y2, token, row - end1), v);
  }
}

// The results of rows `row` (even) and the next, which may be `row_end`.
void store_rows(uint token, uint row, vec2 v) {
  const bool two = row + 1u < row_end;
  v.x += added(token, row);
  if (two) v.y += added(token, row + 1u);
  const uint is_half = row < end0 ? Y0_HALF : (row < end1 ? Y1_HALF : Y2_HALF);
  if (is_half == 0u) {
    store_row(token, row, v.x);
    if (two) store_row(token, row + 1u, v.y);
    return;
  }
  const uint word = pack_halves(v);
  if (row < end0) {
    y0[PLACE(y0, token, row) >> 1] = word;
  } else if (row < end1) {
    y1[PLACE(y1, token, row - end0) >> 1] = word;
  } else {
    y2[PLACE(y2, token, row - end1) >> 1] = word;
  }
}
