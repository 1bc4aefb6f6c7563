#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Params
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
};

constant uint COLUMNS_tmp [[function_constant(3)]];
constant uint COLUMNS = is_function_constant_defined(COLUMNS_tmp) ? COLUMNS_tmp : 0u;
constant bool _222 = (COLUMNS != 0u);
constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 0u;
constant bool _226 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _249 = (X_HALF != 0u);
constant bool _279 = (X_HALF != 0u);
constant bool _305 = (X_HALF != 0u);
constant bool _342 = (COLUMNS != 0u);
constant uint each = _342 ? 1u : 2u;
constant uint _344 = (3u - each);
constant uint _416_tmp [[function_constant(0)]];
constant uint _416 = is_function_constant_defined(_416_tmp) ? _416_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_416, 1u, 1u);
constant uint _418 = gl_WorkGroupSize.x;
constant uint step_ = (each * _418);
constant bool _422 = (COLUMNS == 0u);
constant bool _436 = (COLUMNS != 0u);
constant bool _474 = (COLUMNS == 0u);
constant bool _490 = (COLUMNS == 0u);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 0u;
constant bool _527 = (Y_HALF != 0u);
constant bool _534 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _565 = (COLUMNS != 0u);

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
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

static inline __attribute__((always_inline))
float2 both(thread const uint& from, thread const uint& i, constant Params& v_214, const device X& v_233)
{
    uint at = from + (i * v_214.x_step);
    if (_222)
    {
        float _227;
        if (_226)
        {
            uint param = v_233.x[at >> uint(1)];
            uint param_1 = at;
            _227 = half_in(param, param_1);
        }
        else
        {
            _227 = as_type<float>(v_233.x[at]);
        }
        float _250;
        if (_249)
        {
            uint param_2 = v_233.x[(at + v_214.x_2) >> uint(1)];
            uint param_3 = at + v_214.x_2;
            _250 = half_in(param_2, param_3);
        }
        else
        {
            _250 = as_type<float>(v_233.x[at + v_214.x_2]);
        }
        return float2(_227, _250);
    }
    float _280;
    if (_279)
    {
        uint param_4 = v_233.x[at >> uint(1)];
        uint param_5 = at;
        _280 = half_in(param_4, param_5);
    }
    else
    {
        _280 = as_type<float>(v_233.x[at]);
    }
    float _302;
    if ((i + 1u) < v_214.size)
    {
        float _306;
        if (_305)
        {
            uint param_6 = v_233.x[(at + v_214.x_step) >> uint(1)];
            uint param_7 = at + v_214.x_step;
            _306 = half_in(param_6, param_7);
        }
        else
        {
            _306 = as_type<float>(v_233.x[at + v_214.x_step]);
        }
        _302 = _306;
    }
    else
    {
        _302 = -3.4028234663852885981170418348452e+38;
    }
    return float2(_280, _302);
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
    bool _179 = simd_is_first();
    if (_179)
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
    bool _134 = simd_is_first();
    if (_134)
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
    float _91;
    if (x < 0.0)
    {
        _91 = -as_type<float>(bits);
    }
    else
    {
        _91 = as_type<float>(bits);
    }
    return _91;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void softmax(constant Params& v_214 [[buffer(0)]], const device X& v_233 [[buffer(1)]], device Y& _540 [[buffer(2)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup float4 group_numbers[256];
    uint place = gl_WorkGroupID.x * _344;
    uint from = ((v_214.x_at + (gl_WorkGroupID.z * v_214.x_0)) + (gl_WorkGroupID.y * v_214.x_1)) + (place * v_214.x_2);
    uint to = ((v_214.y_at + (gl_WorkGroupID.z * v_214.y_0)) + (gl_WorkGroupID.y * v_214.y_1)) + (place * v_214.y_2);
    uint begin = each * gl_LocalInvocationID.x;
    float2 most = float2(-3.4028234663852885981170418348452e+38);
    for (uint i = begin; i < v_214.size; i += step_)
    {
        uint param = from;
        uint param_1 = i;
        most = fast::max(most, both(param, param_1, v_214, v_233));
    }
    if (_422)
    {
        most = float2(fast::max(most.x, most.y));
    }
    float param_2 = most.x;
    float _434 = group_max(param_2, gl_LocalInvocationID, gl_NumSubgroups, group_numbers, gl_SubgroupID);
    most.x = _434;
    float _437;
    if (_436)
    {
        float param_3 = most.y;
        float _443 = group_max(param_3, gl_LocalInvocationID, gl_NumSubgroups, group_numbers, gl_SubgroupID);
        _437 = _443;
    }
    else
    {
        _437 = most.x;
    }
    most.y = _437;
    float2 sum = float2(0.0);
    for (uint i_1 = begin; i_1 < v_214.size; i_1 += step_)
    {
        uint param_4 = from;
        uint param_5 = i_1;
        sum += exp(both(param_4, param_5, v_214, v_233) - most);
    }
    if (_474)
    {
        sum = float2(sum.x + sum.y, 0.0);
    }
    float4 param_6 = float4(sum, 0.0, 0.0);
    float4 _488 = group_sum(param_6, gl_LocalInvocationID, gl_NumSubgroups, group_numbers, gl_SubgroupID);
    sum = _488.xy;
    if (_490)
    {
        sum.y = sum.x;
    }
    for (uint i_2 = begin; i_2 < v_214.size; i_2 += step_)
    {
        uint param_7 = from;
        uint param_8 = i_2;
        float2 v = exp(both(param_7, param_8, v_214, v_233) - most) / sum;
        uint at = to + (i_2 * v_214.y_step);
        if (_527)
        {
            uint at_ = at;
            float2 two_ = v;
            if (_534)
            {
                float2 param_9 = two_;
                _540.y[at_ >> uint(1)] = pack_halves(param_9);
            }
            else
            {
                _540.y[at_] = as_type<uint>(two_.x);
                _540.y[at_ + 1u] = as_type<uint>(two_.y);
            }
            continue;
        }
        _540.y[at] = as_type<uint>(v.x);
        if (_565)
        {
            _540.y[at + v_214.y_2] = as_type<uint>(v.y);
        }
        else
        {
            if ((i_2 + 1u) < v_214.size)
            {
                _540.y[at + v_214.y_step] = as_type<uint>(v.y);
            }
        }
    }
}

