#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Params
{
    uint width;
    uint size_1;
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

constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _215 = (X_HALF == 0u);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _217 = (Y_HALF == 0u);
constant bool _218 = (_215 && _217);

struct First
{
    uint x[1];
};

struct Y
{
    uint y[1];
};

constant bool _252 = (X_HALF != 0u);
constant bool _270 = (X_HALF != 0u);
constant bool _289 = (Y_HALF != 0u);
constant bool _296 = (Y_HALF != 0u);
constant uint _334_tmp [[function_constant(0)]];
constant uint _334 = is_function_constant_defined(_334_tmp) ? _334_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_334, 1u, 1u);

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _34;
    if ((index & 1u) == 0u)
    {
        _34 = both.x;
    }
    else
    {
        _34 = both.y;
    }
    return _34;
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
    float _77;
    if (x < 0.0)
    {
        _77 = -as_type<float>(bits);
    }
    else
    {
        _77 = as_type<float>(bits);
    }
    return _77;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void copy(constant Params& _113 [[buffer(0)]], const device First& _225 [[buffer(1)]], device Y& _237 [[buffer(2)]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    uint i = 2u * gl_GlobalInvocationID.x;
    if (i >= _113.width)
    {
        return;
    }
    uint at_0 = gl_WorkGroupID.z / _113.size_1;
    uint at_1 = gl_WorkGroupID.z % _113.size_1;
    uint at_2 = gl_WorkGroupID.y;
    uint to = (((_113.y_at + (at_0 * _113.y_0)) + (at_1 * _113.y_1)) + (at_2 * _113.y_2)) + (i * _113.y_3);
    uint first = (((_113.x_at + (at_0 * _113.x_0)) + (at_1 * _113.x_1)) + (at_2 * _113.x_2)) + (i * _113.x_3);
    bool two = (i + 1u) < _113.width;
    uint _204;
    if (two)
    {
        _204 = first + _113.x_3;
    }
    else
    {
        _204 = first;
    }
    uint next = _204;
    if (_218)
    {
        uint left = _225.x[first];
        uint right = _225.x[next];
        _237.y[to] = left;
        if (two)
        {
            _237.y[to + _113.y_3] = right;
        }
        return;
    }
    float _253;
    if (_252)
    {
        uint param = _225.x[first >> uint(1)];
        uint param_1 = first;
        _253 = half_in(param, param_1);
    }
    else
    {
        _253 = as_type<float>(_225.x[first]);
    }
    float _271;
    if (_270)
    {
        uint param_2 = _225.x[next >> uint(1)];
        uint param_3 = next;
        _271 = half_in(param_2, param_3);
    }
    else
    {
        _271 = as_type<float>(_225.x[next]);
    }
    float2 v = float2(_253, _271);
    if (_289)
    {
        uint at_ = to;
        float2 two_ = v;
        if (_296)
        {
            float2 param_4 = two_;
            _237.y[at_ >> uint(1)] = pack_halves(param_4);
        }
        else
        {
            _237.y[at_] = as_type<uint>(two_.x);
            _237.y[at_ + 1u] = as_type<uint>(two_.y);
        }
        return;
    }
    _237.y[to] = as_type<uint>(v.x);
    if (two)
    {
        _237.y[to + _113.y_3] = as_type<uint>(v.y);
    }
}

