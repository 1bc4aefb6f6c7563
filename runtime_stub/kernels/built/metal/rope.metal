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
    uint y_at;
    uint y_token;
    uint y_head;
};

constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _132 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _163 = (X_HALF != 0u);

struct Table
{
    uint table[1];
};

constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _354 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _381 = (X_HALF != 0u);
constant bool _409 = (X_HALF != 0u);
constant bool _515 = (Y_HALF != 0u);
constant bool _550 = (Y_HALF != 0u);
constant uint _571_tmp [[function_constant(0)]];
constant uint _571 = is_function_constant_defined(_571_tmp) ? _571_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_571, 1u, 1u);

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _40;
    if ((index & 1u) == 0u)
    {
        _40 = both.x;
    }
    else
    {
        _40 = both.y;
    }
    return _40;
}

static inline __attribute__((always_inline))
float turned(thread const uint& from, thread const uint& angles, thread const uint& i, constant Params& v_110, const device X& v_139, const device Table& v_197)
{
    uint half_ = v_110.width / 2u;
    uint _121;
    if (i < half_)
    {
        _121 = i;
    }
    else
    {
        _121 = i - half_;
    }
    uint pair = _121;
    float _133;
    if (_132)
    {
        uint param = v_139.x[(from + pair) >> uint(1)];
        uint param_1 = from + pair;
        _133 = half_in(param, param_1);
    }
    else
    {
        _133 = as_type<float>(v_139.x[from + pair]);
    }
    float a = _133;
    float _164;
    if (_163)
    {
        uint param_2 = v_139.x[((from + pair) + half_) >> uint(1)];
        uint param_3 = (from + pair) + half_;
        _164 = half_in(param_2, param_3);
    }
    else
    {
        _164 = as_type<float>(v_139.x[(from + pair) + half_]);
    }
    float b = _164;
    float c = as_type<float>(v_197.table[angles + pair]);
    float s = as_type<float>(v_197.table[(angles + half_) + pair]);
    float _216;
    if (i < half_)
    {
        _216 = (a * c) - (b * s);
    }
    else
    {
        _216 = (b * c) + (a * s);
    }
    return _216;
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
    float _83;
    if (x < 0.0)
    {
        _83 = -as_type<float>(bits);
    }
    else
    {
        _83 = as_type<float>(bits);
    }
    return _83;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void rope(constant Params& v_110 [[buffer(0)]], const device X& v_139 [[buffer(1)]], const device Table& v_197 [[buffer(2)]], device Y& _360 [[buffer(3)]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]])
{
    uint token = gl_WorkGroupID.y;
    uint half_ = v_110.width / 2u;
    bool fours = (v_110.width % 4u) == 0u;
    uint _257;
    if (fours)
    {
        _257 = v_110.width / 4u;
    }
    else
    {
        _257 = half_;
    }
    uint units = _257;
    uint head = gl_GlobalInvocationID.x / units;
    uint unit = gl_GlobalInvocationID.x % units;
    if (head >= v_110.heads)
    {
        return;
    }
    uint from = (v_110.x_at + (token * v_110.x_token)) + (head * v_110.x_head);
    uint to = (v_110.y_at + (token * v_110.y_token)) + (head * v_110.y_head);
    uint angles = (v_110.past + token) * v_110.width;
    uint i = 2u * unit;
    if (!fours)
    {
        uint at_ = to + i;
        uint param = from;
        uint param_1 = angles;
        uint param_2 = i;
        uint param_3 = from;
        uint param_4 = angles;
        uint param_5 = i + 1u;
        float2 two_ = float2(turned(param, param_1, param_2, v_110, v_139, v_197), turned(param_3, param_4, param_5, v_110, v_139, v_197));
        if (_354)
        {
            float2 param_6 = two_;
            _360.y[at_ >> uint(1)] = pack_halves(param_6);
        }
        else
        {
            _360.y[at_] = as_type<uint>(two_.x);
            _360.y[at_ + 1u] = as_type<uint>(two_.y);
        }
        return;
    }
    float2 _382;
    if (_381)
    {
        _382 = float2(as_type<half2>(v_139.x[(from + i) >> uint(1)]));
    }
    else
    {
        _382 = float2(as_type<float>(v_139.x[from + i]), as_type<float>(v_139.x[(from + i) + 1u]));
    }
    float2 a = _382;
    float2 _410;
    if (_409)
    {
        _410 = float2(as_type<half2>(v_139.x[((from + half_) + i) >> uint(1)]));
    }
    else
    {
        _410 = float2(as_type<float>(v_139.x[(from + half_) + i]), as_type<float>(v_139.x[((from + half_) + i) + 1u]));
    }
    float2 b = _410;
    float2 _444;
    if (false)
    {
        _444 = float2(as_type<half2>(v_197.table[(angles + i) >> uint(1)]));
    }
    else
    {
        _444 = float2(as_type<float>(v_197.table[angles + i]), as_type<float>(v_197.table[(angles + i) + 1u]));
    }
    float2 c = _444;
    float2 _471;
    if (false)
    {
        _471 = float2(as_type<half2>(v_197.table[((angles + half_) + i) >> uint(1)]));
    }
    else
    {
        _471 = float2(as_type<float>(v_197.table[(angles + half_) + i]), as_type<float>(v_197.table[((angles + half_) + i) + 1u]));
    }
    float2 s = _471;
    uint at_1 = to + i;
    float2 two_1 = (a * c) - (b * s);
    if (_515)
    {
        float2 param_7 = two_1;
        _360.y[at_1 >> uint(1)] = pack_halves(param_7);
    }
    else
    {
        _360.y[at_1] = as_type<uint>(two_1.x);
        _360.y[at_1 + 1u] = as_type<uint>(two_1.y);
    }
    uint at_2 = (to + half_) + i;
    float2 two_2 = (b * c) + (a * s);
    if (_550)
    {
        float2 param_8 = two_2;
        _360.y[at_2 >> uint(1)] = pack_halves(param_8);
    }
    else
    {
        _360.y[at_2] = as_type<uint>(two_2.x);
        _360.y[at_2 + 1u] = as_type<uint>(two_2.y);
    }
}

