#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Params
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
};

constant uint _195_tmp [[function_constant(0)]];
constant uint _195 = is_function_constant_defined(_195_tmp) ? _195_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_195, 1u, 1u);
constant uint _197 = gl_WorkGroupSize.x;
constant uint step_ = (2u * _197);
constant uint A_HALF_tmp [[function_constant(1)]];
constant uint A_HALF = is_function_constant_defined(A_HALF_tmp) ? A_HALF_tmp : 0u;
constant bool _284 = (A_HALF != 0u);

struct A
{
    uint a[1];
};

constant uint B_HALF_tmp [[function_constant(2)]];
constant uint B_HALF = is_function_constant_defined(B_HALF_tmp) ? B_HALF_tmp : 0u;
constant bool _317 = (B_HALF != 0u);

struct B
{
    uint b[1];
};

constant uint SUM_HALF_tmp [[function_constant(4)]];
constant uint SUM_HALF = is_function_constant_defined(SUM_HALF_tmp) ? SUM_HALF_tmp : 0u;
constant bool _356 = (SUM_HALF != 0u);

struct Sum
{
    uint sum[1];
};

constant bool _392 = (A_HALF != 0u);
constant bool _416 = (B_HALF != 0u);
constant bool _478 = (SUM_HALF != 0u);
constant uint HAS_WEIGHT_tmp [[function_constant(6)]];
constant uint HAS_WEIGHT = is_function_constant_defined(HAS_WEIGHT_tmp) ? HAS_WEIGHT_tmp : 1u;
constant bool _508 = (HAS_WEIGHT != 0u);
constant uint W_HALF_tmp [[function_constant(3)]];
constant uint W_HALF = is_function_constant_defined(W_HALF_tmp) ? W_HALF_tmp : 0u;
constant bool _512 = (W_HALF != 0u);

struct W
{
    uint w[1];
};

constant uint Y_HALF_tmp [[function_constant(5)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _546 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _577 = (SUM_HALF != 0u);
constant bool _603 = (HAS_WEIGHT != 0u);
constant bool _606 = (W_HALF != 0u);

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

kernel void add_rms_norm(constant Params& _184 [[buffer(0)]], const device A& _291 [[buffer(1)]], const device B& _324 [[buffer(2)]], const device W& _519 [[buffer(3)]], device Sum& _362 [[buffer(4)]], device Y& _552 [[buffer(5)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
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
    uint from_a = (_184.a_at + (token * _184.a_token)) + (head * _184.a_head);
    uint from_b = (_184.b_at + (token * _184.b_token)) + (head * _184.b_head);
    uint from = (_184.sum_at + (token * _184.sum_token)) + (head * _184.sum_head);
    uint to = (_184.y_at + (token * _184.y_token)) + (head * _184.y_head);
    float squares = 0.0;
    float2 _285;
    float2 _318;
    for (uint i = begin; i < even; i += step_)
    {
        if (_284)
        {
            _285 = float2(as_type<half2>(_291.a[(from_a + i) >> uint(1)]));
        }
        else
        {
            _285 = float2(as_type<float>(_291.a[from_a + i]), as_type<float>(_291.a[(from_a + i) + 1u]));
        }
        if (_317)
        {
            _318 = float2(as_type<half2>(_324.b[(from_b + i) >> uint(1)]));
        }
        else
        {
            _318 = float2(as_type<float>(_324.b[from_b + i]), as_type<float>(_324.b[(from_b + i) + 1u]));
        }
        float2 v = _285 + _318;
        uint at_ = from + i;
        float2 two_ = v;
        if (_356)
        {
            float2 param = two_;
            _362.sum[at_ >> uint(1)] = pack_halves(param);
        }
        else
        {
            _362.sum[at_] = as_type<uint>(two_.x);
            _362.sum[at_ + 1u] = as_type<uint>(two_.y);
        }
        squares += dot(v, v);
    }
    if (tail)
    {
        float _393;
        if (_392)
        {
            uint param_1 = _291.a[(from_a + even) >> uint(1)];
            uint param_2 = from_a + even;
            _393 = half_in(param_1, param_2);
        }
        else
        {
            _393 = as_type<float>(_291.a[from_a + even]);
        }
        float _417;
        if (_416)
        {
            uint param_3 = _324.b[(from_b + even) >> uint(1)];
            uint param_4 = from_b + even;
            _417 = half_in(param_3, param_4);
        }
        else
        {
            _417 = as_type<float>(_324.b[from_b + even]);
        }
        float v_1 = _393 + _417;
        _362.sum[from + even] = as_type<uint>(v_1);
        squares += (v_1 * v_1);
    }
    float param_5 = squares;
    float _456 = group_sum(param_5, gl_LocalInvocationID, gl_NumSubgroups, group_numbers, gl_SubgroupID);
    float factor = 1.0 / sqrt((_456 / float(_184.width)) + _184.eps);
    float2 _479;
    float2 _513;
    for (uint i_1 = begin; i_1 < even; i_1 += step_)
    {
        if (_478)
        {
            _479 = float2(as_type<half2>(_362.sum[(from + i_1) >> uint(1)]));
        }
        else
        {
            _479 = float2(as_type<float>(_362.sum[from + i_1]), as_type<float>(_362.sum[(from + i_1) + 1u]));
        }
        float2 v_2 = _479 * factor;
        if (_508)
        {
            if (_512)
            {
                _513 = float2(as_type<half2>(_519.w[i_1 >> uint(1)]));
            }
            else
            {
                _513 = float2(as_type<float>(_519.w[i_1]), as_type<float>(_519.w[i_1 + 1u]));
            }
            v_2 *= _513;
        }
        uint at_1 = to + i_1;
        float2 two_1 = v_2;
        if (_546)
        {
            float2 param_6 = two_1;
            _552.y[at_1 >> uint(1)] = pack_halves(param_6);
        }
        else
        {
            _552.y[at_1] = as_type<uint>(two_1.x);
            _552.y[at_1 + 1u] = as_type<uint>(two_1.y);
        }
    }
    if (tail)
    {
        float _578;
        if (_577)
        {
            uint param_7 = _362.sum[(from + even) >> uint(1)];
            uint param_8 = from + even;
            _578 = half_in(param_7, param_8);
        }
        else
        {
            _578 = as_type<float>(_362.sum[from + even]);
        }
        float v_3 = _578 * factor;
        if (_603)
        {
            float _607;
            if (_606)
            {
                uint param_9 = _519.w[even >> uint(1)];
                uint param_10 = even;
                _607 = half_in(param_9, param_10);
            }
            else
            {
                _607 = as_type<float>(_519.w[even]);
            }
            v_3 *= _607;
        }
        _552.y[to + even] = as_type<uint>(v_3);
    }
}

