#version 450
// Attention over the rows of a cache: softmax(scale * q k) v with float32 scores and sums, taken in tile by
// tile. A workgroup has the rows of QUERIES tokens and of HEADS heads that share one of keys; what a tile
// loads all of them use. Four rows are a vec4.
//
// Definitions: none: caches of 16 bits, (context, heads, width), which hold past + seq tokens. CODED: caches
// in few bits (kv_params.glsl) as they are behind kv_round, and the call's new rows; a query at position p
// reads what single steps would give it: codes of runs that leave the window when the cache has p + 1 tokens,
// everything else exactly. SPLIT: the tokens in `parts` parts, each a workgroup; attention_join puts them
// together. Scratch, float32: (tokens, query heads, parts, 2 + V_WIDTH): maximum, sum, weighted values.
//
// Groups: ceil(seq / QUERIES) (SPLIT: parts), heads * ceil(share / HEADS), 1 (SPLIT: ceil(seq / QUERIES)).
// share: query heads to a head of keys. Limits: QUERIES * HEADS <= 16, that rounded up to fours times each
// width <= 1024; widths even, at most 256. window: how many tokens a query sees, itself included; 0: all.
#include "common.glsl"

#if defined(CODED)
#include "kv_halves.glsl"
#include "kv_params.glsl"
layout(constant_id = 9) const uint Q_HALF = 1u;
layout(constant_id = 10) const uint QUERIES = 1u;
layout(constant_id = 11) const uint HEADS = 1u;
#if !defined(SPLIT)
layout(constant_id = 12) const uint Y_HALF = 1u;
#endif
#else
layout(constant_id = 1) const uint K_WIDTH = 64u;
layout(constant_id = 2) const uint V_WIDTH = 64u;
layout(constant_id = 3) const uint Q_HALF = 1u;
layout(constant_id = 4) const uint QUERIES = 1u;
layout(constant_id = 5) const uint HEADS = 1u;
#if !defined(SPLIT)
layout(constant_id = 6) const uint Y_HALF = 1u;
#endif
#endif

layout(set = 0, binding = 0) uniform Params {
#if defined(CODED)
  KV_PARAMS
#else
  uint heads;  // of keys and values
  uint past;
  uint seq;
#endif
  uint share;
  uint window;
  float scale;
  uint q_at;
  uint q_token;
  uint q_head;
#if defined(SPLIT)
  uint parts;
  uint scratch_at;
#else
  uint y_at;
  uint y_token;
  uint y_head;
#endif
};
layout(set = 0, binding = 1) readonly buffer Q { uint q[]; };
#if defined(CODED)
layout(set = 0, binding = 2) readonly buffer KNew { uint k_new[]; };
layout(set = 0, binding = 3) readonly buffer VNew { uint v_new[]; };
layout(set = 0, binding = 4) readonly buffer KCache { uint k_cache[]; };
layout(set = 0, binding = 5) readonly buffer VCache { uint v_cache[]; };
#if defined(SPLIT)
layout(set = 0, binding = 6) buffer Scratch { uint scratch[]; };
#else
layout(set = 0, binding = 6) buffer Y { uint y[]; };
#endif
#else
layout(set = 0, binding = 2) readonly buffer KCache { uint k_cache[]; };
layout(set = 0, binding = 3) readonly buffer VCache { uint v_cache[]; };
#if defined(SPLIT)
layout(set = 0, binding = 4) buffer Scratch { uint scratch[]; };
#else
layout(set = 0, binding = 4) buffer Y { uint y[]; };
#endif
#endif

#if defined(CODED)
#define KV_READ
#include "kv_sides.glsl"
#else
vec2 k_read(uint token, uint head, uint pair, uint rounded) {
  return unpackHalf2x16(k_cache[(token * heads + head) * (K_WIDTH / 2u) + pair]);
}

vec2 v_read(uint token, uint head, uint pair, uint rounded) {
  return unpackHalf2x16(v_cache[(token * heads + head) * (V_WIDTH / 2u) + pair]);
}
#endif

