#version 450
// What the outliers of a weight add to a product: y (tokens, rows) = residual + x @ outliers^T. The residual may be y
// itself, which the product with the dense part made before, or y the residual of that product, which rounds once.
// Groups x: rows / (local_size_x / 8), or fewer; y: tokens. A dispatch writes one output, whose first row is `y_row`;
// of fp16 it begins with an even row and has an even number of them, as `row_begin` and `row_end` have.
//
// An outlier adds a number of its own, or (SCALED) has a second scale of its group for its code, which is signed.
// starts: u32 (rows + 1), the first outlier of each row, which is the compiler's sum of counts. The other parts are
// those of a weight: a count for each RUN columns (a byte where RUN is 128, a word where it is 65536), and where in
// its run each outlier is (7 bits, 16). Rows are those of the weight; `held`: see weights.glsl.
#include "common.glsl"
#include "codes.glsl"

layout(constant_id = 1) const uint X_HALF = 1;
layout(constant_id = 2) const uint X_RUNS = 0;
layout(constant_id = 3) const uint RESIDUAL = 0;
layout(constant_id = 4) const uint RESIDUAL_HALF = 0;
layout(constant_id = 5) const uint Y_HALF = 0;
layout(constant_id = 6) const uint RUN = 128;
#if defined(SCALED)
layout(constant_id = 7) const uint BITS = 4;
layout(constant_id = 8) const uint GROUP = 0;
#endif

layout(set = 0, binding = 0) uniform Params {
  uint x_at;
  uint x_token;
  uint x_inner;
  uint x_outer;
  uint residual_at;
  uint residual_token;
  uint residual_inner;
  uint residual_outer;
  uint y_at;
  uint y_token;
  uint y_inner;
  uint y_outer;
  uint y_row;
  uint columns;
  uint row_begin;
  uint row_end;
#if defined(SCALED)
  uint held;
#endif
};
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(set = 0, binding = 2) readonly buffer Residual { uint residual[]; };
layout(set = 0, binding = 3) buffer Y { uint y[]; };
layout(set = 0, binding = 4) readonly buffer Starts { uint starts[]; };
layout(set = 0, binding = 5) readonly buffer Counts { uint counts[]; };
layout(set = 0, binding = 6) readonly buffer Places { uint places[]; };
#if defined(SCALED)
layout(set = 0, binding = 7) readonly buffer Codes { uint codes[]; };
layout(set = 0, binding = 8) readonly buffer Scales { uint scales[]; };
layout(set = 0, binding = 9) readonly buffer OutlierScales { uint outlier_scales[]; };
#else
layout(set = 0, binding = 7) readonly buffer Values { uint values[]; };
#endif

const uint TEAM = 8u;  // threads of a row
shared float sums[256];

// What outlier `at` in a column adds to its weight. `row` counts from `held`.
float value_of(uint at, uint row, uint column) {
#if defined(SCALED)
  const uint code = CODE_AT(codes, BITS, row * columns + column);
  uint group = row;
  if (GROUP != 0u) group = row * ((columns + GROUP - 1u) / GROUP) + column / GROUP;
  const float more = exact_half(outlier_scales[group >> 1], group);
  return float(bitfieldExtract(int(code), 0, int(BITS))) *
         (more - exact_half(scales[group >> 1], group));
#else
  return exact_half(values[at >> 1], at);
#endif
}

// Outlier `at` of a row times its x.
float product_of(uint at, uint token, uint row, uint run) {
  const uint place = RUN == 128u ? CODE_AT(places, 7u, at)
                                 : (places[at >> 1] >> (16u * (at & 1u))) & 0xffffu;
  const uint column = run * RUN + place;
  if (column >= columns) return 0.0;
  const uint from = x_at + token * x_token +
                    (X_RUNS == 0u ? column : (column / x_inner) * x_outer + column % x_inner);
  return LOAD(x, X_HALF, from) * value_of(at, row, column);
}

#define PLACE(v_, token_, row_) \
  (v_##_at + (token_) * v_##_token + ((row_) / v_##_inner) * v_##_outer + (row_) % v_##_inner)

float residual_at_row(uint token, uint row) {
  const uint from = PLACE(residual, token, row);
  return LOAD(residual, RESIDUAL_HALF, from);
}

void main() {
  const uint thread = gl_LocalInvocationID.x, lane = thread % TEAM, token = gl_WorkGroupID.y;
  const uint rows_at_once = gl_WorkGroupSize.x / TEAM, runs = (columns + RUN - 1u) / RUN;
  for (uint row0 = row_begin + gl_WorkGroupID.x * rows_at_once; row0 < row_end;
       row0 += gl_NumWorkGroups.x * rows_at_once) {
    const uint row = row0 + thread / TEAM;
    float sum = 0.0;
    if (row < row_end) {
#if defined(SCALED)
      const uint here = row - held;
#else
      const uint here = row;
#endif
      uint at = starts[row];
      const uint end = starts[row + 1u];
      for (uint run = 0u; run < runs; ++run) {
        const uint index = row * runs + run;
        uint count = RUN == 128u ? (counts[index >> 2] >> (8u * (index & 3u))) & 255u : counts[index];
        count = min(count, end - at);
        // Short runs go to one thread each, of a long one every thread takes some.
        const uint first = RUN == 128u ? (run % TEAM == lane ? 0u : count) : lane;
        const uint step_ = RUN == 128u ? 1u : TEAM;
        for (uint i = first; i < count; i += step_) sum += product_of(at + i, token, here, run);
        at += count;
      }
    }
    sums[thread] = sum;
    barrier();
    if (thread % (2u * TEAM) == 0u && row < row_end) {
      vec2 both = vec2(0.0);
      for (uint i = 0u; i < TEAM; ++i) both += vec2(sums[thread + i], sums[thread + TEAM + i]);
      const bool two = row + 1u < row_end;
      if (RESIDUAL != 0u) {
        both.x += residual_at_row(token, row - y_row);
        if (two) both.y += residual_at_row(token, row + 1u - y_row);
      }
      const uint to = PLACE(y, token, row - y_row);
      if (Y_HALF != 0u) {
        y[to >> 1] = pack_halves(both);
      } else {
        STORE1(y, to, both.x);
        if (two) STORE1(y, PLACE(y, token, row + 1u - y_row), both.y);
      }
    }
    barrier();
  }
}
