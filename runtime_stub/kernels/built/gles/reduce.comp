#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _135 = gl_WorkGroupSize.x;
const uint _137 = (_135 >> uint(1));
const uint _178 = gl_WorkGroupSize.x;
const uint _179 = (_178 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _243 = (Y_HALF != 0u);
const uint _244 = _243 ? 2u : 1u;
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _343 = (X_HALF != 0u);
const bool _367 = (Y_HALF != 0u);
const bool _370 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint FUNCTION = SPIRV_CROSS_CONSTANT_ID_3;
const bool _408 = (FUNCTION == 2u);
const bool _416 = (Y_HALF != 0u);
const bool _432 = (FUNCTION == 0u);
const bool _474 = (Y_HALF != 0u);
const bool _481 = (Y_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint count;
    uint kept_1;
    uint gone_1;
    uint gone_2;
    uint gone_3;
    uint x_at;
    uint x_0;
    uint x_1;
    uint x_2;
    uint x_3;
    uint y_at;
    uint y_0;
    uint y_1;
    uint y_2;
    uint y_3;
} _225;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _350;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _487;

shared uvec4 group_words[256];

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _46;
    if ((index & 1u) == 0u)
    {
        _46 = both.x;
    }
    else
    {
        _46 = both.y;
    }
    return _46;
}

vec4 group_max(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _179; half_ > 0u; half_ = half_ >> uint(1))
    {
        barrier();
        if (thread < half_)
        {
            mine = max(mine, uintBitsToFloat(group_words[thread + half_]));
            group_words[thread] = floatBitsToUint(mine);
        }
    }
    barrier();
    return uintBitsToFloat(group_words[0]);
}

float group_max(float mine)
{
    vec4 param = vec4(mine, -3.4028234663852885981170418348452e+38, -3.4028234663852885981170418348452e+38, -3.4028234663852885981170418348452e+38);
    vec4 _215 = group_max(param);
    return _215.x;
}

vec4 group_sum(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _137; half_ > 0u; half_ = half_ >> uint(1))
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

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _89;
    if (x < 0.0)
    {
        _89 = -uintBitsToFloat(bits);
    }
    else
    {
        _89 = uintBitsToFloat(bits);
    }
    return _89;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void main()
{
    uint at_0 = gl_WorkGroupID.z / _225.kept_1;
    uint at_1 = gl_WorkGroupID.z % _225.kept_1;
    uint at_2 = gl_WorkGroupID.y;
    uint at_3 = gl_WorkGroupID.x * _244;
    uint from = (((_225.x_at + (at_0 * _225.x_0)) + (at_1 * _225.x_1)) + (at_2 * _225.x_2)) + (at_3 * _225.x_3);
    vec2 sum = vec2(0.0);
    vec2 most = vec2(-3.4028234663852885981170418348452e+38);
    float _344;
    float _371;
    for (uint i = gl_LocalInvocationID.x; i < _225.count; i += gl_WorkGroupSize.x)
    {
        uint rest = i;
        uint i_3 = rest % _225.gone_3;
        rest /= _225.gone_3;
        uint i_2 = rest % _225.gone_2;
        rest /= _225.gone_2;
        uint at = (((from + ((rest / _225.gone_1) * _225.x_0)) + ((rest % _225.gone_1) * _225.x_1)) + (i_2 * _225.x_2)) + (i_3 * _225.x_3);
        if (_343)
        {
            uint param = _350.x[at >> uint(1)];
            uint param_1 = at;
            _344 = half_in(param, param_1);
        }
        else
        {
            _344 = uintBitsToFloat(_350.x[at]);
        }
        vec2 v = vec2(_344, 0.0);
        if (_367)
        {
            if (_370)
            {
                uint param_2 = _350.x[(at + _225.x_3) >> uint(1)];
                uint param_3 = at + _225.x_3;
                _371 = half_in(param_2, param_3);
            }
            else
            {
                _371 = uintBitsToFloat(_350.x[at + _225.x_3]);
            }
            v.y = _371;
        }
        sum += v;
        most = max(most, v);
    }
    if (_408)
    {
        float param_4 = most.x;
        float _414 = group_max(param_4);
        sum.x = _414;
        if (_416)
        {
            float param_5 = most.y;
            float _422 = group_max(param_5);
            sum.y = _422;
        }
    }
    else
    {
        vec4 param_6 = vec4(sum, 0.0, 0.0);
        vec4 _430 = group_sum(param_6);
        sum = _430.xy;
        if (_432)
        {
            sum /= vec2(float(_225.count));
        }
    }
    if (gl_LocalInvocationID.x != 0u)
    {
        return;
    }
    uint to = (((_225.y_at + (at_0 * _225.y_0)) + (at_1 * _225.y_1)) + (at_2 * _225.y_2)) + (at_3 * _225.y_3);
    if (_474)
    {
        uint at_ = to;
        vec2 two_ = sum;
        if (_481)
        {
            vec2 param_7 = two_;
            _487.y[at_ >> uint(1)] = pack_halves(param_7);
        }
        else
        {
            _487.y[at_] = floatBitsToUint(two_.x);
            _487.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
    }
    else
    {
        _487.y[to] = floatBitsToUint(sum.x);
    }
}