const uint ROWS = QUERIES * HEADS;
const uint FOURS = (ROWS + 3u) / 4u;
const uint STRIDE = (K_WIDTH > V_WIDTH ? K_WIDTH : V_WIDTH) + 1u;  // odd: no two rows in one bank
const uint ROOM = 2112u / STRIDE < 64u / FOURS ? 2112u / STRIDE : 64u / FOURS;
const uint TILE = ROOM < 32u ? ROOM : 32u;  // tokens
const uint SCORES = TILE * FOURS;           // at most 64
const uint ITEMS = FOURS * V_WIDTH;         // of the output, at most 256: a thread has up to 8

shared vec4 queries[256];  // (channels, FOURS)
shared float tile[2112];   // (TILE, STRIDE): keys, then values
shared vec4 scores[128];   // (slices, TILE, FOURS): sums over slices of the channels, the first in the end
shared vec4 weights[64];
shared vec4 greatest[8];  // of the rows, before and behind a tile in turn
shared vec4 row_sums[4];

// Row r of the workgroup: token and head of the query.
struct Place {
  uint token;
  uint head;
  bool valid;
};

Place place_of(uint r, uint first, uint kv_head, uint chunk) {
  const uint in_share = chunk * HEADS + r % HEADS, token = first + r / HEADS;
  return Place(token, kv_head * share + in_share, r < ROWS && in_share < share && token < seq);
}

