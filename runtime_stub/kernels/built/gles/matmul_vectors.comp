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
#define SPIRV_CROSS_CONSTANT_ID_11 4u
#endif
const uint WIDTH = SPIRV_CROSS_CONSTANT_ID_11;
#ifndef SPIRV_CROSS_CONSTANT_ID_10
#define SPIRV_CROSS_CONSTANT_ID_10 8u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_10;
const uint _347 = (WIDTH << BITS);
const uint _349 = (_347 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
#ifndef SPIRV_CROSS_CONSTANT_ID_12
#define SPIRV_CROSS_CONSTANT_ID_12 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_12;
const bool _375 = (GROUP != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_13
#define SPIRV_CROSS_CONSTANT_ID_13 0u
#endif
const uint SCALE_BITS = SPIRV_CROSS_CONSTANT_ID_13;
const bool _396 = (SCALE_BITS == 0u);
const uint _537 = (8u / WIDTH);
const uint _538 = (_537 * BITS);
const uint _562 = (WIDTH >> uint(1));
const uint _565 = (WIDTH >> uint(1));
const uint _586 = (8u / WIDTH);
const uint _587 = (_586 * BITS);
const uint _588 = (_587 % 8u);
const bool _589 = (_588 != 0u);
const uint _604 = (8u / WIDTH);
const uint _605 = (_604 * BITS);
const uint _609 = (8u / WIDTH);
const uint _610 = (_609 * BITS);
const uint _616 = (8u / WIDTH);
const uint _617 = (_616 * BITS);
const uint _631 = (8u / WIDTH);
const uint _632 = (_631 * BITS);
const uint _654 = (8u / WIDTH);
const uint _655 = (_654 * BITS);
const uint _656 = (_655 % 32u);
const bool _657 = (_656 == 0u);
const uint _658 = (8u / WIDTH);
const uint _659 = (_658 * BITS);
const uint _660 = (_659 % 16u);
const bool _661 = (_660 == 0u);
const uint _662 = (8u / WIDTH);
const uint _663 = (_662 * BITS);
const uint _664 = (_663 % 8u);
const bool _665 = (_664 == 0u);
const uint _666 = _665 ? 32u : 8u;
const uint _667 = _661 ? 16u : _666;
const uint _668 = _657 ? 8u : _667;
const uint _673 = (8u / WIDTH);
const uint _674 = (_673 * BITS);
const uint _675 = (_674 % 32u);
const bool _676 = (_675 == 0u);
const uint _677 = (8u / WIDTH);
const uint _678 = (_677 * BITS);
const uint _679 = (_678 % 16u);
const bool _680 = (_679 == 0u);
const uint _681 = (8u / WIDTH);
const uint _682 = (_681 * BITS);
const uint _683 = (_682 % 8u);
const bool _684 = (_683 == 0u);
const uint _685 = _684 ? 32u : 8u;
const uint _686 = _680 ? 16u : _685;
const uint _687 = _676 ? 8u : _686;
const uint _688 = (8u / WIDTH);
const uint _689 = (_688 * BITS);
const uint _690 = (_687 * _689);
const uint _692 = (_690 / 256u);
const uint _701 = (8u / WIDTH);
const uint _702 = (_701 * BITS);
const uint _703 = (_702 % 32u);
const bool _704 = (_703 == 0u);
const uint _705 = (8u / WIDTH);
const uint _706 = (_705 * BITS);
const uint _707 = (_706 % 16u);
const bool _708 = (_707 == 0u);
const uint _709 = (8u / WIDTH);
const uint _710 = (_709 * BITS);
const uint _711 = (_710 % 8u);
const bool _712 = (_711 == 0u);
const uint _713 = _712 ? 32u : 8u;
const uint _714 = _708 ? 16u : _713;
const uint _715 = _704 ? 8u : _714;
const uint _716 = (8u / WIDTH);
const uint _717 = (_716 * BITS);
const uint _718 = (_715 * _717);
const uint _719 = (_718 / 256u);
const uint _730 = (8u / WIDTH);
const uint _731 = (_730 * BITS);
const uint _732 = (_731 % 8u);
const bool _733 = (_732 != 0u);
const bool _734 = (!_733);
const uint _737 = (8u / WIDTH);
const uint _738 = (_737 * BITS);
const uint _739 = (_738 % 32u);
const bool _740 = (_739 == 0u);
const uint _741 = (8u / WIDTH);
const uint _742 = (_741 * BITS);
const uint _743 = (_742 % 16u);
const bool _744 = (_743 == 0u);
const uint _745 = (8u / WIDTH);
const uint _746 = (_745 * BITS);
const uint _747 = (_746 % 8u);
const bool _748 = (_747 == 0u);
const uint _749 = _748 ? 32u : 8u;
const uint _750 = _744 ? 16u : _749;
const uint _751 = _740 ? 8u : _750;
const bool _752 = (_751 == 8u);
const uint _778 = (8u / WIDTH);
const uint _779 = (_778 * BITS);
const uint _783 = (8u / WIDTH);
const uint _784 = (_783 * BITS);
const uint _790 = (8u / WIDTH);
const uint _791 = (_790 * BITS);
const uint _802 = (8u / WIDTH);
const uint _803 = (_802 * BITS);
const uint _833 = (8u / WIDTH);
const uint _834 = (_833 * BITS);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_3;
const bool _930 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _963 = (X_HALF != 0u);
const bool _1002 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_4;
const bool _1042 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_5;
const bool _1057 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_6;
const bool _1085 = (RESIDUAL_HALF != 0u);
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
const bool _1438 = (ALIGNED != 0u);
const bool _1541 = (ALIGNED != 0u);
const uint _1585 = gl_WorkGroupSize.x;
const uint _1586 = gl_WorkGroupSize.x;
const bool _1588 = (_1586 >= 128u);
const uint _1589 = _1588 ? 16u : 8u;
const uint _1590 = (_1585 / _1589);
const uint _1591 = (4u * _1590);
const uint _1595 = gl_WorkGroupSize.x;
const bool _1596 = (_1595 >= 128u);
const uint _1597 = _1596 ? 16u : 8u;
const uint _1602 = gl_WorkGroupSize.x;
const bool _1603 = (_1602 >= 128u);
const uint _1604 = _1603 ? 16u : 8u;
const uint _1614 = gl_WorkGroupSize.x;
const bool _1615 = (_1614 >= 128u);
const uint _1616 = _1615 ? 16u : 8u;
const uint _1617 = (4u * _1616);
const uint _1665 = gl_WorkGroupSize.x;
const bool _1666 = (_1665 >= 128u);
const uint _1667 = _1666 ? 16u : 8u;
const uint _1668 = (4u * _1667);
const uint _1669 = gl_WorkGroupSize.x;
const uint _1670 = gl_WorkGroupSize.x;
const bool _1671 = (_1670 >= 128u);
const uint _1672 = _1671 ? 16u : 8u;
const uint _1673 = (_1669 / _1672);
const uint _1674 = (4u * _1673);
const uint _1675 = (_1668 + _1674);
const uint _1676 = (2u * _1675);
const uint _1679 = gl_WorkGroupSize.x;
const bool _1680 = (_1679 >= 128u);
const uint _1681 = _1680 ? 16u : 8u;
const uint _1682 = (4u * _1681);
const uint _1683 = (2u * _1682);
const uint _1689 = gl_WorkGroupSize.x;
const bool _1690 = (_1689 >= 128u);
const uint _1691 = _1690 ? 16u : 8u;
const uint _1692 = (4u * _1691);
const uint _1696 = gl_WorkGroupSize.x;
const bool _1697 = (_1696 >= 128u);
const uint _1698 = _1697 ? 16u : 8u;
const uint _1699 = (4u * _1698);
const uint _1728 = gl_WorkGroupSize.x;
const bool _1729 = (_1728 >= 128u);
const uint _1730 = _1729 ? 16u : 8u;
const uint _1731 = (4u * _1730);
const uint _1732 = (_1731 / 4u);
const uint _1749 = gl_WorkGroupSize.x;
const bool _1750 = (_1749 >= 128u);
const uint _1751 = _1750 ? 16u : 8u;
const uint _1752 = (4u * _1751);
const uint _1753 = (2u * _1752);
const uint _1755 = gl_WorkGroupSize.x;
const uint _1756 = gl_WorkGroupSize.x;
const bool _1757 = (_1756 >= 128u);
const uint _1758 = _1757 ? 16u : 8u;
const uint _1759 = (_1755 / _1758);
const uint _1760 = (4u * _1759);
const uint _1764 = gl_WorkGroupSize.x;
const bool _1765 = (_1764 >= 128u);
const uint _1766 = _1765 ? 16u : 8u;
const uint _1767 = (4u * _1766);
const uint _1768 = (2u * _1767);
const uint _1770 = gl_WorkGroupSize.x;
const uint _1771 = gl_WorkGroupSize.x;
const bool _1772 = (_1771 >= 128u);
const uint _1773 = _1772 ? 16u : 8u;
const uint _1774 = (_1770 / _1773);
const uint _1775 = (4u * _1774);
const uint _1801 = gl_WorkGroupSize.x;
const uint _1802 = gl_WorkGroupSize.x;
const bool _1803 = (_1802 >= 128u);
const uint _1804 = _1803 ? 16u : 8u;
const uint _1805 = (_1801 / _1804);
const uint _1806 = (4u * _1805);
const uint _1807 = (_1806 / 4u);
const uint _1833 = gl_WorkGroupSize.x;
const bool _1834 = (_1833 >= 128u);
const uint _1835 = _1834 ? 16u : 8u;
const uint _1836 = (4u * _1835);
const uint _1837 = (_1836 / 4u);
const uint _1847 = gl_WorkGroupSize.x;
const uint _1848 = gl_WorkGroupSize.x;
const bool _1849 = (_1848 >= 128u);
const uint _1850 = _1849 ? 16u : 8u;
const uint _1851 = (_1847 / _1850);
const uint _1852 = (4u * _1851);
const uint _1853 = (_1852 / 4u);
const uint _1948 = gl_WorkGroupSize.x;
const bool _1949 = (_1948 >= 128u);
const uint _1950 = _1949 ? 16u : 8u;
const uint _1951 = (4u * _1950);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 8, std430) readonly buffer Table
{
    uint table[];
} _358;

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
} _381;

