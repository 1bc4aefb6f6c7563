#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

template<typename T>
[[clang::optnone]] T spvFSub(T l, T r)
{
    return fma(T(-1), r, l);
}

struct Params
{
    uint heads;
    uint past;
    uint seq;
    uint k_at;
    uint k_token;
    uint k_head;
    uint v_at;
    uint v_token;
    uint v_head;
    uint k_window;
    uint k_sinks;
    uint k_ring;
    uint k_scales;
    uint k_lows;
    uint k_rows;
    uint v_window;
    uint v_sinks;
    uint v_ring;
    uint v_scales;
    uint v_lows;
    uint v_rows;
};

constant uint K_WIDTH_tmp [[function_constant(7)]];
constant uint K_WIDTH = is_function_constant_defined(K_WIDTH_tmp) ? K_WIDTH_tmp : 64u;
constant uint _313 = (K_WIDTH / 2u);

struct KCache
{
    uint k_cache[1];
};

constant uint K_NEW_HALF_tmp [[function_constant(1)]];
constant uint K_NEW_HALF = is_function_constant_defined(K_NEW_HALF_tmp) ? K_NEW_HALF_tmp : 1u;
constant bool _365 = (K_NEW_HALF != 0u);

struct KNew
{
    uint k_new[1];
};

constant uint K_BITS_tmp [[function_constant(3)]];
constant uint K_BITS = is_function_constant_defined(K_BITS_tmp) ? K_BITS_tmp : 4u;
constant uint K_GROUP_tmp [[function_constant(5)]];
constant uint K_GROUP = is_function_constant_defined(K_GROUP_tmp) ? K_GROUP_tmp : 32u;
constant uint _424 = (1u << K_BITS);
constant uint _425 = (_424 - 1u);
constant uint _507 = (1u << K_BITS);
constant uint _508 = (_507 - 1u);
constant uint _544 = (K_WIDTH / 2u);
constant uint _587 = (K_WIDTH / 2u);
constant uint _600_tmp [[function_constant(0)]];
constant uint _600 = is_function_constant_defined(_600_tmp) ? _600_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_600, 1u, 1u);
constant uint threads = gl_WorkGroupSize.x;
constant uint _614 = (K_WIDTH / 2u);
constant uint _615 = (K_GROUP * _614);
constant uint pairs = (16u / K_BITS);
constant uint words = (_615 / pairs);
constant uint _635 = (K_WIDTH / 2u);
constant uint _639 = (K_WIDTH / 2u);
constant uint V_WIDTH_tmp [[function_constant(8)]];
constant uint V_WIDTH = is_function_constant_defined(V_WIDTH_tmp) ? V_WIDTH_tmp : 64u;
constant uint _730 = (V_WIDTH / 2u);

struct VCache
{
    uint v_cache[1];
};

constant uint V_NEW_HALF_tmp [[function_constant(2)]];
constant uint V_NEW_HALF = is_function_constant_defined(V_NEW_HALF_tmp) ? V_NEW_HALF_tmp : 1u;
constant bool _780 = (V_NEW_HALF != 0u);

struct VNew
{
    uint v_new[1];
};

constant uint V_BITS_tmp [[function_constant(4)]];
constant uint V_BITS = is_function_constant_defined(V_BITS_tmp) ? V_BITS_tmp : 4u;
constant uint V_GROUP_tmp [[function_constant(6)]];
constant uint V_GROUP = is_function_constant_defined(V_GROUP_tmp) ? V_GROUP_tmp : 32u;
constant uint _839 = (1u << V_BITS);
constant uint _840 = (_839 - 1u);
constant uint _917 = (1u << V_BITS);
constant uint _918 = (_917 - 1u);
constant uint _950 = (V_WIDTH + V_GROUP);
constant uint _951 = (_950 - 1u);
constant uint each = (_951 / V_GROUP);
constant uint _953 = (V_GROUP * each);
constant uint _954 = (_953 / 2u);
constant uint _1088 = (V_GROUP * each);
constant uint _1089 = (_1088 / 2u);
constant uint threads_1 = gl_WorkGroupSize.x;
constant uint _1113 = (V_WIDTH / 2u);
constant uint _1114 = (V_GROUP * _1113);
constant uint pairs_1 = (16u / V_BITS);
constant uint words_1 = (_1114 / pairs_1);
constant uint _1134 = (V_WIDTH / 2u);
constant uint _1138 = (V_WIDTH / 2u);
constant bool _1204 = (K_BITS == 16u);
constant bool _1237 = (V_BITS == 16u);

