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
const bool _297 = (X_HALF != 0u);
const bool _343 = (X_HALF != 0u);
const bool _384 = (X_HALF != 0u);
const bool _442 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 1u
#endif
const uint HAS_WEIGHT = SPIRV_CROSS_CONSTANT_ID_5;
const bool _475 = (HAS_WEIGHT != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint W_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _479 = (W_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 1u
#endif
const uint HAS_BIAS = SPIRV_CROSS_CONSTANT_ID_6;
const bool _507 = (HAS_BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint B_HALF = SPIRV_CROSS_CONSTANT_ID_3;
const bool _511 = (B_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _545 = (Y_HALF != 0u);
const bool _576 = (X_HALF != 0u);
const bool _604 = (HAS_WEIGHT != 0u);
const bool _607 = (W_HALF != 0u);
const bool _627 = (HAS_BIAS != 0u);
const bool _630 = (B_HALF != 0u);

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
} _486;

layout(binding = 3, std430) readonly buffer B
{
    uint b[];
} _518;

layout(binding = 4, std430) buffer Y
{
    uint y[];
} _551;

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
    float sum = 0.0;
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
        sum += (v.x + v.y);
    }
    if (tail)
    {
        float _298;
        if (_297)
        {
            uint param = _260.x[(from + even) >> uint(1)];
            uint param_1 = from + even;
            _298 = half_in(param, param_1);
        }
        else
        {
            _298 = uintBitsToFloat(_260.x[from + even]);
        }
        sum += _298;
    }
    float param_2 = sum;
    float _326 = group_sum(param_2);
    float mean = _326 / float(_188.width);
    float squares = 0.0;
    vec2 _344;
    for (uint i_1 = begin; i_1 < even; i_1 += step_)
    {
        if (_343)
        {
            _344 = unpackHalf2x16(_260.x[(from + i_1) >> uint(1)]);
        }
        else
        {
            _344 = vec2(uintBitsToFloat(_260.x[from + i_1]), uintBitsToFloat(_260.x[(from + i_1) + 1u]));
        }
        vec2 v_1 = _344 - vec2(mean);
        squares += dot(v_1, v_1);
    }
    if (tail)
    {
        float _385;
        if (_384)
        {
            uint param_3 = _260.x[(from + even) >> uint(1)];
            uint param_4 = from + even;
            _385 = half_in(param_3, param_4);
        }
        else
        {
            _385 = uintBitsToFloat(_260.x[from + even]);
        }
        float v_2 = _385 - mean;
        squares += (v_2 * v_2);
    }
    float param_5 = squares;
    float _419 = group_sum(param_5);
    float factor = 1.0 / sqrt((_419 / float(_188.width)) + _188.eps);
    vec2 _443;
    vec2 _480;
    vec2 _512;
    for (uint i_2 = begin; i_2 < even; i_2 += step_)
    {
        if (_442)
        {
            _443 = unpackHalf2x16(_260.x[(from + i_2) >> uint(1)]);
        }
        else
        {
            _443 = vec2(uintBitsToFloat(_260.x[from + i_2]), uintBitsToFloat(_260.x[(from + i_2) + 1u]));
        }
        vec2 v_3 = (_443 - vec2(mean)) * factor;
        if (_475)
        {
            if (_479)
            {
                _480 = unpackHalf2x16(_486.w[i_2 >> uint(1)]);
            }
            else
            {
                _480 = vec2(uintBitsToFloat(_486.w[i_2]), uintBitsToFloat(_486.w[i_2 + 1u]));
            }
            v_3 *= _480;
        }
        if (_507)
        {
            if (_511)
            {
                _512 = unpackHalf2x16(_518.b[i_2 >> uint(1)]);
            }
            else
            {
                _512 = vec2(uintBitsToFloat(_518.b[i_2]), uintBitsToFloat(_518.b[i_2 + 1u]));
            }
            v_3 += _512;
        }
        uint at_ = to + i_2;
        vec2 two_ = v_3;
        if (_545)
        {
            vec2 param_6 = two_;
            _551.y[at_ >> uint(1)] = pack_halves(param_6);
        }
        else
        {
            _551.y[at_] = floatBitsToUint(two_.x);
            _551.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
    }
    if (tail)
    {
        float _577;
        if (_576)
        {
            uint param_7 = _260.x[(from + even) >> uint(1)];
            uint param_8 = from + even;
            _577 = half_in(param_7, param_8);
        }
        else
        {
            _577 = uintBitsToFloat(_260.x[from + even]);
        }
        float v_4 = (_577 - mean) * factor;
        if (_604)
        {
            float _608;
            if (_607)
            {
                uint param_9 = _486.w[even >> uint(1)];
                uint param_10 = even;
                _608 = half_in(param_9, param_10);
            }
            else
            {
                _608 = uintBitsToFloat(_486.w[even]);
            }
            v_4 *= _608;
        }
        if (_627)
        {
            float _631;
            if (_630)
            {
                uint param_11 = _518.b[even >> uint(1)];
                uint param_12 = even;
                _631 = half_in(param_11, param_12);
            }
            else
            {
                _631 = uintBitsToFloat(_518.b[even]);
            }
            v_4 += _631;
        }
        _551.y[to + even] = floatBitsToUint(v_4);
    }
}

