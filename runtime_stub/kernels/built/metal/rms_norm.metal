#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Params
{
    uint width;
    uint x_at;
    uint x_token;
    uint x_head;
    uint y_at;
    uint y_token;
    uint y_head;
    float eps;
};

constant uint _197_tmp [[function_constant(0)]];
constant uint _197 = is_function_constant_defined(_197_tmp) ? _197_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_197, 1u, 1u);
constant uint _199 = gl_WorkGroupSize.x;
constant uint step_ = (2u * _199);
constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 0u;
constant bool _254 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _297 = (X_HALF != 0u);
constant bool _353 = (X_HALF != 0u);
constant uint HAS_WEIGHT_tmp [[function_constant(4)]];
constant uint HAS_WEIGHT = is_function_constant_defined(HAS_WEIGHT_tmp) ? HAS_WEIGHT_tmp : 1u;
constant bool _383 = (HAS_WEIGHT != 0u);
constant uint W_HALF_tmp [[function_constant(2)]];
constant uint W_HALF = is_function_constant_defined(W_HALF_tmp) ? W_HALF_tmp : 0u;
constant bool _387 = (W_HALF != 0u);

struct W
{
    uint w[1];
};

constant uint Y_HALF_tmp [[function_constant(3)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _421 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _452 = (X_HALF != 0u);
constant bool _478 = (HAS_WEIGHT != 0u);
constant bool _481 = (W_HALF != 0u);

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
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

static inline __attribute__((always_inline))
float4 group_sum(thread float4& mine, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID)
{
    mine = simd_sum(mine);
    if (gl_NumSubgroups == 1u)
    {
        return mine;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    bool _123 = simd_is_first();
    if (_123)
    {
        group_words[gl_SubgroupID] = as_type<uint4>(mine);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float4 all_ = as_type<float4>(group_words[0]);
    for (uint i = 1u; i < gl_NumSubgroups; i++)
    {
        all_ += as_type<float4>(group_words[i]);
    }
    return all_;
}

static inline __attribute__((always_inline))
float group_sum(thread const float& mine, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID)
{
    float4 param = float4(mine, 0.0, 0.0, 0.0);
    float4 _166 = group_sum(param, gl_NumSubgroups, group_words, gl_SubgroupID);
    return _166.x;
}

static inline __attribute__((always_inline))
float round_half(thread const float& x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return rint(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = as_type<uint>(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _86;
    if (x < 0.0)
    {
        _86 = -as_type<float>(bits);
    }
    else
    {
        _86 = as_type<float>(bits);
    }
    return _86;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void rms_norm(constant Params& _187 [[buffer(0)]], const device X& _261 [[buffer(1)]], const device W& _394 [[buffer(2)]], device Y& _427 [[buffer(3)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]])
{
    threadgroup uint4 group_words[256];
    uint token = gl_WorkGroupID.x;
    uint head = gl_WorkGroupID.y;
    uint begin = 2u * gl_LocalInvocationID.x;
    uint even = _187.width & 4294967294u;
    bool _202 = begin == (even % step_);
    bool _209;
    if (_202)
    {
        _209 = even < _187.width;
    }
    else
    {
        _209 = _202;
    }
    bool tail = _209;
    uint from = (_187.x_at + (token * _187.x_token)) + (head * _187.x_head);
    uint to = (_187.y_at + (token * _187.y_token)) + (head * _187.y_head);
    float squares = 0.0;
    float2 _255;
    for (uint i = begin; i < even; i += step_)
    {
        if (_254)
        {
            _255 = float2(as_type<half2>(_261.x[(from + i) >> uint(1)]));
        }
        else
        {
            _255 = float2(as_type<float>(_261.x[from + i]), as_type<float>(_261.x[(from + i) + 1u]));
        }
        float2 v = _255;
        squares += dot(v, v);
    }
    if (tail)
    {
        float _298;
        if (_297)
        {
            uint param = _261.x[(from + even) >> uint(1)];
            uint param_1 = from + even;
            _298 = half_in(param, param_1);
        }
        else
        {
            _298 = as_type<float>(_261.x[from + even]);
        }
        float v_1 = _298;
        squares += (v_1 * v_1);
    }
    float param_2 = squares;
    float _330 = group_sum(param_2, gl_NumSubgroups, group_words, gl_SubgroupID);
    float factor = 1.0 / sqrt((_330 / float(_187.width)) + _187.eps);
    float2 _354;
    float2 _388;
    for (uint i_1 = begin; i_1 < even; i_1 += step_)
    {
        if (_353)
        {
            _354 = float2(as_type<half2>(_261.x[(from + i_1) >> uint(1)]));
        }
        else
        {
            _354 = float2(as_type<float>(_261.x[from + i_1]), as_type<float>(_261.x[(from + i_1) + 1u]));
        }
        float2 v_2 = _354 * factor;
        if (_383)
        {
            if (_387)
            {
                _388 = float2(as_type<half2>(_394.w[i_1 >> uint(1)]));
            }
            else
            {
                _388 = float2(as_type<float>(_394.w[i_1]), as_type<float>(_394.w[i_1 + 1u]));
            }
            v_2 *= _388;
        }
        uint at_ = to + i_1;
        float2 two_ = v_2;
        if (_421)
        {
            float2 param_3 = two_;
            _427.y[at_ >> uint(1)] = pack_halves(param_3);
        }
        else
        {
            _427.y[at_] = as_type<uint>(two_.x);
            _427.y[at_ + 1u] = as_type<uint>(two_.y);
        }
    }
    if (tail)
    {
        float _453;
        if (_452)
        {
            uint param_4 = _261.x[(from + even) >> uint(1)];
            uint param_5 = from + even;
            _453 = half_in(param_4, param_5);
        }
        else
        {
            _453 = as_type<float>(_261.x[from + even]);
        }
        float v_3 = _453 * factor;
        if (_478)
        {
            float _482;
            if (_481)
            {
                uint param_6 = _394.w[even >> uint(1)];
                uint param_7 = even;
                _482 = half_in(param_6, param_7);
            }
            else
            {
                _482 = as_type<float>(_394.w[even]);
            }
            v_3 *= _482;
        }
        _427.y[to + even] = as_type<uint>(v_3);
    }
}