layout(binding = 9, std430) readonly buffer Scales
{
    uint scales[];
} _402;

layout(binding = 10, std430) readonly buffer Supers
{
    uint supers[];
} _417;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _623;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _970;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _1049;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _1092;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _1122;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _1161;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _1198;

shared uint book[1024];
shared vec4 w_tile[256];
shared vec4 x_tile[256];

void open_book()
{
    for (uint i = gl_LocalInvocationID.x; i < _349; i += gl_WorkGroupSize.x)
    {
        book[i] = _358.table[i];
    }
    barrier();
}

uint table_of(uint first, uint row)
{
    return 0u;
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_589)
    {
        uint eight = (row * (_381.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _605) + (((eight & 31u) * _610) >> uint(5));
        uint shift = (eight * _617) & 31u;
        words[0] = _623.codes[at] >> shift;
        if ((shift + _632) > 32u)
        {
            words[0] |= (_623.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_381.columns / _668)) + step_) * _692;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _719; i++)
        {
            words[i] = _623.codes[at_1 + i];
        }
    }
}

uvec2 window(uint words[8], uint at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _484;
    if (i < 7u)
    {
        _484 = words[i + 1u];
    }
    else
    {
        _484 = 0u;
    }
    uvec2 out_ = uvec2(words[i], _484);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _518;
    if (i < 6u)
    {
        _518 = words[i + 2u];
    }
    else
    {
        _518 = 0u;
    }
    out_.y = (out_.y >> shift) | (_518 << (32u - shift));
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

void numbers(uint words[8], uint sub, uint at, inout float v[8])
{
    uint param[8] = words;
    uint param_1 = sub * _538;
    uvec2 eight = window(param, param_1);
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 4u; j++)
    {
        uvec2 param_2 = eight;
        uint param_3 = BITS;
        uint param_4 = (2u * j) / WIDTH;
        uint pair = (code_in(param_2, param_3, param_4) * _562) + (j % _565);
        vec2 two = unpackHalf2x16(book[pair]);
        v[2u * j] = two.x;
        v[(2u * j) + 1u] = two.y;
    }
}

