#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Params
{
    uint heads;
    uint width;
    uint past;
    uint x_at;
    uint x_token;
    uint x_head;
};

struct Cache
{
    uint cache[1];
};

constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _173 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant uint _201_tmp [[function_constant(0)]];
constant uint _201 = is_function_constant_defined(_201_tmp) ? _201_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_201, 1u, 1u);

static inline __attribute__((always_inline))
uint half_bits(thread const float& x)
{
    uint bits = as_type<uint>(x);
    uint _sign = (bits >> uint(16)) & 32768u;
    uint magnitude = bits & 2147483647u;
    if (magnitude > 2139095040u)
    {
        return _sign | 32256u;
    }
    if (magnitude < 947912704u)
    {
        return _sign | uint(rint(abs(x) * 16777216.0));
    }
    uint near = (magnitude + 4095u) + ((magnitude >> uint(13)) & 1u);
    uint _71;
    if (near >= 1199570944u)
    {
        _71 = _sign | 31744u;
    }
    else
    {
        _71 = _sign | ((near - 939524096u) >> uint(13));
    }
    return _71;
}

static inline __attribute__((always_inline))
uint halves_bits(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return half_bits(param) | (half_bits(param_1) << uint(16));
}

kernel void kv_write(constant Params& _103 [[buffer(0)]], const device X& _180 [[buffer(1)]], device Cache& _158 [[buffer(2)]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]])
{
    uint words = _103.width / 2u;
    uint token = gl_WorkGroupID.y;
    uint head = gl_GlobalInvocationID.x / words;
    uint word = gl_GlobalInvocationID.x % words;
    if (head >= _103.heads)
    {
        return;
    }
    uint from = ((_103.x_at + (token * _103.x_token)) + (head * _103.x_head)) + (2u * word);
    uint _174;
    if (_173)
    {
        _174 = _180.x[from >> uint(1)];
    }
    else
    {
        float2 param = float2(as_type<float>(_180.x[from]), as_type<float>(_180.x[from + 1u]));
        _174 = halves_bits(param);
    }
    _158.cache[(((_103.past + token) * _103.heads) * words) + gl_GlobalInvocationID.x] = _174;
}

