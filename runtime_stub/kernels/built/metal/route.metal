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
constant bool _260 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant uint _311_tmp [[function_constant(0)]];
constant uint _311 = is_function_constant_defined(_311_tmp) ? _311_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_311, 1u, 1u);
constant uint threads = gl_WorkGroupSize.x;
constant uint RENORMALISE_tmp [[function_constant(3)]];
constant uint RENORMALISE = is_function_constant_defined(RENORMALISE_tmp) ? RENORMALISE_tmp : 0u;
constant bool _404 = (RENORMALISE != 0u);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 0u;
constant bool _449 = (Y_HALF != 0u);
constant bool _458 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant uint _506 = (2u * threads);

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

kernel void route(constant Params& _222 [[buffer(0)]], const device X& _267 [[buffer(1)]], device Y& _464 [[buffer(2)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup uint4 group_words[256];
    threadgroup float logits[1024];
    threadgroup float chosen[1024];
    uint thread0 = gl_LocalInvocationID.x;
    uint from = _222.x_at + (gl_WorkGroupID.x * _222.x_token);
    uint to = _222.y_at + (gl_WorkGroupID.x * _222.y_token);
    float most = -3.4028234663852885981170418348452e+38;
    float _261;
    float _296;
    for (uint i = thread0; i < _222.experts; i += threads)
    {
        if (_260)
        {
            uint param = _267.x[(from + i) >> uint(1)];
            uint param_1 = from + i;
            _261 = half_in(param, param_1);
        }
        else
        {
            _261 = as_type<float>(_267.x[from + i]);
        }
        float v = _261;
        if (isnan(v))
        {
            _296 = as_type<float>(4286578688u);
        }
        else
        {
            _296 = v;
        }
        logits[i] = _296;
        most = fast::max(most, logits[i]);
    }
    float param_2 = most;
    float _318 = group_max(param_2, gl_NumSubgroups, group_words, gl_SubgroupID);
    most = _318;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float2 sums = float2(0.0);
    for (uint i_1 = thread0; i_1 < _222.experts; i_1 += threads)
    {
        float mine = logits[i_1];
        float weight = exp(mine - most);
        uint before = 0u;
        for (uint n = 0u; n < _222.experts; n++)
        {
            bool _356 = logits[n] > mine;
            bool _369;
            if (!_356)
            {
                _369 = (logits[n] == mine) && (n < i_1);
            }
            else
            {
                _369 = _356;
            }
            if (_369)
            {
                before++;
            }
        }
        chosen[i_1] = (before < _222.top_k) ? weight : 0.0;
        sums += float2(weight, chosen[i_1]);
    }
    float4 param_3 = float4(sums, 0.0, 0.0);
    float4 _399 = group_sum(param_3, gl_NumSubgroups, group_words, gl_SubgroupID);
    sums = _399.xy;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float _405;
    if (_404)
    {
        _405 = sums.y;
    }
    else
    {
        _405 = sums.x;
    }
    float factor = 1.0 / _405;
    uint _417 = 2u * thread0;
    float _436;
    for (uint i_2 = _417; i_2 < _222.experts; i_2 += _506)
    {
        if ((i_2 + 1u) < _222.experts)
        {
            _436 = chosen[i_2 + 1u];
        }
        else
        {
            _436 = 0.0;
        }
        float2 v_1 = float2(chosen[i_2], _436) * factor;
        if (_449)
        {
            uint at_ = to + i_2;
            float2 two_ = v_1;
            if (_458)
            {
                float2 param_4 = two_;
                _464.y[at_ >> uint(1)] = pack_halves(param_4);
            }
            else
            {
                _464.y[at_] = as_type<uint>(two_.x);
                _464.y[at_ + 1u] = as_type<uint>(two_.y);
            }
        }
        else
        {
            _464.y[to + i_2] = as_type<uint>(v_1.x);
            if ((i_2 + 1u) < _222.experts)
            {
                _464.y[(to + i_2) + 1u] = as_type<uint>(v_1.y);
            }
        }
    }
}

