#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Params
{
    uint tokens;
    uint columns;
    uint x_at;
    uint x_token;
    uint x_inner;
    uint x_outer;
    uint y_at;
    uint y_token;
    uint words;
    uint scales_at;
};

constant uint X_RUNS_tmp [[function_constant(2)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _133 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _156 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant uint _235_tmp [[function_constant(0)]];
constant uint _235 = is_function_constant_defined(_235_tmp) ? _235_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_235, 1u, 1u);

struct Scales
{
    uint scales[1];
};

struct Y
{
    uint y[1];
};

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _45;
    if ((index & 1u) == 0u)
    {
        _45 = both.x;
    }
    else
    {
        _45 = both.y;
    }
    return _45;
}

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_121, const device X& v_163)
{
    uint _134;
    if (_133)
    {
        _134 = column;
    }
    else
    {
        _134 = ((column / v_121.x_inner) * v_121.x_outer) + (column % v_121.x_inner);
    }
    uint at = (v_121.x_at + (token * v_121.x_token)) + _134;
    float _157;
    if (_156)
    {
        uint param = v_163.x[at >> uint(1)];
        uint param_1 = at;
        _157 = half_in(param, param_1);
    }
    else
    {
        _157 = as_type<float>(v_163.x[at]);
    }
    return _157;
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
    bool _69 = simd_is_first();
    if (_69)
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
    float4 _114 = group_max(param, gl_NumSubgroups, group_words, gl_SubgroupID);
    return _114.x;
}

static inline __attribute__((always_inline))
float quotient(thread const float& a, thread const float& b)
{
    float q = a / b;
    return fma(fma(-q, b, a), 1.0 / b, q);
}

kernel void quantize_rows(constant Params& v_121 [[buffer(0)]], const device X& v_163 [[buffer(1)]], device Y& _340 [[buffer(2)]], device Scales& _266 [[buffer(3)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup uint4 group_words[256];
    float _248;
    for (uint token = gl_WorkGroupID.x; token < v_121.tokens; token += gl_NumWorkGroups.x)
    {
        float most = 0.0;
        for (uint column = gl_LocalInvocationID.x; column < v_121.columns; column += gl_WorkGroupSize.x)
        {
            uint param = token;
            uint param_1 = column;
            most = fast::max(most, abs(load_x(param, param_1, v_121, v_163)));
        }
        float param_2 = most;
        float _243 = group_max(param_2, gl_NumSubgroups, group_words, gl_SubgroupID);
        float largest = _243;
        if (largest < 1.0000000031710768509710513471353e-30)
        {
            _248 = 1.0;
        }
        else
        {
            float param_3 = largest;
            float param_4 = 127.0;
            _248 = quotient(param_3, param_4);
        }
        float scale = _248;
        if (gl_LocalInvocationID.x == 0u)
        {
            _266.scales[v_121.scales_at + token] = as_type<uint>(scale);
        }
        for (uint i = gl_LocalInvocationID.x; i < v_121.words; i += gl_WorkGroupSize.x)
        {
            uint word = 0u;
            for (uint j = 0u; j < 4u; j++)
            {
                if (((4u * i) + j) >= v_121.columns)
                {
                    break;
                }
                uint param_5 = token;
                uint param_6 = (4u * i) + j;
                float param_7 = load_x(param_5, param_6, v_121, v_163);
                float param_8 = scale;
                float number = rint(quotient(param_7, param_8));
                word |= ((uint(int(fast::clamp(number, -127.0, 127.0))) & 255u) << (8u * j));
            }
            _340.y[(v_121.y_at + (token * v_121.y_token)) + i] = word;
        }
    }
}

