#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _132 = gl_WorkGroupSize.x;
const uint _134 = (_132 >> uint(1));
const uint _198 = gl_WorkGroupSize.x;
const uint step_ = (2u * _198);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _253 = (X_HALF != 0u);
const bool _296 = (X_HALF != 0u);
const bool _352 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint HAS_WEIGHT = SPIRV_CROSS_CONSTANT_ID_4;
const bool _382 = (HAS_WEIGHT != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint W_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _386 = (W_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_3;
const bool _420 = (Y_HALF != 0u);
const bool _451 = (X_HALF != 0u);
const bool _477 = (HAS_WEIGHT != 0u);
const bool _480 = (W_HALF != 0u);

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
} _188;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _260;

layout(binding = 2, std430) readonly buffer W
{
    uint w[];
} _393;

layout(binding = 3, std430) buffer Y
{
    uint y[];
} _426;

shared uvec4 group_words[256];

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

vec4 group_sum(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _134; half_ > 0u; half_ = half_ >> uint(1))
    {
        barrier();
        if (thread < half_)
        {
            mine += uintBitsToFloat(group_words[thread + half_]);
            group_words[thread] = floatBitsToUint(mine);
        }
    }
    barrier();
    return uintBitsToFloat(group_words[0]);
}

float group_sum(float mine)
{
    vec4 param = vec4(mine, 0.0, 0.0, 0.0);
    vec4 _170 = group_sum(param);
    return _170.x;
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
    uint even = _188.width & 4294967294u;
    bool _201 = begin == (even % step_);
    bool _208;
    if (_201)
    {
        _208 = even < _188.width;
    }
    else
    {
        _208 = _201;
    }
    bool tail = _208;
    uint from = (_188.x_at + (token * _188.x_token)) + (head * _188.x_head);
    uint to = (_188.y_at + (token * _188.y_token)) + (head * _188.y_head);
    float squares = 0.0;
    vec2 _254;
    for (uint i = begin; i < even; i += step_)
    {
        if (_253)
        {
            _254 = unpackHalf2x16(_260.x[(from + i) >> uint(1)]);
        }
        else
        {
            _254 = vec2(uintBitsToFloat(_260.x[from + i]), uintBitsToFloat(_260.x[(from + i) + 1u]));
        }
        vec2 v = _254;
        squares += dot(v, v);
    }
    if (tail)
    {
        float _297;
        if (_296)
        {
            uint param = _260.x[(from + even) >> uint(1)];
            uint param_1 = from + even;
            _297 = half_in(param, param_1);
        }
        else
        {
            _297 = uintBitsToFloat(_260.x[from + even]);
        }
        float v_1 = _297;
        squares += (v_1 * v_1);
    }
    float param_2 = squares;
    float _329 = group_sum(param_2);
    float factor = 1.0 / sqrt((_329 / float(_188.width)) + _188.eps);
    vec2 _353;
    vec2 _387;
    for (uint i_1 = begin; i_1 < even; i_1 += step_)
    {
        if (_352)
        {
            _353 = unpackHalf2x16(_260.x[(from + i_1) >> uint(1)]);
        }
        else
        {
            _353 = vec2(uintBitsToFloat(_260.x[from + i_1]), uintBitsToFloat(_260.x[(from + i_1) + 1u]));
        }
        vec2 v_2 = _353 * factor;
        if (_382)
        {
            if (_386)
            {
                _387 = unpackHalf2x16(_393.w[i_1 >> uint(1)]);
            }
            else
            {
                _387 = vec2(uintBitsToFloat(_393.w[i_1]), uintBitsToFloat(_393.w[i_1 + 1u]));
            }
            v_2 *= _387;
        }
        uint at_ = to + i_1;
        vec2 two_ = v_2;
        if (_420)
        {
            vec2 param_3 = two_;
            _426.y[at_ >> uint(1)] = pack_halves(param_3);
        }
        else
        {
            _426.y[at_] = floatBitsToUint(two_.x);
            _426.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
    }
    if (tail)
    {
        float _452;
        if (_451)
        {
            uint param_4 = _260.x[(from + even) >> uint(1)];
            uint param_5 = from + even;
            _452 = half_in(param_4, param_5);
        }
        else
        {
            _452 = uintBitsToFloat(_260.x[from + even]);
        }
        float v_3 = _452 * factor;
        if (_477)
        {
            float _481;
            if (_480)
            {
                uint param_6 = _393.w[even >> uint(1)];
                uint param_7 = even;
                _481 = half_in(param_6, param_7);
            }
            else
            {
                _481 = uintBitsToFloat(_393.w[even]);
            }
            v_3 *= _481;
        }
        _426.y[to + even] = floatBitsToUint(v_3);
    }
}

