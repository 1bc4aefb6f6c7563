#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

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
constant uint _162 = (K_WIDTH / 2u);

struct KCache
{
    uint k_cache[1];
};

constant uint K_NEW_HALF_tmp [[function_constant(1)]];
constant uint K_NEW_HALF = is_function_constant_defined(K_NEW_HALF_tmp) ? K_NEW_HALF_tmp : 1u;
constant bool _214 = (K_NEW_HALF != 0u);

struct KNew
{
    uint k_new[1];
};

constant uint V_WIDTH_tmp [[function_constant(8)]];
constant uint V_WIDTH = is_function_constant_defined(V_WIDTH_tmp) ? V_WIDTH_tmp : 64u;
constant uint _276 = (V_WIDTH / 2u);

struct VCache
{
    uint v_cache[1];
};

constant uint V_NEW_HALF_tmp [[function_constant(2)]];
constant uint V_NEW_HALF = is_function_constant_defined(V_NEW_HALF_tmp) ? V_NEW_HALF_tmp : 1u;
constant bool _326 = (V_NEW_HALF != 0u);

struct VNew
{
    uint v_new[1];
};

constant uint _380 = (K_WIDTH / 2u);
constant uint _385 = (K_WIDTH / 2u);
constant uint _428 = (V_WIDTH / 2u);
constant uint _433 = (V_WIDTH / 2u);
constant uint _472_tmp [[function_constant(0)]];
constant uint _472 = is_function_constant_defined(_472_tmp) ? _472_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_472, 1u, 1u);
constant uint K_BITS_tmp [[function_constant(3)]];
constant uint K_BITS = is_function_constant_defined(K_BITS_tmp) ? K_BITS_tmp : 4u;
constant uint V_BITS_tmp [[function_constant(4)]];
constant uint V_BITS = is_function_constant_defined(V_BITS_tmp) ? V_BITS_tmp : 4u;
constant uint K_GROUP_tmp [[function_constant(5)]];
constant uint K_GROUP = is_function_constant_defined(K_GROUP_tmp) ? K_GROUP_tmp : 32u;
constant uint V_GROUP_tmp [[function_constant(6)]];
constant uint V_GROUP = is_function_constant_defined(V_GROUP_tmp) ? V_GROUP_tmp : 32u;

static inline __attribute__((always_inline))
uint k_row(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_125)
{
    uint behind = token - v_125.k_sinks;
    uint _136;
    if (token < v_125.k_sinks)
    {
        _136 = token;
    }
    else
    {
        _136 = v_125.k_sinks + (behind % v_125.k_ring);
    }
    uint slot = _136;
    return (v_125.k_rows + (((slot * v_125.heads) + head) * _162)) + pair;
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
    uint _92;
    if (near >= 1199570944u)
    {
        _92 = _sign | 31744u;
    }
    else
    {
        _92 = _sign | ((near - 939524096u) >> uint(13));
    }
    return _92;
}

static inline __attribute__((always_inline))
uint halves_bits(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return half_bits(param) | (half_bits(param_1) << uint(16));
}

static inline __attribute__((always_inline))
uint k_exact(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_125, device KCache& v_179, const device KNew& v_221)
{
    if (token < v_125.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return v_179.k_cache[k_row(param, param_1, param_2, v_125)];
    }
    uint from = ((v_125.k_at + ((token - v_125.past) * v_125.k_token)) + (head * v_125.k_head)) + (2u * pair);
    uint _215;
    if (_214)
    {
        _215 = v_221.k_new[from >> uint(1)];
    }
    else
    {
        float2 param_3 = float2(as_type<float>(v_221.k_new[from]), as_type<float>(v_221.k_new[from + 1u]));
        _215 = halves_bits(param_3);
    }
    return _215;
}

static inline __attribute__((always_inline))
uint v_row(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_125)
{
    uint behind = token - v_125.v_sinks;
    uint _252;
    if (token < v_125.v_sinks)
    {
        _252 = token;
    }
    else
    {
        _252 = v_125.v_sinks + (behind % v_125.v_ring);
    }
    uint slot = _252;
    return (v_125.v_rows + (((slot * v_125.heads) + head) * _276)) + pair;
}

static inline __attribute__((always_inline))
uint v_exact(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_125, device VCache& v_292, const device VNew& v_333)
{
    if (token < v_125.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return v_292.v_cache[v_row(param, param_1, param_2, v_125)];
    }
    uint from = ((v_125.v_at + ((token - v_125.past) * v_125.v_token)) + (head * v_125.v_head)) + (2u * pair);
    uint _327;
    if (_326)
    {
        _327 = v_333.v_new[from >> uint(1)];
    }
    else
    {
        float2 param_3 = float2(as_type<float>(v_333.v_new[from]), as_type<float>(v_333.v_new[from + 1u]));
        _327 = halves_bits(param_3);
    }
    return _327;
}

kernel void kv_store(constant Params& v_125 [[buffer(0)]], const device KNew& v_221 [[buffer(1)]], const device VNew& v_333 [[buffer(2)]], device KCache& v_179 [[buffer(3)]], device VCache& v_292 [[buffer(4)]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]])
{
    uint token = v_125.past + gl_WorkGroupID.y;
    uint left = v_125.seq - gl_WorkGroupID.y;
    if (gl_WorkGroupID.z == 0u)
    {
        uint head = gl_GlobalInvocationID.x / _380;
        uint pair = gl_GlobalInvocationID.x % _385;
        bool _390 = head >= v_125.heads;
        bool _405;
        if (!_390)
        {
            bool _397 = token >= v_125.k_sinks;
            bool _404;
            if (_397)
            {
                _404 = left > v_125.k_ring;
            }
            else
            {
                _404 = _397;
            }
            _405 = _404;
        }
        else
        {
            _405 = _390;
        }
        if (_405)
        {
            return;
        }
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        uint param_3 = token;
        uint param_4 = head;
        uint param_5 = pair;
        v_179.k_cache[k_row(param, param_1, param_2, v_125)] = k_exact(param_3, param_4, param_5, v_125, v_179, v_221);
    }
    else
    {
        uint head_1 = gl_GlobalInvocationID.x / _428;
        uint pair_1 = gl_GlobalInvocationID.x % _433;
        bool _438 = head_1 >= v_125.heads;
        bool _453;
        if (!_438)
        {
            bool _445 = token >= v_125.v_sinks;
            bool _452;
            if (_445)
            {
                _452 = left > v_125.v_ring;
            }
            else
            {
                _452 = _445;
            }
            _453 = _452;
        }
        else
        {
            _453 = _438;
        }
        if (_453)
        {
            return;
        }
        uint param_6 = token;
        uint param_7 = head_1;
        uint param_8 = pair_1;
        uint param_9 = token;
        uint param_10 = head_1;
        uint param_11 = pair_1;
        v_292.v_cache[v_row(param_6, param_7, param_8, v_125)] = v_exact(param_9, param_10, param_11, v_125, v_292, v_333);
    }
}

