#version 450
// The first of three dispatches of a step over caches in few bits: runs that leave the window during this
// call become codes, from rows of the ring and from the call's new rows. Codes, scales and lows are those of
// kv_store.cpp bit for bit (where division is correctly rounded, as it is on most devices).
// Groups: ceil(seq / least group of both sides), heads, 2 (keys, values). Most of them end at once.
#include "common.glsl"
#include "kv_halves.glsl"
#include "kv_params.glsl"

layout(set = 0, binding = 0) uniform Params { KV_PARAMS };
layout(set = 0, binding = 1) readonly buffer KNew { uint k_new[]; };
layout(set = 0, binding = 2) readonly buffer VNew { uint v_new[]; };
layout(set = 0, binding = 3) buffer KCache { uint k_cache[]; };
layout(set = 0, binding = 4) buffer VCache { uint v_cache[]; };

shared vec2 grids[1024];  // least value and scale

#define KV_ROUND
#include "kv_sides.glsl"

void main() {
  if (gl_WorkGroupID.z == 0u) {
    if (K_BITS == 16u) return;
    const uint run = k_rounded(past) / K_GROUP + gl_WorkGroupID.x;
    if (run < k_rounded(past + seq) / K_GROUP) k_round_run(run, gl_WorkGroupID.y);
  } else {
    if (V_BITS == 16u) return;
    const uint run = v_rounded(past) / V_GROUP + gl_WorkGroupID.x;
    if (run < v_rounded(past + seq) / V_GROUP) v_round_run(run, gl_WorkGroupID.y);
  }
}
