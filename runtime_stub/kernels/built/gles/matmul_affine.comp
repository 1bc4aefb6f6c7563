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

#ifndef SPIRV_CROSS_CONSTANT_ID_11
#define SPIRV_CROSS_CONSTANT_ID_11 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_11;
const bool _391 = (GROUP != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_12
#define SPIRV_CROSS_CONSTANT_ID_12 0u
#endif
const uint SCALE_BITS = SPIRV_CROSS_CONSTANT_ID_12;
const bool _412 = (SCALE_BITS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_13
#define SPIRV_CROSS_CONSTANT_ID_13 0u
#endif
const uint ZEROS = SPIRV_CROSS_CONSTANT_ID_13;
const bool _481 = (ZEROS == 1u);
#ifndef SPIRV_CROSS_CONSTANT_ID_14
#define SPIRV_CROSS_CONSTANT_ID_14 4u
#endif
const uint ZERO_BITS = SPIRV_CROSS_CONSTANT_ID_14;
#ifndef SPIRV_CROSS_CONSTANT_ID_10
#define SPIRV_CROSS_CONSTANT_ID_10 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_10;
const uint _520 = (ZERO_BITS - BITS);
const uint _521 = (1u << _520);
const bool _526 = (ZEROS == 2u);
const uint _616 = (8u * BITS);
const bool _631 = (ZEROS == 0u);
const uint _654 = (8u * BITS);
const uint _655 = (_654 % 8u);
const bool _656 = (_655 != 0u);
const uint _671 = (8u * BITS);
const uint _675 = (8u * BITS);
const uint _681 = (8u * BITS);
const uint _695 = (8u * BITS);
const uint _717 = (8u * BITS);
const uint _718 = (_717 % 32u);
const bool _719 = (_718 == 0u);
const uint _720 = (8u * BITS);
const uint _721 = (_720 % 16u);
const bool _722 = (_721 == 0u);
const uint _723 = (8u * BITS);
const uint _724 = (_723 % 8u);
const bool _725 = (_724 == 0u);
const uint _726 = _725 ? 32u : 8u;
const uint _727 = _722 ? 16u : _726;
const uint _728 = _719 ? 8u : _727;
const uint _733 = (8u * BITS);
const uint _734 = (_733 % 32u);
const bool _735 = (_734 == 0u);
const uint _736 = (8u * BITS);
const uint _737 = (_736 % 16u);
const bool _738 = (_737 == 0u);
const uint _739 = (8u * BITS);
const uint _740 = (_739 % 8u);
const bool _741 = (_740 == 0u);
const uint _742 = _741 ? 32u : 8u;
const uint _743 = _738 ? 16u : _742;
const uint _744 = _735 ? 8u : _743;
const uint _745 = (8u * BITS);
const uint _746 = (_744 * _745);
const uint _748 = (_746 / 256u);
const uint _757 = (8u * BITS);
const uint _758 = (_757 % 32u);
const bool _759 = (_758 == 0u);
const uint _760 = (8u * BITS);
const uint _761 = (_760 % 16u);
const bool _762 = (_761 == 0u);
const uint _763 = (8u * BITS);
const uint _764 = (_763 % 8u);
const bool _765 = (_764 == 0u);
const uint _766 = _765 ? 32u : 8u;
const uint _767 = _762 ? 16u : _766;
const uint _768 = _759 ? 8u : _767;
const uint _769 = (8u * BITS);
const uint _770 = (_768 * _769);
const uint _771 = (_770 / 256u);
const uint _782 = (8u * BITS);
const uint _783 = (_782 % 8u);
const bool _784 = (_783 != 0u);
const bool _785 = (!_784);
const uint _788 = (8u * BITS);
const uint _789 = (_788 % 32u);
const bool _790 = (_789 == 0u);
const uint _791 = (8u * BITS);
const uint _792 = (_791 % 16u);
const bool _793 = (_792 == 0u);
const uint _794 = (8u * BITS);
const uint _795 = (_794 % 8u);
const bool _796 = (_795 == 0u);
const uint _797 = _796 ? 32u : 8u;
const uint _798 = _793 ? 16u : _797;
const uint _799 = _790 ? 8u : _798;
const bool _800 = (_799 == 8u);
const uint _826 = (8u * BITS);
const uint _830 = (8u * BITS);
const uint _836 = (8u * BITS);
const uint _847 = (8u * BITS);
const uint _877 = (8u * BITS);
const int _956 = int(BITS + 0u);
const bool _963 = (ZEROS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_3;
const bool _988 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _1021 = (X_HALF != 0u);
const bool _1060 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_4;
const bool _1100 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_5;
const bool _1115 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_6;
const bool _1143 = (RESIDUAL_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 1u
#endif
const uint Y0_HALF = SPIRV_CROSS_CONSTANT_ID_7;
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 1u
#endif
const uint Y1_HALF = SPIRV_CROSS_CONSTANT_ID_8;
#ifndef SPIRV_CROSS_CONSTANT_ID_9
#define SPIRV_CROSS_CONSTANT_ID_9 1u
#endif
const uint Y2_HALF = SPIRV_CROSS_CONSTANT_ID_9;
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_1;
const bool _1496 = (ALIGNED != 0u);
const bool _1599 = (ALIGNED != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _1650 = gl_WorkGroupSize.x;
const uint _1651 = gl_WorkGroupSize.x;
const bool _1653 = (_1651 >= 128u);
const uint _1654 = _1653 ? 16u : 8u;
const uint _1655 = (_1650 / _1654);
const uint _1656 = (4u * _1655);
const uint _1660 = gl_WorkGroupSize.x;
const bool _1661 = (_1660 >= 128u);
const uint _1662 = _1661 ? 16u : 8u;
const uint _1667 = gl_WorkGroupSize.x;
const bool _1668 = (_1667 >= 128u);
const uint _1669 = _1668 ? 16u : 8u;
const uint _1679 = gl_WorkGroupSize.x;
const bool _1680 = (_1679 >= 128u);
const uint _1681 = _1680 ? 16u : 8u;
const uint _1682 = (4u * _1681);
const uint _1730 = gl_WorkGroupSize.x;
const bool _1731 = (_1730 >= 128u);
const uint _1732 = _1731 ? 16u : 8u;
const uint _1733 = (4u * _1732);
const uint _1734 = gl_WorkGroupSize.x;
const uint _1735 = gl_WorkGroupSize.x;
const bool _1736 = (_1735 >= 128u);
const uint _1737 = _1736 ? 16u : 8u;
const uint _1738 = (_1734 / _1737);
const uint _1739 = (4u * _1738);
const uint _1740 = (_1733 + _1739);
const uint _1741 = (2u * _1740);
const uint _1744 = gl_WorkGroupSize.x;
const bool _1745 = (_1744 >= 128u);
const uint _1746 = _1745 ? 16u : 8u;
const uint _1747 = (4u * _1746);
const uint _1748 = (2u * _1747);
const uint _1754 = gl_WorkGroupSize.x;
const bool _1755 = (_1754 >= 128u);
const uint _1756 = _1755 ? 16u : 8u;
const uint _1757 = (4u * _1756);
const uint _1761 = gl_WorkGroupSize.x;
const bool _1762 = (_1761 >= 128u);
const uint _1763 = _1762 ? 16u : 8u;
const uint _1764 = (4u * _1763);
const uint _1793 = gl_WorkGroupSize.x;
const bool _1794 = (_1793 >= 128u);
const uint _1795 = _1794 ? 16u : 8u;
const uint _1796 = (4u * _1795);
const uint _1797 = (_1796 / 4u);
const uint _1814 = gl_WorkGroupSize.x;
const bool _1815 = (_1814 >= 128u);
const uint _1816 = _1815 ? 16u : 8u;
const uint _1817 = (4u * _1816);
const uint _1818 = (2u * _1817);
const uint _1820 = gl_WorkGroupSize.x;
const uint _1821 = gl_WorkGroupSize.x;
const bool _1822 = (_1821 >= 128u);
const uint _1823 = _1822 ? 16u : 8u;
const uint _1824 = (_1820 / _1823);
const uint _1825 = (4u * _1824);
const uint _1829 = gl_WorkGroupSize.x;
const bool _1830 = (_1829 >= 128u);
const uint _1831 = _1830 ? 16u : 8u;
const uint _1832 = (4u * _1831);
const uint _1833 = (2u * _1832);
const uint _1835 = gl_WorkGroupSize.x;
const uint _1836 = gl_WorkGroupSize.x;
const bool _1837 = (_1836 >= 128u);
const uint _1838 = _1837 ? 16u : 8u;
const uint _1839 = (_1835 / _1838);
const uint _1840 = (4u * _1839);
const uint _1866 = gl_WorkGroupSize.x;
const uint _1867 = gl_WorkGroupSize.x;
const bool _1868 = (_1867 >= 128u);
const uint _1869 = _1868 ? 16u : 8u;
const uint _1870 = (_1866 / _1869);
const uint _1871 = (4u * _1870);
const uint _1872 = (_1871 / 4u);
const uint _1899 = gl_WorkGroupSize.x;
const bool _1900 = (_1899 >= 128u);
const uint _1901 = _1900 ? 16u : 8u;
const uint _1902 = (4u * _1901);
const uint _1903 = (_1902 / 4u);
const uint _1913 = gl_WorkGroupSize.x;
const uint _1914 = gl_WorkGroupSize.x;
const bool _1915 = (_1914 >= 128u);
const uint _1916 = _1915 ? 16u : 8u;
const uint _1917 = (_1913 / _1916);
const uint _1918 = (4u * _1917);
const uint _1919 = (_1918 / 4u);
const uint _2014 = gl_WorkGroupSize.x;
const bool _2015 = (_2014 >= 128u);
const uint _2016 = _2015 ? 16u : 8u;
const uint _2017 = (4u * _2016);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint tokens;
    uint x_at;
    uint x_token;
    uint x_inner;
    uint x_outer;
    uint residual_at;
    uint residual_token;
    uint residual_inner;
    uint residual_outer;
    uint y0_at;
    uint y0_token;
    uint y0_inner;
    uint y0_outer;
    uint y1_at;
    uint y1_token;
    uint y1_inner;
    uint y1_outer;
    uint y2_at;
    uint y2_token;
    uint y2_inner;
    uint y2_outer;
    uint end0;
    uint end1;
    uint columns;
    uint row_begin;
    uint row_end;
    uint held;
} _397;

layout(binding = 8, std430) readonly buffer Scales
{
    uint scales[];
} _418;

layout(binding = 10, std430) readonly buffer Supers
{
    uint supers[];
} _435;

layout(binding = 9, std430) readonly buffer Zeros
{
    uint zeros[];
} _487;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _687;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _1028;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _1107;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _1150;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _1180;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _1219;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _1256;

shared vec4 w_tile[256];
shared vec4 x_tile[256];

void open_book()
{
}

uint table_of(uint first, uint row)
{
    return 0u;
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_656)
    {
        uint eight = (row * (_397.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _671) + (((eight & 31u) * _675) >> uint(5));
        uint shift = (eight * _681) & 31u;
        words[0] = _687.codes[at] >> shift;
        if ((shift + _695) > 32u)
        {
            words[0] |= (_687.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_397.columns / _728)) + step_) * _748;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _771; i++)
        {
            words[i] = _687.codes[at_1 + i];
        }
    }
}

uvec2 window(uint words[8], uint at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _563;
    if (i < 7u)
    {
        _563 = words[i + 1u];
    }
    else
    {
        _563 = 0u;
    }
    uvec2 out_ = uvec2(words[i], _563);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _597;
    if (i < 6u)
    {
        _597 = words[i + 2u];
    }
    else
    {
        _597 = 0u;
    }
    out_.y = (out_.y >> shift) | (_597 << (32u - shift));
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
    uint param_1 = sub * _616;
    uvec2 eight = window(param, param_1);
    float _632;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        if (_631)
        {
            uvec2 param_2 = eight;
            uint param_3 = BITS;
            uint param_4 = j;
            _632 = float(signed_in(param_2, param_3, param_4));
        }
        else
        {
            uvec2 param_5 = eight;
            uint param_6 = BITS;
            uint param_7 = j;
            _632 = float(code_in(param_5, param_6, param_7));
        }
        v[j] = _632;
    }
}

void load_eight(uint row, uint column, uint at, out float v[8])
{
    bool _801;
    if (_785)
    {
        _801 = _800;
    }
    else
    {
        _801 = _784;
    }
    uint words[8];
    if (_801)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        uint param_2[8];
        load_step(param, param_1, param_2);
        words = param_2;
    }
    else
    {
        uint eight = (row * (_397.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _826) + (((eight & 31u) * _830) >> uint(5));
        uint shift = (eight * _836) & 31u;
        words[0] = _687.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _847) > 32u)
        {
            uint next = _687.codes[word + 1u];
            uint _859;
            if (shift == 0u)
            {
                _859 = 0u;
            }
            else
            {
                _859 = next << (32u - shift);
            }
            words[0] |= _859;
            words[1] = next >> shift;
        }
        if ((shift + _877) > 64u)
        {
            words[1] |= (_687.codes[word + 2u] << (32u - shift));
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
    float _200;
    if ((h & 32768u) != 0u)
    {
        _200 = -size;
    }
    else
    {
        _200 = size;
    }
    return _200;
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
    float _239;
    if (x < 0.0)
    {
        _239 = -uintBitsToFloat(bits);
    }
    else
    {
        _239 = uintBitsToFloat(bits);
    }
    return _239;
}

vec2 level(uint row, uint column)
{
    uint at = row;
    if (_391)
    {
        at = (row * (((_397.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    vec2 both = vec2(0.0);
    if (_412)
    {
        uint param = _418.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = _435.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _454;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _454 = _418.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _454 = 0u;
        }
        uint param_4 = _418.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _454;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    if (_481)
    {
        uint _497;
        if ((((at * ZERO_BITS) & 31u) + ZERO_BITS) > 32u)
        {
            _497 = _487.zeros[((at * ZERO_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _497 = 0u;
        }
        uint param_9 = _487.zeros[(at * ZERO_BITS) >> uint(5)];
        uint param_10 = _497;
        uint param_11 = (at * ZERO_BITS) & 31u;
        uint param_12 = ZERO_BITS;
        float _522 = float(_521);
        both.y = float(code_of(param_9, param_10, param_11, param_12)) / _522;
    }
    if (_526)
    {
        uint param_13 = _487.zeros[at >> uint(1)];
        uint param_14 = at;
        both.y = exact_half(param_13, param_14);
    }
    return both;
}

float weight_of(vec2 level_, float v)
{
    return (v - level_.y) * level_.x;
}

float load_weight(uint row, uint column, uint at)
{
    uint _921;
    if ((((((row * _397.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _921 = _687.codes[((((row * _397.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _921 = 0u;
    }
    uint param = _687.codes[(((row * _397.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _921;
    uint param_2 = (((row * _397.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    int number = bitfieldExtract(int(code), 0, _956);
    uint param_4 = row;
    uint param_5 = column;
    float _964;
    if (_963)
    {
        _964 = float(number);
    }
    else
    {
        _964 = float(code);
    }
    vec2 param_6 = level(param_4, param_5);
    float param_7 = _964;
    return weight_of(param_6, param_7);
}

void fetch_weights(uint row, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1477 = row >= _397.row_end;
    bool _1485;
    if (!_1477)
    {
        _1485 = column >= _397.columns;
    }
    else
    {
        _1485 = _1477;
    }
    if (_1485)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    if (_1496)
    {
        uint param_2 = row - _397.held;
        uint param_3 = column;
        uint param_4 = at;
        float param_5[8];
        load_eight(param_2, param_3, param_4, param_5);
        v = param_5;
        uint param_6 = row - _397.held;
        uint param_7 = column;
        vec2 found = level(param_6, param_7);
        SPIRV_CROSS_UNROLL
        for (uint j_1 = 0u; j_1 < 8u; j_1++)
        {
            vec2 param_8 = found;
            float param_9 = v[j_1];
            v[j_1] = weight_of(param_8, param_9);
        }
        return;
    }
    uint count = min(8u, (_397.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - _397.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12);
    }
}

uint x_place(uint token, uint column)
{
    uint at = _397.x_at + (token * _397.x_token);
    uint _989;
    if (_988)
    {
        _989 = at + column;
    }
    else
    {
        _989 = (at + ((column / _397.x_inner) * _397.x_outer)) + (column % _397.x_inner);
    }
    return _989;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _1061;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_1060)
        {
            _1061 = unpackHalf2x16(_1028.x[(at + j) >> uint(1)]);
        }
        else
        {
            _1061 = vec2(uintBitsToFloat(_1028.x[at + j]), uintBitsToFloat(_1028.x[(at + j) + 1u]));
        }
        vec2 two = _1061;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _153;
    if ((index & 1u) == 0u)
    {
        _153 = both.x;
    }
    else
    {
        _153 = both.y;
    }
    return _153;
}

float load_x(uint token, uint column)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    float _1022;
    if (_1021)
    {
        uint param_2 = _1028.x[at >> uint(1)];
        uint param_3 = at;
        _1022 = half_in(param_2, param_3);
    }
    else
    {
        _1022 = uintBitsToFloat(_1028.x[at]);
    }
    return _1022;
}

void fetch_x(uint token, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1587 = token >= _397.tokens;
    bool _1595;
    if (!_1587)
    {
        _1595 = column >= _397.columns;
    }
    else
    {
        _1595 = _1587;
    }
    if (_1595)
    {
        return;
    }
    if (_1599)
    {
        uint param = token;
        uint param_1 = column;
        float param_2[8];
        load_x8(param, param_1, param_2);
        v = param_2;
        return;
    }
    uint count = min(8u, (_397.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4);
    }
}

float added(uint token, uint row)
{
    float _1101;
    if (_1100)
    {
        _1101 = uintBitsToFloat(_1107.bias[row]);
    }
    else
    {
        _1101 = 0.0;
    }
    float sum = _1101;
    if (_1115)
    {
        uint at = ((_397.residual_at + (token * _397.residual_token)) + ((row / _397.residual_inner) * _397.residual_outer)) + (row % _397.residual_inner);
        float _1144;
        if (_1143)
        {
            uint param = _1150.residual[at >> uint(1)];
            uint param_1 = at;
            _1144 = half_in(param, param_1);
        }
        else
        {
            _1144 = uintBitsToFloat(_1150.residual[at]);
        }
        sum += _1144;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _397.end0)
    {
        _1180.y0[((_397.y0_at + (token * _397.y0_token)) + ((row / _397.y0_inner) * _397.y0_outer)) + (row % _397.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _397.end1)
        {
            _1219.y1[((_397.y1_at + (token * _397.y1_token)) + (((row - _397.end0) / _397.y1_inner) * _397.y1_outer)) + ((row - _397.end0) % _397.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _1256.y2[((_397.y2_at + (token * _397.y2_token)) + (((row - _397.end1) / _397.y2_inner) * _397.y2_outer)) + ((row - _397.end1) % _397.y2_inner)] = floatBitsToUint(v);
        }
    }
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void store_rows(uint token, uint row, inout vec2 v)
{
    bool two = (row + 1u) < _397.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _1325;
    if (row < _397.end0)
    {
        _1325 = Y0_HALF;
    }
    else
    {
        _1325 = (row < _397.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1325;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9);
        }
        return;
    }
    vec2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < _397.end0)
    {
        _1180.y0[(((_397.y0_at + (token * _397.y0_token)) + ((row / _397.y0_inner) * _397.y0_outer)) + (row % _397.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _397.end1)
        {
            _1219.y1[(((_397.y1_at + (token * _397.y1_token)) + (((row - _397.end0) / _397.y1_inner) * _397.y1_outer)) + ((row - _397.end0) % _397.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _1256.y2[(((_397.y2_at + (token * _397.y2_token)) + (((row - _397.end1) / _397.y2_inner) * _397.y2_outer)) + ((row - _397.end1) % _397.y2_inner)) >> uint(1)] = word;
        }
    }
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1656;
    uint my_row = 4u * (thread % _1662);
    uint my_token = 4u * (thread / _1669);
    open_book();
    uint _1684 = _397.row_begin + (gl_WorkGroupID.x * _1682);
    vec4 acc[4];
    float v[8];
    float param_2[8];
    float param_5[8];
    for (uint row0 = _1684; row0 < _397.row_end; row0 += (gl_NumWorkGroups.x * _2017))
    {
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = vec4(0.0);
        }
        for (uint column0 = 0u; column0 < _397.columns; column0 += 16u)
        {
            for (uint i_1 = thread; i_1 < _1741; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1748)
                {
                    uint row = i_1 % _1757;
                    uint k = 8u * (i_1 / _1764);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2);
                    v = param_2;
                    SPIRV_CROSS_UNROLL
                    for (uint j = 0u; j < 8u; j++)
                    {
                        w_tile[((k + j) * _1797) + (row / 4u)][row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1818) % _1825;
                    uint k_1 = 8u * ((i_1 - _1833) / _1840);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5);
                    v = param_5;
                    SPIRV_CROSS_UNROLL
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        x_tile[((k_1 + j_1) * _1872) + (token / 4u)][token % 4u] = v[j_1];
                    }
                }
            }
            barrier();
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                vec4 w4 = w_tile[(k_2 * _1903) + (my_row / 4u)];
                vec4 x4 = x_tile[(k_2 * _1919) + (my_token / 4u)];
                SPIRV_CROSS_UNROLL
                for (uint i_2 = 0u; i_2 < 4u; i_2++)
                {
                    acc[i_2] += (w4 * x4[i_2]);
                }
            }
            barrier();
        }
        uint row_1 = row0 + my_row;
        SPIRV_CROSS_UNROLL
        for (uint i_3 = 0u; i_3 < 4u; i_3++)
        {
            uint token_1 = (token0 + my_token) + i_3;
            if (token_1 >= _397.tokens)
            {
                continue;
            }
            if (row_1 < _397.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                vec2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8);
            }
            if ((row_1 + 2u) < _397.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                vec2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11);
            }
        }
    }
}

