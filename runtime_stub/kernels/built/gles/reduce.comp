#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _130 = gl_WorkGroupSize.x;
const uint _132 = (_130 >> uint(1));
const uint _170 = gl_WorkGroupSize.x;
const uint _171 = (_170 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _225 = (Y_HALF != 0u);
const uint _226 = _225 ? 2u : 1u;
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _326 = (X_HALF != 0u);
const bool _350 = (Y_HALF != 0u);
const bool _353 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint FUNCTION = SPIRV_CROSS_CONSTANT_ID_3;
const bool _391 = (FUNCTION == 2u);
const bool _399 = (Y_HALF != 0u);
const bool _415 = (FUNCTION == 0u);
const bool _457 = (Y_HALF != 0u);
const bool _464 = (Y_HALF != 0u);

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
} _207;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _333;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _470;

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

float group_max(float mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_numbers[thread].x = mine;
    for (uint step_ = _171; step_ > 0u; step_ = step_ >> uint(1))
    {
        barrier();
        if (thread < step_)
        {
            group_numbers[thread].x = max(group_numbers[thread].x, group_numbers[thread + step_].x);
        }
    }
    barrier();
    return group_numbers[0].x;
}

vec4 group_sum(vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_numbers[thread] = mine;
    for (uint step_ = _132; step_ > 0u; step_ = step_ >> uint(1))
    {
        barrier();
        if (thread < step_)
        {
            group_numbers[thread] += group_numbers[thread + step_];
        }
    }
    barrier();
    return group_numbers[0];
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
    uint at_0 = gl_WorkGroupID.z / _207.kept_1;
    uint at_1 = gl_WorkGroupID.z % _207.kept_1;
    uint at_2 = gl_WorkGroupID.y;
    uint at_3 = gl_WorkGroupID.x * _226;
    uint from = (((_207.x_at + (at_0 * _207.x_0)) + (at_1 * _207.x_1)) + (at_2 * _207.x_2)) + (at_3 * _207.x_3);
    vec2 sum = vec2(0.0);
    vec2 most = vec2(-3.4028234663852885981170418348452e+38);
    float _327;
    float _354;
    for (uint i = gl_LocalInvocationID.x; i < _207.count; i += gl_WorkGroupSize.x)
    {
        uint rest = i;
        uint i_3 = rest % _207.gone_3;
        rest /= _207.gone_3;
        uint i_2 = rest % _207.gone_2;
        rest /= _207.gone_2;
        uint at = (((from + ((rest / _207.gone_1) * _207.x_0)) + ((rest % _207.gone_1) * _207.x_1)) + (i_2 * _207.x_2)) + (i_3 * _207.x_3);
        if (_326)
        {
            uint param = _333.x[at >> uint(1)];
            uint param_1 = at;
            _327 = half_in(param, param_1);
        }
        else
        {
            _327 = uintBitsToFloat(_333.x[at]);
        }
        vec2 v = vec2(_327, 0.0);
        if (_350)
        {
            if (_353)
            {
                uint param_2 = _333.x[(at + _207.x_3) >> uint(1)];
                uint param_3 = at + _207.x_3;
                _354 = half_in(param_2, param_3);
            }
            else
            {
                _354 = uintBitsToFloat(_333.x[at + _207.x_3]);
            }
            v.y = _354;
        }
        sum += v;
        most = max(most, v);
    }
    if (_391)
    {
        float param_4 = most.x;
        float _397 = group_max(param_4);
        sum.x = _397;
        if (_399)
        {
            float param_5 = most.y;
            float _405 = group_max(param_5);
            sum.y = _405;
        }
    }
    else
    {
        vec4 param_6 = vec4(sum, 0.0, 0.0);
        vec4 _413 = group_sum(param_6);
        sum = _413.xy;
        if (_415)
        {
            sum /= vec2(float(_207.count));
        }
    }
    if (gl_LocalInvocationID.x != 0u)
    {
        return;
    }
    uint to = (((_207.y_at + (at_0 * _207.y_0)) + (at_1 * _207.y_1)) + (at_2 * _207.y_2)) + (at_3 * _207.y_3);
    if (_457)
    {
        uint at_ = to;
        vec2 two_ = sum;
        if (_464)
        {
            vec2 param_7 = two_;
            _470.y[at_ >> uint(1)] = pack_halves(param_7);
        }
        else
        {
            _470.y[at_] = floatBitsToUint(two_.x);
            _470.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
    }
    else
    {
        _470.y[to] = floatBitsToUint(sum.x);
    }
}

