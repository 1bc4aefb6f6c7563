#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _130 = gl_WorkGroupSize.x;
const uint _132 = (_130 >> uint(1));
const uint _170 = gl_WorkGroupSize.x;
const uint _171 = (_170 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _246 = (X_HALF != 0u);
const uint threads = gl_WorkGroupSize.x;
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint RENORMALISE = SPIRV_CROSS_CONSTANT_ID_3;
const bool _387 = (RENORMALISE != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _432 = (Y_HALF != 0u);
const bool _441 = (Y_HALF != 0u);
const uint _489 = (2u * threads);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint experts;
    uint top_k;
    uint x_at;
    uint x_token;
    uint y_at;
    uint y_token;
} _207;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _253;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _447;

shared vec4 group_numbers[256];
shared float logits[1024];
shared float chosen[1024];

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
    uint thread = gl_LocalInvocationID.x;
    uint from = _207.x_at + (gl_WorkGroupID.x * _207.x_token);
    uint to = _207.y_at + (gl_WorkGroupID.x * _207.y_token);
    float most = -3.4028234663852885981170418348452e+38;
    float _247;
    float _282;
    for (uint i = thread; i < _207.experts; i += threads)
    {
        if (_246)
        {
            uint param = _253.x[(from + i) >> uint(1)];
            uint param_1 = from + i;
            _247 = half_in(param, param_1);
        }
        else
        {
            _247 = uintBitsToFloat(_253.x[from + i]);
        }
        float v = _247;
        if (isnan(v))
        {
            _282 = uintBitsToFloat(4286578688u);
        }
        else
        {
            _282 = v;
        }
        logits[i] = _282;
        most = max(most, logits[i]);
    }
    float param_2 = most;
    float _301 = group_max(param_2);
    most = _301;
    barrier();
    vec2 sums = vec2(0.0);
    for (uint i_1 = thread; i_1 < _207.experts; i_1 += threads)
    {
        float mine = logits[i_1];
        float weight = exp(mine - most);
        uint before = 0u;
        for (uint n = 0u; n < _207.experts; n++)
        {
            bool _339 = logits[n] > mine;
            bool _352;
            if (!_339)
            {
                _352 = (logits[n] == mine) && (n < i_1);
            }
            else
            {
                _352 = _339;
            }
            if (_352)
            {
                before++;
            }
        }
        chosen[i_1] = (before < _207.top_k) ? weight : 0.0;
        sums += vec2(weight, chosen[i_1]);
    }
    vec4 param_3 = vec4(sums, 0.0, 0.0);
    vec4 _382 = group_sum(param_3);
    sums = _382.xy;
    barrier();
    float _388;
    if (_387)
    {
        _388 = sums.y;
    }
    else
    {
        _388 = sums.x;
    }
    float factor = 1.0 / _388;
    uint _400 = 2u * thread;
    float _419;
    for (uint i_2 = _400; i_2 < _207.experts; i_2 += _489)
    {
        if ((i_2 + 1u) < _207.experts)
        {
            _419 = chosen[i_2 + 1u];
        }
        else
        {
            _419 = 0.0;
        }
        vec2 v_1 = vec2(chosen[i_2], _419) * factor;
        if (_432)
        {
            uint at_ = to + i_2;
            vec2 two_ = v_1;
            if (_441)
            {
                vec2 param_4 = two_;
                _447.y[at_ >> uint(1)] = pack_halves(param_4);
            }
            else
            {
                _447.y[at_] = floatBitsToUint(two_.x);
                _447.y[at_ + 1u] = floatBitsToUint(two_.y);
            }
        }
        else
        {
            _447.y[to + i_2] = floatBitsToUint(v_1.x);
            if ((i_2 + 1u) < _207.experts)
            {
                _447.y[(to + i_2) + 1u] = floatBitsToUint(v_1.y);
            }
        }
    }
}

