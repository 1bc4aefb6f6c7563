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

constant uint _197_tmp [[function_constant(0)]];
constant uint _197 = is_function_constant_defined(_197_tmp) ? _197_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_197, 1u, 1u);
constant uint _199 = gl_WorkGroupSize.x;
constant uint step_ = (2u * _199);
constant uint A_HALF_tmp [[function_constant(1)]];
constant uint A_HALF = is_function_constant_defined(A_HALF_tmp) ? A_HALF_tmp : 0u;
constant bool _286 = (A_HALF != 0u);

struct A
{
    uint a[1];
};

constant uint B_HALF_tmp [[function_constant(2)]];
constant uint B_HALF = is_function_constant_defined(B_HALF_tmp) ? B_HALF_tmp : 0u;
constant bool _319 = (B_HALF != 0u);

struct B
{
    uint b[1];
};

constant uint SUM_HALF_tmp [[function_constant(4)]];
constant uint SUM_HALF = is_function_constant_defined(SUM_HALF_tmp) ? SUM_HALF_tmp : 0u;
constant bool _358 = (SUM_HALF != 0u);

struct Sum
{
    uint sum[1];
};

constant bool _394 = (A_HALF != 0u);
constant bool _418 = (B_HALF != 0u);
constant bool _480 = (SUM_HALF != 0u);
constant uint HAS_WEIGHT_tmp [[function_constant(6)]];
constant uint HAS_WEIGHT = is_function_constant_defined(HAS_WEIGHT_tmp) ? HAS_WEIGHT_tmp : 1u;
constant bool _510 = (HAS_WEIGHT != 0u);
constant uint W_HALF_tmp [[function_constant(3)]];
constant uint W_HALF = is_function_constant_defined(W_HALF_tmp) ? W_HALF_tmp : 0u;
constant bool _514 = (W_HALF != 0u);

struct W
{
    uint w[1];
};

constant uint Y_HALF_tmp [[function_constant(5)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _548 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _579 = (SUM_HALF != 0u);
constant bool _605 = (HAS_WEIGHT != 0u);
constant bool _608 = (W_HALF != 0u);

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

kernel void add_rms_norm(constant Params& _187 [[buffer(0)]], const device A& _293 [[buffer(1)]], const device B& _326 [[buffer(2)]], const device W& _521 [[buffer(3)]], device Sum& _364 [[buffer(4)]], device Y& _554 [[buffer(5)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]])
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
    uint from_a = (_187.a_at + (token * _187.a_token)) + (head * _187.a_head);
    uint from_b = (_187.b_at + (token * _187.b_token)) + (head * _187.b_head);
    uint from = (_187.sum_at + (token * _187.sum_token)) + (head * _187.sum_head);
    uint to = (_187.y_at + (token * _187.y_token)) + (head * _187.y_head);
    float squares = 0.0;
    float2 _287;
    float2 _320;
    for (uint i = begin; i < even; i += step_)
    {
        if (_286)
        {
            _287 = float2(as_type<half2>(_293.a[(from_a + i) >> uint(1)]));
        }
        else
        {
            _287 = float2(as_type<float>(_293.a[from_a + i]), as_type<float>(_293.a[(from_a + i) + 1u]));
        }
        if (_319)
        {
            _320 = float2(as_type<half2>(_326.b[(from_b + i) >> uint(1)]));
        }
        else
        {
            _320 = float2(as_type<float>(_326.b[from_b + i]), as_type<float>(_326.b[(from_b + i) + 1u]));
        }
        float2 v = _287 + _320;
        uint at_ = from + i;
        float2 two_ = v;
        if (_358)
        {
            float2 param = two_;
            _364.sum[at_ >> uint(1)] = pack_halves(param);
        }
        else
        {
            _364.sum[at_] = as_type<uint>(two_.x);
            _364.sum[at_ + 1u] = as_type<uint>(two_.y);
        }
        squares += dot(v, v);
    }
    if (tail)
    {
        float _395;
        if (_394)
        {
            uint param_1 = _293.a[(from_a + even) >> uint(1)];
            uint param_2 = from_a + even;
            _395 = half_in(param_1, param_2);
        }
        else
        {
            _395 = as_type<float>(_293.a[from_a + even]);
        }
        float _419;
        if (_418)
        {
            uint param_3 = _326.b[(from_b + even) >> uint(1)];
            uint param_4 = from_b + even;
            _419 = half_in(param_3, param_4);
        }
        else
        {
            _419 = as_type<float>(_326.b[from_b + even]);
        }
        float v_1 = _395 + _419;
        _364.sum[from + even] = as_type<uint>(v_1);
        squares += (v_1 * v_1);
    }
    float param_5 = squares;
    float _458 = group_sum(param_5, gl_NumSubgroups, group_words, gl_SubgroupID);
    float factor = 1.0 / sqrt((_458 / float(_187.width)) + _187.eps);
    float2 _481;
    float2 _515;
    for (uint i_1 = begin; i_1 < even; i_1 += step_)
    {
        if (_480)
        {
            _481 = float2(as_type<half2>(_364.sum[(from + i_1) >> uint(1)]));
        }
        else
        {
            _481 = float2(as_type<float>(_364.sum[from + i_1]), as_type<float>(_364.sum[(from + i_1) + 1u]));
        }
        float2 v_2 = _481 * factor;
        if (_510)
        {
            if (_514)
            {
                _515 = float2(as_type<half2>(_521.w[i_1 >> uint(1)]));
            }
            else
            {
                _515 = float2(as_type<float>(_521.w[i_1]), as_type<float>(_521.w[i_1 + 1u]));
            }
            v_2 *= _515;
        }
        uint at_1 = to + i_1;
        float2 two_1 = v_2;
        if (_548)
        {
            float2 param_6 = two_1;
            _554.y[at_1 >> uint(1)] = pack_halves(param_6);
        }
        else
        {
            _554.y[at_1] = as_type<uint>(two_1.x);
            _554.y[at_1 + 1u] = as_type<uint>(two_1.y);
        }
    }
    if (tail)
    {
        float _580;
        if (_579)
        {
            uint param_7 = _364.sum[(from + even) >> uint(1)];
            uint param_8 = from + even;
            _580 = half_in(param_7, param_8);
        }
        else
        {
            _580 = as_type<float>(_364.sum[from + even]);
        }
        float v_3 = _580 * factor;
        if (_605)
        {
            float _609;
            if (_608)
            {
                uint param_9 = _521.w[even >> uint(1)];
                uint param_10 = even;
                _609 = half_in(param_9, param_10);
            }
            else
            {
                _609 = as_type<float>(_521.w[even]);
            }
            v_3 *= _609;
        }
        _554.y[to + even] = as_type<uint>(v_3);
    }
}

