#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Params
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
};

constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 0u;
constant bool _228 = (Y_HALF != 0u);
constant uint _229 = _228 ? 2u : 1u;
constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 0u;
constant bool _329 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _353 = (Y_HALF != 0u);
constant bool _356 = (X_HALF != 0u);
constant uint _390_tmp [[function_constant(0)]];
constant uint _390 = is_function_constant_defined(_390_tmp) ? _390_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_390, 1u, 1u);
constant uint FUNCTION_tmp [[function_constant(3)]];
constant uint FUNCTION = is_function_constant_defined(FUNCTION_tmp) ? FUNCTION_tmp : 0u;
constant bool _396 = (FUNCTION == 2u);
constant bool _404 = (Y_HALF != 0u);
constant bool _420 = (FUNCTION == 0u);
constant bool _462 = (Y_HALF != 0u);
constant bool _469 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

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

kernel void reduce(constant Params& _210 [[buffer(0)]], const device X& _336 [[buffer(1)]], device Y& _475 [[buffer(2)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup float4 group_numbers[256];
    uint at_0 = gl_WorkGroupID.z / _210.kept_1;
    uint at_1 = gl_WorkGroupID.z % _210.kept_1;
    uint at_2 = gl_WorkGroupID.y;
    uint at_3 = gl_WorkGroupID.x * _229;
    uint from = (((_210.x_at + (at_0 * _210.x_0)) + (at_1 * _210.x_1)) + (at_2 * _210.x_2)) + (at_3 * _210.x_3);
    float2 sum = float2(0.0);
    float2 most = float2(-3.4028234663852885981170418348452e+38);
    float _330;
    float _357;
    for (uint i = gl_LocalInvocationID.x; i < _210.count; i += gl_WorkGroupSize.x)
    {
        uint rest = i;
        uint i_3 = rest % _210.gone_3;
        rest /= _210.gone_3;
        uint i_2 = rest % _210.gone_2;
        rest /= _210.gone_2;
        uint at = (((from + ((rest / _210.gone_1) * _210.x_0)) + ((rest % _210.gone_1) * _210.x_1)) + (i_2 * _210.x_2)) + (i_3 * _210.x_3);
        if (_329)
        {
            uint param = _336.x[at >> uint(1)];
            uint param_1 = at;
            _330 = half_in(param, param_1);
        }
        else
        {
            _330 = as_type<float>(_336.x[at]);
        }
        float2 v = float2(_330, 0.0);
        if (_353)
        {
            if (_356)
            {
                uint param_2 = _336.x[(at + _210.x_3) >> uint(1)];
                uint param_3 = at + _210.x_3;
                _357 = half_in(param_2, param_3);
            }
            else
            {
                _357 = as_type<float>(_336.x[at + _210.x_3]);
            }
            v.y = _357;
        }
        sum += v;
        most = fast::max(most, v);
    }
    if (_396)
    {
        float param_4 = most.x;
        float _402 = group_max(param_4, gl_LocalInvocationID, gl_NumSubgroups, group_numbers, gl_SubgroupID);
        sum.x = _402;
        if (_404)
        {
            float param_5 = most.y;
            float _410 = group_max(param_5, gl_LocalInvocationID, gl_NumSubgroups, group_numbers, gl_SubgroupID);
            sum.y = _410;
        }
    }
    else
    {
        float4 param_6 = float4(sum, 0.0, 0.0);
        float4 _418 = group_sum(param_6, gl_LocalInvocationID, gl_NumSubgroups, group_numbers, gl_SubgroupID);
        sum = _418.xy;
        if (_420)
        {
            sum /= float2(float(_210.count));
        }
    }
    if (gl_LocalInvocationID.x != 0u)
    {
        return;
    }
    uint to = (((_210.y_at + (at_0 * _210.y_0)) + (at_1 * _210.y_1)) + (at_2 * _210.y_2)) + (at_3 * _210.y_3);
    if (_462)
    {
        uint at_ = to;
        float2 two_ = sum;
        if (_469)
        {
            float2 param_7 = two_;
            _475.y[at_ >> uint(1)] = pack_halves(param_7);
        }
        else
        {
            _475.y[at_] = as_type<uint>(two_.x);
            _475.y[at_ + 1u] = as_type<uint>(two_.y);
        }
    }
    else
    {
        _475.y[to] = as_type<uint>(sum.x);
    }
}

