#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 64u
#endif
const uint K_WIDTH = SPIRV_CROSS_CONSTANT_ID_7;
const uint _162 = (K_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint K_NEW_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _214 = (K_NEW_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 64u
#endif
const uint V_WIDTH = SPIRV_CROSS_CONSTANT_ID_8;
const uint _276 = (V_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint V_NEW_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _326 = (V_NEW_HALF != 0u);
const uint _380 = (K_WIDTH / 2u);
const uint _385 = (K_WIDTH / 2u);
const uint _428 = (V_WIDTH / 2u);
const uint _433 = (V_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 4u
#endif
const uint K_BITS = SPIRV_CROSS_CONSTANT_ID_3;
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 4u
#endif
const uint V_BITS = SPIRV_CROSS_CONSTANT_ID_4;
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 32u
#endif
const uint K_GROUP = SPIRV_CROSS_CONSTANT_ID_5;
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 32u
#endif
const uint V_GROUP = SPIRV_CROSS_CONSTANT_ID_6;

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
} _125;

layout(binding = 3, std430) buffer KCache
{
    uint k_cache[];
} _179;

layout(binding = 1, std430) readonly buffer KNew
{
    uint k_new[];
} _221;

layout(binding = 4, std430) buffer VCache
{
    uint v_cache[];
} _292;

layout(binding = 2, std430) readonly buffer VNew
{
    uint v_new[];
} _333;

uint k_row(uint token, uint head, uint pair)
{
    uint behind = token - _125.k_sinks;
    uint _136;
    if (token < _125.k_sinks)
    {
        _136 = token;
    }
    else
    {
        _136 = _125.k_sinks + (behind % _125.k_ring);
    }
    uint slot = _136;
    return (_125.k_rows + (((slot * _125.heads) + head) * _162)) + pair;
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

uint halves_bits(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return half_bits(param) | (half_bits(param_1) << uint(16));
}

uint k_exact(uint token, uint head, uint pair)
{
    if (token < _125.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return _179.k_cache[k_row(param, param_1, param_2)];
    }
    uint from = ((_125.k_at + ((token - _125.past) * _125.k_token)) + (head * _125.k_head)) + (2u * pair);
    uint _215;
    if (_214)
    {
        _215 = _221.k_new[from >> uint(1)];
    }
    else
    {
        vec2 param_3 = vec2(uintBitsToFloat(_221.k_new[from]), uintBitsToFloat(_221.k_new[from + 1u]));
        _215 = halves_bits(param_3);
    }
    return _215;
}

uint v_row(uint token, uint head, uint pair)
{
    uint behind = token - _125.v_sinks;
    uint _252;
    if (token < _125.v_sinks)
    {
        _252 = token;
    }
    else
    {
        _252 = _125.v_sinks + (behind % _125.v_ring);
    }
    uint slot = _252;
    return (_125.v_rows + (((slot * _125.heads) + head) * _276)) + pair;
}

uint v_exact(uint token, uint head, uint pair)
{
    if (token < _125.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return _292.v_cache[v_row(param, param_1, param_2)];
    }
    uint from = ((_125.v_at + ((token - _125.past) * _125.v_token)) + (head * _125.v_head)) + (2u * pair);
    uint _327;
    if (_326)
    {
        _327 = _333.v_new[from >> uint(1)];
    }
    else
    {
        vec2 param_3 = vec2(uintBitsToFloat(_333.v_new[from]), uintBitsToFloat(_333.v_new[from + 1u]));
        _327 = halves_bits(param_3);
    }
    return _327;
}

void main()
{
    uint token = _125.past + gl_WorkGroupID.y;
    uint left = _125.seq - gl_WorkGroupID.y;
    if (gl_WorkGroupID.z == 0u)
    {
        uint head = gl_GlobalInvocationID.x / _380;
        uint pair = gl_GlobalInvocationID.x % _385;
        bool _390 = head >= _125.heads;
        bool _405;
        if (!_390)
        {
            bool _397 = token >= _125.k_sinks;
            bool _404;
            if (_397)
            {
                _404 = left > _125.k_ring;
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
        _179.k_cache[k_row(param, param_1, param_2)] = k_exact(param_3, param_4, param_5);
    }
    else
    {
        uint head_1 = gl_GlobalInvocationID.x / _428;
        uint pair_1 = gl_GlobalInvocationID.x % _433;
        bool _438 = head_1 >= _125.heads;
        bool _453;
        if (!_438)
        {
            bool _445 = token >= _125.v_sinks;
            bool _452;
            if (_445)
            {
                _452 = left > _125.v_ring;
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
        _292.v_cache[v_row(param_6, param_7, param_8)] = v_exact(param_9, param_10, param_11);
    }
}

