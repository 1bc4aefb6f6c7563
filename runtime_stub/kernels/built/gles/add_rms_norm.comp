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
const uint A_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _285 = (A_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint B_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _318 = (B_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint SUM_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _357 = (SUM_HALF != 0u);
const bool _393 = (A_HALF != 0u);
const bool _417 = (B_HALF != 0u);
const bool _479 = (SUM_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 1u
#endif
const uint HAS_WEIGHT = SPIRV_CROSS_CONSTANT_ID_6;
const bool _509 = (HAS_WEIGHT != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint W_HALF = SPIRV_CROSS_CONSTANT_ID_3;
const bool _513 = (W_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_5;
const bool _547 = (Y_HALF != 0u);
const bool _578 = (SUM_HALF != 0u);
const bool _604 = (HAS_WEIGHT != 0u);
const bool _607 = (W_HALF != 0u);

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
} _188;

layout(binding = 1, std430) readonly buffer A
{
    uint a[];
} _292;

layout(binding = 2, std430) readonly buffer B
{
    uint b[];
} _325;

layout(binding = 4, std430) buffer Sum
{
    uint sum[];
} _363;

layout(binding = 3, std430) readonly buffer W
{
    uint w[];
} _520;

layout(binding = 5, std430) buffer Y
{
    uint y[];
} _553;

shared uvec4 group_words[256];

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
    uint from_a = (_188.a_at + (token * _188.a_token)) + (head * _188.a_head);
    uint from_b = (_188.b_at + (token * _188.b_token)) + (head * _188.b_head);
    uint from = (_188.sum_at + (token * _188.sum_token)) + (head * _188.sum_head);
    uint to = (_188.y_at + (token * _188.y_token)) + (head * _188.y_head);
    float squares = 0.0;
    vec2 _286;
    vec2 _319;
    for (uint i = begin; i < even; i += step_)
    {
        if (_285)
        {
            _286 = unpackHalf2x16(_292.a[(from_a + i) >> uint(1)]);
        }
        else
        {
            _286 = vec2(uintBitsToFloat(_292.a[from_a + i]), uintBitsToFloat(_292.a[(from_a + i) + 1u]));
        }
        if (_318)
        {
            _319 = unpackHalf2x16(_325.b[(from_b + i) >> uint(1)]);
        }
        else
        {
            _319 = vec2(uintBitsToFloat(_325.b[from_b + i]), uintBitsToFloat(_325.b[(from_b + i) + 1u]));
        }
        vec2 v = _286 + _319;
        uint at_ = from + i;
        vec2 two_ = v;
        if (_357)
        {
            vec2 param = two_;
            _363.sum[at_ >> uint(1)] = pack_halves(param);
        }
        else
        {
            _363.sum[at_] = floatBitsToUint(two_.x);
            _363.sum[at_ + 1u] = floatBitsToUint(two_.y);
        }
        squares += dot(v, v);
    }
    if (tail)
    {
        float _394;
        if (_393)
        {
            uint param_1 = _292.a[(from_a + even) >> uint(1)];
            uint param_2 = from_a + even;
            _394 = half_in(param_1, param_2);
        }
        else
        {
            _394 = uintBitsToFloat(_292.a[from_a + even]);
        }
        float _418;
        if (_417)
        {
            uint param_3 = _325.b[(from_b + even) >> uint(1)];
            uint param_4 = from_b + even;
            _418 = half_in(param_3, param_4);
        }
        else
        {
            _418 = uintBitsToFloat(_325.b[from_b + even]);
        }
        float v_1 = _394 + _418;
        _363.sum[from + even] = floatBitsToUint(v_1);
        squares += (v_1 * v_1);
    }
    float param_5 = squares;
    float _457 = group_sum(param_5);
    float factor = 1.0 / sqrt((_457 / float(_188.width)) + _188.eps);
    vec2 _480;
    vec2 _514;
    for (uint i_1 = begin; i_1 < even; i_1 += step_)
    {
        if (_479)
        {
            _480 = unpackHalf2x16(_363.sum[(from + i_1) >> uint(1)]);
        }
        else
        {
            _480 = vec2(uintBitsToFloat(_363.sum[from + i_1]), uintBitsToFloat(_363.sum[(from + i_1) + 1u]));
        }
        vec2 v_2 = _480 * factor;
        if (_509)
        {
            if (_513)
            {
                _514 = unpackHalf2x16(_520.w[i_1 >> uint(1)]);
            }
            else
            {
                _514 = vec2(uintBitsToFloat(_520.w[i_1]), uintBitsToFloat(_520.w[i_1 + 1u]));
            }
            v_2 *= _514;
        }
        uint at_1 = to + i_1;
        vec2 two_1 = v_2;
        if (_547)
        {
            vec2 param_6 = two_1;
            _553.y[at_1 >> uint(1)] = pack_halves(param_6);
        }
        else
        {
            _553.y[at_1] = floatBitsToUint(two_1.x);
            _553.y[at_1 + 1u] = floatBitsToUint(two_1.y);
        }
    }
    if (tail)
    {
        float _579;
        if (_578)
        {
            uint param_7 = _363.sum[(from + even) >> uint(1)];
            uint param_8 = from + even;
            _579 = half_in(param_7, param_8);
        }
        else
        {
            _579 = uintBitsToFloat(_363.sum[from + even]);
        }
        float v_3 = _579 * factor;
        if (_604)
        {
            float _608;
            if (_607)
            {
                uint param_9 = _520.w[even >> uint(1)];
                uint param_10 = even;
                _608 = half_in(param_9, param_10);
            }
            else
            {
                _608 = uintBitsToFloat(_520.w[even]);
            }
            v_3 *= _608;
        }
        _553.y[to + even] = floatBitsToUint(v_3);
    }
}

