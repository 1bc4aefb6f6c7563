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
constant bool _231 = (COLUMNS != 0u);
constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 0u;
constant bool _235 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _258 = (X_HALF != 0u);
constant bool _288 = (X_HALF != 0u);
constant bool _314 = (X_HALF != 0u);
constant bool _352 = (COLUMNS != 0u);
constant uint each = _352 ? 1u : 2u;
constant uint _354 = (3u - each);
constant uint _427_tmp [[function_constant(0)]];
constant uint _427 = is_function_constant_defined(_427_tmp) ? _427_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_427, 1u, 1u);
constant uint _429 = gl_WorkGroupSize.x;
constant uint step_ = (each * _429);
constant bool _433 = (COLUMNS == 0u);
constant bool _447 = (COLUMNS != 0u);
constant bool _485 = (COLUMNS == 0u);
constant bool _501 = (COLUMNS == 0u);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 0u;
constant bool _538 = (Y_HALF != 0u);
constant bool _545 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _576 = (COLUMNS != 0u);

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _51;
    if ((index & 1u) == 0u)
    {
        _51 = both.x;
    }
    else
    {
        _51 = both.y;
    }
    return _51;
}

static inline __attribute__((always_inline))
float2 both(thread const uint& from, thread const uint& i, constant Params& v_223, const device X& v_242)
{
    uint at = from + (i * v_223.x_step);
    if (_231)
    {
        float _236;
        if (_235)
        {
            uint param = v_242.x[at >> uint(1)];
            uint param_1 = at;
            _236 = half_in(param, param_1);
        }
        else
        {
            _236 = as_type<float>(v_242.x[at]);
        }
        float _259;
        if (_258)
        {
            uint param_2 = v_242.x[(at + v_223.x_2) >> uint(1)];
            uint param_3 = at + v_223.x_2;
            _259 = half_in(param_2, param_3);
        }
        else
        {
            _259 = as_type<float>(v_242.x[at + v_223.x_2]);
        }
        return float2(_236, _259);
    }
    float _289;
    if (_288)
    {
        uint param_4 = v_242.x[at >> uint(1)];
        uint param_5 = at;
        _289 = half_in(param_4, param_5);
    }
    else
    {
        _289 = as_type<float>(v_242.x[at]);
    }
    float _311;
    if ((i + 1u) < v_223.size)
    {
        float _315;
        if (_314)
        {
            uint param_6 = v_242.x[(at + v_223.x_step) >> uint(1)];
            uint param_7 = at + v_223.x_step;
            _315 = half_in(param_6, param_7);
        }
        else
        {
            _315 = as_type<float>(v_242.x[at + v_223.x_step]);
        }
        _311 = _315;
    }
    else
    {
        _311 = -3.4028234663852885981170418348452e+38;
    }
    return float2(_289, _311);
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
    bool _179 = simd_is_first();
    if (_179)
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
    float4 _214 = group_max(param, gl_NumSubgroups, group_words, gl_SubgroupID);
    return _214.x;
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
    bool _131 = simd_is_first();
    if (_131)
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
    float _94;
    if (x < 0.0)
    {
        _94 = -as_type<float>(bits);
    }
    else
    {
        _94 = as_type<float>(bits);
    }
    return _94;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void softmax(constant Params& v_223 [[buffer(0)]], const device X& v_242 [[buffer(1)]], device Y& _551 [[buffer(2)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]])
{
    threadgroup uint4 group_words[256];
    uint place = gl_WorkGroupID.x * _354;
    uint from = ((v_223.x_at + (gl_WorkGroupID.z * v_223.x_0)) + (gl_WorkGroupID.y * v_223.x_1)) + (place * v_223.x_2);
    uint to = ((v_223.y_at + (gl_WorkGroupID.z * v_223.y_0)) + (gl_WorkGroupID.y * v_223.y_1)) + (place * v_223.y_2);
    uint begin = each * gl_LocalInvocationID.x;
    float2 most = float2(-3.4028234663852885981170418348452e+38);
    for (uint i = begin; i < v_223.size; i += step_)
    {
        uint param = from;
        uint param_1 = i;
        most = fast::max(most, both(param, param_1, v_223, v_242));
    }
    if (_433)
    {
        most = float2(fast::max(most.x, most.y));
    }
    float param_2 = most.x;
    float _445 = group_max(param_2, gl_NumSubgroups, group_words, gl_SubgroupID);
    most.x = _445;
    float _448;
    if (_447)
    {
        float param_3 = most.y;
        float _454 = group_max(param_3, gl_NumSubgroups, group_words, gl_SubgroupID);
        _448 = _454;
    }
    else
    {
        _448 = most.x;
    }
    most.y = _448;
    float2 sum = float2(0.0);
    for (uint i_1 = begin; i_1 < v_223.size; i_1 += step_)
    {
        uint param_4 = from;
        uint param_5 = i_1;
        sum += exp(both(param_4, param_5, v_223, v_242) - most);
    }
    if (_485)
    {
        sum = float2(sum.x + sum.y, 0.0);
    }
    float4 param_6 = float4(sum, 0.0, 0.0);
    float4 _499 = group_sum(param_6, gl_NumSubgroups, group_words, gl_SubgroupID);
    sum = _499.xy;
    if (_501)
    {
        sum.y = sum.x;
    }
    for (uint i_2 = begin; i_2 < v_223.size; i_2 += step_)
    {
        uint param_7 = from;
        uint param_8 = i_2;
        float2 v = exp(both(param_7, param_8, v_223, v_242) - most) / sum;
        uint at = to + (i_2 * v_223.y_step);
        if (_538)
        {
            uint at_ = at;
            float2 two_ = v;
            if (_545)
            {
                float2 param_9 = two_;
                _551.y[at_ >> uint(1)] = pack_halves(param_9);
            }
            else
            {
                _551.y[at_] = as_type<uint>(two_.x);
                _551.y[at_ + 1u] = as_type<uint>(two_.y);
            }
            continue;
        }
        _551.y[at] = as_type<uint>(v.x);
        if (_576)
        {
            _551.y[at + v_223.y_2] = as_type<uint>(v.y);
        }
        else
        {
            if ((i_2 + 1u) < v_223.size)
            {
                _551.y[at + v_223.y_step] = as_type<uint>(v.y);
            }
        }
    }
}

