#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _135 = gl_WorkGroupSize.x;
const uint _137 = (_135 >> uint(1));
const uint _178 = gl_WorkGroupSize.x;
const uint _179 = (_178 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _263 = (X_HALF != 0u);
const uint threads = gl_WorkGroupSize.x;
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint RENORMALISE = SPIRV_CROSS_CONSTANT_ID_3;
const bool _405 = (RENORMALISE != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _450 = (Y_HALF != 0u);
const bool _459 = (Y_HALF != 0u);
const uint _507 = (2u * threads);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint experts;
    uint top_k;
    uint x_at;
    uint x_token;
    uint y_at;
    uint y_token;
} _225;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _270;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _465;

shared uvec4 group_words[256];
shared float logits[1024];
shared float chosen[1024];

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
    uint thread = gl_LocalInvocationID.x;
    uint from = _225.x_at + (gl_WorkGroupID.x * _225.x_token);
    uint to = _225.y_at + (gl_WorkGroupID.x * _225.y_token);
    float most = -3.4028234663852885981170418348452e+38;
    float _264;
    float _299;
    for (uint i = thread; i < _225.experts; i += threads)
    {
        if (_263)
        {
            uint param = _270.x[(from + i) >> uint(1)];
            uint param_1 = from + i;
            _264 = half_in(param, param_1);
        }
        else
        {
            _264 = uintBitsToFloat(_270.x[from + i]);
        }
        float v = _264;
        if (isnan(v))
        {
            _299 = uintBitsToFloat(4286578688u);
        }
        else
        {
            _299 = v;
        }
        logits[i] = _299;
        most = max(most, logits[i]);
    }
    float param_2 = most;
    float _319 = group_max(param_2);
    most = _319;
    barrier();
    vec2 sums = vec2(0.0);
    for (uint i_1 = thread; i_1 < _225.experts; i_1 += threads)
    {
        float mine = logits[i_1];
        float weight = exp(mine - most);
        uint before = 0u;
        for (uint n = 0u; n < _225.experts; n++)
        {
            bool _357 = logits[n] > mine;
            bool _370;
            if (!_357)
            {
                _370 = (logits[n] == mine) && (n < i_1);
            }
            else
            {
                _370 = _357;
            }
            if (_370)
            {
                before++;
            }
        }
        chosen[i_1] = (before < _225.top_k) ? weight : 0.0;
        sums += vec2(weight, chosen[i_1]);
    }
    vec4 param_3 = vec4(sums, 0.0, 0.0);
    vec4 _400 = group_sum(param_3);
    sums = _400.xy;
    barrier();
    float _406;
    if (_405)
    {
        _406 = sums.y;
    }
    else
    {
        _406 = sums.x;
    }
    float factor = 1.0 / _406;
    uint _418 = 2u * thread;
    float _437;
    for (uint i_2 = _418; i_2 < _225.experts; i_2 += _507)
    {
        if ((i_2 + 1u) < _225.experts)
        {
            _437 = chosen[i_2 + 1u];
        }
        else
        {
            _437 = 0.0;
        }
        vec2 v_1 = vec2(chosen[i_2], _437) * factor;
        if (_450)
        {
            uint at_ = to + i_2;
            vec2 two_ = v_1;
            if (_459)
            {
                vec2 param_4 = two_;
                _465.y[at_ >> uint(1)] = pack_halves(param_4);
            }
            else
            {
                _465.y[at_] = floatBitsToUint(two_.x);
                _465.y[at_ + 1u] = floatBitsToUint(two_.y);
            }
        }
        else
        {
            _465.y[to + i_2] = floatBitsToUint(v_1.x);
            if ((i_2 + 1u) < _225.experts)
            {
                _465.y[(to + i_2) + 1u] = floatBitsToUint(v_1.y);
            }
        }
    }
}

