#version 310 es
#if defined(GL_EXT_control_flow_attributes)
#extension GL_EXT_control_flow_attributes : require
#define SPIRV_CROSS_FLATTEN [[flatten]]
#define SPIRV_CROSS_BRANCH [[dont_flatten]]
#define SPIRV_CROSS_UNROLL [[unroll]]
#define SPIRV_CROSS_LOOP [[dont_unroll]]
#else
#define SPIRV_CROSS_FLATTEN
#define SPIRV_CROSS_BRANCH
#define SPIRV_CROSS_UNROLL
#define SPIRV_CROSS_LOOP
#endif

#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_3;
const uint _380 = (8u * BITS);
const uint _408 = (8u * BITS);
const uint _409 = (_408 % 8u);
const bool _410 = (_409 != 0u);
const uint _425 = (8u * BITS);
const uint _429 = (8u * BITS);
const uint _435 = (8u * BITS);
const uint _449 = (8u * BITS);
const uint _471 = (8u * BITS);
const uint _472 = (_471 % 32u);
const bool _473 = (_472 == 0u);
const uint _474 = (8u * BITS);
const uint _475 = (_474 % 16u);
const bool _476 = (_475 == 0u);
const uint _477 = (8u * BITS);
const uint _478 = (_477 % 8u);
const bool _479 = (_478 == 0u);
const uint _480 = _479 ? 32u : 8u;
const uint _481 = _476 ? 16u : _480;
const uint _482 = _473 ? 8u : _481;
const uint _487 = (8u * BITS);
const uint _488 = (_487 % 32u);
const bool _489 = (_488 == 0u);
const uint _490 = (8u * BITS);
const uint _491 = (_490 % 16u);
const bool _492 = (_491 == 0u);
const uint _493 = (8u * BITS);
const uint _494 = (_493 % 8u);
const bool _495 = (_494 == 0u);
const uint _496 = _495 ? 32u : 8u;
const uint _497 = _492 ? 16u : _496;
const uint _498 = _489 ? 8u : _497;
const uint _499 = (8u * BITS);
const uint _500 = (_498 * _499);
const uint _502 = (_500 / 256u);
const uint _511 = (8u * BITS);
const uint _512 = (_511 % 32u);
const bool _513 = (_512 == 0u);
const uint _514 = (8u * BITS);
const uint _515 = (_514 % 16u);
const bool _516 = (_515 == 0u);
const uint _517 = (8u * BITS);
const uint _518 = (_517 % 8u);
const bool _519 = (_518 == 0u);
const uint _520 = _519 ? 32u : 8u;
const uint _521 = _516 ? 16u : _520;
const uint _522 = _513 ? 8u : _521;
const uint _523 = (8u * BITS);
const uint _524 = (_522 * _523);
const uint _525 = (_524 / 256u);
const uint _536 = (8u * BITS);
const uint _537 = (_536 % 8u);
const bool _538 = (_537 != 0u);
const bool _539 = (!_538);
const uint _542 = (8u * BITS);
const uint _543 = (_542 % 32u);
const bool _544 = (_543 == 0u);
const uint _545 = (8u * BITS);
const uint _546 = (_545 % 16u);
const bool _547 = (_546 == 0u);
const uint _548 = (8u * BITS);
const uint _549 = (_548 % 8u);
const bool _550 = (_549 == 0u);
const uint _551 = _550 ? 32u : 8u;
const uint _552 = _547 ? 16u : _551;
const uint _553 = _544 ? 8u : _552;
const bool _554 = (_553 == 8u);
const uint _580 = (8u * BITS);
const uint _584 = (8u * BITS);
const uint _590 = (8u * BITS);
const uint _601 = (8u * BITS);
const uint _631 = (8u * BITS);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_1;
const bool _807 = (ALIGNED != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _881 = (Y_HALF != 0u);
const bool _960 = (Y_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint ids_at;
    uint y_at;
    uint y_token;
    uint y_inner;
    uint y_outer;
    uint columns;
    uint row_begin;
    uint row_end;
    uint held;
    uint rows_per_table;
} _278;

layout(binding = 4, std430) readonly buffer Table
{
    uint table[];
} _292;

layout(binding = 3, std430) readonly buffer Codes
{
    uint codes[];
} _441;

layout(binding = 1, std430) readonly buffer Ids
{
    uint ids[];
} _748;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _887;

uint table_of(uint first, uint row)
{
    return 0u + ((row / _278.rows_per_table) << BITS);
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_410)
    {
        uint eight = (row * (_278.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _425) + (((eight & 31u) * _429) >> uint(5));
        uint shift = (eight * _435) & 31u;
        words[0] = _441.codes[at] >> shift;
        if ((shift + _449) > 32u)
        {
            words[0] |= (_441.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_278.columns / _482)) + step_) * _502;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _525; i++)
        {
            words[i] = _441.codes[at_1 + i];
        }
    }
}

uvec2 window(uint words[8], uint at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _326;
    if (i < 7u)
    {
        _326 = words[i + 1u];
    }
    else
    {
        _326 = 0u;
    }
    uvec2 out_ = uvec2(words[i], _326);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _360;
    if (i < 6u)
    {
        _360 = words[i + 2u];
    }
    else
    {
        _360 = 0u;
    }
    out_.y = (out_.y >> shift) | (_360 << (32u - shift));
    return out_;
}

