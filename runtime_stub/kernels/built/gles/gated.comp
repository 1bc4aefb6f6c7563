#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint GATE_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _606 = (GATE_HALF != 0u);
const bool _629 = (GATE_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint UP_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _690 = (UP_HALF != 0u);
const bool _712 = (UP_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint FUNCTION = SPIRV_CROSS_CONSTANT_ID_4;
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_3;
const bool _746 = (Y_HALF != 0u);
const bool _753 = (Y_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint width;
    uint size_1;
    uint gate_at;
    uint gate_0;
    uint gate_1;
    uint gate_2;
    uint gate_3;
    uint up_at;
    uint up_0;
    uint up_1;
    uint up_2;
    uint up_3;
    uint y_at;
    uint y_0;
    uint y_1;
    uint y_2;
    uint y_3;
} _504;

layout(binding = 1, std430) readonly buffer First
{
    uint gate[];
} _613;

layout(binding = 2, std430) readonly buffer Second
{
    uint up[];
} _697;

layout(binding = 3, std430) buffer Y
{
    uint y[];
} _759;

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _50;
    if ((index & 1u) == 0u)
    {
        _50 = both.x;
    }
    else
    {
        _50 = both.y;
    }
    return _50;
}

float erf_of(float x)
{
    float size = abs(x);
    if (size < 0.5)
    {
        float s = x * x;
        float p = 0.00010683760774554684758186340332031;
        p = 0.00075757573358714580535888671875 - (s * p);
        p = 0.004629629664123058319091796875 - (s * p);
        p = 0.02380952425301074981689453125 - (s * p);
        p = 0.100000001490116119384765625 - (s * p);
        p = 0.3333333432674407958984375 - (s * p);
        return (1.12837922573089599609375 * x) * (1.0 - (s * p));
    }
    float t = 1.0 / (1.0 + (0.5 * size));
    float p_1 = 0.17087276279926300048828125;
    p_1 = (-0.82215225696563720703125) + (t * p_1);
    p_1 = 1.4885158538818359375 + (t * p_1);
    p_1 = (-1.13520395755767822265625) + (t * p_1);
    p_1 = 0.27886807918548583984375 + (t * p_1);
    p_1 = (-0.186288058757781982421875) + (t * p_1);
    p_1 = 0.096784181892871856689453125 + (t * p_1);
    p_1 = 0.3740919530391693115234375 + (t * p_1);
    p_1 = 1.00002372264862060546875 + (t * p_1);
    p_1 = (-1.2655122280120849609375) + (t * p_1);
    float _222;
    if (size > 9.0)
    {
        _222 = 0.0;
    }
    else
    {
        _222 = t * exp(p_1 - (size * size));
    }
    float rest = _222;
    float _237;
    if (x < 0.0)
    {
        _237 = rest - 1.0;
    }
    else
    {
        _237 = 1.0 - rest;
    }
    return _237;
}

float tanh_of(float x)
{
    float size = abs(x);
    if (size < 0.100000001490116119384765625)
    {
        float s = x * x;
        return x * (1.0 - (s * (0.3333333432674407958984375 - (s * (0.13333334028720855712890625 - (s * 0.0539682544767856597900390625))))));
    }
    float t = exp((-2.0) * size);
    float y = (1.0 - t) / (1.0 + t);
    float _286;
    if (x < 0.0)
    {
        _286 = -y;
    }
    else
    {
        _286 = y;
    }
    return _286;
}

float sine_of(float x, uint quarter)
{
    float turns = roundEven(x * 0.636619746685028076171875);
    float r = x - (turns * 1.5703125);
    r -= (turns * 0.0004837512969970703125);
    r -= (turns * 7.5497901264043321134522557258606e-08);
    float s = r * r;
    float sine = r * (1.0 + (s * ((-0.16666655242443084716796875) + (s * (0.00833216123282909393310546875 - (s * 0.00019515295571181923151016235351562))))));
    float cosine = (1.0 - (0.5 * s)) + ((s * s) * (0.0416666455566883087158203125 + (s * ((-0.00138873164542019367218017578125) + (s * 2.4433156795566901564598083496094e-05)))));
    uint at = (uint(int(turns)) + quarter) & 3u;
    float y = ((at & 1u) == 0u) ? sine : cosine;
    float _373;
    if ((at & 2u) == 0u)
    {
        _373 = y;
    }
    else
    {
        _373 = -y;
    }
    return _373;
}

float unary_of(uint function, float x)
{
    switch (function)
    {
        case 0u:
        {
            return x / (1.0 + exp(-x));
        }
        case 1u:
        {
            return (x < 0.0) ? 0.0 : x;
        }
        case 2u:
        {
            float param = x * 0.707106769084930419921875;
            return (0.5 * x) * (1.0 + erf_of(param));
        }
        case 3u:
        {
            float param_1 = 0.79788458347320556640625 * (x + (((0.0447149984538555145263671875 * x) * x) * x));
            return (0.5 * x) * (1.0 + tanh_of(param_1));
        }
        case 4u:
        {
            float param_2 = x;
            return tanh_of(param_2);
        }
        case 5u:
        {
            return 1.0 / (1.0 + exp(-x));
        }
        case 6u:
        {
            return exp(x);
        }
        case 7u:
        {
            return log(x);
        }
        case 8u:
        {
            return sqrt(x);
        }
        case 9u:
        {
            return 1.0 / sqrt(x);
        }
        case 10u:
        {
            return -x;
        }
        case 11u:
        {
            return abs(x);
        }
        case 12u:
        {
            float param_3 = x;
            uint param_4 = 1u;
            return sine_of(param_3, param_4);
        }
        case 13u:
        {
            float param_5 = x;
            uint param_6 = 0u;
            return sine_of(param_5, param_6);
        }
        case 14u:
        {
            float param_7 = x;
            return erf_of(param_7);
        }
        case 15u:
        {
            return 1.0 / x;
        }
        default:
        {
            return floor(x);
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
    float _93;
    if (x < 0.0)
    {
        _93 = -uintBitsToFloat(bits);
    }
    else
    {
        _93 = uintBitsToFloat(bits);
    }
    return _93;
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
    if (i >= _504.width)
    {
        return;
    }
    uint at_0 = gl_WorkGroupID.z / _504.size_1;
    uint at_1 = gl_WorkGroupID.z % _504.size_1;
    uint at_2 = gl_WorkGroupID.y;
    uint to = (((_504.y_at + (at_0 * _504.y_0)) + (at_1 * _504.y_1)) + (at_2 * _504.y_2)) + (i * _504.y_3);
    uint first = (((_504.gate_at + (at_0 * _504.gate_0)) + (at_1 * _504.gate_1)) + (at_2 * _504.gate_2)) + (i * _504.gate_3);
    bool two = (i + 1u) < _504.width;
    uint _594;
    if (two)
    {
        _594 = first + _504.gate_3;
    }
    else
    {
        _594 = first;
    }
    uint next = _594;
    float _607;
    if (_606)
    {
        uint param = _613.gate[first >> uint(1)];
        uint param_1 = first;
        _607 = half_in(param, param_1);
    }
    else
    {
        _607 = uintBitsToFloat(_613.gate[first]);
    }
    float _630;
    if (_629)
    {
        uint param_2 = _613.gate[next >> uint(1)];
        uint param_3 = next;
        _630 = half_in(param_2, param_3);
    }
    else
    {
        _630 = uintBitsToFloat(_613.gate[next]);
    }
    vec2 v = vec2(_607, _630);
    uint second = (((_504.up_at + (at_0 * _504.up_0)) + (at_1 * _504.up_1)) + (at_2 * _504.up_2)) + (i * _504.up_3);
    uint _678;
    if (two)
    {
        _678 = second + _504.up_3;
    }
    else
    {
        _678 = second;
    }
    uint after = _678;
    float _691;
    if (_690)
    {
        uint param_4 = _697.up[second >> uint(1)];
        uint param_5 = second;
        _691 = half_in(param_4, param_5);
    }
    else
    {
        _691 = uintBitsToFloat(_697.up[second]);
    }
    float _713;
    if (_712)
    {
        uint param_6 = _697.up[after >> uint(1)];
        uint param_7 = after;
        _713 = half_in(param_6, param_7);
    }
    else
    {
        _713 = uintBitsToFloat(_697.up[after]);
    }
    vec2 w = vec2(_691, _713);
    uint param_8 = FUNCTION;
    float param_9 = v.x;
    uint param_10 = FUNCTION;
    float param_11 = v.y;
    v = vec2(unary_of(param_8, param_9), unary_of(param_10, param_11)) * w;
    if (_746)
    {
        uint at_ = to;
        vec2 two_ = v;
        if (_753)
        {
            vec2 param_12 = two_;
            _759.y[at_ >> uint(1)] = pack_halves(param_12);
        }
        else
        {
            _759.y[at_] = floatBitsToUint(two_.x);
            _759.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
        return;
    }
    _759.y[to] = floatBitsToUint(v.x);
    if (two)
    {
        _759.y[to + _504.y_3] = floatBitsToUint(v.y);
    }
}

