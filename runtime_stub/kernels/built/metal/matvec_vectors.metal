#pragma clang diagnostic ignored "-Wmissing-prototypes"
#pragma clang diagnostic ignored "-Wmissing-braces"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

template<typename T, size_t Num>
struct spvUnsafeArray
{
    T elements[Num ? Num : 1];
    
    thread T& operator [] (size_t pos) thread
    {
        return elements[pos];
    }
    constexpr const thread T& operator [] (size_t pos) const thread
    {
        return elements[pos];
    }
    
    device T& operator [] (size_t pos) device
    {
        return elements[pos];
    }
    constexpr const device T& operator [] (size_t pos) const device
    {
        return elements[pos];
    }
    
    constexpr const constant T& operator [] (size_t pos) const constant
    {
        return elements[pos];
    }
    
    threadgroup T& operator [] (size_t pos) threadgroup
    {
        return elements[pos];
    }
    constexpr const threadgroup T& operator [] (size_t pos) const threadgroup
    {
        return elements[pos];
    }
};

constant uint WIDTH_tmp [[function_constant(13)]];
constant uint WIDTH = is_function_constant_defined(WIDTH_tmp) ? WIDTH_tmp : 4u;
constant uint BITS_tmp [[function_constant(12)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 8u;
constant uint _408 = (WIDTH << BITS);
constant uint _409 = (_408 >> uint(1));

struct Table
{
    uint table[1];
};

constant uint _425_tmp [[function_constant(0)]];
constant uint _425 = is_function_constant_defined(_425_tmp) ? _425_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_425, 1u, 1u);
constant uint GROUP_tmp [[function_constant(14)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _433 = (GROUP != 0u);

struct Params
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
};

constant uint SCALE_BITS_tmp [[function_constant(15)]];
constant uint SCALE_BITS = is_function_constant_defined(SCALE_BITS_tmp) ? SCALE_BITS_tmp : 0u;
constant bool _454 = (SCALE_BITS == 0u);

struct Scales
{
    uint scales[1];
};

struct Supers
{
    uint supers[1];
};

constant uint _601 = (8u / WIDTH);
constant uint _602 = (_601 * BITS);
constant uint _625 = (WIDTH >> uint(1));
constant uint _628 = (WIDTH >> uint(1));
constant uint _649 = (8u / WIDTH);
constant uint _650 = (_649 * BITS);
constant uint _651 = (_650 % 8u);
constant bool _652 = (_651 != 0u);
constant uint _667 = (8u / WIDTH);
constant uint _668 = (_667 * BITS);
constant uint _672 = (8u / WIDTH);
constant uint _673 = (_672 * BITS);
constant uint _679 = (8u / WIDTH);
constant uint _680 = (_679 * BITS);

struct Codes
{
    uint codes[1];
};

constant uint _694 = (8u / WIDTH);
constant uint _695 = (_694 * BITS);
constant uint _717 = (8u / WIDTH);
constant uint _718 = (_717 * BITS);
constant uint _719 = (_718 % 32u);
constant bool _720 = (_719 == 0u);
constant uint _721 = (8u / WIDTH);
constant uint _722 = (_721 * BITS);
constant uint _723 = (_722 % 16u);
constant bool _724 = (_723 == 0u);
constant uint _725 = (8u / WIDTH);
constant uint _726 = (_725 * BITS);
constant uint _727 = (_726 % 8u);
constant bool _728 = (_727 == 0u);
constant uint _729 = _728 ? 32u : 8u;
constant uint _730 = _724 ? 16u : _729;
constant uint _731 = _720 ? 8u : _730;
constant uint _736 = (8u / WIDTH);
constant uint _737 = (_736 * BITS);
constant uint _738 = (_737 % 32u);
constant bool _739 = (_738 == 0u);
constant uint _740 = (8u / WIDTH);
constant uint _741 = (_740 * BITS);
constant uint _742 = (_741 % 16u);
constant bool _743 = (_742 == 0u);
constant uint _744 = (8u / WIDTH);
constant uint _745 = (_744 * BITS);
constant uint _746 = (_745 % 8u);
constant bool _747 = (_746 == 0u);
constant uint _748 = _747 ? 32u : 8u;
constant uint _749 = _743 ? 16u : _748;
constant uint _750 = _739 ? 8u : _749;
constant uint _751 = (8u / WIDTH);
constant uint _752 = (_751 * BITS);
constant uint _753 = (_750 * _752);
constant uint _754 = (_753 / 256u);
constant uint _763 = (8u / WIDTH);
constant uint _764 = (_763 * BITS);
constant uint _765 = (_764 % 32u);
constant bool _766 = (_765 == 0u);
constant uint _767 = (8u / WIDTH);
constant uint _768 = (_767 * BITS);
constant uint _769 = (_768 % 16u);
constant bool _770 = (_769 == 0u);
constant uint _771 = (8u / WIDTH);
constant uint _772 = (_771 * BITS);
constant uint _773 = (_772 % 8u);
constant bool _774 = (_773 == 0u);
constant uint _775 = _774 ? 32u : 8u;
constant uint _776 = _770 ? 16u : _775;
constant uint _777 = _766 ? 8u : _776;
constant uint _778 = (8u / WIDTH);
constant uint _779 = (_778 * BITS);
constant uint _780 = (_777 * _779);
constant uint _781 = (_780 / 256u);
constant uint X_RUNS_tmp [[function_constant(5)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _863 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(4)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _896 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _935 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(6)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _975 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(7)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _990 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(8)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _1018 = (RESIDUAL_HALF != 0u);

struct Residual
{
    uint residual[1];
};

struct Y0
{
    uint y0[1];
};

struct Y1
{
    uint y1[1];
};

struct Y2
{
    uint y2[1];
};

constant uint Y0_HALF_tmp [[function_constant(9)]];
constant uint Y0_HALF = is_function_constant_defined(Y0_HALF_tmp) ? Y0_HALF_tmp : 1u;
constant uint Y1_HALF_tmp [[function_constant(10)]];
constant uint Y1_HALF = is_function_constant_defined(Y1_HALF_tmp) ? Y1_HALF_tmp : 1u;
constant uint Y2_HALF_tmp [[function_constant(11)]];
constant uint Y2_HALF = is_function_constant_defined(Y2_HALF_tmp) ? Y2_HALF_tmp : 1u;
constant uint ROWS_tmp [[function_constant(1)]];
constant uint ROWS = is_function_constant_defined(ROWS_tmp) ? ROWS_tmp : 4u;
constant uint TOKENS_tmp [[function_constant(2)]];
constant uint TOKENS = is_function_constant_defined(TOKENS_tmp) ? TOKENS_tmp : 1u;
constant uint _1346 = (ROWS * TOKENS);
constant uint _1361 = (ROWS * TOKENS);
constant uint _1398 = (ROWS * TOKENS);
constant uint _1426 = (ROWS / 2u);
constant uint _1427 = (_1426 * TOKENS);
constant uint ALIGNED_tmp [[function_constant(3)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _1555 = (ALIGNED != 0u);
constant bool _1558 = (GROUP == 0u);
constant uint _1593 = (8u / WIDTH);
constant uint _1594 = (_1593 * BITS);
constant uint _1595 = (_1594 % 32u);
constant bool _1596 = (_1595 == 0u);
constant uint _1597 = (8u / WIDTH);
constant uint _1598 = (_1597 * BITS);
constant uint _1599 = (_1598 % 16u);
constant bool _1600 = (_1599 == 0u);
constant uint _1601 = (8u / WIDTH);
constant uint _1602 = (_1601 * BITS);
constant uint _1603 = (_1602 % 8u);
constant bool _1604 = (_1603 == 0u);
constant uint _1605 = _1604 ? 32u : 8u;
constant uint _1606 = _1600 ? 16u : _1605;
constant uint _1607 = _1596 ? 8u : _1606;
constant uint _1641 = (8u / WIDTH);
constant uint _1642 = (_1641 * BITS);
constant uint _1643 = (_1642 % 32u);
constant bool _1644 = (_1643 == 0u);
constant uint _1645 = (8u / WIDTH);
constant uint _1646 = (_1645 * BITS);
constant uint _1647 = (_1646 % 16u);
constant bool _1648 = (_1647 == 0u);
constant uint _1649 = (8u / WIDTH);
constant uint _1650 = (_1649 * BITS);
constant uint _1651 = (_1650 % 8u);
constant bool _1652 = (_1651 == 0u);
constant uint _1653 = _1652 ? 32u : 8u;
constant uint _1654 = _1648 ? 16u : _1653;
constant uint _1655 = _1644 ? 8u : _1654;
constant uint _1656 = (_1655 / 8u);
constant uint _1660 = (8u / WIDTH);
constant uint _1661 = (_1660 * BITS);
constant uint _1662 = (_1661 % 32u);
constant bool _1663 = (_1662 == 0u);
constant uint _1664 = (8u / WIDTH);
constant uint _1665 = (_1664 * BITS);
constant uint _1666 = (_1665 % 16u);
constant bool _1667 = (_1666 == 0u);
constant uint _1668 = (8u / WIDTH);
constant uint _1669 = (_1668 * BITS);
constant uint _1670 = (_1669 % 8u);
constant bool _1671 = (_1670 == 0u);
constant uint _1672 = _1671 ? 32u : 8u;
constant uint _1673 = _1667 ? 16u : _1672;
constant uint _1674 = _1663 ? 8u : _1673;
constant bool _1738 = (GROUP != 0u);
constant uint _1746 = (8u / WIDTH);
constant uint _1747 = (_1746 * BITS);
constant uint _1748 = (_1747 % 32u);
constant bool _1749 = (_1748 == 0u);
constant uint _1750 = (8u / WIDTH);
constant uint _1751 = (_1750 * BITS);
constant uint _1752 = (_1751 % 16u);
constant bool _1753 = (_1752 == 0u);
constant uint _1754 = (8u / WIDTH);
constant uint _1755 = (_1754 * BITS);
constant uint _1756 = (_1755 % 8u);
constant bool _1757 = (_1756 == 0u);
constant uint _1758 = _1757 ? 32u : 8u;
constant uint _1759 = _1753 ? 16u : _1758;
constant uint _1760 = _1749 ? 8u : _1759;
constant uint _1761 = (GROUP % _1760);
constant bool _1762 = (_1761 != 0u);

static inline __attribute__((always_inline))
void open_book(thread uint3& gl_LocalInvocationID, threadgroup uint (&book)[1024], const device Table& v_418)
{
    for (uint i = gl_LocalInvocationID.x; i < _409; i += gl_WorkGroupSize.x)
    {
        book[i] = v_418.table[i];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}

static inline __attribute__((always_inline))
void open_tables(thread const uint& first, thread const uint& count)
{
}

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row)
{
    return 0u;
}

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
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

static inline __attribute__((always_inline))
uint code_of(thread const uint& low, thread const uint& high, thread const uint& at, thread const uint& bits)
{
    uint code = low >> at;
    if ((at + bits) > 32u)
    {
        code |= (high << (32u - at));
    }
    return code & ((1u << bits) - 1u);
}

static inline __attribute__((always_inline))
float round_half(thread const float& x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return rint(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = as_type<uint>(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _243;
    if (x < 0.0)
    {
        _243 = -as_type<float>(bits);
    }
    else
    {
        _243 = as_type<float>(bits);
    }
    return _243;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column, constant Params& v_439, const device Scales& v_460, const device Supers& v_475)
{
    uint at = row;
    if (_433)
    {
        at = (row * (((v_439.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    float2 both = float2(0.0);
    if (_454)
    {
        uint param = v_460.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = v_475.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _494;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _494 = v_460.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _494 = 0u;
        }
        uint param_4 = v_460.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _494;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    return both;
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_439, const device Codes& v_686)
{
    if (_652)
    {
        uint eight = (row * (v_439.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _668) + (((eight & 31u) * _673) >> uint(5));
        uint shift = (eight * _680) & 31u;
        words[0] = v_686.codes[at] >> shift;
        if ((shift + _695) > 32u)
        {
            words[0] |= (v_686.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_439.columns / _731)) + step_) * _754;
        for (uint i = 0u; i < _781; i++)
        {
            words[i] = v_686.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_439)
{
    uint at = v_439.x_at + (token * v_439.x_token);
    uint _864;
    if (_863)
    {
        _864 = at + column;
    }
    else
    {
        _864 = (at + ((column / v_439.x_inner) * v_439.x_outer)) + (column % v_439.x_inner);
    }
    return _864;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_439, const device X& v_903)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_439);
    float2 _936;
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_935)
        {
            _936 = float2(as_type<half2>(v_903.x[(at + j) >> uint(1)]));
        }
        else
        {
            _936 = float2(as_type<float>(v_903.x[at + j]), as_type<float>(v_903.x[(at + j) + 1u]));
        }
        float2 two = _936;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _548;
    if (i < 7u)
    {
        _548 = words[i + 1u];
    }
    else
    {
        _548 = 0u;
    }
    uint2 out_ = uint2(words[i], _548);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _582;
    if (i < 6u)
    {
        _582 = words[i + 2u];
    }
    else
    {
        _582 = 0u;
    }
    out_.y = (out_.y >> shift) | (_582 << (32u - shift));
    return out_;
}

static inline __attribute__((always_inline))
uint code_in(thread const uint2& words, thread const uint& bits, thread const uint& j)
{
    uint at = j * bits;
    if ((at + bits) <= 32u)
    {
        return extract_bits(words.x, uint(int(at)), uint(int(bits)));
    }
    if (at >= 32u)
    {
        return extract_bits(words.y, uint(int(at - 32u)), uint(int(bits)));
    }
    return extract_bits((words.x >> at) | (words.y << ((32u - at) & 31u)), uint(0), uint(int(bits)));
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v, threadgroup uint (&book)[1024])
{
    spvUnsafeArray<uint, 8> param;
    param = words;
    uint param_1 = sub * _602;
    uint2 eight = window(param, param_1);
    for (uint j = 0u; j < 4u; j++)
    {
        uint2 param_2 = eight;
        uint param_3 = BITS;
        uint param_4 = (2u * j) / WIDTH;
        uint pair = (code_in(param_2, param_3, param_4) * _625) + (j % _628);
        float2 two = float2(as_type<half2>(book[pair]));
        v[2u * j] = two.x;
        v[(2u * j) + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
float weigh(thread const float2& level_, thread const float& sum, thread const float& sum_x)
{
    return level_.x * sum;
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
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

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_439, const device X& v_903)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_439);
    float _897;
    if (_896)
    {
        uint param_2 = v_903.x[at >> uint(1)];
        uint param_3 = at;
        _897 = half_in(param_2, param_3);
    }
    else
    {
        _897 = as_type<float>(v_903.x[at]);
    }
    return _897;
}

static inline __attribute__((always_inline))
float weight_of(thread const float2& level_, thread const float& v)
{
    return v * level_.x;
}

static inline __attribute__((always_inline))
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, threadgroup uint (&book)[1024], constant Params& v_439, const device Scales& v_460, const device Supers& v_475, const device Codes& v_686)
{
    uint index = (row * (v_439.columns / WIDTH)) + (column / WIDTH);
    uint _810;
    if ((((index * BITS) & 31u) + BITS) > 32u)
    {
        _810 = v_686.codes[((index * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _810 = 0u;
    }
    uint param = v_686.codes[(index * BITS) >> uint(5)];
    uint param_1 = _810;
    uint param_2 = (index * BITS) & 31u;
    uint param_3 = BITS;
    uint found = (code_of(param, param_1, param_2, param_3) * WIDTH) + (column % WIDTH);
    uint param_4 = row;
    uint param_5 = column;
    uint param_6 = book[found >> uint(1)];
    uint param_7 = found;
    float2 param_8 = level(param_4, param_5, v_439, v_460, v_475);
    float param_9 = half_in(param_6, param_7);
    return weight_of(param_8, param_9);
}

static inline __attribute__((always_inline))
float4 group_sum(thread float4& mine, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID)
{
    mine = simd_sum(mine);
    if (gl_NumSubgroups == 1u)
    {
        return mine;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    bool _280 = simd_is_first();
    if (_280)
    {
        group_words[gl_SubgroupID] = as_type<uint4>(mine);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float4 all_ = as_type<float4>(group_words[0]);
    for (uint i = 1u; i < gl_NumSubgroups; i++)
    {
        all_ += as_type<float4>(group_words[i]);
    }
    return all_;
}

static inline __attribute__((always_inline))
float added(thread const uint& token, thread const uint& row, constant Params& v_439, const device Bias& v_982, const device Residual& v_1025)
{
    float _976;
    if (_975)
    {
        _976 = as_type<float>(v_982.bias0[row]);
    }
    else
    {
        _976 = 0.0;
    }
    float sum = _976;
    if (_990)
    {
        uint at = ((v_439.residual_at + (token * v_439.residual_token)) + ((row / v_439.residual_inner) * v_439.residual_outer)) + (row % v_439.residual_inner);
        float _1019;
        if (_1018)
        {
            uint param = v_1025.residual[at >> uint(1)];
            uint param_1 = at;
            _1019 = half_in(param, param_1);
        }
        else
        {
            _1019 = as_type<float>(v_1025.residual[at]);
        }
        sum += _1019;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_439, device Y0& v_1055, device Y1& v_1094, device Y2& v_1131)
{
    if (row < v_439.end0)
    {
        v_1055.y0[((v_439.y0_at + (token * v_439.y0_token)) + ((row / v_439.y0_inner) * v_439.y0_outer)) + (row % v_439.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_439.end1)
        {
            v_1094.y1[((v_439.y1_at + (token * v_439.y1_token)) + (((row - v_439.end0) / v_439.y1_inner) * v_439.y1_outer)) + ((row - v_439.end0) % v_439.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_1131.y2[((v_439.y2_at + (token * v_439.y2_token)) + (((row - v_439.end1) / v_439.y2_inner) * v_439.y2_outer)) + ((row - v_439.end1) % v_439.y2_inner)] = as_type<uint>(v);
        }
    }
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_439, const device Bias& v_982, const device Residual& v_1025, device Y0& v_1055, device Y1& v_1094, device Y2& v_1131)
{
    bool two = (row + 1u) < v_439.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_439, v_982, v_1025);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_439, v_982, v_1025);
    }
    uint _1200;
    if (row < v_439.end0)
    {
        _1200 = Y0_HALF;
    }
    else
    {
        _1200 = (row < v_439.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1200;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_439, v_1055, v_1094, v_1131);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_439, v_1055, v_1094, v_1131);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_439.end0)
    {
        v_1055.y0[(((v_439.y0_at + (token * v_439.y0_token)) + ((row / v_439.y0_inner) * v_439.y0_outer)) + (row % v_439.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_439.end1)
        {
            v_1094.y1[(((v_439.y1_at + (token * v_439.y1_token)) + (((row - v_439.end0) / v_439.y1_inner) * v_439.y1_outer)) + ((row - v_439.end0) % v_439.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_1131.y2[(((v_439.y2_at + (token * v_439.y2_token)) + (((row - v_439.end1) / v_439.y2_inner) * v_439.y2_outer)) + ((row - v_439.end1) % v_439.y2_inner)) >> uint(1)] = word;
        }
    }
}

static inline __attribute__((always_inline))
void reduce_and_store(thread const uint& row0, thread const uint& token0, thread const spvUnsafeArray<spvUnsafeArray<float, 4>, 8>& acc, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID, thread uint3& gl_LocalInvocationID, constant Params& v_439, const device Bias& v_982, const device Residual& v_1025, device Y0& v_1055, device Y1& v_1094, device Y2& v_1131, threadgroup float (&totals)[32])
{
    for (uint i = 0u; i < _1346; i += 4u)
    {
        float4 four = float4(0.0);
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _1361)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        float4 param = four;
        float4 _1381 = group_sum(param, gl_NumSubgroups, group_words, gl_SubgroupID);
        four = _1381;
        if (gl_LocalInvocationID.x == 0u)
        {
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1398)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1427; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1444 = token < v_439.tokens;
        bool _1451;
        if (_1444)
        {
            _1451 = row < v_439.row_end;
        }
        else
        {
            _1451 = _1444;
        }
        if (_1451)
        {
            uint param_1 = token;
            uint param_2 = row;
            float2 param_3 = float2(totals[2u * i_1], totals[(2u * i_1) + 1u]);
            store_rows(param_1, param_2, param_3, v_439, v_982, v_1025, v_1055, v_1094, v_1131);
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}

kernel void matvec_vectors(constant Params& v_439 [[buffer(0)]], const device X& v_903 [[buffer(1)]], const device Bias& v_982 [[buffer(2)]], const device Residual& v_1025 [[buffer(3)]], device Y0& v_1055 [[buffer(4)]], device Y1& v_1094 [[buffer(5)]], device Y2& v_1131 [[buffer(6)]], const device Codes& v_686 [[buffer(7)]], const device Table& v_418 [[buffer(8)]], const device Scales& v_460 [[buffer(9)]], const device Supers& v_475 [[buffer(10)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup uint4 group_words[256];
    threadgroup uint book[1024];
    threadgroup float totals[32];
    uint token0 = gl_WorkGroupID.y * TOKENS;
    open_book(gl_LocalInvocationID, book, v_418);
    uint _1486 = v_439.row_begin + (gl_WorkGroupID.x * ROWS);
    spvUnsafeArray<uint, 8> at;
    spvUnsafeArray<uint, 8> here;
    spvUnsafeArray<spvUnsafeArray<float, 4>, 8> acc;
    spvUnsafeArray<float2, 8> levels;
    spvUnsafeArray<spvUnsafeArray<uint, 8>, 8> words;
    spvUnsafeArray<uint, 8> param_8;
    spvUnsafeArray<spvUnsafeArray<float, 8>, 4> xs;
    spvUnsafeArray<float, 8> param_11;
    spvUnsafeArray<float, 4> sums;
    spvUnsafeArray<float, 8> param_17;
    spvUnsafeArray<float, 4> xs_1;
    for (uint row0 = _1486; row0 < v_439.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (v_439.row_end - row0));
        uint param = row0;
        uint param_1 = count;
        open_tables(param, param_1);
        for (uint r = 0u; r < ROWS; r++)
        {
            uint row = row0 + min(r, (count - 1u));
            uint param_2 = row0;
            uint param_3 = row;
            at[r] = table_of(param_2, param_3);
            here[r] = row - v_439.held;
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1555)
        {
            if (_1558)
            {
                for (uint r_1 = 0u; r_1 < ROWS; r_1++)
                {
                    uint param_4 = here[r_1];
                    uint param_5 = 0u;
                    levels[r_1] = level(param_4, param_5, v_439, v_460, v_475);
                }
            }
            for (uint step_ = gl_LocalInvocationID.x; step_ < (v_439.columns / _1607); step_ += gl_WorkGroupSize.x)
            {
                for (uint r_2 = 0u; r_2 < ROWS; r_2++)
                {
                    uint param_6 = here[r_2];
                    uint param_7 = step_;
                    load_step(param_6, param_7, param_8, v_439, v_686);
                    words[r_2] = param_8;
                }
                for (uint sub = 0u; sub < _1656; sub++)
                {
                    uint column = (step_ * _1674) + (8u * sub);
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (v_439.tokens - 1u));
                        uint param_10 = column;
                        load_x8(param_9, param_10, param_11, v_439, v_903);
                        xs[t_1] = param_11;
                        sums[t_1] = 0.0;
                        for (uint j = 0u; j < 8u; j++)
                        {
                            sums[t_1] += xs[t_1][j];
                        }
                    }
                    for (uint r_3 = 0u; r_3 < ROWS; r_3++)
                    {
                        bool _1764;
                        if (_1738)
                        {
                            bool _1742 = sub == 0u;
                            bool _1763;
                            if (!_1742)
                            {
                                _1763 = _1762;
                            }
                            else
                            {
                                _1763 = _1742;
                            }
                            _1764 = _1763;
                        }
                        else
                        {
                            _1764 = _1738;
                        }
                        if (_1764)
                        {
                            uint param_12 = here[r_3];
                            uint param_13 = column;
                            levels[r_3] = level(param_12, param_13, v_439, v_460, v_475);
                        }
                        spvUnsafeArray<uint, 8> param_14;
                        param_14 = words[r_3];
                        uint param_15 = sub;
                        uint param_16 = at[r_3];
                        numbers(param_14, param_15, param_16, param_17, book);
                        spvUnsafeArray<float, 8> v;
                        v = param_17;
                        for (uint t_2 = 0u; t_2 < TOKENS; t_2++)
                        {
                            float sum = 0.0;
                            for (uint j_1 = 0u; j_1 < 8u; j_1++)
                            {
                                sum += (xs[t_2][j_1] * v[j_1]);
                            }
                            float2 param_18 = levels[r_3];
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
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < v_439.columns; column_1 += gl_WorkGroupSize.x)
            {
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (v_439.tokens - 1u));
                    uint param_22 = column_1;
                    xs_1[t_3] = load_x(param_21, param_22, v_439, v_903);
                }
                for (uint r_4 = 0u; r_4 < ROWS; r_4++)
                {
                    uint param_23 = here[r_4];
                    uint param_24 = column_1;
                    uint param_25 = at[r_4];
                    float weight = load_weight(param_23, param_24, param_25, book, v_439, v_460, v_475, v_686);
                    for (uint t_4 = 0u; t_4 < TOKENS; t_4++)
                    {
                        acc[r_4][t_4] += (xs_1[t_4] * weight);
                    }
                }
            }
        }
        uint param_26 = row0;
        uint param_27 = token0;
        spvUnsafeArray<spvUnsafeArray<float, 4>, 8> param_28;
        param_28 = acc;
        reduce_and_store(param_26, param_27, param_28, gl_NumSubgroups, group_words, gl_SubgroupID, gl_LocalInvocationID, v_439, v_982, v_1025, v_1055, v_1094, v_1131, totals);
    }
}

