#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _141 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint threads = gl_WorkGroupSize.x;
const uint _190 = (2u * threads);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _288 = (Y_HALF != 0u);
const uint _313 = (2u * threads);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint block;
    uint x_at;
    uint x_token;
    uint y_at;
    uint y_token;
} _89;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _148;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _294;

shared float numbers[4096];

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _54;
    if (x < 0.0)
    {
        _54 = -uintBitsToFloat(bits);
    }
    else
    {
        _54 = uintBitsToFloat(bits);
    }
    return _54;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint from = (_89.x_at + (gl_WorkGroupID.y * _89.x_token)) + (gl_WorkGroupID.x * _89.block);
    uint to = (_89.y_at + (gl_WorkGroupID.y * _89.y_token)) + (gl_WorkGroupID.x * _89.block);
    uint _129 = 2u * thread;
    vec2 _142;
    for (uint i = _129; i < _89.block; i += _190)
    {
        if (_141)
        {
            _142 = unpackHalf2x16(_148.x[(from + i) >> uint(1)]);
        }
        else
        {
            _142 = vec2(uintBitsToFloat(_148.x[from + i]), uintBitsToFloat(_148.x[(from + i) + 1u]));
        }
        vec2 v = _142;
        numbers[i] = v.x;
        numbers[i + 1u] = v.y;
    }
    for (uint half_ = 1u; half_ < _89.block; half_ *= 2u)
    {
        barrier();
        for (uint i_1 = thread; i_1 < (_89.block / 2u); i_1 += threads)
        {
            uint low = (((i_1 / half_) * 2u) * half_) + (i_1 % half_);
            uint high = low + half_;
            float a = numbers[low];
            float b = numbers[high];
            numbers[low] = a + b;
            numbers[high] = a - b;
        }
    }
    barrier();
    float factor = 1.0 / sqrt(float(_89.block));
    uint _262 = 2u * thread;
    for (uint i_2 = _262; i_2 < _89.block; i_2 += _313)
    {
        uint at_ = to + i_2;
        vec2 two_ = vec2(numbers[i_2], numbers[i_2 + 1u]) * factor;
        if (_288)
        {
            vec2 param = two_;
            _294.y[at_ >> uint(1)] = pack_halves(param);
        }
        else
        {
            _294.y[at_] = floatBitsToUint(two_.x);
            _294.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
    }
}

