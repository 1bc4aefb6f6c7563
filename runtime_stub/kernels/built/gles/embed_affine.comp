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

#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_4;
const bool _332 = (GROUP != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint SCALE_BITS = SPIRV_CROSS_CONSTANT_ID_5;
const bool _353 = (SCALE_BITS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint ZEROS = SPIRV_CROSS_CONSTANT_ID_6;
const bool _421 = (ZEROS == 1u);
#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 4u
#endif
const uint ZERO_BITS = SPIRV_CROSS_CONSTANT_ID_7;
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_3;
const uint _460 = (ZERO_BITS - BITS);
const uint _461 = (1u << _460);
const bool _466 = (ZEROS == 2u);
const uint _556 = (8u * BITS);
const bool _571 = (ZEROS == 0u);
const uint _594 = (8u * BITS);
const uint _595 = (_594 % 8u);
const bool _596 = (_595 != 0u);
const uint _611 = (8u * BITS);
const uint _615 = (8u * BITS);
const uint _621 = (8u * BITS);
const uint _635 = (8u * BITS);
const uint _657 = (8u * BITS);
const uint _658 = (_657 % 32u);
const bool _659 = (_658 == 0u);
const uint _660 = (8u * BITS);
const uint _661 = (_660 % 16u);
const bool _662 = (_661 == 0u);
const uint _663 = (8u * BITS);
const uint _664 = (_663 % 8u);
const bool _665 = (_664 == 0u);
const uint _666 = _665 ? 32u : 8u;
const uint _667 = _662 ? 16u : _666;
const uint _668 = _659 ? 8u : _667;
const uint _673 = (8u * BITS);
const uint _674 = (_673 % 32u);
const bool _675 = (_674 == 0u);
const uint _676 = (8u * BITS);
const uint _677 = (_676 % 16u);
const bool _678 = (_677 == 0u);
const uint _679 = (8u * BITS);
const uint _680 = (_679 % 8u);
const bool _681 = (_680 == 0u);
const uint _682 = _681 ? 32u : 8u;
const uint _683 = _678 ? 16u : _682;
const uint _684 = _675 ? 8u : _683;
const uint _685 = (8u * BITS);
const uint _686 = (_684 * _685);
const uint _688 = (_686 / 256u);
const uint _697 = (8u * BITS);
const uint _698 = (_697 % 32u);
const bool _699 = (_698 == 0u);
const uint _700 = (8u * BITS);
const uint _701 = (_700 % 16u);
const bool _702 = (_701 == 0u);
const uint _703 = (8u * BITS);
const uint _704 = (_703 % 8u);
const bool _705 = (_704 == 0u);
const uint _706 = _705 ? 32u : 8u;
const uint _707 = _702 ? 16u : _706;
const uint _708 = _699 ? 8u : _707;
const uint _709 = (8u * BITS);
const uint _710 = (_708 * _709);
const uint _711 = (_710 / 256u);
const uint _722 = (8u * BITS);
const uint _723 = (_722 % 8u);
const bool _724 = (_723 != 0u);
const bool _725 = (!_724);
const uint _728 = (8u * BITS);
const uint _729 = (_728 % 32u);
const bool _730 = (_729 == 0u);
const uint _731 = (8u * BITS);
const uint _732 = (_731 % 16u);
const bool _733 = (_732 == 0u);
const uint _734 = (8u * BITS);
const uint _735 = (_734 % 8u);
const bool _736 = (_735 == 0u);
const uint _737 = _736 ? 32u : 8u;
const uint _738 = _733 ? 16u : _737;
const uint _739 = _730 ? 8u : _738;
const bool _740 = (_739 == 8u);
const uint _766 = (8u * BITS);
const uint _770 = (8u * BITS);
const uint _776 = (8u * BITS);
const uint _787 = (8u * BITS);
const uint _817 = (8u * BITS);
const int _896 = int(BITS + 0u);
const bool _903 = (ZEROS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_1;
const bool _1012 = (ALIGNED != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _1086 = (Y_HALF != 0u);
const bool _1165 = (Y_HALF != 0u);

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
} _338;

layout(binding = 4, std430) readonly buffer Scales
{
    uint scales[];
} _359;

layout(binding = 6, std430) readonly buffer Supers
{
    uint supers[];
} _376;

layout(binding = 5, std430) readonly buffer Zeros
{
    uint zeros[];
} _427;

layout(binding = 3, std430) readonly buffer Codes
{
    uint codes[];
} _627;

layout(binding = 1, std430) readonly buffer Ids
{
    uint ids[];
} _953;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _1092;

uint table_of(uint first, uint row)
{
    return 0u;
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_596)
    {
        uint eight = (row * (_338.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _611) + (((eight & 31u) * _615) >> uint(5));
        uint shift = (eight * _621) & 31u;
        words[0] = _627.codes[at] >> shift;
        if ((shift + _635) > 32u)
        {
            words[0] |= (_627.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_338.columns / _668)) + step_) * _688;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _711; i++)
        {
            words[i] = _627.codes[at_1 + i];
        }
    }
}

uvec2 window(uint words[8], uint at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _503;
    if (i < 7u)
    {
        _503 = words[i + 1u];
    }
    else
    {
        _503 = 0u;
    }
    uvec2 out_ = uvec2(words[i], _503);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _537;
    if (i < 6u)
    {
        _537 = words[i + 2u];
    }
    else
    {
        _537 = 0u;
    }
    out_.y = (out_.y >> shift) | (_537 << (32u - shift));
    return out_;
}

int signed_in(uvec2 words, uint bits, uint j)
{
    uint at = j * bits;
    if ((at + bits) <= 32u)
    {
        return bitfieldExtract(int(words.x), int(at), int(bits));
    }
    if (at >= 32u)
    {
        return bitfieldExtract(int(words.y), int(at - 32u), int(bits));
    }
    return bitfieldExtract(int((words.x >> at) | (words.y << ((32u - at) & 31u))), 0, int(bits));
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

void numbers(uint words[8], uint sub, uint at, inout float v[8])
{
    uint param[8] = words;
    uint param_1 = sub * _556;
    uvec2 eight = window(param, param_1);
    float _572;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        if (_571)
        {
            uvec2 param_2 = eight;
            uint param_3 = BITS;
            uint param_4 = j;
            _572 = float(signed_in(param_2, param_3, param_4));
        }
        else
        {
            uvec2 param_5 = eight;
            uint param_6 = BITS;
            uint param_7 = j;
            _572 = float(code_in(param_5, param_6, param_7));
        }
        v[j] = _572;
    }
}

void load_eight(uint row, uint column, uint at, out float v[8])
{
    bool _741;
    if (_725)
    {
        _741 = _740;
    }
    else
    {
        _741 = _724;
    }
    uint words[8];
    if (_741)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        uint param_2[8];
        load_step(param, param_1, param_2);
        words = param_2;
    }
    else
    {
        uint eight = (row * (_338.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _766) + (((eight & 31u) * _770) >> uint(5));
        uint shift = (eight * _776) & 31u;
        words[0] = _627.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _787) > 32u)
        {
            uint next = _627.codes[word + 1u];
            uint _799;
            if (shift == 0u)
            {
                _799 = 0u;
            }
            else
            {
                _799 = next << (32u - shift);
            }
            words[0] |= _799;
            words[1] = next >> shift;
        }
        if ((shift + _817) > 64u)
        {
            words[1] |= (_627.codes[word + 2u] << (32u - shift));
        }
    }
    uint param_3[8] = words;
    uint param_4 = 0u;
    uint param_5 = at;
    float param_6[8];
    numbers(param_3, param_4, param_5, param_6);
    v = param_6;
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _141;
    if ((h & 32768u) != 0u)
    {
        _141 = -size;
    }
    else
    {
        _141 = size;
    }
    return _141;
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

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _180;
    if (x < 0.0)
    {
        _180 = -uintBitsToFloat(bits);
    }
    else
    {
        _180 = uintBitsToFloat(bits);
    }
    return _180;
}

