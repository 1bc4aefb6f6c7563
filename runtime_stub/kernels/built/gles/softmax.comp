#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _140 = gl_WorkGroupSize.x;
const uint _142 = (_140 >> uint(1));
const uint _183 = gl_WorkGroupSize.x;
const uint _184 = (_183 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint COLUMNS = SPIRV_CROSS_CONSTANT_ID_3;
const bool _237 = (COLUMNS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _241 = (X_HALF != 0u);
const bool _264 = (X_HALF != 0u);
const bool _294 = (X_HALF != 0u);
const bool _320 = (X_HALF != 0u);
const bool _357 = (COLUMNS != 0u);
const uint each = _357 ? 1u : 2u;
const uint _359 = (3u - each);
const uint _431 = gl_WorkGroupSize.x;
const uint step_ = (each * _431);
const bool _435 = (COLUMNS == 0u);
const bool _449 = (COLUMNS != 0u);
const bool _487 = (COLUMNS == 0u);
const bool _503 = (COLUMNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _540 = (Y_HALF != 0u);
const bool _547 = (Y_HALF != 0u);
const bool _578 = (COLUMNS != 0u);

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
} _229;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _248;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _553;

shared uvec4 group_words[256];

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _51;
    if ((index & 1u) == 0u)
    {
        _51 = both.x;
    }
    else
    {
        _51 = both.y;
    }
    return _51;
}

vec2 both(uint from, uint i)
{
    uint at = from + (i * _229.x_step);
    if (_237)
    {
        float _242;
        if (_241)
        {
            uint param = _248.x[at >> uint(1)];
            uint param_1 = at;
            _242 = half_in(param, param_1);
        }
        else
        {
            _242 = uintBitsToFloat(_248.x[at]);
        }
        float _265;
        if (_264)
        {
            uint param_2 = _248.x[(at + _229.x_2) >> uint(1)];
            uint param_3 = at + _229.x_2;
            _265 = half_in(param_2, param_3);
        }
        else
        {
            _265 = uintBitsToFloat(_248.x[at + _229.x_2]);
        }
        return vec2(_242, _265);
    }
    float _295;
    if (_294)
    {
        uint param_4 = _248.x[at >> uint(1)];
        uint param_5 = at;
        _295 = half_in(param_4, param_5);
    }
    else
    {
        _295 = uintBitsToFloat(_248.x[at]);
    }
    float _317;
    if ((i + 1u) < _229.size)
    {
        float _321;
        if (_320)
        {
            uint param_6 = _248.x[(at + _229.x_step) >> uint(1)];
            uint param_7 = at + _229.x_step;
            _321 = half_in(param_6, param_7);
        }
        else
        {
            _321 = uintBitsToFloat(_248.x[at + _229.x_step]);
        }
        _317 = _321;
    }
    else
    {
        _317 = -3.4028234663852885981170418348452e+38;
    }
    return vec2(_295, _317);
}

vec4 group_max(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _184; half_ > 0u; half_ = half_ >> uint(1))
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
    vec4 _220 = group_max(param);
    return _220.x;
}

vec4 group_sum(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _142; half_ > 0u; half_ = half_ >> uint(1))
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
    float _94;
    if (x < 0.0)
    {
        _94 = -uintBitsToFloat(bits);
    }
    else
    {
        _94 = uintBitsToFloat(bits);
    }
    return _94;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void main()
{
    uint place = gl_WorkGroupID.x * _359;
    uint from = ((_229.x_at + (gl_WorkGroupID.z * _229.x_0)) + (gl_WorkGroupID.y * _229.x_1)) + (place * _229.x_2);
    uint to = ((_229.y_at + (gl_WorkGroupID.z * _229.y_0)) + (gl_WorkGroupID.y * _229.y_1)) + (place * _229.y_2);
    uint begin = each * gl_LocalInvocationID.x;
    vec2 most = vec2(-3.4028234663852885981170418348452e+38);
    for (uint i = begin; i < _229.size; i += step_)
    {
        uint param = from;
        uint param_1 = i;
        most = max(most, both(param, param_1));
    }
    if (_435)
    {
        most = vec2(max(most.x, most.y));
    }
    float param_2 = most.x;
    float _447 = group_max(param_2);
    most.x = _447;
    float _450;
    if (_449)
    {
        float param_3 = most.y;
        float _456 = group_max(param_3);
        _450 = _456;
    }
    else
    {
        _450 = most.x;
    }
    most.y = _450;
    vec2 sum = vec2(0.0);
    for (uint i_1 = begin; i_1 < _229.size; i_1 += step_)
    {
        uint param_4 = from;
        uint param_5 = i_1;
        sum += exp(both(param_4, param_5) - most);
    }
    if (_487)
    {
        sum = vec2(sum.x + sum.y, 0.0);
    }
    vec4 param_6 = vec4(sum, 0.0, 0.0);
    vec4 _501 = group_sum(param_6);
    sum = _501.xy;
    if (_503)
    {
        sum.y = sum.x;
    }
    for (uint i_2 = begin; i_2 < _229.size; i_2 += step_)
    {
        uint param_7 = from;
        uint param_8 = i_2;
        vec2 v = exp(both(param_7, param_8) - most) / sum;
        uint at = to + (i_2 * _229.y_step);
        if (_540)
        {
            uint at_ = at;
            vec2 two_ = v;
            if (_547)
            {
                vec2 param_9 = two_;
                _553.y[at_ >> uint(1)] = pack_halves(param_9);
            }
            else
            {
                _553.y[at_] = floatBitsToUint(two_.x);
                _553.y[at_ + 1u] = floatBitsToUint(two_.y);
            }
            continue;
        }
        _553.y[at] = floatBitsToUint(v.x);
        if (_578)
        {
            _553.y[at + _229.y_2] = floatBitsToUint(v.y);
        }
        else
        {
            if ((i_2 + 1u) < _229.size)
            {
                _553.y[at + _229.y_step] = floatBitsToUint(v.y);
            }
        }
    }
}

