#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _135 = gl_WorkGroupSize.x;
const uint _137 = (_135 >> uint(1));
const uint _175 = gl_WorkGroupSize.x;
const uint _176 = (_175 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint COLUMNS = SPIRV_CROSS_CONSTANT_ID_3;
const bool _219 = (COLUMNS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _223 = (X_HALF != 0u);
const bool _246 = (X_HALF != 0u);
const bool _276 = (X_HALF != 0u);
const bool _302 = (X_HALF != 0u);
const bool _340 = (COLUMNS != 0u);
const uint each = _340 ? 1u : 2u;
const uint _342 = (3u - each);
const uint _414 = gl_WorkGroupSize.x;
const uint step_ = (each * _414);
const bool _418 = (COLUMNS == 0u);
const bool _432 = (COLUMNS != 0u);
const bool _470 = (COLUMNS == 0u);
const bool _486 = (COLUMNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _523 = (Y_HALF != 0u);
const bool _530 = (Y_HALF != 0u);
const bool _561 = (COLUMNS != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint size;
    uint x_at;
    uint x_0;
    uint x_1;
    uint x_2;
    uint x_step;
    uint y_at;
    uint y_0;
    uint y_1;
    uint y_2;
    uint y_step;
} _211;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _230;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _536;

shared vec4 group_numbers[256];

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _48;
    if ((index & 1u) == 0u)
    {
        _48 = both.x;
    }
    else
    {
        _48 = both.y;
    }
    return _48;
}

vec2 both(uint from, uint i)
{
    uint at = from + (i * _211.x_step);
    if (_219)
    {
        float _224;
        if (_223)
        {
            uint param = _230.x[at >> uint(1)];
            uint param_1 = at;
            _224 = half_in(param, param_1);
        }
        else
        {
            _224 = uintBitsToFloat(_230.x[at]);
        }
        float _247;
        if (_246)
        {
            uint param_2 = _230.x[(at + _211.x_2) >> uint(1)];
            uint param_3 = at + _211.x_2;
            _247 = half_in(param_2, param_3);
        }
        else
        {
            _247 = uintBitsToFloat(_230.x[at + _211.x_2]);
        }
        return vec2(_224, _247);
    }
    float _277;
    if (_276)
    {
        uint param_4 = _230.x[at >> uint(1)];
        uint param_5 = at;
        _277 = half_in(param_4, param_5);
    }
    else
    {
        _277 = uintBitsToFloat(_230.x[at]);
    }
    float _299;
    if ((i + 1u) < _211.size)
    {
        float _303;
        if (_302)
        {
            uint param_6 = _230.x[(at + _211.x_step) >> uint(1)];
            uint param_7 = at + _211.x_step;
            _303 = half_in(param_6, param_7);
        }
        else
        {
            _303 = uintBitsToFloat(_230.x[at + _211.x_step]);
        }
        _299 = _303;
    }
    else
    {
        _299 = -3.4028234663852885981170418348452e+38;
    }
    return vec2(_277, _299);
}

float group_max(float mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_numbers[thread].x = mine;
    for (uint step_1 = _176; step_1 > 0u; step_1 = step_1 >> uint(1))
    {
        barrier();
        if (thread < step_1)
        {
            group_numbers[thread].x = max(group_numbers[thread].x, group_numbers[thread + step_1].x);
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
    for (uint step_1 = _137; step_1 > 0u; step_1 = step_1 >> uint(1))
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

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _91;
    if (x < 0.0)
    {
        _91 = -uintBitsToFloat(bits);
    }
    else
    {
        _91 = uintBitsToFloat(bits);
    }
    return _91;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void main()
{
    uint place = gl_WorkGroupID.x * _342;
    uint from = ((_211.x_at + (gl_WorkGroupID.z * _211.x_0)) + (gl_WorkGroupID.y * _211.x_1)) + (place * _211.x_2);
    uint to = ((_211.y_at + (gl_WorkGroupID.z * _211.y_0)) + (gl_WorkGroupID.y * _211.y_1)) + (place * _211.y_2);
    uint begin = each * gl_LocalInvocationID.x;
    vec2 most = vec2(-3.4028234663852885981170418348452e+38);
    for (uint i = begin; i < _211.size; i += step_)
    {
        uint param = from;
        uint param_1 = i;
        most = max(most, both(param, param_1));
    }
    if (_418)
    {
        most = vec2(max(most.x, most.y));
    }
    float param_2 = most.x;
    float _430 = group_max(param_2);
    most.x = _430;
    float _433;
    if (_432)
    {
        float param_3 = most.y;
        float _439 = group_max(param_3);
        _433 = _439;
    }
    else
    {
        _433 = most.x;
    }
    most.y = _433;
    vec2 sum = vec2(0.0);
    for (uint i_1 = begin; i_1 < _211.size; i_1 += step_)
    {
        uint param_4 = from;
        uint param_5 = i_1;
        sum += exp(both(param_4, param_5) - most);
    }
    if (_470)
    {
        sum = vec2(sum.x + sum.y, 0.0);
    }
    vec4 param_6 = vec4(sum, 0.0, 0.0);
    vec4 _484 = group_sum(param_6);
    sum = _484.xy;
    if (_486)
    {
        sum.y = sum.x;
    }
    for (uint i_2 = begin; i_2 < _211.size; i_2 += step_)
    {
        uint param_7 = from;
        uint param_8 = i_2;
        vec2 v = exp(both(param_7, param_8) - most) / sum;
        uint at = to + (i_2 * _211.y_step);
        if (_523)
        {
            uint at_ = at;
            vec2 two_ = v;
            if (_530)
            {
                vec2 param_9 = two_;
                _536.y[at_ >> uint(1)] = pack_halves(param_9);
            }
            else
            {
                _536.y[at_] = floatBitsToUint(two_.x);
                _536.y[at_ + 1u] = floatBitsToUint(two_.y);
            }
            continue;
        }
        _536.y[at] = floatBitsToUint(v.x);
        if (_561)
        {
            _536.y[at + _211.y_2] = floatBitsToUint(v.y);
        }
        else
        {
            if ((i_2 + 1u) < _211.size)
            {
                _536.y[at + _211.y_step] = floatBitsToUint(v.y);
            }
        }
    }
}