vec2 level(uint row, uint column)
{
    uint at = row;
    if (_332)
    {
        at = (row * (((_338.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    vec2 both = vec2(0.0);
    if (_353)
    {
        uint param = _359.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = _376.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _394;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _394 = _359.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _394 = 0u;
        }
        uint param_4 = _359.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _394;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    if (_421)
    {
        uint _437;
        if ((((at * ZERO_BITS) & 31u) + ZERO_BITS) > 32u)
        {
            _437 = _427.zeros[((at * ZERO_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _437 = 0u;
        }
        uint param_9 = _427.zeros[(at * ZERO_BITS) >> uint(5)];
        uint param_10 = _437;
        uint param_11 = (at * ZERO_BITS) & 31u;
        uint param_12 = ZERO_BITS;
        float _462 = float(_461);
        both.y = float(code_of(param_9, param_10, param_11, param_12)) / _462;
    }
    if (_466)
    {
        uint param_13 = _427.zeros[at >> uint(1)];
        uint param_14 = at;
        both.y = exact_half(param_13, param_14);
    }
    return both;
}

uint place(uint token, uint column)
{
    return ((_338.y_at + (token * _338.y_token)) + ((column / _338.y_inner) * _338.y_outer)) + (column % _338.y_inner);
}

float weight_of(vec2 level_, float v)
{
    return (v - level_.y) * level_.x;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

float load_weight(uint row, uint column, uint at)
{
    uint _861;
    if ((((((row * _338.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _861 = _627.codes[((((row * _338.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _861 = 0u;
    }
    uint param = _627.codes[(((row * _338.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _861;
    uint param_2 = (((row * _338.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    int number = bitfieldExtract(int(code), 0, _896);
    uint param_4 = row;
    uint param_5 = column;
    float _904;
    if (_903)
    {
        _904 = float(number);
    }
    else
    {
        _904 = float(code);
    }
    vec2 param_6 = level(param_4, param_5);
    float param_7 = _904;
    return weight_of(param_6, param_7);
}

void main()
{
    uint token = gl_WorkGroupID.y;
    uint row = _953.ids[2u * (_338.ids_at + token)];
    bool _969 = _953.ids[(2u * (_338.ids_at + token)) + 1u] != 0u;
    bool _978;
    if (!_969)
    {
        _978 = row < _338.row_begin;
    }
    else
    {
        _978 = _969;
    }
    bool _987;
    if (!_978)
    {
        _987 = row >= _338.row_end;
    }
    else
    {
        _987 = _978;
    }
    if (_987)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    uint here = row - _338.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_1012)
    {
        float param_5[8];
        for (uint i = gl_GlobalInvocationID.x; i < (_338.columns >> uint(3)); i += stride)
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
                if (_1086)
                {
                    vec2 param_14 = two_;
                    _1092.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _1092.y[at_] = floatBitsToUint(two_.x);
                    _1092.y[at_ + 1u] = floatBitsToUint(two_.y);
                }
            }
        }
        return;
    }
    uint _1120 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _1120; column < _338.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17);
        if ((column + 1u) == _338.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _1092.y[place(param_18, param_19)] = floatBitsToUint(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        vec2 two_1 = vec2(first, load_weight(param_20, param_21, param_22));
        if (_1165)
        {
            uint param_23 = token;
            uint param_24 = column;
            vec2 param_25 = two_1;
            _1092.y[place(param_23, param_24) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _1092.y[place(param_26, param_27)] = floatBitsToUint(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _1092.y[place(param_28, param_29)] = floatBitsToUint(two_1.y);
        }
    }
}