void main() {
  const uint thread = gl_LocalInvocationID.x, threads = gl_WorkGroupSize.x;
  const uint chunks = (share + HEADS - 1u) / HEADS;
  const uint kv_head = gl_WorkGroupID.y / chunks, chunk = gl_WorkGroupID.y % chunks;
#if defined(SPLIT)
  const uint first = gl_WorkGroupID.z * QUERIES;
#else
  const uint first = gl_WorkGroupID.x * QUERIES;
#endif
  const uint last = min(first + QUERIES, seq);

  for (uint i = thread; i < FOURS * K_WIDTH; i += threads) {
    vec4 four = vec4(0.0);
    for (uint n = 0u; n < 4u; ++n) {
      const Place at = place_of(i % FOURS * 4u + n, first, kv_head, chunk);
      if (at.valid) four[n] = scale * LOAD(q, Q_HALF, q_at + at.token * q_token + at.head * q_head + i / FOURS);
    }
    queries[i] = four;
  }
  if (thread < 4u) greatest[thread] = vec4(LOWEST);
  vec4 outs[8], sums[8];
  for (uint k = 0u; k < 8u; ++k) {
    outs[k] = vec4(0.0);
    sums[k] = vec4(0.0);
  }
  const uint mine = (ITEMS + threads - 1u) / threads;
  // Threads that a tile has no score for take a slice of the channels.
  const uint spare = min(threads, 128u) / SCORES, slices = clamp(spare, 1u, 8u);
  const uint slice_width = (K_WIDTH + slices - 1u) / slices;
  uint turn = 0u;

  uint low = window > 0u && past + first + 1u > window ? past + first + 1u - window : 0u;
  uint high = past + last;
#if defined(SPLIT)
  const uint each = ((high - low + parts - 1u) / parts + TILE - 1u) / TILE * TILE;
  low += gl_WorkGroupID.x * each;
  high = min(high, low + each);
#endif

  // Queries from..to see the same tokens in codes.
  uint to = first;
  for (uint from = first; from < last; from = to) {
    to = last;
    uint k_codes = 0u, v_codes = 0u;
#if defined(CODED)
    k_codes = k_rounded(past + from + 1u);
    v_codes = v_rounded(past + from + 1u);
    to = from + 1u;
    while (to < last && k_rounded(past + to + 1u) == k_codes && v_rounded(past + to + 1u) == v_codes) ++to;
#endif
    const uint end = min(high, past + to);
    for (uint begin = low; begin < end; begin += TILE) {
      const uint count = min(TILE, end - begin);
      barrier();  // the tile before has been used
      for (uint i = thread; i < count * (K_WIDTH / 2u); i += threads) {
        const uint t = i / (K_WIDTH / 2u), pair = i % (K_WIDTH / 2u);
        const vec2 v = k_read(begin + t, kv_head, pair, k_codes);
        tile[t * STRIDE + 2u * pair] = v.x;
        tile[t * STRIDE + 2u * pair + 1u] = v.y;
      }
      barrier();
      for (uint i = thread; i < SCORES * slices; i += threads) {
        const uint t = i % TILE, four = i % SCORES / TILE, slice = i / SCORES;
        const uint behind = min((slice + 1u) * slice_width, K_WIDTH);
        vec4 sum = vec4(0.0);
        if (t < count) {
          for (uint c = slice * slice_width; c < behind; ++c) {
            sum += queries[c * FOURS + four] * tile[t * STRIDE + c];
          }
        }
        scores[slice * SCORES + t * FOURS + four] = sum;
      }
      barrier();
      for (uint i = thread; i < SCORES; i += threads) {
        const uint t = i % TILE, four = i / TILE, token = begin + t;
        vec4 sum = scores[t * FOURS + four];
        for (uint n = 1u; n < slices; ++n) sum += scores[n * SCORES + t * FOURS + four];
        for (uint n = 0u; n < 4u; ++n) {
          const uint query = first + (four * 4u + n) / HEADS, position = past + query;
          const bool seen = t < count && query >= from && query < to && token <= position &&
                            (window == 0u || token + window > position);
          if (!seen) sum[n] = LOWEST;
        }
        scores[t * FOURS + four] = sum;
      }
      barrier();
      for (uint i = thread; i < SCORES; i += threads) {
        const uint t = i % TILE, four = i / TILE;
        vec4 most = greatest[turn * 4u + four];
        for (uint n = 0u; n < TILE; ++n) most = max(most, scores[n * FOURS + four]);
        const vec4 score = scores[t * FOURS + four];
        weights[t * FOURS + four] =
            mix(exp(score - most), vec4(0.0), lessThanEqual(score, vec4(LOWEST)));
        if (t == 0u) greatest[(turn ^ 1u) * 4u + four] = most;
      }
      for (uint i = thread; i < count * (V_WIDTH / 2u); i += threads) {
        const uint t = i / (V_WIDTH / 2u), pair = i % (V_WIDTH / 2u);
        const vec2 v = v_read(begin + t, kv_head, pair, v_codes);
        tile[t * STRIDE + 2u * pair] = v.x;
        tile[t * STRIDE + 2u * pair + 1u] = v.y;
      }
      barrier();
      for (uint k = 0u; k < mine; ++k) {
        const uint item = thread + k * threads;
        if (item >= ITEMS) break;
        const uint channel = item % V_WIDTH, four = item / V_WIDTH;
        const vec4 kept = exp(greatest[turn * 4u + four] - greatest[(turn ^ 1u) * 4u + four]);
        vec4 total = outs[k] * kept, sum = sums[k] * kept;
        for (uint t = 0u; t < count; ++t) {
          const vec4 weight = weights[t * FOURS + four];
          total += weight * tile[t * STRIDE + channel];
          sum += weight;
        }
        outs[k] = total;
        sums[k] = sum;
      }
      turn ^= 1u;
    }
  }

  barrier();
  for (uint k = 0u; k < mine; ++k) {
    const uint item = thread + k * threads;
    if (item >= ITEMS) break;
    const uint channel = item % V_WIDTH, four = item / V_WIDTH;
    if (channel == 0u) row_sums[four] = sums[k];
#if defined(SPLIT)
    const vec4 v = outs[k];
#else
    const vec4 v = outs[k] / sums[k];
#endif
    for (uint n = 0u; n < 4u; ++n) tile[(four * 4u + n) * V_WIDTH + channel] = v[n];
  }
  barrier();
  for (uint i = thread; i < ROWS * (V_WIDTH / 2u); i += threads) {
    const uint row = i / (V_WIDTH / 2u), channel = 2u * (i % (V_WIDTH / 2u));
    const Place at = place_of(row, first, kv_head, chunk);
    if (!at.valid) continue;
    const vec2 v = vec2(tile[row * V_WIDTH + channel], tile[row * V_WIDTH + channel + 1u]);
#if defined(SPLIT)
    const uint record = (at.token * heads * share + at.head) * parts + gl_WorkGroupID.x;
    const uint to_scratch = scratch_at + record * (2u + V_WIDTH);
    if (channel == 0u) {
      STORE1(scratch, to_scratch, greatest[turn * 4u + row / 4u][row % 4u]);
      STORE1(scratch, to_scratch + 1u, row_sums[row / 4u][row % 4u]);
    }
    STORE1(scratch, to_scratch + 2u + channel, v.x);
    STORE1(scratch, to_scratch + 3u + channel, v.y);
#else
    STORE2(y, Y_HALF, y_at + at.token * y_token + at.head * y_head + channel, v);
#endif
  }
}
