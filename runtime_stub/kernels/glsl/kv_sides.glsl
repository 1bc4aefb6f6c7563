// Both sides: kv_side.glsl for keys and for values, and of kv_read.glsl and kv_round_side.glsl what
// KV_READ and KV_ROUND ask for.
#define SIDE(x) k_##x
#define BITS K_BITS
#define GROUP K_GROUP
#define WIDTH K_WIDTH
#define NEW_HALF K_NEW_HALF
#define IS_VALUES 0
#include "kv_side.glsl"
#if defined(KV_READ)
#include "kv_read.glsl"
#endif
#if defined(KV_ROUND)
#include "kv_round_side.glsl"
#endif
#undef SIDE
#undef BITS
#undef GROUP
#undef WIDTH
#undef NEW_HALF
#undef IS_VALUES

#define SIDE(x) v_##x
#define BITS V_BITS
#define GROUP V_GROUP
#define WIDTH V_WIDTH
#define NEW_HALF V_NEW_HALF
#define IS_VALUES 1
#include "kv_side.glsl"
#if defined(KV_READ)
#include "kv_read.glsl"
#endif
#if defined(KV_ROUND)
#include "kv_round_side.glsl"
#endif
#undef SIDE
#undef BITS
#undef GROUP
#undef WIDTH
#undef NEW_HALF
#undef IS_VALUES
