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
constant bool _239 = (Y_HALF != 0u);
constant uint _240 = _239 ? 2u : 1u;
constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 0u;
constant bool _340 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _364 = (Y_HALF != 0u);
constant bool _367 = (X_HALF != 0u);
constant uint _401_tmp [[function_constant(0)]];
constant uint _401 = is_function_constant_defined(_401_tmp) ? _401_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_401, 1u, 1u);
constant uint FUNCTION_tmp [[function_constant(3)]];
constant uint FUNCTION = is_function_constant_defined(FUNCTION_tmp) ? FUNCTION_tmp : 0u;
constant bool _407 = (FUNCTION == 2u);
constant bool _415 = (Y_HALF != 0u);
constant bool _431 = (FUNCTION == 0u);
constant bool _473 = (Y_HALF != 0u);
constant bool _480 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
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

static inline __attribute__((always_inline))
float4 group_max(thread float4& mine, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID)
{
    mine = simd_max(mine);
    if (gl_NumSubgroups == 1u)
    {
        return mine;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    bool _174 = simd_is_first();
    if (_174)
    {
        group_words[gl_SubgroupID] = as_type<uint4>(mine);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float4 all_ = as_type<float4>(group_words[0]);
    for (uint i = 1u; i < gl_NumSubgroups; i++)
    {
        all_ = fast::max(all_, as_type<float4>(group_words[i]));
    }
    return all_;
}

static inline __attribute__((always_inline))
float group_max(thread const float& mine, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID)
{
    float4 param = float4(mine, -3.4028234663852885981170418348452e+38, -3.4028234663852885981170418348452e+38, -3.4028234663852885981170418348452e+38);
    float4 _209 = group_max(param, gl_NumSubgroups, group_words, gl_SubgroupID);
    return _209.x;
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
    bool _126 = simd_is_first();
    if (_126)
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
float round_half(thread const float& x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return rint(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = as_type<uint>(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _89;
    if (x < 0.0)
    {
        _89 = -as_type<float>(bits);
    }
    else
    {
        _89 = as_type<float>(bits);
    }
    return _89;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void reduce(constant Params& _221 [[buffer(0)]], const device X& _347 [[buffer(1)]], device Y& _486 [[buffer(2)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]])
{
    threadgroup uint4 group_words[256];
    uint at_0 = gl_WorkGroupID.z / _221.kept_1;
    uint at_1 = gl_WorkGroupID.z % _221.kept_1;
    uint at_2 = gl_WorkGroupID.y;
    uint at_3 = gl_WorkGroupID.x * _240;
    uint from = (((_221.x_at + (at_0 * _221.x_0)) + (at_1 * _221.x_1)) + (at_2 * _221.x_2)) + (at_3 * _221.x_3);
    float2 sum = float2(0.0);
    float2 most = float2(-3.4028234663852885981170418348452e+38);
    float _341;
    float _368;
    for (uint i = gl_LocalInvocationID.x; i < _221.count; i += gl_WorkGroupSize.x)
    {
        uint rest = i;
        uint i_3 = rest % _221.gone_3;
        rest /= _221.gone_3;
        uint i_2 = rest % _221.gone_2;
        rest /= _221.gone_2;
        uint at = (((from + ((rest / _221.gone_1) * _221.x_0)) + ((rest % _221.gone_1) * _221.x_1)) + (i_2 * _221.x_2)) + (i_3 * _221.x_3);
        if (_340)
        {
            uint param = _347.x[at >> uint(1)];
            uint param_1 = at;
            _341 = half_in(param, param_1);
        }
        else
        {
            _341 = as_type<float>(_347.x[at]);
        }
        float2 v = float2(_341, 0.0);
        if (_364)
        {
            if (_367)
            {
                uint param_2 = _347.x[(at + _221.x_3) >> uint(1)];
                uint param_3 = at + _221.x_3;
                _368 = half_in(param_2, param_3);
            }
            else
            {
                _368 = as_type<float>(_347.x[at + _221.x_3]);
            }
            v.y = _368;
        }
        sum += v;
        most = fast::max(most, v);
    }
    if (_407)
    {
        float param_4 = most.x;
        float _413 = group_max(param_4, gl_NumSubgroups, group_words, gl_SubgroupID);
        sum.x = _413;
        if (_415)
        {
            float param_5 = most.y;
            float _421 = group_max(param_5, gl_NumSubgroups, group_words, gl_SubgroupID);
            sum.y = _421;
        }
    }
    else
    {
        float4 param_6 = float4(sum, 0.0, 0.0);
        float4 _429 = group_sum(param_6, gl_NumSubgroups, group_words, gl_SubgroupID);
        sum = _429.xy;
        if (_431)
        {
            sum /= float2(float(_221.count));
        }
    }
    if (gl_LocalInvocationID.x != 0u)
    {
        return;
    }
    uint to = (((_221.y_at + (at_0 * _221.y_0)) + (at_1 * _221.y_1)) + (at_2 * _221.y_2)) + (at_3 * _221.y_3);
    if (_473)
    {
        uint at_ = to;
        float2 two_ = sum;
        if (_480)
        {
            float2 param_7 = two_;
            _486.y[at_ >> uint(1)] = pack_halves(param_7);
        }
        else
        {
            _486.y[at_] = as_type<uint>(two_.x);
            _486.y[at_ + 1u] = as_type<uint>(two_.y);
        }
    }
    else
    {
        _486.y[to] = as_type<uint>(sum.x);
    }
}

