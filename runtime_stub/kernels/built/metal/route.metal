#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Params
{
    uint experts;
    uint top_k;
    uint x_at;
    uint x_token;
    uint y_at;
    uint y_token;
};

constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 0u;
constant bool _249 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant uint _299_tmp [[function_constant(0)]];
constant uint _299 = is_function_constant_defined(_299_tmp) ? _299_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_299, 1u, 1u);
constant uint threads = gl_WorkGroupSize.x;
constant uint RENORMALISE_tmp [[function_constant(3)]];
constant uint RENORMALISE = is_function_constant_defined(RENORMALISE_tmp) ? RENORMALISE_tmp : 0u;
constant bool _392 = (RENORMALISE != 0u);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 0u;
constant bool _437 = (Y_HALF != 0u);
constant bool _446 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant uint _494 = (2u * threads);

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
float group_max(thread float& mine, thread uint3& gl_LocalInvocationID, thread uint& gl_NumSubgroups, threadgroup float4 (&group_numbers)[256], thread uint& gl_SubgroupID)
{
    uint thread0 = gl_LocalInvocationID.x;
    mine = simd_max(mine);
    if (gl_NumSubgroups == 1u)
    {
        return mine;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    bool _174 = simd_is_first();
    if (_174)
    {
        ((threadgroup float*)&group_numbers[gl_SubgroupID])[0u] = mine;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float most = ((threadgroup float*)&group_numbers[0])[0u];
    for (uint i = 1u; i < gl_NumSubgroups; i++)
    {
        most = fast::max(most, ((threadgroup float*)&group_numbers[i])[0u]);
    }
    return most;
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

kernel void route(constant Params& _210 [[buffer(0)]], const device X& _256 [[buffer(1)]], device Y& _452 [[buffer(2)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup float4 group_numbers[256];
    threadgroup float logits[1024];
    threadgroup float chosen[1024];
    uint thread0 = gl_LocalInvocationID.x;
    uint from = _210.x_at + (gl_WorkGroupID.x * _210.x_token);
    uint to = _210.y_at + (gl_WorkGroupID.x * _210.y_token);
    float most = -3.4028234663852885981170418348452e+38;
    float _250;
    float _285;
    for (uint i = thread0; i < _210.experts; i += threads)
    {
        if (_249)
        {
            uint param = _256.x[(from + i) >> uint(1)];
            uint param_1 = from + i;
            _250 = half_in(param, param_1);
        }
        else
        {
            _250 = as_type<float>(_256.x[from + i]);
        }
        float v = _250;
        if (isnan(v))
        {
            _285 = as_type<float>(4286578688u);
        }
        else
        {
            _285 = v;
        }
        logits[i] = _285;
        most = fast::max(most, logits[i]);
    }
    float param_2 = most;
    float _306 = group_max(param_2, gl_LocalInvocationID, gl_NumSubgroups, group_numbers, gl_SubgroupID);
    most = _306;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float2 sums = float2(0.0);
    for (uint i_1 = thread0; i_1 < _210.experts; i_1 += threads)
    {
        float mine = logits[i_1];
        float weight = exp(mine - most);
        uint before = 0u;
        for (uint n = 0u; n < _210.experts; n++)
        {
            bool _344 = logits[n] > mine;
            bool _357;
            if (!_344)
            {
                _357 = (logits[n] == mine) && (n < i_1);
            }
            else
            {
                _357 = _344;
            }
            if (_357)
            {
                before++;
            }
        }
        chosen[i_1] = (before < _210.top_k) ? weight : 0.0;
        sums += float2(weight, chosen[i_1]);
    }
    float4 param_3 = float4(sums, 0.0, 0.0);
    float4 _387 = group_sum(param_3, gl_LocalInvocationID, gl_NumSubgroups, group_numbers, gl_SubgroupID);
    sums = _387.xy;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float _393;
    if (_392)
    {
        _393 = sums.y;
    }
    else
    {
        _393 = sums.x;
    }
    float factor = 1.0 / _393;
    uint _405 = 2u * thread0;
    float _424;
    for (uint i_2 = _405; i_2 < _210.experts; i_2 += _494)
    {
        if ((i_2 + 1u) < _210.experts)
        {
            _424 = chosen[i_2 + 1u];
        }
        else
        {
            _424 = 0.0;
        }
        float2 v_1 = float2(chosen[i_2], _424) * factor;
        if (_437)
        {
            uint at_ = to + i_2;
            float2 two_ = v_1;
            if (_446)
            {
                float2 param_4 = two_;
                _452.y[at_ >> uint(1)] = pack_halves(param_4);
            }
            else
            {
                _452.y[at_] = as_type<uint>(two_.x);
                _452.y[at_ + 1u] = as_type<uint>(two_.y);
            }
        }
        else
        {
            _452.y[to + i_2] = as_type<uint>(v_1.x);
            if ((i_2 + 1u) < _210.experts)
            {
                _452.y[(to + i_2) + 1u] = as_type<uint>(v_1.y);
            }
        }
    }
}

