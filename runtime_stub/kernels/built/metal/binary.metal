#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Params
{
    uint width;
    uint size_1;
    uint a_at;
    uint a_0;
    uint a_1;
    uint a_2;
    uint a_3;
    uint b_at;
    uint b_0;
    uint b_1;
    uint b_2;
    uint b_3;
    uint y_at;
    uint y_0;
    uint y_1;
    uint y_2;
    uint y_3;
};

constant uint A_HALF_tmp [[function_constant(1)]];
constant uint A_HALF = is_function_constant_defined(A_HALF_tmp) ? A_HALF_tmp : 1u;
constant bool _383 = (A_HALF != 0u);

struct First
{
    uint a[1];
};

constant bool _406 = (A_HALF != 0u);
constant uint B_HALF_tmp [[function_constant(2)]];
constant uint B_HALF = is_function_constant_defined(B_HALF_tmp) ? B_HALF_tmp : 1u;
constant bool _467 = (B_HALF != 0u);

struct Second
{
    uint b[1];
};

constant bool _489 = (B_HALF != 0u);
constant uint FUNCTION_tmp [[function_constant(4)]];
constant uint FUNCTION = is_function_constant_defined(FUNCTION_tmp) ? FUNCTION_tmp : 0u;
constant uint Y_HALF_tmp [[function_constant(3)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _527 = (Y_HALF != 0u);
constant bool _534 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant uint _576_tmp [[function_constant(0)]];
constant uint _576 = is_function_constant_defined(_576_tmp) ? _576_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_576, 1u, 1u);

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
float power_of(thread const float& a, thread const float& b)
{
    float whole = rint(b);
    bool _117 = whole == b;
    bool _124;
    if (_117)
    {
        _124 = abs(b) <= 64.0;
    }
    else
    {
        _124 = _117;
    }
    if (_124)
    {
        float y = 1.0;
        float square = a;
        uint _134 = uint(abs(b));
        for (uint n = _134; n > 0u; n = n >> uint(1))
        {
            if ((n & 1u) != 0u)
            {
                y *= square;
            }
            square *= square;
        }
        float _158;
        if (b < 0.0)
        {
            _158 = 1.0 / y;
        }
        else
        {
            _158 = y;
        }
        return _158;
    }
    if (a == 0.0)
    {
        float _173;
        if (b > 0.0)
        {
            _173 = 0.0;
        }
        else
        {
            _173 = 1.0 / a;
        }
        return _173;
    }
    float size = exp2(b * log2(abs(a)));
    if (a > 0.0)
    {
        return size;
    }
    if (whole != b)
    {
        return as_type<float>(2143289344u);
    }
    float _207;
    if (fract(0.5 * whole) != 0.0)
    {
        _207 = -size;
    }
    else
    {
        _207 = size;
    }
    return _207;
}

static inline __attribute__((always_inline))
float binary_of(thread const uint& function, thread const float& a, thread const float& b)
{
    switch (function)
    {
        case 0u:
        {
            return a + b;
        }
        case 1u:
        {
            return a - b;
        }
        case 2u:
        {
            return a * b;
        }
        case 3u:
        {
            return a / b;
        }
        case 4u:
        {
            float param = a;
            float param_1 = b;
            return power_of(param, param_1);
        }
        case 5u:
        {
            return (isnan(a) || (a > b)) ? a : b;
        }
        default:
        {
            return (isnan(a) || (a < b)) ? a : b;
        }
    }
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
    float _88;
    if (x < 0.0)
    {
        _88 = -as_type<float>(bits);
    }
    else
    {
        _88 = as_type<float>(bits);
    }
    return _88;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void binary(constant Params& _282 [[buffer(0)]], const device First& _390 [[buffer(1)]], const device Second& _474 [[buffer(2)]], device Y& _540 [[buffer(3)]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    uint i = 2u * gl_GlobalInvocationID.x;
    if (i >= _282.width)
    {
        return;
    }
    uint at_0 = gl_WorkGroupID.z / _282.size_1;
    uint at_1 = gl_WorkGroupID.z % _282.size_1;
    uint at_2 = gl_WorkGroupID.y;
    uint to = (((_282.y_at + (at_0 * _282.y_0)) + (at_1 * _282.y_1)) + (at_2 * _282.y_2)) + (i * _282.y_3);
    uint first = (((_282.a_at + (at_0 * _282.a_0)) + (at_1 * _282.a_1)) + (at_2 * _282.a_2)) + (i * _282.a_3);
    bool two = (i + 1u) < _282.width;
    uint _371;
    if (two)
    {
        _371 = first + _282.a_3;
    }
    else
    {
        _371 = first;
    }
    uint next = _371;
    float _384;
    if (_383)
    {
        uint param = _390.a[first >> uint(1)];
        uint param_1 = first;
        _384 = half_in(param, param_1);
    }
    else
    {
        _384 = as_type<float>(_390.a[first]);
    }
    float _407;
    if (_406)
    {
        uint param_2 = _390.a[next >> uint(1)];
        uint param_3 = next;
        _407 = half_in(param_2, param_3);
    }
    else
    {
        _407 = as_type<float>(_390.a[next]);
    }
    float2 v = float2(_384, _407);
    uint second = (((_282.b_at + (at_0 * _282.b_0)) + (at_1 * _282.b_1)) + (at_2 * _282.b_2)) + (i * _282.b_3);
    uint _455;
    if (two)
    {
        _455 = second + _282.b_3;
    }
    else
    {
        _455 = second;
    }
    uint after = _455;
    float _468;
    if (_467)
    {
        uint param_4 = _474.b[second >> uint(1)];
        uint param_5 = second;
        _468 = half_in(param_4, param_5);
    }
    else
    {
        _468 = as_type<float>(_474.b[second]);
    }
    float _490;
    if (_489)
    {
        uint param_6 = _474.b[after >> uint(1)];
        uint param_7 = after;
        _490 = half_in(param_6, param_7);
    }
    else
    {
        _490 = as_type<float>(_474.b[after]);
    }
    float2 w = float2(_468, _490);
    uint param_8 = FUNCTION;
    float param_9 = v.x;
    float param_10 = w.x;
    uint param_11 = FUNCTION;
    float param_12 = v.y;
    float param_13 = w.y;
    v = float2(binary_of(param_8, param_9, param_10), binary_of(param_11, param_12, param_13));
    if (_527)
    {
        uint at_ = to;
        float2 two_ = v;
        if (_534)
        {
            float2 param_14 = two_;
            _540.y[at_ >> uint(1)] = pack_halves(param_14);
        }
        else
        {
            _540.y[at_] = as_type<uint>(two_.x);
            _540.y[at_ + 1u] = as_type<uint>(two_.y);
        }
        return;
    }
    _540.y[to] = as_type<uint>(v.x);
    if (two)
    {
        _540.y[to + _282.y_3] = as_type<uint>(v.y);
    }
}

