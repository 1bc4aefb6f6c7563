// What kernels of caches in few bits have in common: their constants and params. A side is a cache of keys
// (k_) or of values (v_); 16 bits are one without codes: window, sinks 0, ring = context, parts at 0.
// Tokens of a call: the new rows k_new, v_new of positions past .. past + seq - 1.
// Limits: heads of even width up to 1024, groups of scales up to 1024 in a run of values.

layout(constant_id = 1) const uint K_NEW_HALF = 1u;
layout(constant_id = 2) const uint V_NEW_HALF = 1u;
layout(constant_id = 3) const uint K_BITS = 4u;
layout(constant_id = 4) const uint V_BITS = 4u;
layout(constant_id = 5) const uint K_GROUP = 32u;
layout(constant_id = 6) const uint V_GROUP = 32u;
layout(constant_id = 7) const uint K_WIDTH = 64u;
layout(constant_id = 8) const uint V_WIDTH = 64u;

#define KV_PARAMS                                                               \
  uint heads;    /* of keys and values */                                       \
  uint past;                                                                    \
  uint seq;                                                                     \
  uint k_at;     /* of the new rows, in elements */                             \
  uint k_token;                                                                 \
  uint k_head;                                                                  \
  uint v_at;                                                                    \
  uint v_token;                                                                 \
  uint v_head;                                                                  \
  uint k_window; /* newest tokens that stay in fp16 */                          \
  uint k_sinks;  /* first tokens that stay in fp16, no more than the context */ \
  uint k_ring;   /* rows behind those of the sinks */                           \
  uint k_scales; /* where the parts of a region begin, in words */              \
  uint k_lows;                                                                  \
  uint k_rows;                                                                  \
  uint v_window;                                                                \
  uint v_sinks;                                                                 \
  uint v_ring;                                                                  \
  uint v_scales;                                                                \
  uint v_lows;                                                                  \
  uint v_rows;

// Tokens behind the sinks that are held in codes once a cache has `tokens`.
uint rounded_of(uint bits, uint group, uint window, uint sinks, uint tokens) {
  const uint kept = window + sinks;
  return bits == 16u || tokens <= kept ? 0u : (tokens - kept) / group * group;
}
