#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _262 = (Y_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint q_heads;
    uint width;
    uint parts;
    uint scratch_at;
    uint y_at;
    uint y_token;
    uint y_head;
} _82;

layout(binding = 1, std430) readonly buffer Scratch
{
    uint scratch[];
} _153;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _268;

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
    uint words = _82.width / 2u;
    uint token = gl_WorkGroupID.y;
    uint head = gl_GlobalInvocationID.x / words;
    uint channel = 2u * (gl_GlobalInvocationID.x % words);
    if (head >= _82.q_heads)
    {
        return;
    }
    uint each = 2u + _82.width;
    uint from = _82.scratch_at + ((((token * _82.q_heads) + head) * _82.parts) * each);
    float most = -3.4028234663852885981170418348452e+38;
    for (uint i = 0u; i < _82.parts; i++)
    {
        most = max(most, uintBitsToFloat(_153.scratch[from + (i * each)]));
    }
    float sum = 0.0;
    vec2 total = vec2(0.0);
    vec2 _204;
    for (uint i_1 = 0u; i_1 < _82.parts; i_1++)
    {
        uint at = from + (i_1 * each);
        float kept = exp(uintBitsToFloat(_153.scratch[at]) - most);
        sum += (kept * uintBitsToFloat(_153.scratch[at + 1u]));
        if (false)
        {
            _204 = unpackHalf2x16(_153.scratch[((at + 2u) + channel) >> uint(1)]);
        }
        else
        {
            _204 = vec2(uintBitsToFloat(_153.scratch[(at + 2u) + channel]), uintBitsToFloat(_153.scratch[((at + 2u) + channel) + 1u]));
        }
        total += (_204 * kept);
    }
    uint at_ = ((_82.y_at + (token * _82.y_token)) + (head * _82.y_head)) + channel;
    vec2 two_ = total / vec2(sum);
    if (_262)
    {
        vec2 param = two_;
        _268.y[at_ >> uint(1)] = pack_halves(param);
    }
    else
    {
        _268.y[at_] = floatBitsToUint(two_.x);
        _268.y[at_ + 1u] = floatBitsToUint(two_.y);
    }
}

