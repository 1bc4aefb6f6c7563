#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint A_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _383 = (A_HALF != 0u);
const bool _406 = (A_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint B_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _467 = (B_HALF != 0u);
const bool _489 = (B_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint FUNCTION = SPIRV_CROSS_CONSTANT_ID_4;
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_3;
const bool _527 = (Y_HALF != 0u);
const bool _534 = (Y_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
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
} _282;

layout(binding = 1, std430) readonly buffer First
{
    uint a[];
} _390;

layout(binding = 2, std430) readonly buffer Second
{
    uint b[];
} _474;

layout(binding = 3, std430) buffer Y
{
    uint y[];
} _540;

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

float power_of(float a, float b)
{
    float whole = roundEven(b);
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
        return uintBitsToFloat(2143289344u);
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

float binary_of(uint function, float a, float b)
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

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _88;
    if (x < 0.0)
    {
        _88 = -uintBitsToFloat(bits);
    }
    else
    {
        _88 = uintBitsToFloat(bits);
    }
    return _88;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void main()
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
        _384 = uintBitsToFloat(_390.a[first]);
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
        _407 = uintBitsToFloat(_390.a[next]);
    }
    vec2 v = vec2(_384, _407);
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
        _468 = uintBitsToFloat(_474.b[second]);
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
        _490 = uintBitsToFloat(_474.b[after]);
    }
    vec2 w = vec2(_468, _490);
    uint param_8 = FUNCTION;
    float param_9 = v.x;
    float param_10 = w.x;
    uint param_11 = FUNCTION;
    float param_12 = v.y;
    float param_13 = w.y;
    v = vec2(binary_of(param_8, param_9, param_10), binary_of(param_11, param_12, param_13));
    if (_527)
    {
        uint at_ = to;
        vec2 two_ = v;
        if (_534)
        {
            vec2 param_14 = two_;
            _540.y[at_ >> uint(1)] = pack_halves(param_14);
        }
        else
        {
            _540.y[at_] = floatBitsToUint(two_.x);
            _540.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
        return;
    }
    _540.y[to] = floatBitsToUint(v.x);
    if (two)
    {
        _540.y[to + _282.y_3] = floatBitsToUint(v.y);
    }
}