static inline __attribute__((always_inline))
uint rounded_of(thread const uint& bits, thread const uint& group, thread const uint& window, thread const uint& sinks, thread const uint& tokens)
{
    uint kept = window + sinks;
    uint _258;
    if ((bits == 16u) || (tokens <= kept))
    {
        _258 = 0u;
    }
    else
    {
        _258 = ((tokens - kept) / group) * group;
    }
    return _258;
}

static inline __attribute__((always_inline))
uint k_rounded(thread const uint& tokens, constant Params& v_276)
{
    uint param = K_BITS;
    uint param_1 = K_GROUP;
    uint param_2 = v_276.k_window;
    uint param_3 = v_276.k_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

static inline __attribute__((always_inline))
uint k_row(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_276)
{
    uint behind = token - v_276.k_sinks;
    uint _287;
    if (token < v_276.k_sinks)
    {
        _287 = token;
    }
    else
    {
        _287 = v_276.k_sinks + (behind % v_276.k_ring);
    }
    uint slot = _287;
    return (v_276.k_rows + (((slot * v_276.heads) + head) * _313)) + pair;
}

static inline __attribute__((always_inline))
uint half_bits(thread const float& x)
{
    uint bits = as_type<uint>(x);
    uint _sign = (bits >> uint(16)) & 32768u;
    uint magnitude = bits & 2147483647u;
    if (magnitude > 2139095040u)
    {
        return _sign | 32256u;
    }
    if (magnitude < 947912704u)
    {
        return _sign | uint(rint(abs(x) * 16777216.0));
    }
    uint near = (magnitude + 4095u) + ((magnitude >> uint(13)) & 1u);
    uint _208;
    if (near >= 1199570944u)
    {
        _208 = _sign | 31744u;
    }
    else
    {
        _208 = _sign | ((near - 939524096u) >> uint(13));
    }
    return _208;
}

static inline __attribute__((always_inline))
uint halves_bits(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return half_bits(param) | (half_bits(param_1) << uint(16));
}

static inline __attribute__((always_inline))
uint k_exact(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_276, device KCache& v_330, const device KNew& v_372)
{
    if (token < v_276.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return v_330.k_cache[k_row(param, param_1, param_2, v_276)];
    }
    uint from = ((v_276.k_at + ((token - v_276.past) * v_276.k_token)) + (head * v_276.k_head)) + (2u * pair);
    uint _366;
    if (_365)
    {
        _366 = v_372.k_new[from >> uint(1)];
    }
    else
    {
        float2 param_3 = float2(as_type<float>(v_372.k_new[from]), as_type<float>(v_372.k_new[from + 1u]));
        _366 = halves_bits(param_3);
    }
    return _366;
}

static inline __attribute__((always_inline))
float half_value(thread const uint& h)
{
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    uint _120;
    if (magnitude >= 31744u)
    {
        _120 = magnitude + 229376u;
    }
    else
    {
        _120 = magnitude + 114688u;
    }
    uint raised = _120;
    float _135;
    if (magnitude < 1024u)
    {
        _135 = small;
    }
    else
    {
        _135 = as_type<float>(raised << uint(13));
    }
    float size = _135;
    float _151;
    if ((h & 32768u) != 0u)
    {
        _151 = -size;
    }
    else
    {
        _151 = size;
    }
    return _151;
}

static inline __attribute__((always_inline))
float2 half_values(thread const uint& word)
{
    uint param = word & 65535u;
    uint param_1 = word >> uint(16);
    return float2(half_value(param), half_value(param_1));
}

static inline __attribute__((always_inline))
float2 k_number(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_276, device KCache& v_330, const device KNew& v_372)
{
    uint param = token;
    uint param_1 = head;
    uint param_2 = pair;
    uint param_3 = k_exact(param, param_1, param_2, v_276, v_330, v_372);
    return half_values(param_3);
}

static inline __attribute__((always_inline))
void k_keep_grids(thread const uint& word, thread const uint& first, thread const float2& low, thread const float2& high, constant Params& v_276, device KCache& v_330, threadgroup float2 (&grids)[1024])
{
    float2 scale = spvFSub(high, low) / float2(float(_425));
    float2 param = scale;
    uint scales = halves_bits(param);
    float2 param_1 = low;
    uint lows = halves_bits(param_1);
    v_330.k_cache[v_276.k_scales + word] = scales;
    v_330.k_cache[v_276.k_lows + word] = lows;
    uint param_2 = lows;
    float2 least = half_values(param_2);
    uint param_3 = scales;
    float2 steps = half_values(param_3);
    grids[first] = float2(least.x, steps.x);
    grids[first + 1u] = float2(least.y, steps.y);
}

static inline __attribute__((always_inline))
uint k_code(thread const float& x, thread const float2& grid)
{
    float _482;
    if (grid.y == 0.0)
    {
        _482 = 1.0;
    }
    else
    {
        _482 = grid.y;
    }
    float divisor = _482;
    float off = spvFSub(x, grid.x);
    float near = rint(off / divisor);
    if (!(near > 0.0))
    {
        return 0u;
    }
    return uint(fast::min(near, float(_508)));
}

static inline __attribute__((always_inline))
void k_round_run(thread const uint& run, thread const uint& head, constant Params& v_276, device KCache& v_330, const device KNew& v_372, threadgroup float2 (&grids)[1024], thread uint3& gl_LocalInvocationID)
{
    uint first = v_276.k_sinks + (run * K_GROUP);
    uint block = (run * v_276.heads) + head;
    uint thread0 = gl_LocalInvocationID.x;
    float infinite = as_type<float>(2139095040u);
    for (uint pair = thread0; pair < _544; pair += threads)
    {
        float2 low = float2(infinite);
        float2 high = float2(-infinite);
        for (uint token = 0u; token < K_GROUP; token++)
        {
            uint param = first + token;
            uint param_1 = head;
            uint param_2 = pair;
            float2 v = k_number(param, param_1, param_2, v_276, v_330, v_372);
            low = select(low, v, v < low);
            high = select(high, v, v > high);
        }
        uint param_3 = (block * _587) + pair;
        uint param_4 = 2u * pair;
        float2 param_5 = low;
        float2 param_6 = high;
        k_keep_grids(param_3, param_4, param_5, param_6, v_276, v_330, grids);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i = thread0; i < words; i += threads)
    {
        uint word = 0u;
        for (uint n = 0u; n < pairs; n++)
        {
            uint at = (i * pairs) + n;
            uint token_1 = at / _635;
            uint pair_1 = at % _639;
            uint param_7 = first + token_1;
            uint param_8 = head;
            uint param_9 = pair_1;
            float2 v_1 = k_number(param_7, param_8, param_9, v_276, v_330, v_372);
            uint grid = 2u * pair_1;
            uint next = grid + 1u;
            float param_10 = v_1.x;
            float2 param_11 = grids[grid];
            word |= (k_code(param_10, param_11) << ((2u * n) * K_BITS));
            float param_12 = v_1.y;
            float2 param_13 = grids[next];
            word |= (k_code(param_12, param_13) << (((2u * n) + 1u) * K_BITS));
        }
        v_330.k_cache[(block * words) + i] = word;
    }
}

static inline __attribute__((always_inline))
uint v_rounded(thread const uint& tokens, constant Params& v_276)
{
    uint param = V_BITS;
    uint param_1 = V_GROUP;
    uint param_2 = v_276.v_window;
    uint param_3 = v_276.v_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

static inline __attribute__((always_inline))
uint v_row(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_276)
{
    uint behind = token - v_276.v_sinks;
    uint _706;
    if (token < v_276.v_sinks)
    {
        _706 = token;
    }
    else
    {
        _706 = v_276.v_sinks + (behind % v_276.v_ring);
    }
    uint slot = _706;
    return (v_276.v_rows + (((slot * v_276.heads) + head) * _730)) + pair;
}

static inline __attribute__((always_inline))
uint v_exact(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_276, device VCache& v_746, const device VNew& v_787)
{
    if (token < v_276.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return v_746.v_cache[v_row(param, param_1, param_2, v_276)];
    }
    uint from = ((v_276.v_at + ((token - v_276.past) * v_276.v_token)) + (head * v_276.v_head)) + (2u * pair);
    uint _781;
    if (_780)
    {
        _781 = v_787.v_new[from >> uint(1)];
    }
    else
    {
        float2 param_3 = float2(as_type<float>(v_787.v_new[from]), as_type<float>(v_787.v_new[from + 1u]));
        _781 = halves_bits(param_3);
    }
    return _781;
}

static inline __attribute__((always_inline))
float2 v_number(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_276, device VCache& v_746, const device VNew& v_787)
{
    uint param = token;
    uint param_1 = head;
    uint param_2 = pair;
    uint param_3 = v_exact(param, param_1, param_2, v_276, v_746, v_787);
    return half_values(param_3);
}

static inline __attribute__((always_inline))
void v_keep_grids(thread const uint& word, thread const uint& first, thread const float2& low, thread const float2& high, constant Params& v_276, threadgroup float2 (&grids)[1024], device VCache& v_746)
{
    float2 scale = spvFSub(high, low) / float2(float(_840));
    float2 param = scale;
    uint scales = halves_bits(param);
    float2 param_1 = low;
    uint lows = halves_bits(param_1);
    v_746.v_cache[v_276.v_scales + word] = scales;
    v_746.v_cache[v_276.v_lows + word] = lows;
    uint param_2 = lows;
    float2 least = half_values(param_2);
    uint param_3 = scales;
    float2 steps = half_values(param_3);
    grids[first] = float2(least.x, steps.x);
    grids[first + 1u] = float2(least.y, steps.y);
}

static inline __attribute__((always_inline))
uint v_code(thread const float& x, thread const float2& grid)
{
    float _893;
    if (grid.y == 0.0)
    {
        _893 = 1.0;
    }
    else
    {
        _893 = grid.y;
    }
    float divisor = _893;
    float off = spvFSub(x, grid.x);
    float near = rint(off / divisor);
    if (!(near > 0.0))
    {
        return 0u;
    }
    return uint(fast::min(near, float(_918)));
}

static inline __attribute__((always_inline))
void v_round_run(thread const uint& run, thread const uint& head, constant Params& v_276, threadgroup float2 (&grids)[1024], thread uint3& gl_LocalInvocationID, device VCache& v_746, const device VNew& v_787)
{
    uint first = v_276.v_sinks + (run * V_GROUP);
    uint block = (run * v_276.heads) + head;
    uint thread0 = gl_LocalInvocationID.x;
    float infinite = as_type<float>(2139095040u);
    float _1018;
    float _1036;
    float _1054;
    float _1072;
    for (uint i = thread0; i < _954; i += threads_1)
    {
        float2 low = float2(infinite);
        float2 high = float2(-infinite);
        for (uint n = 0u; n < 2u; n++)
        {
            uint token = ((2u * i) + n) / each;
            uint part = ((2u * i) + n) % each;
            uint last = min(((part + 1u) * V_GROUP), V_WIDTH) / 2u;
            uint _992 = (part * V_GROUP) / 2u;
            for (uint pair = _992; pair < last; pair++)
            {
                uint param = first + token;
                uint param_1 = head;
                uint param_2 = pair;
                float2 v = v_number(param, param_1, param_2, v_276, v_746, v_787);
                if (v.x < low[n])
                {
                    _1018 = v.x;
                }
                else
                {
                    _1018 = low[n];
                }
                low[n] = _1018;
                if (v.y < low[n])
                {
                    _1036 = v.y;
                }
                else
                {
                    _1036 = low[n];
                }
                low[n] = _1036;
                if (v.x > high[n])
                {
                    _1054 = v.x;
                }
                else
                {
                    _1054 = high[n];
                }
                high[n] = _1054;
                if (v.y > high[n])
                {
                    _1072 = v.y;
                }
                else
                {
                    _1072 = high[n];
                }
                high[n] = _1072;
            }
        }
        uint param_3 = (block * _1089) + i;
        uint param_4 = 2u * i;
        float2 param_5 = low;
        float2 param_6 = high;
        v_keep_grids(param_3, param_4, param_5, param_6, v_276, grids, v_746);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i_1 = thread0; i_1 < words_1; i_1 += threads_1)
    {
        uint word = 0u;
        for (uint n_1 = 0u; n_1 < pairs_1; n_1++)
        {
            uint at = (i_1 * pairs_1) + n_1;
            uint token_1 = at / _1134;
            uint pair_1 = at % _1138;
            uint param_7 = first + token_1;
            uint param_8 = head;
            uint param_9 = pair_1;
            float2 v_1 = v_number(param_7, param_8, param_9, v_276, v_746, v_787);
            uint grid = (token_1 * each) + ((2u * pair_1) / V_GROUP);
            uint next = grid;
            float param_10 = v_1.x;
            float2 param_11 = grids[grid];
            word |= (v_code(param_10, param_11) << ((2u * n_1) * V_BITS));
            float param_12 = v_1.y;
            float2 param_13 = grids[next];
            word |= (v_code(param_12, param_13) << (((2u * n_1) + 1u) * V_BITS));
        }
        v_746.v_cache[(block * words_1) + i_1] = word;
    }
}

kernel void kv_round(constant Params& v_276 [[buffer(0)]], const device KNew& v_372 [[buffer(1)]], const device VNew& v_787 [[buffer(2)]], device KCache& v_330 [[buffer(3)]], device VCache& v_746 [[buffer(4)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup float2 grids[1024];
    if (gl_WorkGroupID.z == 0u)
    {
        if (_1204)
        {
            return;
        }
        uint param = v_276.past;
        uint run = (k_rounded(param, v_276) / K_GROUP) + gl_WorkGroupID.x;
        uint param_1 = v_276.past + v_276.seq;
        if (run < (k_rounded(param_1, v_276) / K_GROUP))
        {
            uint param_2 = run;
            uint param_3 = gl_WorkGroupID.y;
            k_round_run(param_2, param_3, v_276, v_330, v_372, grids, gl_LocalInvocationID);
        }
    }
    else
    {
        if (_1237)
        {
            return;
        }
        uint param_4 = v_276.past;
        uint run_1 = (v_rounded(param_4, v_276) / V_GROUP) + gl_WorkGroupID.x;
        uint param_5 = v_276.past + v_276.seq;
        if (run_1 < (v_rounded(param_5, v_276) / V_GROUP))
        {
            uint param_6 = run_1;
            uint param_7 = gl_WorkGroupID.y;
            v_round_run(param_6, param_7, v_276, grids, gl_LocalInvocationID, v_746, v_787);
        }
    }
}

