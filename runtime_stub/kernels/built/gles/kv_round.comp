#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 64u
#endif
const uint K_WIDTH = SPIRV_CROSS_CONSTANT_ID_7;
const uint _313 = (K_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint K_NEW_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _365 = (K_NEW_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 4u
#endif
const uint K_BITS = SPIRV_CROSS_CONSTANT_ID_3;
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 32u
#endif
const uint K_GROUP = SPIRV_CROSS_CONSTANT_ID_5;
const uint _424 = (1u << K_BITS);
const uint _425 = (_424 - 1u);
const uint _507 = (1u << K_BITS);
const uint _508 = (_507 - 1u);
const uint _544 = (K_WIDTH / 2u);
const uint _587 = (K_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint threads = gl_WorkGroupSize.x;
const uint _614 = (K_WIDTH / 2u);
const uint _615 = (K_GROUP * _614);
const uint pairs = (16u / K_BITS);
const uint words = (_615 / pairs);
const uint _635 = (K_WIDTH / 2u);
const uint _639 = (K_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 64u
#endif
const uint V_WIDTH = SPIRV_CROSS_CONSTANT_ID_8;
const uint _730 = (V_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint V_NEW_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _780 = (V_NEW_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 4u
#endif
const uint V_BITS = SPIRV_CROSS_CONSTANT_ID_4;
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 32u
#endif
const uint V_GROUP = SPIRV_CROSS_CONSTANT_ID_6;
const uint _839 = (1u << V_BITS);
const uint _840 = (_839 - 1u);
const uint _917 = (1u << V_BITS);
const uint _918 = (_917 - 1u);
const uint _950 = (V_WIDTH + V_GROUP);
const uint _951 = (_950 - 1u);
const uint each = (_951 / V_GROUP);
const uint _953 = (V_GROUP * each);
const uint _954 = (_953 / 2u);
const uint _1088 = (V_GROUP * each);
const uint _1089 = (_1088 / 2u);
const uint threads_1 = gl_WorkGroupSize.x;
const uint _1113 = (V_WIDTH / 2u);
const uint _1114 = (V_GROUP * _1113);
const uint pairs_1 = (16u / V_BITS);
const uint words_1 = (_1114 / pairs_1);
const uint _1134 = (V_WIDTH / 2u);
const uint _1138 = (V_WIDTH / 2u);
const bool _1204 = (K_BITS == 16u);
const bool _1237 = (V_BITS == 16u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
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
} _276;

layout(binding = 3, std430) buffer KCache
{
    uint k_cache[];
} _330;

layout(binding = 1, std430) readonly buffer KNew
{
    uint k_new[];
} _372;

layout(binding = 4, std430) buffer VCache
{
    uint v_cache[];
} _746;

layout(binding = 2, std430) readonly buffer VNew
{
    uint v_new[];
} _787;

shared vec2 grids[1024];

uint rounded_of(uint bits, uint group, uint window, uint sinks, uint tokens)
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

uint k_rounded(uint tokens)
{
    uint param = K_BITS;
    uint param_1 = K_GROUP;
    uint param_2 = _276.k_window;
    uint param_3 = _276.k_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

uint k_row(uint token, uint head, uint pair)
{
    uint behind = token - _276.k_sinks;
    uint _287;
    if (token < _276.k_sinks)
    {
        _287 = token;
    }
    else
    {
        _287 = _276.k_sinks + (behind % _276.k_ring);
    }
    uint slot = _287;
    return (_276.k_rows + (((slot * _276.heads) + head) * _313)) + pair;
}

uint half_bits(float x)
{
    uint bits = floatBitsToUint(x);
    uint _sign = (bits >> uint(16)) & 32768u;
    uint magnitude = bits & 2147483647u;
    if (magnitude > 2139095040u)
    {
        return _sign | 32256u;
    }
    if (magnitude < 947912704u)
    {
        return _sign | uint(roundEven(abs(x) * 16777216.0));
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

uint halves_bits(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return half_bits(param) | (half_bits(param_1) << uint(16));
}

uint k_exact(uint token, uint head, uint pair)
{
    if (token < _276.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return _330.k_cache[k_row(param, param_1, param_2)];
    }
    uint from = ((_276.k_at + ((token - _276.past) * _276.k_token)) + (head * _276.k_head)) + (2u * pair);
    uint _366;
    if (_365)
    {
        _366 = _372.k_new[from >> uint(1)];
    }
    else
    {
        vec2 param_3 = vec2(uintBitsToFloat(_372.k_new[from]), uintBitsToFloat(_372.k_new[from + 1u]));
        _366 = halves_bits(param_3);
    }
    return _366;
}

float half_value(uint h)
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
        _135 = uintBitsToFloat(raised << uint(13));
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

vec2 half_values(uint word)
{
    uint param = word & 65535u;
    uint param_1 = word >> uint(16);
    return vec2(half_value(param), half_value(param_1));
}

vec2 k_number(uint token, uint head, uint pair)
{
    uint param = token;
    uint param_1 = head;
    uint param_2 = pair;
    uint param_3 = k_exact(param, param_1, param_2);
    return half_values(param_3);
}

void k_keep_grids(uint word, uint first, vec2 low, vec2 high)
{
    float _426 = float(_425);
    vec2 scale = (high - low) / vec2(_426);
    vec2 param = scale;
    uint scales = halves_bits(param);
    vec2 param_1 = low;
    uint lows = halves_bits(param_1);
    _330.k_cache[_276.k_scales + word] = scales;
    _330.k_cache[_276.k_lows + word] = lows;
    uint param_2 = lows;
    vec2 least = half_values(param_2);
    uint param_3 = scales;
    vec2 steps = half_values(param_3);
    grids[first] = vec2(least.x, steps.x);
    grids[first + 1u] = vec2(least.y, steps.y);
}

uint k_code(float x, vec2 grid)
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
    float off = x - grid.x;
    float near = roundEven(off / divisor);
    if (!(near > 0.0))
    {
        return 0u;
    }
    float _509 = float(_508);
    return uint(min(near, _509));
}

void k_round_run(uint run, uint head)
{
    uint first = _276.k_sinks + (run * K_GROUP);
    uint block = (run * _276.heads) + head;
    uint thread = gl_LocalInvocationID.x;
    float infinite = uintBitsToFloat(2139095040u);
    for (uint pair = thread; pair < _544; pair += threads)
    {
        vec2 low = vec2(infinite);
        vec2 high = vec2(-infinite);
        for (uint token = 0u; token < K_GROUP; token++)
        {
            uint param = first + token;
            uint param_1 = head;
            uint param_2 = pair;
            vec2 v = k_number(param, param_1, param_2);
            low = mix(low, v, lessThan(v, low));
            high = mix(high, v, greaterThan(v, high));
        }
        uint param_3 = (block * _587) + pair;
        uint param_4 = 2u * pair;
        vec2 param_5 = low;
        vec2 param_6 = high;
        k_keep_grids(param_3, param_4, param_5, param_6);
    }
    barrier();
    for (uint i = thread; i < words; i += threads)
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
            vec2 v_1 = k_number(param_7, param_8, param_9);
            uint grid = 2u * pair_1;
            uint next = grid + 1u;
            float param_10 = v_1.x;
            vec2 param_11 = grids[grid];
            word |= (k_code(param_10, param_11) << ((2u * n) * K_BITS));
            float param_12 = v_1.y;
            vec2 param_13 = grids[next];
            word |= (k_code(param_12, param_13) << (((2u * n) + 1u) * K_BITS));
        }
        _330.k_cache[(block * words) + i] = word;
    }
}

uint v_rounded(uint tokens)
{
    uint param = V_BITS;
    uint param_1 = V_GROUP;
    uint param_2 = _276.v_window;
    uint param_3 = _276.v_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

uint v_row(uint token, uint head, uint pair)
{
    uint behind = token - _276.v_sinks;
    uint _706;
    if (token < _276.v_sinks)
    {
        _706 = token;
    }
    else
    {
        _706 = _276.v_sinks + (behind % _276.v_ring);
    }
    uint slot = _706;
    return (_276.v_rows + (((slot * _276.heads) + head) * _730)) + pair;
}

uint v_exact(uint token, uint head, uint pair)
{
    if (token < _276.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return _746.v_cache[v_row(param, param_1, param_2)];
    }
    uint from = ((_276.v_at + ((token - _276.past) * _276.v_token)) + (head * _276.v_head)) + (2u * pair);
    uint _781;
    if (_780)
    {
        _781 = _787.v_new[from >> uint(1)];
    }
    else
    {
        vec2 param_3 = vec2(uintBitsToFloat(_787.v_new[from]), uintBitsToFloat(_787.v_new[from + 1u]));
        _781 = halves_bits(param_3);
    }
    return _781;
}

vec2 v_number(uint token, uint head, uint pair)
{
    uint param = token;
    uint param_1 = head;
    uint param_2 = pair;
    uint param_3 = v_exact(param, param_1, param_2);
    return half_values(param_3);
}

void v_keep_grids(uint word, uint first, vec2 low, vec2 high)
{
    float _841 = float(_840);
    vec2 scale = (high - low) / vec2(_841);
    vec2 param = scale;
    uint scales = halves_bits(param);
    vec2 param_1 = low;
    uint lows = halves_bits(param_1);
    _746.v_cache[_276.v_scales + word] = scales;
    _746.v_cache[_276.v_lows + word] = lows;
    uint param_2 = lows;
    vec2 least = half_values(param_2);
    uint param_3 = scales;
    vec2 steps = half_values(param_3);
    grids[first] = vec2(least.x, steps.x);
    grids[first + 1u] = vec2(least.y, steps.y);
}

uint v_code(float x, vec2 grid)
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
    float off = x - grid.x;
    float near = roundEven(off / divisor);
    if (!(near > 0.0))
    {
        return 0u;
    }
    float _919 = float(_918);
    return uint(min(near, _919));
}

void v_round_run(uint run, uint head)
{
    uint first = _276.v_sinks + (run * V_GROUP);
    uint block = (run * _276.heads) + head;
    uint thread = gl_LocalInvocationID.x;
    float infinite = uintBitsToFloat(2139095040u);
    float _1018;
    float _1036;
    float _1054;
    float _1072;
    for (uint i = thread; i < _954; i += threads_1)
    {
        vec2 low = vec2(infinite);
        vec2 high = vec2(-infinite);
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
                vec2 v = v_number(param, param_1, param_2);
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
        vec2 param_5 = low;
        vec2 param_6 = high;
        v_keep_grids(param_3, param_4, param_5, param_6);
    }
    barrier();
    for (uint i_1 = thread; i_1 < words_1; i_1 += threads_1)
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
            vec2 v_1 = v_number(param_7, param_8, param_9);
            uint grid = (token_1 * each) + ((2u * pair_1) / V_GROUP);
            uint next = grid;
            float param_10 = v_1.x;
            vec2 param_11 = grids[grid];
            word |= (v_code(param_10, param_11) << ((2u * n_1) * V_BITS));
            float param_12 = v_1.y;
            vec2 param_13 = grids[next];
            word |= (v_code(param_12, param_13) << (((2u * n_1) + 1u) * V_BITS));
        }
        _746.v_cache[(block * words_1) + i_1] = word;
    }
}

void main()
{
    if (gl_WorkGroupID.z == 0u)
    {
        if (_1204)
        {
            return;
        }
        uint param = _276.past;
        uint run = (k_rounded(param) / K_GROUP) + gl_WorkGroupID.x;
        uint param_1 = _276.past + _276.seq;
        if (run < (k_rounded(param_1) / K_GROUP))
        {
            uint param_2 = run;
            uint param_3 = gl_WorkGroupID.y;
            k_round_run(param_2, param_3);
        }
    }
    else
    {
        if (_1237)
        {
            return;
        }
        uint param_4 = _276.past;
        uint run_1 = (v_rounded(param_4) / V_GROUP) + gl_WorkGroupID.x;
        uint param_5 = _276.past + _276.seq;
        if (run_1 < (v_rounded(param_5) / V_GROUP))
        {
            uint param_6 = run_1;
            uint param_7 = gl_WorkGroupID.y;
            v_round_run(param_6, param_7);
        }
    }
}

