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
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _248 = (X_HALF != 0u);
const bool _292 = (X_HALF != 0u);
const bool _338 = (X_HALF != 0u);
const bool _379 = (X_HALF != 0u);
const bool _437 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 1u
#endif
const uint HAS_WEIGHT = SPIRV_CROSS_CONSTANT_ID_5;
const bool _470 = (HAS_WEIGHT != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint W_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _474 = (W_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 1u
#endif
const uint HAS_BIAS = SPIRV_CROSS_CONSTANT_ID_6;
const bool _502 = (HAS_BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint B_HALF = SPIRV_CROSS_CONSTANT_ID_3;
const bool _506 = (B_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _540 = (Y_HALF != 0u);
const bool _571 = (X_HALF != 0u);
const bool _599 = (HAS_WEIGHT != 0u);
const bool _602 = (W_HALF != 0u);
const bool _622 = (HAS_BIAS != 0u);
const bool _625 = (B_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint width;
    uint x_at;
    uint x_token;
    uint x_head;
    uint y_at;
    uint y_token;
    uint y_head;
    float eps;
} _183;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _255;

layout(binding = 2, std430) readonly buffer W
{
    uint w[];
} _481;

layout(binding = 3, std430) readonly buffer B
{
    uint b[];
} _513;

layout(binding = 4, std430) buffer Y
{
    uint y[];
} _546;

shared vec4 group_numbers[256];

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
    uint from = (_183.x_at + (token * _183.x_token)) + (head * _183.x_head);
    uint to = (_183.y_at + (token * _183.y_token)) + (head * _183.y_head);
    float sum = 0.0;
    vec2 _249;
    for (uint i = begin; i < even; i += step_)
    {
        if (_248)
        {
            _249 = unpackHalf2x16(_255.x[(from + i) >> uint(1)]);
        }
        else
        {
            _249 = vec2(uintBitsToFloat(_255.x[from + i]), uintBitsToFloat(_255.x[(from + i) + 1u]));
        }
        vec2 v = _249;
        sum += (v.x + v.y);
    }
    if (tail)
    {
        float _293;
        if (_292)
        {
            uint param = _255.x[(from + even) >> uint(1)];
            uint param_1 = from + even;
            _293 = half_in(param, param_1);
        }
        else
        {
            _293 = uintBitsToFloat(_255.x[from + even]);
        }
        sum += _293;
    }
    float param_2 = sum;
    float _321 = group_sum(param_2);
    float mean = _321 / float(_183.width);
    float squares = 0.0;
    vec2 _339;
    for (uint i_1 = begin; i_1 < even; i_1 += step_)
    {
        if (_338)
        {
            _339 = unpackHalf2x16(_255.x[(from + i_1) >> uint(1)]);
        }
        else
        {
            _339 = vec2(uintBitsToFloat(_255.x[from + i_1]), uintBitsToFloat(_255.x[(from + i_1) + 1u]));
        }
        vec2 v_1 = _339 - vec2(mean);
        squares += dot(v_1, v_1);
    }
    if (tail)
    {
        float _380;
        if (_379)
        {
            uint param_3 = _255.x[(from + even) >> uint(1)];
            uint param_4 = from + even;
            _380 = half_in(param_3, param_4);
        }
        else
        {
            _380 = uintBitsToFloat(_255.x[from + even]);
        }
        float v_2 = _380 - mean;
        squares += (v_2 * v_2);
    }
    float param_5 = squares;
    float _414 = group_sum(param_5);
    float factor = 1.0 / sqrt((_414 / float(_183.width)) + _183.eps);
    vec2 _438;
    vec2 _475;
    vec2 _507;
    for (uint i_2 = begin; i_2 < even; i_2 += step_)
    {
        if (_437)
        {
            _438 = unpackHalf2x16(_255.x[(from + i_2) >> uint(1)]);
        }
        else
        {
            _438 = vec2(uintBitsToFloat(_255.x[from + i_2]), uintBitsToFloat(_255.x[(from + i_2) + 1u]));
        }
        vec2 v_3 = (_438 - vec2(mean)) * factor;
        if (_470)
        {
            if (_474)
            {
                _475 = unpackHalf2x16(_481.w[i_2 >> uint(1)]);
            }
            else
            {
                _475 = vec2(uintBitsToFloat(_481.w[i_2]), uintBitsToFloat(_481.w[i_2 + 1u]));
            }
            v_3 *= _475;
        }
        if (_502)
        {
            if (_506)
            {
                _507 = unpackHalf2x16(_513.b[i_2 >> uint(1)]);
            }
            else
            {
                _507 = vec2(uintBitsToFloat(_513.b[i_2]), uintBitsToFloat(_513.b[i_2 + 1u]));
            }
            v_3 += _507;
        }
        uint at_ = to + i_2;
        vec2 two_ = v_3;
        if (_540)
        {
            vec2 param_6 = two_;
            _546.y[at_ >> uint(1)] = pack_halves(param_6);
        }
        else
        {
            _546.y[at_] = floatBitsToUint(two_.x);
            _546.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
    }
    if (tail)
    {
        float _572;
        if (_571)
        {
            uint param_7 = _255.x[(from + even) >> uint(1)];
            uint param_8 = from + even;
            _572 = half_in(param_7, param_8);
        }
        else
        {
            _572 = uintBitsToFloat(_255.x[from + even]);
        }
        float v_4 = (_572 - mean) * factor;
        if (_599)
        {
            float _603;
            if (_602)
            {
                uint param_9 = _481.w[even >> uint(1)];
                uint param_10 = even;
                _603 = half_in(param_9, param_10);
            }
            else
            {
                _603 = uintBitsToFloat(_481.w[even]);
            }
            v_4 *= _603;
        }
        if (_622)
        {
            float _626;
            if (_625)
            {
                uint param_11 = _513.b[even >> uint(1)];
                uint param_12 = even;
                _626 = half_in(param_11, param_12);
            }
            else
            {
                _626 = uintBitsToFloat(_513.b[even]);
            }
            v_4 += _626;
        }
        _546.y[to + even] = floatBitsToUint(v_4);
    }
}

