#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _130 = gl_WorkGroupSize.x;
const uint _132 = (_130 >> uint(1));
const uint _193 = gl_WorkGroupSize.x;
const uint step_ = (2u * _193);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint A_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _280 = (A_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint B_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _313 = (B_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint SUM_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _352 = (SUM_HALF != 0u);
const bool _388 = (A_HALF != 0u);
const bool _412 = (B_HALF != 0u);
const bool _474 = (SUM_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 1u
#endif
const uint HAS_WEIGHT = SPIRV_CROSS_CONSTANT_ID_6;
const bool _504 = (HAS_WEIGHT != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint W_HALF = SPIRV_CROSS_CONSTANT_ID_3;
const bool _508 = (W_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_5;
const bool _542 = (Y_HALF != 0u);
const bool _573 = (SUM_HALF != 0u);
const bool _599 = (HAS_WEIGHT != 0u);
const bool _602 = (W_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint width;
    uint a_at;
    uint a_token;
    uint a_head;
    uint b_at;
    uint b_token;
    uint b_head;
    uint sum_at;
    uint sum_token;
    uint sum_head;
    uint y_at;
    uint y_token;
    uint y_head;
    float eps;
} _183;

layout(binding = 1, std430) readonly buffer A
{
    uint a[];
} _287;

layout(binding = 2, std430) readonly buffer B
{
    uint b[];
} _320;

layout(binding = 4, std430) buffer Sum
{
    uint sum[];
} _358;

layout(binding = 3, std430) readonly buffer W
{
    uint w[];
} _515;

layout(binding = 5, std430) buffer Y
{
    uint y[];
} _548;

shared vec4 group_numbers[256];

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _86;
    if (x < 0.0)
    {
        _86 = -uintBitsToFloat(bits);
    }
    else
    {
        _86 = uintBitsToFloat(bits);
    }
    return _86;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _43;
    if ((index & 1u) == 0u)
    {
        _43 = both.x;
    }
    else
    {
        _43 = both.y;
    }
    return _43;
}

vec4 group_sum(vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_numbers[thread] = mine;
    for (uint step_1 = _132; step_1 > 0u; step_1 = step_1 >> uint(1))
    {
        barrier();
        if (thread < step_1)
        {
            group_numbers[thread] += group_numbers[thread + step_1];
        }
    }
    barrier();
    return group_numbers[0];
}

float group_sum(float mine)
{
    vec4 param = vec4(mine, 0.0, 0.0, 0.0);
    vec4 _165 = group_sum(param);
    return _165.x;
}

void main()
{
    uint token = gl_WorkGroupID.x;
    uint head = gl_WorkGroupID.y;
    uint begin = 2u * gl_LocalInvocationID.x;
    uint even = _183.width & 4294967294u;
    bool _196 = begin == (even % step_);
    bool _203;
    if (_196)
    {
        _203 = even < _183.width;
    }
    else
    {
        _203 = _196;
    }
    bool tail = _203;
    uint from_a = (_183.a_at + (token * _183.a_token)) + (head * _183.a_head);
    uint from_b = (_183.b_at + (token * _183.b_token)) + (head * _183.b_head);
    uint from = (_183.sum_at + (token * _183.sum_token)) + (head * _183.sum_head);
    uint to = (_183.y_at + (token * _183.y_token)) + (head * _183.y_head);
    float squares = 0.0;
    vec2 _281;
    vec2 _314;
    for (uint i = begin; i < even; i += step_)
    {
        if (_280)
        {
            _281 = unpackHalf2x16(_287.a[(from_a + i) >> uint(1)]);
        }
        else
        {
            _281 = vec2(uintBitsToFloat(_287.a[from_a + i]), uintBitsToFloat(_287.a[(from_a + i) + 1u]));
        }
        if (_313)
        {
            _314 = unpackHalf2x16(_320.b[(from_b + i) >> uint(1)]);
        }
        else
        {
            _314 = vec2(uintBitsToFloat(_320.b[from_b + i]), uintBitsToFloat(_320.b[(from_b + i) + 1u]));
        }
        vec2 v = _281 + _314;
        uint at_ = from + i;
        vec2 two_ = v;
        if (_352)
        {
            vec2 param = two_;
            _358.sum[at_ >> uint(1)] = pack_halves(param);
        }
        else
        {
            _358.sum[at_] = floatBitsToUint(two_.x);
            _358.sum[at_ + 1u] = floatBitsToUint(two_.y);
        }
        squares += dot(v, v);
    }
    if (tail)
    {
        float _389;
        if (_388)
        {
            uint param_1 = _287.a[(from_a + even) >> uint(1)];
            uint param_2 = from_a + even;
            _389 = half_in(param_1, param_2);
        }
        else
        {
            _389 = uintBitsToFloat(_287.a[from_a + even]);
        }
        float _413;
        if (_412)
        {
            uint param_3 = _320.b[(from_b + even) >> uint(1)];
            uint param_4 = from_b + even;
            _413 = half_in(param_3, param_4);
        }
        else
        {
            _413 = uintBitsToFloat(_320.b[from_b + even]);
        }
        float v_1 = _389 + _413;
        _358.sum[from + even] = floatBitsToUint(v_1);
        squares += (v_1 * v_1);
    }
    float param_5 = squares;
    float _452 = group_sum(param_5);
    float factor = 1.0 / sqrt((_452 / float(_183.width)) + _183.eps);
    vec2 _475;
    vec2 _509;
    for (uint i_1 = begin; i_1 < even; i_1 += step_)
    {
        if (_474)
        {
            _475 = unpackHalf2x16(_358.sum[(from + i_1) >> uint(1)]);
        }
        else
        {
            _475 = vec2(uintBitsToFloat(_358.sum[from + i_1]), uintBitsToFloat(_358.sum[(from + i_1) + 1u]));
        }
        vec2 v_2 = _475 * factor;
        if (_504)
        {
            if (_508)
            {
                _509 = unpackHalf2x16(_515.w[i_1 >> uint(1)]);
            }
            else
            {
                _509 = vec2(uintBitsToFloat(_515.w[i_1]), uintBitsToFloat(_515.w[i_1 + 1u]));
            }
            v_2 *= _509;
        }
        uint at_1 = to + i_1;
        vec2 two_1 = v_2;
        if (_542)
        {
            vec2 param_6 = two_1;
            _548.y[at_1 >> uint(1)] = pack_halves(param_6);
        }
        else
        {
            _548.y[at_1] = floatBitsToUint(two_1.x);
            _548.y[at_1 + 1u] = floatBitsToUint(two_1.y);
        }
    }
    if (tail)
    {
        float _574;
        if (_573)
        {
            uint param_7 = _358.sum[(from + even) >> uint(1)];
            uint param_8 = from + even;
            _574 = half_in(param_7, param_8);
        }
        else
        {
            _574 = uintBitsToFloat(_358.sum[from + even]);
        }
        float v_3 = _574 * factor;
        if (_599)
        {
            float _603;
            if (_602)
            {
                uint param_9 = _515.w[even >> uint(1)];
                uint param_10 = even;
                _603 = half_in(param_9, param_10);
            }
            else
            {
                _603 = uintBitsToFloat(_515.w[even]);
            }
            v_3 *= _603;
        }
        _548.y[to + even] = floatBitsToUint(v_3);
    }
}

