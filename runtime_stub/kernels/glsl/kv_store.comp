#version 450
// The last of three dispatches of a step over caches in few bits: the new rows become rows of the sinks and
// of the ring; of more than a ring the last ones.
// Groups: ceil(heads * greater width / 2 / local), seq, 2 (keys, values).
#include "common.glsl"
#include "kv_halves.glsl"
#include "kv_params.glsl"

layout(set = 0, binding = 0) uniform Params { KV_PARAMS };
layout(set = 0, binding = 1) readonly buffer KNew { uint k_new[]; };
layout(set = 0, binding = 2) readonly buffer VNew { uint v_new[]; };
layout(set = 0, binding = 3) buffer KCache { uint k_cache[]; };
layout(set = 0, binding = 4) buffer VCache { uint v_cache[]; };

#include "kv_sides.glsl"

void main() {
  const uint token = past + gl_WorkGroupID.y, left = seq - gl_WorkGroupID.y;  // left: with this one
  if (gl_WorkGroupID.z == 0u) {
    const uint head = gl_GlobalInvocationID.x / (K_WIDTH / 2u), pair = gl_GlobalInvocationID.x % (K_WIDTH / 2u);
    if (head >= heads || (token >= k_sinks && left > k_ring)) return;
    k_cache[k_row(token, head, pair)] = k_exact(token, head, pair);
  } else {
    const uint head = gl_GlobalInvocationID.x / (V_WIDTH / 2u), pair = gl_GlobalInvocationID.x % (V_WIDTH / 2u);
    if (head >= heads || (token >= v_sinks && left > v_ring)) return;
    v_cache[v_row(token, head, pair)] = v_exact(token, head, pair);
  }
}
