#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _173 = (X_HALF != 0u);
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
} _103;

layout(binding = 2, std430) buffer Cache
{
    uint cache[];
} _158;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _180;

uint half_bits(float x)
{
    uint bits = floatBitsToUint(x);
    uint _sign = (bits >> uint(16)) & 32768u;
    uint magnitude = bits & 2147483647u;
    if (magnitude > 2139095040u)
    {
        return _sign | 32256u;
    }
    if (magnitude < 947912704u)
    {
        return _sign | uint(roundEven(abs(x) * 16777216.0));
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

uint halves_bits(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return half_bits(param) | (half_bits(param_1) << uint(16));
}

void main()
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
        vec2 param = vec2(uintBitsToFloat(_180.x[from]), uintBitsToFloat(_180.x[from + 1u]));
        _174 = halves_bits(param);
    }
    _158.cache[(((_103.past + token) * _103.heads) * words) + gl_GlobalInvocationID.x] = _174;
}

