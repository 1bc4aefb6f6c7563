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
const uint _289 = gl_WorkGroupSize.x;
const uint _291 = (_289 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_13
#define SPIRV_CROSS_CONSTANT_ID_13 4u
#endif
const uint WIDTH = SPIRV_CROSS_CONSTANT_ID_13;
#ifndef SPIRV_CROSS_CONSTANT_ID_12
#define SPIRV_CROSS_CONSTANT_ID_12 8u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_12;
const uint _409 = (WIDTH << BITS);
const uint _410 = (_409 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_14
#define SPIRV_CROSS_CONSTANT_ID_14 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_14;
const bool _432 = (GROUP != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_15
#define SPIRV_CROSS_CONSTANT_ID_15 0u
#endif
const uint SCALE_BITS = SPIRV_CROSS_CONSTANT_ID_15;
const bool _453 = (SCALE_BITS == 0u);
const uint _600 = (8u / WIDTH);
const uint _601 = (_600 * BITS);
const uint _624 = (WIDTH >> uint(1));
const uint _627 = (WIDTH >> uint(1));
const uint _648 = (8u / WIDTH);
const uint _649 = (_648 * BITS);
const uint _650 = (_649 % 8u);
const bool _651 = (_650 != 0u);
const uint _666 = (8u / WIDTH);
const uint _667 = (_666 * BITS);
const uint _671 = (8u / WIDTH);
const uint _672 = (_671 * BITS);
const uint _678 = (8u / WIDTH);
const uint _679 = (_678 * BITS);
const uint _693 = (8u / WIDTH);
const uint _694 = (_693 * BITS);
const uint _716 = (8u / WIDTH);
const uint _717 = (_716 * BITS);
const uint _718 = (_717 % 32u);
const bool _719 = (_718 == 0u);
const uint _720 = (8u / WIDTH);
const uint _721 = (_720 * BITS);
const uint _722 = (_721 % 16u);
const bool _723 = (_722 == 0u);
const uint _724 = (8u / WIDTH);
const uint _725 = (_724 * BITS);
const uint _726 = (_725 % 8u);
const bool _727 = (_726 == 0u);
const uint _728 = _727 ? 32u : 8u;
const uint _729 = _723 ? 16u : _728;
const uint _730 = _719 ? 8u : _729;
const uint _735 = (8u / WIDTH);
const uint _736 = (_735 * BITS);
const uint _737 = (_736 % 32u);
const bool _738 = (_737 == 0u);
const uint _739 = (8u / WIDTH);
const uint _740 = (_739 * BITS);
const uint _741 = (_740 % 16u);
const bool _742 = (_741 == 0u);
const uint _743 = (8u / WIDTH);
const uint _744 = (_743 * BITS);
const uint _745 = (_744 % 8u);
const bool _746 = (_745 == 0u);
const uint _747 = _746 ? 32u : 8u;
const uint _748 = _742 ? 16u : _747;
const uint _749 = _738 ? 8u : _748;
const uint _750 = (8u / WIDTH);
const uint _751 = (_750 * BITS);
const uint _752 = (_749 * _751);
const uint _753 = (_752 / 256u);
const uint _762 = (8u / WIDTH);
const uint _763 = (_762 * BITS);
const uint _764 = (_763 % 32u);
const bool _765 = (_764 == 0u);
const uint _766 = (8u / WIDTH);
const uint _767 = (_766 * BITS);
const uint _768 = (_767 % 16u);
const bool _769 = (_768 == 0u);
const uint _770 = (8u / WIDTH);
const uint _771 = (_770 * BITS);
const uint _772 = (_771 % 8u);
const bool _773 = (_772 == 0u);
const uint _774 = _773 ? 32u : 8u;
const uint _775 = _769 ? 16u : _774;
const uint _776 = _765 ? 8u : _775;
const uint _777 = (8u / WIDTH);
const uint _778 = (_777 * BITS);
const uint _779 = (_776 * _778);
const uint _780 = (_779 / 256u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_5;
const bool _862 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _895 = (X_HALF != 0u);
const bool _934 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_6;
const bool _974 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_7;
const bool _989 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_8;
const bool _1017 = (RESIDUAL_HALF != 0u);
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
const uint _1345 = (ROWS * TOKENS);
const uint _1360 = (ROWS * TOKENS);
const uint _1397 = (ROWS * TOKENS);
const uint _1425 = (ROWS / 2u);
const uint _1426 = (_1425 * TOKENS);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_3;
const bool _1554 = (ALIGNED != 0u);
const bool _1557 = (GROUP == 0u);
const uint _1592 = (8u / WIDTH);
const uint _1593 = (_1592 * BITS);
const uint _1594 = (_1593 % 32u);
const bool _1595 = (_1594 == 0u);
const uint _1596 = (8u / WIDTH);
const uint _1597 = (_1596 * BITS);
const uint _1598 = (_1597 % 16u);
const bool _1599 = (_1598 == 0u);
const uint _1600 = (8u / WIDTH);
const uint _1601 = (_1600 * BITS);
const uint _1602 = (_1601 % 8u);
const bool _1603 = (_1602 == 0u);
const uint _1604 = _1603 ? 32u : 8u;
const uint _1605 = _1599 ? 16u : _1604;
const uint _1606 = _1595 ? 8u : _1605;
const uint _1640 = (8u / WIDTH);
const uint _1641 = (_1640 * BITS);
const uint _1642 = (_1641 % 32u);
const bool _1643 = (_1642 == 0u);
const uint _1644 = (8u / WIDTH);
const uint _1645 = (_1644 * BITS);
const uint _1646 = (_1645 % 16u);
const bool _1647 = (_1646 == 0u);
const uint _1648 = (8u / WIDTH);
const uint _1649 = (_1648 * BITS);
const uint _1650 = (_1649 % 8u);
const bool _1651 = (_1650 == 0u);
const uint _1652 = _1651 ? 32u : 8u;
const uint _1653 = _1647 ? 16u : _1652;
const uint _1654 = _1643 ? 8u : _1653;
const uint _1655 = (_1654 / 8u);
const uint _1659 = (8u / WIDTH);
const uint _1660 = (_1659 * BITS);
const uint _1661 = (_1660 % 32u);
const bool _1662 = (_1661 == 0u);
const uint _1663 = (8u / WIDTH);
const uint _1664 = (_1663 * BITS);
const uint _1665 = (_1664 % 16u);
const bool _1666 = (_1665 == 0u);
const uint _1667 = (8u / WIDTH);
const uint _1668 = (_1667 * BITS);
const uint _1669 = (_1668 % 8u);
const bool _1670 = (_1669 == 0u);
const uint _1671 = _1670 ? 32u : 8u;
const uint _1672 = _1666 ? 16u : _1671;
const uint _1673 = _1662 ? 8u : _1672;
const bool _1737 = (GROUP != 0u);
const uint _1745 = (8u / WIDTH);
const uint _1746 = (_1745 * BITS);
const uint _1747 = (_1746 % 32u);
const bool _1748 = (_1747 == 0u);
const uint _1749 = (8u / WIDTH);
const uint _1750 = (_1749 * BITS);
const uint _1751 = (_1750 % 16u);
const bool _1752 = (_1751 == 0u);
const uint _1753 = (8u / WIDTH);
const uint _1754 = (_1753 * BITS);
const uint _1755 = (_1754 % 8u);
const bool _1756 = (_1755 == 0u);
const uint _1757 = _1756 ? 32u : 8u;
const uint _1758 = _1752 ? 16u : _1757;
const uint _1759 = _1748 ? 8u : _1758;
const uint _1760 = (GROUP % _1759);
const bool _1761 = (_1760 != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 8, std430) readonly buffer Table
{
    uint table[];
} _419;

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
} _438;

layout(binding = 9, std430) readonly buffer Scales
{
    uint scales[];
} _459;

layout(binding = 10, std430) readonly buffer Supers
{
    uint supers[];
} _474;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _685;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _902;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _981;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _1024;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _1054;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _1093;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _1130;

shared uvec4 group_words[256];
shared uint book[1024];
shared float totals[32];

void open_book()
{
    for (uint i = gl_LocalInvocationID.x; i < _410; i += gl_WorkGroupSize.x)
    {
        book[i] = _419.table[i];
    }
    barrier();
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
    float _204;
    if ((h & 32768u) != 0u)
    {
        _204 = -size;
    }
    else
    {
        _204 = size;
    }
    return _204;
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
    float _243;
    if (x < 0.0)
    {
        _243 = -uintBitsToFloat(bits);
    }
    else
    {
        _243 = uintBitsToFloat(bits);
    }
    return _243;
}

vec2 level(uint row, uint column)
{
    uint at = row;
    if (_432)
    {
        at = (row * (((_438.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    vec2 both = vec2(0.0);
    if (_453)
    {
        uint param = _459.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = _474.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _493;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _493 = _459.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _493 = 0u;
        }
        uint param_4 = _459.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _493;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    return both;
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_651)
    {
        uint eight = (row * (_438.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _667) + (((eight & 31u) * _672) >> uint(5));
        uint shift = (eight * _679) & 31u;
        words[0] = _685.codes[at] >> shift;
        if ((shift + _694) > 32u)
        {
            words[0] |= (_685.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_438.columns / _730)) + step_) * _753;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _780; i++)
        {
            words[i] = _685.codes[at_1 + i];
        }
    }
}

uint x_place(uint token, uint column)
{
    uint at = _438.x_at + (token * _438.x_token);
    uint _863;
    if (_862)
    {
        _863 = at + column;
    }
    else
    {
        _863 = (at + ((column / _438.x_inner) * _438.x_outer)) + (column % _438.x_inner);
    }
    return _863;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _935;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_934)
        {
            _935 = unpackHalf2x16(_902.x[(at + j) >> uint(1)]);
        }
        else
        {
            _935 = vec2(uintBitsToFloat(_902.x[at + j]), uintBitsToFloat(_902.x[(at + j) + 1u]));
        }
        vec2 two = _935;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

uvec2 window(uint words[8], uint at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _547;
    if (i < 7u)
    {
        _547 = words[i + 1u];
    }
    else
    {
        _547 = 0u;
    }
    uvec2 out_ = uvec2(words[i], _547);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _581;
    if (i < 6u)
    {
        _581 = words[i + 2u];
    }
    else
    {
        _581 = 0u;
    }
    out_.y = (out_.y >> shift) | (_581 << (32u - shift));
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
    uint param_1 = sub * _601;
    uvec2 eight = window(param, param_1);
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 4u; j++)
    {
        uvec2 param_2 = eight;
        uint param_3 = BITS;
        uint param_4 = (2u * j) / WIDTH;
        uint pair = (code_in(param_2, param_3, param_4) * _624) + (j % _627);
        vec2 two = unpackHalf2x16(book[pair]);
        v[2u * j] = two.x;
        v[(2u * j) + 1u] = two.y;
    }
}

float weigh(vec2 level_, float sum, float sum_x)
{
    return level_.x * sum;
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _156;
    if ((index & 1u) == 0u)
    {
        _156 = both.x;
    }
    else
    {
        _156 = both.y;
    }
    return _156;
}

float load_x(uint token, uint column)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    float _896;
    if (_895)
    {
        uint param_2 = _902.x[at >> uint(1)];
        uint param_3 = at;
        _896 = half_in(param_2, param_3);
    }
    else
    {
        _896 = uintBitsToFloat(_902.x[at]);
    }
    return _896;
}

float weight_of(vec2 level_, float v)
{
    return v * level_.x;
}

float load_weight(uint row, uint column, uint at)
{
    uint index = (row * (_438.columns / WIDTH)) + (column / WIDTH);
    uint _809;
    if ((((index * BITS) & 31u) + BITS) > 32u)
    {
        _809 = _685.codes[((index * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _809 = 0u;
    }
    uint param = _685.codes[(index * BITS) >> uint(5)];
    uint param_1 = _809;
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

vec4 group_sum(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _291; half_ > 0u; half_ = half_ >> uint(1))
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
    float _975;
    if (_974)
    {
        _975 = uintBitsToFloat(_981.bias[row]);
    }
    else
    {
        _975 = 0.0;
    }
    float sum = _975;
    if (_989)
    {
        uint at = ((_438.residual_at + (token * _438.residual_token)) + ((row / _438.residual_inner) * _438.residual_outer)) + (row % _438.residual_inner);
        float _1018;
        if (_1017)
        {
            uint param = _1024.residual[at >> uint(1)];
            uint param_1 = at;
            _1018 = half_in(param, param_1);
        }
        else
        {
            _1018 = uintBitsToFloat(_1024.residual[at]);
        }
        sum += _1018;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _438.end0)
    {
        _1054.y0[((_438.y0_at + (token * _438.y0_token)) + ((row / _438.y0_inner) * _438.y0_outer)) + (row % _438.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _438.end1)
        {
            _1093.y1[((_438.y1_at + (token * _438.y1_token)) + (((row - _438.end0) / _438.y1_inner) * _438.y1_outer)) + ((row - _438.end0) % _438.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _1130.y2[((_438.y2_at + (token * _438.y2_token)) + (((row - _438.end1) / _438.y2_inner) * _438.y2_outer)) + ((row - _438.end1) % _438.y2_inner)] = floatBitsToUint(v);
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
    bool two = (row + 1u) < _438.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _1199;
    if (row < _438.end0)
    {
        _1199 = Y0_HALF;
    }
    else
    {
        _1199 = (row < _438.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1199;
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
    if (row < _438.end0)
    {
        _1054.y0[(((_438.y0_at + (token * _438.y0_token)) + ((row / _438.y0_inner) * _438.y0_outer)) + (row % _438.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _438.end1)
        {
            _1093.y1[(((_438.y1_at + (token * _438.y1_token)) + (((row - _438.end0) / _438.y1_inner) * _438.y1_outer)) + ((row - _438.end0) % _438.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _1130.y2[(((_438.y2_at + (token * _438.y2_token)) + (((row - _438.end1) / _438.y2_inner) * _438.y2_outer)) + ((row - _438.end1) % _438.y2_inner)) >> uint(1)] = word;
        }
    }
}

void reduce_and_store(uint row0, uint token0, float acc[8][4])
{
    SPIRV_CROSS_UNROLL
    for (uint i = 0u; i < _1345; i += 4u)
    {
        vec4 four = vec4(0.0);
        SPIRV_CROSS_UNROLL
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _1360)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        vec4 param = four;
        vec4 _1380 = group_sum(param);
        four = _1380;
        if (gl_LocalInvocationID.x == 0u)
        {
            SPIRV_CROSS_UNROLL
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1397)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    barrier();
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1426; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1443 = token < _438.tokens;
        bool _1450;
        if (_1443)
        {
            _1450 = row < _438.row_end;
        }
        else
        {
            _1450 = _1443;
        }
        if (_1450)
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
    uint _1485 = _438.row_begin + (gl_WorkGroupID.x * ROWS);
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
    for (uint row0 = _1485; row0 < _438.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (_438.row_end - row0));
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
            here[r] = row - _438.held;
            SPIRV_CROSS_UNROLL
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1554)
        {
            if (_1557)
            {
                SPIRV_CROSS_UNROLL
                for (uint r_1 = 0u; r_1 < ROWS; r_1++)
                {
                    uint param_4 = here[r_1];
                    uint param_5 = 0u;
                    levels[r_1] = level(param_4, param_5);
                }
            }
            for (uint step_ = gl_LocalInvocationID.x; step_ < (_438.columns / _1606); step_ += gl_WorkGroupSize.x)
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
                for (uint sub = 0u; sub < _1655; sub++)
                {
                    uint column = (step_ * _1673) + (8u * sub);
                    SPIRV_CROSS_UNROLL
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (_438.tokens - 1u));
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
                        bool _1763;
                        if (_1737)
                        {
                            bool _1741 = sub == 0u;
                            bool _1762;
                            if (!_1741)
                            {
                                _1762 = _1761;
                            }
                            else
                            {
                                _1762 = _1741;
                            }
                            _1763 = _1762;
                        }
                        else
                        {
                            _1763 = _1737;
                        }
                        if (_1763)
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
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < _438.columns; column_1 += gl_WorkGroupSize.x)
            {
                SPIRV_CROSS_UNROLL
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (_438.tokens - 1u));
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

