#version 450
// A matrix times the vectors of a few tokens. A workgroup makes ROWS rows at once, and goes on with others
// where there are fewer workgroups than blocks of rows: groups x, any; y, tokens / TOKENS rounded up.
// ROWS is 2, 4 or 8 (tables: ROWS << BITS at most 1024), TOKENS 1 to 4.
#define USE_GROUP_SUM
#define SHARED_TABLES
#define SHARED_BOOK
#include "common.glsl"

layout(constant_id = 1) const uint ROWS = 4;
layout(constant_id = 2) const uint TOKENS = 1;
#define LINEAR_CONSTANT 3
#include "linear.glsl"

const uint MOST_ROWS = 8u, MOST_TOKENS = 4u;
shared float totals[MOST_ROWS * MOST_TOKENS];

// The sums of all threads for one block of rows; `acc` by row and token.
void reduce_and_store(uint row0, uint token0, float acc[MOST_ROWS][MOST_TOKENS]) {
  [[unroll]] for (uint i = 0u; i < ROWS * TOKENS; i += 4u) {
    vec4 four = vec4(0.0);
    [[unroll]] for (uint j = 0u; j < 4u; ++j) {
      if (i + j < ROWS * TOKENS) four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
    }
    four = group_sum(four);
    if (gl_LocalInvocationID.x == 0u) {
      [[unroll]] for (uint j = 0u; j < 4u; ++j) {
        if (i + j < ROWS * TOKENS) totals[i + j] = four[j];
      }
    }
  }
  barrier();
  for (uint i = gl_LocalInvocationID.x; i < ROWS / 2u * TOKENS; i += gl_WorkGroupSize.x) {
    const uint token = token0 + 2u * i / ROWS, row = row0 + 2u * i % ROWS;
    if (token < tokens && row < row_end) {
      store_rows(token, row, vec2(totals[2u * i], totals[2u * i + 1u]));
    }
  }
  barrier();
}

void main() {
  const uint token0 = gl_WorkGroupID.y * TOKENS;
  open_book();
  for (uint row0 = row_begin + gl_WorkGroupID.x * ROWS; row0 < row_end;
       row0 += gl_NumWorkGroups.x * ROWS) {
    const uint count = min(ROWS, row_end - row0);
    open_tables(row0, count);
#if defined(TABLES)
    barrier();
#endif
    float acc[MOST_ROWS][MOST_TOKENS];
    uint at[MOST_ROWS], here[MOST_ROWS];  // the table of a row, the row counted from `held`
    [[unroll]] for (uint r = 0u; r < ROWS; ++r) {
      const uint row = row0 + min(r, count - 1u);
      at[r] = table_of(row0, row);
      here[r] = row - held;
      [[unroll]] for (uint t = 0u; t < TOKENS; ++t) acc[r][t] = 0.0;
    }
    if (ALIGNED != 0u) {
      vec2 levels[MOST_ROWS];
      if (GROUP == 0u) {
        [[unroll]] for (uint r = 0u; r < ROWS; ++r) levels[r] = level(here[r], 0u);
      }
      for (uint step_ = gl_LocalInvocationID.x; step_ < columns / STEP; step_ += gl_WorkGroupSize.x) {
        uint words[MOST_ROWS][8];
        [[unroll]] for (uint r = 0u; r < ROWS; ++r) load_step(here[r], step_, words[r]);
        [[unroll]] for (uint sub = 0u; sub < STEP / 8u; ++sub) {
          const uint column = step_ * STEP + 8u * sub;
          float xs[MOST_TOKENS][8], sums[MOST_TOKENS];
          [[unroll]] for (uint t = 0u; t < TOKENS; ++t) {
            load_x8(min(token0 + t, tokens - 1u), column, xs[t]);
            sums[t] = 0.0;
            [[unroll]] for (uint j = 0u; j < 8u; ++j) sums[t] += xs[t][j];
          }
          [[unroll]] for (uint r = 0u; r < ROWS; ++r) {
            if (GROUP != 0u && (sub == 0u || GROUP % STEP != 0u)) levels[r] = level(here[r], column);
            float v[8];
            numbers(words[r], sub, at[r], v);
            [[unroll]] for (uint t = 0u; t < TOKENS; ++t) {
              float sum = 0.0;
              [[unroll]] for (uint j = 0u; j < 8u; ++j) sum += xs[t][j] * v[j];
              acc[r][t] += weigh(levels[r], sum, sums[t]);
            }
          }
        }
      }
    } else {
      for (uint column = gl_LocalInvocationID.x; column < columns; column += gl_WorkGroupSize.x) {
        float xs[MOST_TOKENS];
        [[unroll]] for (uint t = 0u; t < TOKENS; ++t) {
          xs[t] = load_x(min(token0 + t, tokens - 1u), column);
        }
        [[unroll]] for (uint r = 0u; r < ROWS; ++r) {
          const float weight = load_weight(here[r], column, at[r]);
          [[unroll]] for (uint t = 0u; t < TOKENS; ++t) acc[r][t] += xs[t] * weight;
        }
      }
    }
    reduce_and_store(row0, token0, acc);
  }
}
