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

constant uint _195_tmp [[function_constant(0)]];
constant uint _195 = is_function_constant_defined(_195_tmp) ? _195_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_195, 1u, 1u);
constant uint _197 = gl_WorkGroupSize.x;
constant uint step_ = (2u * _197);
constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 0u;
constant bool _252 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _295 = (X_HALF != 0u);
constant bool _351 = (X_HALF != 0u);
constant uint HAS_WEIGHT_tmp [[function_constant(4)]];
constant uint HAS_WEIGHT = is_function_constant_defined(HAS_WEIGHT_tmp) ? HAS_WEIGHT_tmp : 1u;
constant bool _381 = (HAS_WEIGHT != 0u);
constant uint W_HALF_tmp [[function_constant(2)]];
constant uint W_HALF = is_function_constant_defined(W_HALF_tmp) ? W_HALF_tmp : 0u;
constant bool _385 = (W_HALF != 0u);

struct W
{
    uint w[1];
};

constant uint Y_HALF_tmp [[function_constant(3)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _419 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _450 = (X_HALF != 0u);
constant bool _476 = (HAS_WEIGHT != 0u);
constant bool _479 = (W_HALF != 0u);

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
float4 group_sum(thread float4& mine, thread uint3& gl_LocalInvocationID, thread uint& gl_NumSubgroups, threadgroup float4 (&group_numbers)[256], thread uint& gl_SubgroupID)
{
    uint thread0 = gl_LocalInvocationID.x;
    mine = simd_sum(mine);
    if (gl_NumSubgroups == 1u)
    {
        return mine;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    bool _129 = simd_is_first();
    if (_129)
    {
        group_numbers[gl_SubgroupID] = mine;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float4 total = float4(0.0);
    for (uint i = 0u; i < gl_NumSubgroups; i++)
    {
        total += group_numbers[i];
    }
    return total;
}

static inline __attribute__((always_inline))
float group_sum(thread const float& mine, thread uint3& gl_LocalInvocationID, thread uint& gl_NumSubgroups, threadgroup float4 (&group_numbers)[256], thread uint& gl_SubgroupID)
{
    float4 param = float4(mine, 0.0, 0.0, 0.0);
    float4 _166 = group_sum(param, gl_LocalInvocationID, gl_NumSubgroups, group_numbers, gl_SubgroupID);
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

kernel void rms_norm(constant Params& _184 [[buffer(0)]], const device X& _259 [[buffer(1)]], const device W& _392 [[buffer(2)]], device Y& _425 [[buffer(3)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup float4 group_numbers[256];
    uint token = gl_WorkGroupID.x;
    uint head = gl_WorkGroupID.y;
    uint begin = 2u * gl_LocalInvocationID.x;
    uint even = _184.width & 4294967294u;
    bool _200 = begin == (even % step_);
    bool _207;
    if (_200)
    {
        _207 = even < _184.width;
    }
    else
    {
        _207 = _200;
    }
    bool tail = _207;
    uint from = (_184.x_at + (token * _184.x_token)) + (head * _184.x_head);
    uint to = (_184.y_at + (token * _184.y_token)) + (head * _184.y_head);
    float squares = 0.0;
    float2 _253;
    for (uint i = begin; i < even; i += step_)
    {
        if (_252)
        {
            _253 = float2(as_type<half2>(_259.x[(from + i) >> uint(1)]));
        }
        else
        {
            _253 = float2(as_type<float>(_259.x[from + i]), as_type<float>(_259.x[(from + i) + 1u]));
        }
        float2 v = _253;
        squares += dot(v, v);
    }
    if (tail)
    {
        float _296;
        if (_295)
        {
            uint param = _259.x[(from + even) >> uint(1)];
            uint param_1 = from + even;
            _296 = half_in(param, param_1);
        }
        else
        {
            _296 = as_type<float>(_259.x[from + even]);
        }
        float v_1 = _296;
        squares += (v_1 * v_1);
    }
    float param_2 = squares;
    float _328 = group_sum(param_2, gl_LocalInvocationID, gl_NumSubgroups, group_numbers, gl_SubgroupID);
    float factor = 1.0 / sqrt((_328 / float(_184.width)) + _184.eps);
    float2 _352;
    float2 _386;
    for (uint i_1 = begin; i_1 < even; i_1 += step_)
    {
        if (_351)
        {
            _352 = float2(as_type<half2>(_259.x[(from + i_1) >> uint(1)]));
        }
        else
        {
            _352 = float2(as_type<float>(_259.x[from + i_1]), as_type<float>(_259.x[(from + i_1) + 1u]));
        }
        float2 v_2 = _352 * factor;
        if (_381)
        {
            if (_385)
            {
                _386 = float2(as_type<half2>(_392.w[i_1 >> uint(1)]));
            }
            else
            {
                _386 = float2(as_type<float>(_392.w[i_1]), as_type<float>(_392.w[i_1 + 1u]));
            }
            v_2 *= _386;
        }
        uint at_ = to + i_1;
        float2 two_ = v_2;
        if (_419)
        {
            float2 param_3 = two_;
            _425.y[at_ >> uint(1)] = pack_halves(param_3);
        }
        else
        {
            _425.y[at_] = as_type<uint>(two_.x);
            _425.y[at_ + 1u] = as_type<uint>(two_.y);
        }
    }
    if (tail)
    {
        float _451;
        if (_450)
        {
            uint param_4 = _259.x[(from + even) >> uint(1)];
            uint param_5 = from + even;
            _451 = half_in(param_4, param_5);
        }
        else
        {
            _451 = as_type<float>(_259.x[from + even]);
        }
        float v_3 = _451 * factor;
        if (_476)
        {
            float _480;
            if (_479)
            {
                uint param_6 = _392.w[even >> uint(1)];
                uint param_7 = even;
                _480 = half_in(param_6, param_7);
            }
            else
            {
                _480 = as_type<float>(_392.w[even]);
            }
            v_3 *= _480;
        }
        _425.y[to + even] = as_type<uint>(v_3);
    }
}

