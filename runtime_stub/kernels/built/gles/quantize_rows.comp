#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _78 = gl_WorkGroupSize.x;
const uint _81 = (_78 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_2;
const bool _137 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _160 = (X_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint tokens;
    uint columns;
    uint x_at;
    uint x_token;
    uint x_inner;
    uint x_outer;
    uint y_at;
    uint y_token;
    uint words;
    uint scales_at;
} _125;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _167;

layout(binding = 3, std430) buffer Scales
{
    uint scales[];
} _265;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _339;

shared uvec4 group_words[256];

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

float load_x(uint token, uint column)
{
    uint _138;
    if (_137)
    {
        _138 = column;
    }
    else
    {
        _138 = ((column / _125.x_inner) * _125.x_outer) + (column % _125.x_inner);
    }
    uint at = (_125.x_at + (token * _125.x_token)) + _138;
    float _161;
    if (_160)
    {
        uint param = _167.x[at >> uint(1)];
        uint param_1 = at;
        _161 = half_in(param, param_1);
    }
    else
    {
        _161 = uintBitsToFloat(_167.x[at]);
    }
    return _161;
}

vec4 group_max(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _81; half_ > 0u; half_ = half_ >> uint(1))
    {
        barrier();
        if (thread < half_)
        {
            mine = max(mine, uintBitsToFloat(group_words[thread + half_]));
            group_words[thread] = floatBitsToUint(mine);
        }
    }
    barrier();
    return uintBitsToFloat(group_words[0]);
}

float group_max(float mine)
{
    vec4 param = vec4(mine, -3.4028234663852885981170418348452e+38, -3.4028234663852885981170418348452e+38, -3.4028234663852885981170418348452e+38);
    vec4 _118 = group_max(param);
    return _118.x;
}

float quotient(float a, float b)
{
    float q = a / b;
    return ((-q) * b + a) * (1.0 / b) + q;
}

void main()
{
    float _247;
    for (uint token = gl_WorkGroupID.x; token < _125.tokens; token += gl_NumWorkGroups.x)
    {
        float most = 0.0;
        for (uint column = gl_LocalInvocationID.x; column < _125.columns; column += gl_WorkGroupSize.x)
        {
            uint param = token;
            uint param_1 = column;
            most = max(most, abs(load_x(param, param_1)));
        }
        float param_2 = most;
        float _242 = group_max(param_2);
        float largest = _242;
        if (largest < 1.0000000031710768509710513471353e-30)
        {
            _247 = 1.0;
        }
        else
        {
            float param_3 = largest;
            float param_4 = 127.0;
            _247 = quotient(param_3, param_4);
        }
        float scale = _247;
        if (gl_LocalInvocationID.x == 0u)
        {
            _265.scales[_125.scales_at + token] = floatBitsToUint(scale);
        }
        for (uint i = gl_LocalInvocationID.x; i < _125.words; i += gl_WorkGroupSize.x)
        {
            uint word = 0u;
            for (uint j = 0u; j < 4u; j++)
            {
                if (((4u * i) + j) >= _125.columns)
                {
                    break;
                }
                uint param_5 = token;
                uint param_6 = (4u * i) + j;
                float param_7 = load_x(param_5, param_6);
                float param_8 = scale;
                float number = roundEven(quotient(param_7, param_8));
                word |= ((uint(int(clamp(number, -127.0, 127.0))) & 255u) << (8u * j));
            }
            _339.y[(_125.y_at + (token * _125.y_token)) + i] = word;
        }
    }
}

