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
const bool _291 = (X_HALF != 0u);
const bool _347 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint HAS_WEIGHT = SPIRV_CROSS_CONSTANT_ID_4;
const bool _377 = (HAS_WEIGHT != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint W_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _381 = (W_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_3;
const bool _415 = (Y_HALF != 0u);
const bool _446 = (X_HALF != 0u);
const bool _472 = (HAS_WEIGHT != 0u);
const bool _475 = (W_HALF != 0u);

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
} _388;

layout(binding = 3, std430) buffer Y
{
    uint y[];
} _421;

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
    float squares = 0.0;
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
        squares += dot(v, v);
    }
    if (tail)
    {
        float _292;
        if (_291)
        {
            uint param = _255.x[(from + even) >> uint(1)];
            uint param_1 = from + even;
            _292 = half_in(param, param_1);
        }
        else
        {
            _292 = uintBitsToFloat(_255.x[from + even]);
        }
        float v_1 = _292;
        squares += (v_1 * v_1);
    }
    float param_2 = squares;
    float _324 = group_sum(param_2);
    float factor = 1.0 / sqrt((_324 / float(_183.width)) + _183.eps);
    vec2 _348;
    vec2 _382;
    for (uint i_1 = begin; i_1 < even; i_1 += step_)
    {
        if (_347)
        {
            _348 = unpackHalf2x16(_255.x[(from + i_1) >> uint(1)]);
        }
        else
        {
            _348 = vec2(uintBitsToFloat(_255.x[from + i_1]), uintBitsToFloat(_255.x[(from + i_1) + 1u]));
        }
        vec2 v_2 = _348 * factor;
        if (_377)
        {
            if (_381)
            {
                _382 = unpackHalf2x16(_388.w[i_1 >> uint(1)]);
            }
            else
            {
                _382 = vec2(uintBitsToFloat(_388.w[i_1]), uintBitsToFloat(_388.w[i_1 + 1u]));
            }
            v_2 *= _382;
        }
        uint at_ = to + i_1;
        vec2 two_ = v_2;
        if (_415)
        {
            vec2 param_3 = two_;
            _421.y[at_ >> uint(1)] = pack_halves(param_3);
        }
        else
        {
            _421.y[at_] = floatBitsToUint(two_.x);
            _421.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
    }
    if (tail)
    {
        float _447;
        if (_446)
        {
            uint param_4 = _255.x[(from + even) >> uint(1)];
            uint param_5 = from + even;
            _447 = half_in(param_4, param_5);
        }
        else
        {
            _447 = uintBitsToFloat(_255.x[from + even]);
        }
        float v_3 = _447 * factor;
        if (_472)
        {
            float _476;
            if (_475)
            {
                uint param_6 = _388.w[even >> uint(1)];
                uint param_7 = even;
                _476 = half_in(param_6, param_7);
            }
            else
            {
                _476 = uintBitsToFloat(_388.w[even]);
            }
            v_3 *= _476;
        }
        _421.y[to + even] = floatBitsToUint(v_3);
    }
}