uint code_in(uvec2 words, uint bits, uint j)
{
    uint at = j * bits;
    if ((at + bits) <= 32u)
    {
        return bitfieldExtract(words.x, int(at), int(bits));
    }
    if (at >= 32u)
    {
        return bitfieldExtract(words.y, int(at - 32u), int(bits));
    }
    return bitfieldExtract((words.x >> at) | (words.y << ((32u - at) & 31u)), 0, int(bits));
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _139;
    if ((h & 32768u) != 0u)
    {
        _139 = -size;
    }
    else
    {
        _139 = size;
    }
    return _139;
}

float entry(uint at)
{
    uint param = _292.table[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
}

void numbers(uint words[8], uint sub, uint at, inout float v[8])
{
    uint param[8] = words;
    uint param_1 = sub * _380;
    uvec2 eight = window(param, param_1);
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        uvec2 param_2 = eight;
        uint param_3 = BITS;
        uint param_4 = j;
        uint param_5 = at + code_in(param_2, param_3, param_4);
        v[j] = entry(param_5);
    }
}

void load_eight(uint row, uint column, uint at, out float v[8])
{
    bool _555;
    if (_539)
    {
        _555 = _554;
    }
    else
    {
        _555 = _538;
    }
    uint words[8];
    if (_555)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        uint param_2[8];
        load_step(param, param_1, param_2);
        words = param_2;
    }
    else
    {
        uint eight = (row * (_278.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _580) + (((eight & 31u) * _584) >> uint(5));
        uint shift = (eight * _590) & 31u;
        words[0] = _441.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _601) > 32u)
        {
            uint next = _441.codes[word + 1u];
            uint _613;
            if (shift == 0u)
            {
                _613 = 0u;
            }
            else
            {
                _613 = next << (32u - shift);
            }
            words[0] |= _613;
            words[1] = next >> shift;
        }
        if ((shift + _631) > 64u)
        {
            words[1] |= (_441.codes[word + 2u] << (32u - shift));
        }
    }
    uint param_3[8] = words;
    uint param_4 = 0u;
    uint param_5 = at;
    float param_6[8];
    numbers(param_3, param_4, param_5, param_6);
    v = param_6;
}

vec2 level(uint row, uint column)
{
    return vec2(1.0, 0.0);
}

uint place(uint token, uint column)
{
    return ((_278.y_at + (token * _278.y_token)) + ((column / _278.y_inner) * _278.y_outer)) + (column % _278.y_inner);
}

float weight_of(vec2 level_, float v)
{
    return v;
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
    float _178;
    if (x < 0.0)
    {
        _178 = -uintBitsToFloat(bits);
    }
    else
    {
        _178 = uintBitsToFloat(bits);
    }
    return _178;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

uint code_of(uint low, uint high, uint at, uint bits)
{
    uint code = low >> at;
    if ((at + bits) > 32u)
    {
        code |= (high << (32u - at));
    }
    return code & ((1u << bits) - 1u);
}

float load_weight(uint row, uint column, uint at)
{
    uint _675;
    if ((((((row * _278.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _675 = _441.codes[((((row * _278.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _675 = 0u;
    }
    uint param = _441.codes[(((row * _278.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _675;
    uint param_2 = (((row * _278.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = at + code;
    return entry(param_4);
}

void main()
{
    uint token = gl_WorkGroupID.y;
    uint row = _748.ids[2u * (_278.ids_at + token)];
    bool _764 = _748.ids[(2u * (_278.ids_at + token)) + 1u] != 0u;
    bool _773;
    if (!_764)
    {
        _773 = row < _278.row_begin;
    }
    else
    {
        _773 = _764;
    }
    bool _782;
    if (!_773)
    {
        _782 = row >= _278.row_end;
    }
    else
    {
        _782 = _773;
    }
    if (_782)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    uint here = row - _278.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_807)
    {
        float param_5[8];
        for (uint i = gl_GlobalInvocationID.x; i < (_278.columns >> uint(3)); i += stride)
        {
            uint param_2 = here;
            uint param_3 = 8u * i;
            uint param_4 = at;
            load_eight(param_2, param_3, param_4, param_5);
            float v[8] = param_5;
            uint param_6 = here;
            uint param_7 = 8u * i;
            vec2 found = level(param_6, param_7);
            uint param_8 = token;
            uint param_9 = 8u * i;
            uint to = place(param_8, param_9);
            SPIRV_CROSS_UNROLL
            for (uint j = 0u; j < 8u; j += 2u)
            {
                vec2 param_10 = found;
                float param_11 = v[j];
                vec2 param_12 = found;
                float param_13 = v[j + 1u];
                vec2 two = vec2(weight_of(param_10, param_11), weight_of(param_12, param_13));
                uint at_ = to + j;
                vec2 two_ = two;
                if (_881)
                {
                    vec2 param_14 = two_;
                    _887.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _887.y[at_] = floatBitsToUint(two_.x);
                    _887.y[at_ + 1u] = floatBitsToUint(two_.y);
                }
            }
        }
        return;
    }
    uint _915 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _915; column < _278.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17);
        if ((column + 1u) == _278.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _887.y[place(param_18, param_19)] = floatBitsToUint(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        vec2 two_1 = vec2(first, load_weight(param_20, param_21, param_22));
        if (_960)
        {
            uint param_23 = token;
            uint param_24 = column;
            vec2 param_25 = two_1;
            _887.y[place(param_23, param_24) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _887.y[place(param_26, param_27)] = floatBitsToUint(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _887.y[place(param_28, param_29)] = floatBitsToUint(two_1.y);
        }
    }
}