void load_eight(uint row, uint column, uint at, out float v[8])
{
    bool _753;
    if (_734)
    {
        _753 = _752;
    }
    else
    {
        _753 = _733;
    }
    uint words[8];
    if (_753)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        uint param_2[8];
        load_step(param, param_1, param_2);
        words = param_2;
    }
    else
    {
        uint eight = (row * (_381.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _779) + (((eight & 31u) * _784) >> uint(5));
        uint shift = (eight * _791) & 31u;
        words[0] = _623.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _803) > 32u)
        {
            uint next = _623.codes[word + 1u];
            uint _815;
            if (shift == 0u)
            {
                _815 = 0u;
            }
            else
            {
                _815 = next << (32u - shift);
            }
            words[0] |= _815;
            words[1] = next >> shift;
        }
        if ((shift + _834) > 64u)
        {
            words[1] |= (_623.codes[word + 2u] << (32u - shift));
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
    float _194;
    if ((h & 32768u) != 0u)
    {
        _194 = -size;
    }
    else
    {
        _194 = size;
    }
    return _194;
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
    float _233;
    if (x < 0.0)
    {
        _233 = -uintBitsToFloat(bits);
    }
    else
    {
        _233 = uintBitsToFloat(bits);
    }
    return _233;
}

vec2 level(uint row, uint column)
{
    uint at = row;
    if (_375)
    {
        at = (row * (((_381.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    vec2 both = vec2(0.0);
    if (_396)
    {
        uint param = _402.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = _417.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _436;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _436 = _402.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _436 = 0u;
        }
        uint param_4 = _402.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _436;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    return both;
}

float weight_of(vec2 level_, float v)
{
    return v * level_.x;
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _146;
    if ((index & 1u) == 0u)
    {
        _146 = both.x;
    }
    else
    {
        _146 = both.y;
    }
    return _146;
}

float load_weight(uint row, uint column, uint at)
{
    uint index = (row * (_381.columns / WIDTH)) + (column / WIDTH);
    uint _877;
    if ((((index * BITS) & 31u) + BITS) > 32u)
    {
        _877 = _623.codes[((index * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _877 = 0u;
    }
    uint param = _623.codes[(index * BITS) >> uint(5)];
    uint param_1 = _877;
    uint param_2 = (index * BITS) & 31u;
    uint param_3 = BITS;
    uint found = (code_of(param, param_1, param_2, param_3) * WIDTH) + (column % WIDTH);
    uint param_4 = row;
    uint param_5 = column;
    uint param_6 = book[found >> uint(1)];
    uint param_7 = found;
    vec2 param_8 = level(param_4, param_5);
    float param_9 = half_in(param_6, param_7);
    return weight_of(param_8, param_9);
}

void fetch_weights(uint row, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1419 = row >= _381.row_end;
    bool _1427;
    if (!_1419)
    {
        _1427 = column >= _381.columns;
    }
    else
    {
        _1427 = _1419;
    }
    if (_1427)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    if (_1438)
    {
        uint param_2 = row - _381.held;
        uint param_3 = column;
        uint param_4 = at;
        float param_5[8];
        load_eight(param_2, param_3, param_4, param_5);
        v = param_5;
        uint param_6 = row - _381.held;
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
    uint count = min(8u, (_381.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - _381.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12);
    }
}

uint x_place(uint token, uint column)
{
    uint at = _381.x_at + (token * _381.x_token);
    uint _931;
    if (_930)
    {
        _931 = at + column;
    }
    else
    {
        _931 = (at + ((column / _381.x_inner) * _381.x_outer)) + (column % _381.x_inner);
    }
    return _931;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _1003;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_1002)
        {
            _1003 = unpackHalf2x16(_970.x[(at + j) >> uint(1)]);
        }
        else
        {
            _1003 = vec2(uintBitsToFloat(_970.x[at + j]), uintBitsToFloat(_970.x[(at + j) + 1u]));
        }
        vec2 two = _1003;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

float load_x(uint token, uint column)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    float _964;
    if (_963)
    {
        uint param_2 = _970.x[at >> uint(1)];
        uint param_3 = at;
        _964 = half_in(param_2, param_3);
    }
    else
    {
        _964 = uintBitsToFloat(_970.x[at]);
    }
    return _964;
}

void fetch_x(uint token, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1529 = token >= _381.tokens;
    bool _1537;
    if (!_1529)
    {
        _1537 = column >= _381.columns;
    }
    else
    {
        _1537 = _1529;
    }
    if (_1537)
    {
        return;
    }
    if (_1541)
    {
        uint param = token;
        uint param_1 = column;
        float param_2[8];
        load_x8(param, param_1, param_2);
        v = param_2;
        return;
    }
    uint count = min(8u, (_381.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4);
    }
}

float added(uint token, uint row)
{
    float _1043;
    if (_1042)
    {
        _1043 = uintBitsToFloat(_1049.bias[row]);
    }
    else
    {
        _1043 = 0.0;
    }
    float sum = _1043;
    if (_1057)
    {
        uint at = ((_381.residual_at + (token * _381.residual_token)) + ((row / _381.residual_inner) * _381.residual_outer)) + (row % _381.residual_inner);
        float _1086;
        if (_1085)
        {
            uint param = _1092.residual[at >> uint(1)];
            uint param_1 = at;
            _1086 = half_in(param, param_1);
        }
        else
        {
            _1086 = uintBitsToFloat(_1092.residual[at]);
        }
        sum += _1086;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _381.end0)
    {
        _1122.y0[((_381.y0_at + (token * _381.y0_token)) + ((row / _381.y0_inner) * _381.y0_outer)) + (row % _381.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _381.end1)
        {
            _1161.y1[((_381.y1_at + (token * _381.y1_token)) + (((row - _381.end0) / _381.y1_inner) * _381.y1_outer)) + ((row - _381.end0) % _381.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _1198.y2[((_381.y2_at + (token * _381.y2_token)) + (((row - _381.end1) / _381.y2_inner) * _381.y2_outer)) + ((row - _381.end1) % _381.y2_inner)] = floatBitsToUint(v);
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
    bool two = (row + 1u) < _381.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _1267;
    if (row < _381.end0)
    {
        _1267 = Y0_HALF;
    }
    else
    {
        _1267 = (row < _381.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1267;
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
    if (row < _381.end0)
    {
        _1122.y0[(((_381.y0_at + (token * _381.y0_token)) + ((row / _381.y0_inner) * _381.y0_outer)) + (row % _381.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _381.end1)
        {
            _1161.y1[(((_381.y1_at + (token * _381.y1_token)) + (((row - _381.end0) / _381.y1_inner) * _381.y1_outer)) + ((row - _381.end0) % _381.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _1198.y2[(((_381.y2_at + (token * _381.y2_token)) + (((row - _381.end1) / _381.y2_inner) * _381.y2_outer)) + ((row - _381.end1) % _381.y2_inner)) >> uint(1)] = word;
        }
    }
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1591;
    uint my_row = 4u * (thread % _1597);
    uint my_token = 4u * (thread / _1604);
    open_book();
    uint _1619 = _381.row_begin + (gl_WorkGroupID.x * _1617);
    vec4 acc[4];
    float v[8];
    float param_2[8];
    float param_5[8];
    for (uint row0 = _1619; row0 < _381.row_end; row0 += (gl_NumWorkGroups.x * _1951))
    {
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = vec4(0.0);
        }
        for (uint column0 = 0u; column0 < _381.columns; column0 += 16u)
        {
            for (uint i_1 = thread; i_1 < _1676; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1683)
                {
                    uint row = i_1 % _1692;
                    uint k = 8u * (i_1 / _1699);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2);
                    v = param_2;
                    SPIRV_CROSS_UNROLL
                    for (uint j = 0u; j < 8u; j++)
                    {
                        w_tile[((k + j) * _1732) + (row / 4u)][row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1753) % _1760;
                    uint k_1 = 8u * ((i_1 - _1768) / _1775);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5);
                    v = param_5;
                    SPIRV_CROSS_UNROLL
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        x_tile[((k_1 + j_1) * _1807) + (token / 4u)][token % 4u] = v[j_1];
                    }
                }
            }
            barrier();
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                vec4 w4 = w_tile[(k_2 * _1837) + (my_row / 4u)];
                vec4 x4 = x_tile[(k_2 * _1853) + (my_token / 4u)];
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
            if (token_1 >= _381.tokens)
            {
                continue;
            }
            if (row_1 < _381.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                vec2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8);
            }
            if ((row_1 + 2u) < _381.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                vec2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11);
            }
        }
    }
}

