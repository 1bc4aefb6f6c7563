#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Params
{
    uint block;
    uint x_at;
    uint x_token;
    uint y_at;
    uint y_token;
};

constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _141 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant uint _187_tmp [[function_constant(0)]];
constant uint _187 = is_function_constant_defined(_187_tmp) ? _187_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_187, 1u, 1u);
constant uint threads = gl_WorkGroupSize.x;
constant uint _190 = (2u * threads);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _288 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant uint _313 = (2u * threads);

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
    float _54;
    if (x < 0.0)
    {
        _54 = -as_type<float>(bits);
    }
    else
    {
        _54 = as_type<float>(bits);
    }
    return _54;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void hadamard(constant Params& _89 [[buffer(0)]], const device X& _148 [[buffer(1)]], device Y& _294 [[buffer(2)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup float numbers[4096];
    uint thread0 = gl_LocalInvocationID.x;
    uint from = (_89.x_at + (gl_WorkGroupID.y * _89.x_token)) + (gl_WorkGroupID.x * _89.block);
    uint to = (_89.y_at + (gl_WorkGroupID.y * _89.y_token)) + (gl_WorkGroupID.x * _89.block);
    uint _129 = 2u * thread0;
    float2 _142;
    for (uint i = _129; i < _89.block; i += _190)
    {
        if (_141)
        {
            _142 = float2(as_type<half2>(_148.x[(from + i) >> uint(1)]));
        }
        else
        {
            _142 = float2(as_type<float>(_148.x[from + i]), as_type<float>(_148.x[(from + i) + 1u]));
        }
        float2 v = _142;
        numbers[i] = v.x;
        numbers[i + 1u] = v.y;
    }
    for (uint half_ = 1u; half_ < _89.block; half_ *= 2u)
    {
        threadgroup_barrier(mem_flags::mem_threadgroup);
        for (uint i_1 = thread0; i_1 < (_89.block / 2u); i_1 += threads)
        {
            uint low = (((i_1 / half_) * 2u) * half_) + (i_1 % half_);
            uint high = low + half_;
            float a = numbers[low];
            float b = numbers[high];
            numbers[low] = a + b;
            numbers[high] = a - b;
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float factor = 1.0 / sqrt(float(_89.block));
    uint _262 = 2u * thread0;
    for (uint i_2 = _262; i_2 < _89.block; i_2 += _313)
    {
        uint at_ = to + i_2;
        float2 two_ = float2(numbers[i_2], numbers[i_2 + 1u]) * factor;
        if (_288)
        {
            float2 param = two_;
            _294.y[at_ >> uint(1)] = pack_halves(param);
        }
        else
        {
            _294.y[at_] = as_type<uint>(two_.x);
            _294.y[at_ + 1u] = as_type<uint>(two_.y);
        }
    }
}

