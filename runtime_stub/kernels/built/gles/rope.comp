#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _132 = (X_HALF != 0u);
const bool _163 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _354 = (Y_HALF != 0u);
const bool _381 = (X_HALF != 0u);
const bool _409 = (X_HALF != 0u);
const bool _515 = (Y_HALF != 0u);
const bool _550 = (Y_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
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
} _110;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _139;

layout(binding = 2, std430) readonly buffer Table
{
    uint table[];
} _197;

layout(binding = 3, std430) buffer Y
{
    uint y[];
} _360;

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

float turned(uint from, uint angles, uint i)
{
    uint half_ = _110.width / 2u;
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
        uint param = _139.x[(from + pair) >> uint(1)];
        uint param_1 = from + pair;
        _133 = half_in(param, param_1);
    }
    else
    {
        _133 = uintBitsToFloat(_139.x[from + pair]);
    }
    float a = _133;
    float _164;
    if (_163)
    {
        uint param_2 = _139.x[((from + pair) + half_) >> uint(1)];
        uint param_3 = (from + pair) + half_;
        _164 = half_in(param_2, param_3);
    }
    else
    {
        _164 = uintBitsToFloat(_139.x[(from + pair) + half_]);
    }
    float b = _164;
    float c = uintBitsToFloat(_197.table[angles + pair]);
    float s = uintBitsToFloat(_197.table[(angles + half_) + pair]);
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

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _83;
    if (x < 0.0)
    {
        _83 = -uintBitsToFloat(bits);
    }
    else
    {
        _83 = uintBitsToFloat(bits);
    }
    return _83;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void main()
{
    uint token = gl_WorkGroupID.y;
    uint half_ = _110.width / 2u;
    bool fours = (_110.width % 4u) == 0u;
    uint _257;
    if (fours)
    {
        _257 = _110.width / 4u;
    }
    else
    {
        _257 = half_;
    }
    uint units = _257;
    uint head = gl_GlobalInvocationID.x / units;
    uint unit = gl_GlobalInvocationID.x % units;
    if (head >= _110.heads)
    {
        return;
    }
    uint from = (_110.x_at + (token * _110.x_token)) + (head * _110.x_head);
    uint to = (_110.y_at + (token * _110.y_token)) + (head * _110.y_head);
    uint angles = (_110.past + token) * _110.width;
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
        vec2 two_ = vec2(turned(param, param_1, param_2), turned(param_3, param_4, param_5));
        if (_354)
        {
            vec2 param_6 = two_;
            _360.y[at_ >> uint(1)] = pack_halves(param_6);
        }
        else
        {
            _360.y[at_] = floatBitsToUint(two_.x);
            _360.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
        return;
    }
    vec2 _382;
    if (_381)
    {
        _382 = unpackHalf2x16(_139.x[(from + i) >> uint(1)]);
    }
    else
    {
        _382 = vec2(uintBitsToFloat(_139.x[from + i]), uintBitsToFloat(_139.x[(from + i) + 1u]));
    }
    vec2 a = _382;
    vec2 _410;
    if (_409)
    {
        _410 = unpackHalf2x16(_139.x[((from + half_) + i) >> uint(1)]);
    }
    else
    {
        _410 = vec2(uintBitsToFloat(_139.x[(from + half_) + i]), uintBitsToFloat(_139.x[((from + half_) + i) + 1u]));
    }
    vec2 b = _410;
    vec2 _444;
    if (false)
    {
        _444 = unpackHalf2x16(_197.table[(angles + i) >> uint(1)]);
    }
    else
    {
        _444 = vec2(uintBitsToFloat(_197.table[angles + i]), uintBitsToFloat(_197.table[(angles + i) + 1u]));
    }
    vec2 c = _444;
    vec2 _471;
    if (false)
    {
        _471 = unpackHalf2x16(_197.table[((angles + half_) + i) >> uint(1)]);
    }
    else
    {
        _471 = vec2(uintBitsToFloat(_197.table[(angles + half_) + i]), uintBitsToFloat(_197.table[((angles + half_) + i) + 1u]));
    }
    vec2 s = _471;
    uint at_1 = to + i;
    vec2 two_1 = (a * c) - (b * s);
    if (_515)
    {
        vec2 param_7 = two_1;
        _360.y[at_1 >> uint(1)] = pack_halves(param_7);
    }
    else
    {
        _360.y[at_1] = floatBitsToUint(two_1.x);
        _360.y[at_1 + 1u] = floatBitsToUint(two_1.y);
    }
    uint at_2 = (to + half_) + i;
    vec2 two_2 = (b * c) + (a * s);
    if (_550)
    {
        vec2 param_8 = two_2;
        _360.y[at_2 >> uint(1)] = pack_halves(param_8);
    }
    else
    {
        _360.y[at_2] = floatBitsToUint(two_2.x);
        _360.y[at_2 + 1u] = floatBitsToUint(two_2.y);
    }
}

