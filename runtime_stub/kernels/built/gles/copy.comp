#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _215 = (X_HALF == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _217 = (Y_HALF == 0u);
const bool _218 = (_215 && _217);
const bool _252 = (X_HALF != 0u);
const bool _270 = (X_HALF != 0u);
const bool _289 = (Y_HALF != 0u);
const bool _296 = (Y_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
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
} _113;

layout(binding = 1, std430) readonly buffer First
{
    uint x[];
} _225;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _237;

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _77;
    if (x < 0.0)
    {
        _77 = -uintBitsToFloat(bits);
    }
    else
    {
        _77 = uintBitsToFloat(bits);
    }
    return _77;
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
        _253 = uintBitsToFloat(_225.x[first]);
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
        _271 = uintBitsToFloat(_225.x[next]);
    }
    vec2 v = vec2(_253, _271);
    if (_289)
    {
        uint at_ = to;
        vec2 two_ = v;
        if (_296)
        {
            vec2 param_4 = two_;
            _237.y[at_ >> uint(1)] = pack_halves(param_4);
        }
        else
        {
            _237.y[at_] = floatBitsToUint(two_.x);
            _237.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
        return;
    }
    _237.y[to] = floatBitsToUint(v.x);
    if (two)
    {
        _237.y[to + _113.y_3] = floatBitsToUint(v.y);
    }
}

