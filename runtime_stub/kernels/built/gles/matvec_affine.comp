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

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _295 = gl_WorkGroupSize.x;
const uint _297 = (_295 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_13
#define SPIRV_CROSS_CONSTANT_ID_13 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_13;
const bool _457 = (GROUP != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_14
#define SPIRV_CROSS_CONSTANT_ID_14 0u
#endif
const uint SCALE_BITS = SPIRV_CROSS_CONSTANT_ID_14;
const bool _478 = (SCALE_BITS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_15
#define SPIRV_CROSS_CONSTANT_ID_15 0u
#endif
const uint ZEROS = SPIRV_CROSS_CONSTANT_ID_15;
const bool _546 = (ZEROS == 1u);
#ifndef SPIRV_CROSS_CONSTANT_ID_16
#define SPIRV_CROSS_CONSTANT_ID_16 4u
#endif
const uint ZERO_BITS = SPIRV_CROSS_CONSTANT_ID_16;
#ifndef SPIRV_CROSS_CONSTANT_ID_12
#define SPIRV_CROSS_CONSTANT_ID_12 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_12;
const uint _585 = (ZERO_BITS - BITS);
const uint _586 = (1u << _585);
const bool _590 = (ZEROS == 2u);
const bool _616 = (ZEROS == 0u);
const uint _698 = (8u * BITS);
const bool _713 = (ZEROS == 0u);
const uint _736 = (8u * BITS);
const uint _737 = (_736 % 8u);
const bool _738 = (_737 != 0u);
const uint _753 = (8u * BITS);
const uint _757 = (8u * BITS);
const uint _763 = (8u * BITS);
const uint _777 = (8u * BITS);
const uint _799 = (8u * BITS);
const uint _800 = (_799 % 32u);
const bool _801 = (_800 == 0u);
const uint _802 = (8u * BITS);
const uint _803 = (_802 % 16u);
const bool _804 = (_803 == 0u);
const uint _805 = (8u * BITS);
const uint _806 = (_805 % 8u);
const bool _807 = (_806 == 0u);
const uint _808 = _807 ? 32u : 8u;
const uint _809 = _804 ? 16u : _808;
const uint _810 = _801 ? 8u : _809;
const uint _815 = (8u * BITS);
const uint _816 = (_815 % 32u);
const bool _817 = (_816 == 0u);
const uint _818 = (8u * BITS);
const uint _819 = (_818 % 16u);
const bool _820 = (_819 == 0u);
const uint _821 = (8u * BITS);
const uint _822 = (_821 % 8u);
const bool _823 = (_822 == 0u);
const uint _824 = _823 ? 32u : 8u;
const uint _825 = _820 ? 16u : _824;
const uint _826 = _817 ? 8u : _825;
const uint _827 = (8u * BITS);
const uint _828 = (_826 * _827);
const uint _829 = (_828 / 256u);
const uint _838 = (8u * BITS);
const uint _839 = (_838 % 32u);
const bool _840 = (_839 == 0u);
const uint _841 = (8u * BITS);
const uint _842 = (_841 % 16u);
const bool _843 = (_842 == 0u);
const uint _844 = (8u * BITS);
const uint _845 = (_844 % 8u);
const bool _846 = (_845 == 0u);
const uint _847 = _846 ? 32u : 8u;
const uint _848 = _843 ? 16u : _847;
const uint _849 = _840 ? 8u : _848;
const uint _850 = (8u * BITS);
const uint _851 = (_849 * _850);
const uint _852 = (_851 / 256u);
const int _917 = int(BITS + 0u);
const bool _924 = (ZEROS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_5;
const bool _949 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _982 = (X_HALF != 0u);
const bool _1021 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_6;
const bool _1061 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_7;
const bool _1076 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_8;
const bool _1104 = (RESIDUAL_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_9
#define SPIRV_CROSS_CONSTANT_ID_9 1u
#endif
const uint Y0_HALF = SPIRV_CROSS_CONSTANT_ID_9;
#ifndef SPIRV_CROSS_CONSTANT_ID_10
#define SPIRV_CROSS_CONSTANT_ID_10 1u
#endif
const uint Y1_HALF = SPIRV_CROSS_CONSTANT_ID_10;
#ifndef SPIRV_CROSS_CONSTANT_ID_11
#define SPIRV_CROSS_CONSTANT_ID_11 1u
#endif
const uint Y2_HALF = SPIRV_CROSS_CONSTANT_ID_11;
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 4u
#endif
const uint ROWS = SPIRV_CROSS_CONSTANT_ID_1;
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint TOKENS = SPIRV_CROSS_CONSTANT_ID_2;
const uint _1432 = (ROWS * TOKENS);
const uint _1447 = (ROWS * TOKENS);
const uint _1484 = (ROWS * TOKENS);
const uint _1512 = (ROWS / 2u);
const uint _1513 = (_1512 * TOKENS);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_3;
const bool _1641 = (ALIGNED != 0u);
const bool _1644 = (GROUP == 0u);
const uint _1679 = (8u * BITS);
const uint _1680 = (_1679 % 32u);
const bool _1681 = (_1680 == 0u);
const uint _1682 = (8u * BITS);
const uint _1683 = (_1682 % 16u);
const bool _1684 = (_1683 == 0u);
const uint _1685 = (8u * BITS);
const uint _1686 = (_1685 % 8u);
const bool _1687 = (_1686 == 0u);
const uint _1688 = _1687 ? 32u : 8u;
const uint _1689 = _1684 ? 16u : _1688;
const uint _1690 = _1681 ? 8u : _1689;
const uint _1724 = (8u * BITS);
const uint _1725 = (_1724 % 32u);
const bool _1726 = (_1725 == 0u);
const uint _1727 = (8u * BITS);
const uint _1728 = (_1727 % 16u);
const bool _1729 = (_1728 == 0u);
const uint _1730 = (8u * BITS);
const uint _1731 = (_1730 % 8u);
const bool _1732 = (_1731 == 0u);
const uint _1733 = _1732 ? 32u : 8u;
const uint _1734 = _1729 ? 16u : _1733;
const uint _1735 = _1726 ? 8u : _1734;
const uint _1736 = (_1735 / 8u);
const uint _1740 = (8u * BITS);
const uint _1741 = (_1740 % 32u);
const bool _1742 = (_1741 == 0u);
const uint _1743 = (8u * BITS);
const uint _1744 = (_1743 % 16u);
const bool _1745 = (_1744 == 0u);
const uint _1746 = (8u * BITS);
const uint _1747 = (_1746 % 8u);
const bool _1748 = (_1747 == 0u);
const uint _1749 = _1748 ? 32u : 8u;
const uint _1750 = _1745 ? 16u : _1749;
const uint _1751 = _1742 ? 8u : _1750;
const bool _1815 = (GROUP != 0u);
const uint _1823 = (8u * BITS);
const uint _1824 = (_1823 % 32u);
const bool _1825 = (_1824 == 0u);
const uint _1826 = (8u * BITS);
const uint _1827 = (_1826 % 16u);
const bool _1828 = (_1827 == 0u);
const uint _1829 = (8u * BITS);
const uint _1830 = (_1829 % 8u);
const bool _1831 = (_1830 == 0u);
const uint _1832 = _1831 ? 32u : 8u;
const uint _1833 = _1828 ? 16u : _1832;
const uint _1834 = _1825 ? 8u : _1833;
const uint _1835 = (GROUP % _1834);
const bool _1836 = (_1835 != 0u);

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
} _463;

layout(binding = 8, std430) readonly buffer Scales
{
    uint scales[];
} _484;

layout(binding = 10, std430) readonly buffer Supers
{
    uint supers[];
} _500;

layout(binding = 9, std430) readonly buffer Zeros
{
    uint zeros[];
} _552;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _769;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _989;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _1068;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _1111;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _1141;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _1180;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _1217;

shared uvec4 group_words[256];
shared float totals[32];

void open_book()
{
}

void open_tables(uint first, uint count)
{
}

uint table_of(uint first, uint row)
{
    return 0u;
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _210;
    if ((h & 32768u) != 0u)
    {
        _210 = -size;
    }
    else
    {
        _210 = size;
    }
    return _210;
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
    float _249;
    if (x < 0.0)
    {
        _249 = -uintBitsToFloat(bits);
    }
    else
    {
        _249 = uintBitsToFloat(bits);
    }
    return _249;
}

vec2 level(uint row, uint column)
{
    uint at = row;
    if (_457)
    {
        at = (row * (((_463.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    vec2 both = vec2(0.0);
    if (_478)
    {
        uint param = _484.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = _500.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _519;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _519 = _484.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _519 = 0u;
        }
        uint param_4 = _484.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _519;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    if (_546)
    {
        uint _562;
        if ((((at * ZERO_BITS) & 31u) + ZERO_BITS) > 32u)
        {
            _562 = _552.zeros[((at * ZERO_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _562 = 0u;
        }
        uint param_9 = _552.zeros[(at * ZERO_BITS) >> uint(5)];
        uint param_10 = _562;
        uint param_11 = (at * ZERO_BITS) & 31u;
        uint param_12 = ZERO_BITS;
        float _587 = float(_586);
        both.y = float(code_of(param_9, param_10, param_11, param_12)) / _587;
    }
    if (_590)
    {
        uint param_13 = _552.zeros[at >> uint(1)];
        uint param_14 = at;
        both.y = exact_half(param_13, param_14);
    }
    return both;
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_738)
    {
        uint eight = (row * (_463.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _753) + (((eight & 31u) * _757) >> uint(5));
        uint shift = (eight * _763) & 31u;
        words[0] = _769.codes[at] >> shift;
        if ((shift + _777) > 32u)
        {
            words[0] |= (_769.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_463.columns / _810)) + step_) * _829;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _852; i++)
        {
            words[i] = _769.codes[at_1 + i];
        }
    }
}

uint x_place(uint token, uint column)
{
    uint at = _463.x_at + (token * _463.x_token);
    uint _950;
    if (_949)
    {
        _950 = at + column;
    }
    else
    {
        _950 = (at + ((column / _463.x_inner) * _463.x_outer)) + (column % _463.x_inner);
    }
    return _950;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _1022;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_1021)
        {
            _1022 = unpackHalf2x16(_989.x[(at + j) >> uint(1)]);
        }
        else
        {
            _1022 = vec2(uintBitsToFloat(_989.x[at + j]), uintBitsToFloat(_989.x[(at + j) + 1u]));
        }
        vec2 two = _1022;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

uvec2 window(uint words[8], uint at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _645;
    if (i < 7u)
    {
        _645 = words[i + 1u];
    }
    else
    {
        _645 = 0u;
    }
    uvec2 out_ = uvec2(words[i], _645);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _679;
    if (i < 6u)
    {
        _679 = words[i + 2u];
    }
    else
    {
        _679 = 0u;
    }
    out_.y = (out_.y >> shift) | (_679 << (32u - shift));
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
    uint param_1 = sub * _698;
    uvec2 eight = window(param, param_1);
    float _714;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        if (_713)
        {
            uvec2 param_2 = eight;
            uint param_3 = BITS;
            uint param_4 = j;
            _714 = float(signed_in(param_2, param_3, param_4));
        }
        else
        {
            uvec2 param_5 = eight;
            uint param_6 = BITS;
            uint param_7 = j;
            _714 = float(code_in(param_5, param_6, param_7));
        }
        v[j] = _714;
    }
}

float weigh(vec2 level_, float sum, float sum_x)
{
    float _617;
    if (_616)
    {
        _617 = sum;
    }
    else
    {
        _617 = sum - (level_.y * sum_x);
    }
    return level_.x * _617;
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _163;
    if ((index & 1u) == 0u)
    {
        _163 = both.x;
    }
    else
    {
        _163 = both.y;
    }
    return _163;
}

float load_x(uint token, uint column)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    float _983;
    if (_982)
    {
        uint param_2 = _989.x[at >> uint(1)];
        uint param_3 = at;
        _983 = half_in(param_2, param_3);
    }
    else
    {
        _983 = uintBitsToFloat(_989.x[at]);
    }
    return _983;
}

float weight_of(vec2 level_, float v)
{
    return (v - level_.y) * level_.x;
}

float load_weight(uint row, uint column, uint at)
{
    uint _882;
    if ((((((row * _463.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _882 = _769.codes[((((row * _463.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _882 = 0u;
    }
    uint param = _769.codes[(((row * _463.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _882;
    uint param_2 = (((row * _463.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    int number = bitfieldExtract(int(code), 0, _917);
    uint param_4 = row;
    uint param_5 = column;
    float _925;
    if (_924)
    {
        _925 = float(number);
    }
    else
    {
        _925 = float(code);
    }
    vec2 param_6 = level(param_4, param_5);
    float param_7 = _925;
    return weight_of(param_6, param_7);
}

vec4 group_sum(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _297; half_ > 0u; half_ = half_ >> uint(1))
    {
        barrier();
        if (thread < half_)
        {
            mine += uintBitsToFloat(group_words[thread + half_]);
            group_words[thread] = floatBitsToUint(mine);
        }
    }
    barrier();
    return uintBitsToFloat(group_words[0]);
}

float added(uint token, uint row)
{
    float _1062;
    if (_1061)
    {
        _1062 = uintBitsToFloat(_1068.bias[row]);
    }
    else
    {
        _1062 = 0.0;
    }
    float sum = _1062;
    if (_1076)
    {
        uint at = ((_463.residual_at + (token * _463.residual_token)) + ((row / _463.residual_inner) * _463.residual_outer)) + (row % _463.residual_inner);
        float _1105;
        if (_1104)
        {
            uint param = _1111.residual[at >> uint(1)];
            uint param_1 = at;
            _1105 = half_in(param, param_1);
        }
        else
        {
            _1105 = uintBitsToFloat(_1111.residual[at]);
        }
        sum += _1105;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _463.end0)
    {
        _1141.y0[((_463.y0_at + (token * _463.y0_token)) + ((row / _463.y0_inner) * _463.y0_outer)) + (row % _463.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _463.end1)
        {
            _1180.y1[((_463.y1_at + (token * _463.y1_token)) + (((row - _463.end0) / _463.y1_inner) * _463.y1_outer)) + ((row - _463.end0) % _463.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _1217.y2[((_463.y2_at + (token * _463.y2_token)) + (((row - _463.end1) / _463.y2_inner) * _463.y2_outer)) + ((row - _463.end1) % _463.y2_inner)] = floatBitsToUint(v);
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
    bool two = (row + 1u) < _463.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _1286;
    if (row < _463.end0)
    {
        _1286 = Y0_HALF;
    }
    else
    {
        _1286 = (row < _463.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1286;
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
    if (row < _463.end0)
    {
        _1141.y0[(((_463.y0_at + (token * _463.y0_token)) + ((row / _463.y0_inner) * _463.y0_outer)) + (row % _463.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _463.end1)
        {
            _1180.y1[(((_463.y1_at + (token * _463.y1_token)) + (((row - _463.end0) / _463.y1_inner) * _463.y1_outer)) + ((row - _463.end0) % _463.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _1217.y2[(((_463.y2_at + (token * _463.y2_token)) + (((row - _463.end1) / _463.y2_inner) * _463.y2_outer)) + ((row - _463.end1) % _463.y2_inner)) >> uint(1)] = word;
        }
    }
}

void reduce_and_store(uint row0, uint token0, float acc[8][4])
{
    SPIRV_CROSS_UNROLL
    for (uint i = 0u; i < _1432; i += 4u)
    {
        vec4 four = vec4(0.0);
        SPIRV_CROSS_UNROLL
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _1447)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        vec4 param = four;
        vec4 _1467 = group_sum(param);
        four = _1467;
        if (gl_LocalInvocationID.x == 0u)
        {
            SPIRV_CROSS_UNROLL
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1484)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    barrier();
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1513; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1530 = token < _463.tokens;
        bool _1537;
        if (_1530)
        {
            _1537 = row < _463.row_end;
        }
        else
        {
            _1537 = _1530;
        }
        if (_1537)
        {
            uint param_1 = token;
            uint param_2 = row;
            vec2 param_3 = vec2(totals[2u * i_1], totals[(2u * i_1) + 1u]);
            store_rows(param_1, param_2, param_3);
        }
    }
    barrier();
}

void main()
{
    uint token0 = gl_WorkGroupID.y * TOKENS;
    open_book();
    uint _1572 = _463.row_begin + (gl_WorkGroupID.x * ROWS);
    uint at[8];
    uint here[8];
    float acc[8][4];
    vec2 levels[8];
    uint words[8][8];
    uint param_8[8];
    float xs[4][8];
    float param_11[8];
    float sums[4];
    float param_17[8];
    float xs_1[4];
    for (uint row0 = _1572; row0 < _463.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (_463.row_end - row0));
        uint param = row0;
        uint param_1 = count;
        open_tables(param, param_1);
        SPIRV_CROSS_UNROLL
        for (uint r = 0u; r < ROWS; r++)
        {
            uint row = row0 + min(r, (count - 1u));
            uint param_2 = row0;
            uint param_3 = row;
            at[r] = table_of(param_2, param_3);
            here[r] = row - _463.held;
            SPIRV_CROSS_UNROLL
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1641)
        {
            if (_1644)
            {
                SPIRV_CROSS_UNROLL
                for (uint r_1 = 0u; r_1 < ROWS; r_1++)
                {
                    uint param_4 = here[r_1];
                    uint param_5 = 0u;
                    levels[r_1] = level(param_4, param_5);
                }
            }
            for (uint step_ = gl_LocalInvocationID.x; step_ < (_463.columns / _1690); step_ += gl_WorkGroupSize.x)
            {
                SPIRV_CROSS_UNROLL
                for (uint r_2 = 0u; r_2 < ROWS; r_2++)
                {
                    uint param_6 = here[r_2];
                    uint param_7 = step_;
                    load_step(param_6, param_7, param_8);
                    words[r_2] = param_8;
                }
                SPIRV_CROSS_UNROLL
                for (uint sub = 0u; sub < _1736; sub++)
                {
                    uint column = (step_ * _1751) + (8u * sub);
                    SPIRV_CROSS_UNROLL
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (_463.tokens - 1u));
                        uint param_10 = column;
                        load_x8(param_9, param_10, param_11);
                        xs[t_1] = param_11;
                        sums[t_1] = 0.0;
                        SPIRV_CROSS_UNROLL
                        for (uint j = 0u; j < 8u; j++)
                        {
                            sums[t_1] += xs[t_1][j];
                        }
                    }
                    SPIRV_CROSS_UNROLL
                    for (uint r_3 = 0u; r_3 < ROWS; r_3++)
                    {
                        bool _1838;
                        if (_1815)
                        {
                            bool _1819 = sub == 0u;
                            bool _1837;
                            if (!_1819)
                            {
                                _1837 = _1836;
                            }
                            else
                            {
                                _1837 = _1819;
                            }
                            _1838 = _1837;
                        }
                        else
                        {
                            _1838 = _1815;
                        }
                        if (_1838)
                        {
                            uint param_12 = here[r_3];
                            uint param_13 = column;
                            levels[r_3] = level(param_12, param_13);
                        }
                        uint param_14[8] = words[r_3];
                        uint param_15 = sub;
                        uint param_16 = at[r_3];
                        numbers(param_14, param_15, param_16, param_17);
                        float v[8] = param_17;
                        SPIRV_CROSS_UNROLL
                        for (uint t_2 = 0u; t_2 < TOKENS; t_2++)
                        {
                            float sum = 0.0;
                            SPIRV_CROSS_UNROLL
                            for (uint j_1 = 0u; j_1 < 8u; j_1++)
                            {
                                sum += (xs[t_2][j_1] * v[j_1]);
                            }
                            vec2 param_18 = levels[r_3];
                            float param_19 = sum;
                            float param_20 = sums[t_2];
                            acc[r_3][t_2] += weigh(param_18, param_19, param_20);
                        }
                    }
                }
            }
        }
        else
        {
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < _463.columns; column_1 += gl_WorkGroupSize.x)
            {
                SPIRV_CROSS_UNROLL
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (_463.tokens - 1u));
                    uint param_22 = column_1;
                    xs_1[t_3] = load_x(param_21, param_22);
                }
                SPIRV_CROSS_UNROLL
                for (uint r_4 = 0u; r_4 < ROWS; r_4++)
                {
                    uint param_23 = here[r_4];
                    uint param_24 = column_1;
                    uint param_25 = at[r_4];
                    float weight = load_weight(param_23, param_24, param_25);
                    SPIRV_CROSS_UNROLL
                    for (uint t_4 = 0u; t_4 < TOKENS; t_4++)
                    {
                        acc[r_4][t_4] += (xs_1[t_4] * weight);
                    }
                }
            }
        }
        uint param_26 = row0;
        uint param_27 = token0;
        float param_28[8][4] = acc;
        reduce_and_store(param_26, param_27, param_28);
    }
}

