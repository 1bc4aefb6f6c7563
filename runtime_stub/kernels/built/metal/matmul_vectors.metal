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

constant uint WIDTH_tmp [[function_constant(11)]];
constant uint WIDTH = is_function_constant_defined(WIDTH_tmp) ? WIDTH_tmp : 4u;
constant uint BITS_tmp [[function_constant(10)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 8u;
constant uint _347 = (WIDTH << BITS);
constant uint _349 = (_347 >> uint(1));

struct Table
{
    uint table[1];
};

constant uint _365_tmp [[function_constant(0)]];
constant uint _365 = is_function_constant_defined(_365_tmp) ? _365_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_365, 1u, 1u);
constant uint GROUP_tmp [[function_constant(12)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _375 = (GROUP != 0u);

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

constant uint SCALE_BITS_tmp [[function_constant(13)]];
constant uint SCALE_BITS = is_function_constant_defined(SCALE_BITS_tmp) ? SCALE_BITS_tmp : 0u;
constant bool _396 = (SCALE_BITS == 0u);

struct Scales
{
    uint scales[1];
};

struct Supers
{
    uint supers[1];
};

constant uint _537 = (8u / WIDTH);
constant uint _538 = (_537 * BITS);
constant uint _562 = (WIDTH >> uint(1));
constant uint _565 = (WIDTH >> uint(1));
constant uint _586 = (8u / WIDTH);
constant uint _587 = (_586 * BITS);
constant uint _588 = (_587 % 8u);
constant bool _589 = (_588 != 0u);
constant uint _604 = (8u / WIDTH);
constant uint _605 = (_604 * BITS);
constant uint _609 = (8u / WIDTH);
constant uint _610 = (_609 * BITS);
constant uint _616 = (8u / WIDTH);
constant uint _617 = (_616 * BITS);

struct Codes
{
    uint codes[1];
};

constant uint _631 = (8u / WIDTH);
constant uint _632 = (_631 * BITS);
constant uint _654 = (8u / WIDTH);
constant uint _655 = (_654 * BITS);
constant uint _656 = (_655 % 32u);
constant bool _657 = (_656 == 0u);
constant uint _658 = (8u / WIDTH);
constant uint _659 = (_658 * BITS);
constant uint _660 = (_659 % 16u);
constant bool _661 = (_660 == 0u);
constant uint _662 = (8u / WIDTH);
constant uint _663 = (_662 * BITS);
constant uint _664 = (_663 % 8u);
constant bool _665 = (_664 == 0u);
constant uint _666 = _665 ? 32u : 8u;
constant uint _667 = _661 ? 16u : _666;
constant uint _668 = _657 ? 8u : _667;
constant uint _673 = (8u / WIDTH);
constant uint _674 = (_673 * BITS);
constant uint _675 = (_674 % 32u);
constant bool _676 = (_675 == 0u);
constant uint _677 = (8u / WIDTH);
constant uint _678 = (_677 * BITS);
constant uint _679 = (_678 % 16u);
constant bool _680 = (_679 == 0u);
constant uint _681 = (8u / WIDTH);
constant uint _682 = (_681 * BITS);
constant uint _683 = (_682 % 8u);
constant bool _684 = (_683 == 0u);
constant uint _685 = _684 ? 32u : 8u;
constant uint _686 = _680 ? 16u : _685;
constant uint _687 = _676 ? 8u : _686;
constant uint _688 = (8u / WIDTH);
constant uint _689 = (_688 * BITS);
constant uint _690 = (_687 * _689);
constant uint _692 = (_690 / 256u);
constant uint _701 = (8u / WIDTH);
constant uint _702 = (_701 * BITS);
constant uint _703 = (_702 % 32u);
constant bool _704 = (_703 == 0u);
constant uint _705 = (8u / WIDTH);
constant uint _706 = (_705 * BITS);
constant uint _707 = (_706 % 16u);
constant bool _708 = (_707 == 0u);
constant uint _709 = (8u / WIDTH);
constant uint _710 = (_709 * BITS);
constant uint _711 = (_710 % 8u);
constant bool _712 = (_711 == 0u);
constant uint _713 = _712 ? 32u : 8u;
constant uint _714 = _708 ? 16u : _713;
constant uint _715 = _704 ? 8u : _714;
constant uint _716 = (8u / WIDTH);
constant uint _717 = (_716 * BITS);
constant uint _718 = (_715 * _717);
constant uint _719 = (_718 / 256u);
constant uint _730 = (8u / WIDTH);
constant uint _731 = (_730 * BITS);
constant uint _732 = (_731 % 8u);
constant bool _733 = (_732 != 0u);
constant bool _734 = (!_733);
constant uint _737 = (8u / WIDTH);
constant uint _738 = (_737 * BITS);
constant uint _739 = (_738 % 32u);
constant bool _740 = (_739 == 0u);
constant uint _741 = (8u / WIDTH);
constant uint _742 = (_741 * BITS);
constant uint _743 = (_742 % 16u);
constant bool _744 = (_743 == 0u);
constant uint _745 = (8u / WIDTH);
constant uint _746 = (_745 * BITS);
constant uint _747 = (_746 % 8u);
constant bool _748 = (_747 == 0u);
constant uint _749 = _748 ? 32u : 8u;
constant uint _750 = _744 ? 16u : _749;
constant uint _751 = _740 ? 8u : _750;
constant bool _752 = (_751 == 8u);
constant uint _778 = (8u / WIDTH);
constant uint _779 = (_778 * BITS);
constant uint _783 = (8u / WIDTH);
constant uint _784 = (_783 * BITS);
constant uint _790 = (8u / WIDTH);
constant uint _791 = (_790 * BITS);
constant uint _802 = (8u / WIDTH);
constant uint _803 = (_802 * BITS);
constant uint _833 = (8u / WIDTH);
constant uint _834 = (_833 * BITS);
constant uint X_RUNS_tmp [[function_constant(3)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _930 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(2)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _963 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _1002 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(4)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _1042 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(5)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _1057 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(6)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _1085 = (RESIDUAL_HALF != 0u);

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

constant uint Y0_HALF_tmp [[function_constant(7)]];
constant uint Y0_HALF = is_function_constant_defined(Y0_HALF_tmp) ? Y0_HALF_tmp : 1u;
constant uint Y1_HALF_tmp [[function_constant(8)]];
constant uint Y1_HALF = is_function_constant_defined(Y1_HALF_tmp) ? Y1_HALF_tmp : 1u;
constant uint Y2_HALF_tmp [[function_constant(9)]];
constant uint Y2_HALF = is_function_constant_defined(Y2_HALF_tmp) ? Y2_HALF_tmp : 1u;
constant uint ALIGNED_tmp [[function_constant(1)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _1438 = (ALIGNED != 0u);
constant bool _1541 = (ALIGNED != 0u);
constant uint _1585 = gl_WorkGroupSize.x;
constant uint _1586 = gl_WorkGroupSize.x;
constant bool _1588 = (_1586 >= 128u);
constant uint _1589 = _1588 ? 16u : 8u;
constant uint _1590 = (_1585 / _1589);
constant uint _1591 = (4u * _1590);
constant uint _1595 = gl_WorkGroupSize.x;
constant bool _1596 = (_1595 >= 128u);
constant uint _1597 = _1596 ? 16u : 8u;
constant uint _1602 = gl_WorkGroupSize.x;
constant bool _1603 = (_1602 >= 128u);
constant uint _1604 = _1603 ? 16u : 8u;
constant uint _1614 = gl_WorkGroupSize.x;
constant bool _1615 = (_1614 >= 128u);
constant uint _1616 = _1615 ? 16u : 8u;
constant uint _1617 = (4u * _1616);
constant uint _1665 = gl_WorkGroupSize.x;
constant bool _1666 = (_1665 >= 128u);
constant uint _1667 = _1666 ? 16u : 8u;
constant uint _1668 = (4u * _1667);
constant uint _1669 = gl_WorkGroupSize.x;
constant uint _1670 = gl_WorkGroupSize.x;
constant bool _1671 = (_1670 >= 128u);
constant uint _1672 = _1671 ? 16u : 8u;
constant uint _1673 = (_1669 / _1672);
constant uint _1674 = (4u * _1673);
constant uint _1675 = (_1668 + _1674);
constant uint _1676 = (2u * _1675);
constant uint _1679 = gl_WorkGroupSize.x;
constant bool _1680 = (_1679 >= 128u);
constant uint _1681 = _1680 ? 16u : 8u;
constant uint _1682 = (4u * _1681);
constant uint _1683 = (2u * _1682);
constant uint _1689 = gl_WorkGroupSize.x;
constant bool _1690 = (_1689 >= 128u);
constant uint _1691 = _1690 ? 16u : 8u;
constant uint _1692 = (4u * _1691);
constant uint _1696 = gl_WorkGroupSize.x;
constant bool _1697 = (_1696 >= 128u);
constant uint _1698 = _1697 ? 16u : 8u;
constant uint _1699 = (4u * _1698);
constant uint _1728 = gl_WorkGroupSize.x;
constant bool _1729 = (_1728 >= 128u);
constant uint _1730 = _1729 ? 16u : 8u;
constant uint _1731 = (4u * _1730);
constant uint _1732 = (_1731 / 4u);
constant uint _1749 = gl_WorkGroupSize.x;
constant bool _1750 = (_1749 >= 128u);
constant uint _1751 = _1750 ? 16u : 8u;
constant uint _1752 = (4u * _1751);
constant uint _1753 = (2u * _1752);
constant uint _1755 = gl_WorkGroupSize.x;
constant uint _1756 = gl_WorkGroupSize.x;
constant bool _1757 = (_1756 >= 128u);
constant uint _1758 = _1757 ? 16u : 8u;
constant uint _1759 = (_1755 / _1758);
constant uint _1760 = (4u * _1759);
constant uint _1764 = gl_WorkGroupSize.x;
constant bool _1765 = (_1764 >= 128u);
constant uint _1766 = _1765 ? 16u : 8u;
constant uint _1767 = (4u * _1766);
constant uint _1768 = (2u * _1767);
constant uint _1770 = gl_WorkGroupSize.x;
constant uint _1771 = gl_WorkGroupSize.x;
constant bool _1772 = (_1771 >= 128u);
constant uint _1773 = _1772 ? 16u : 8u;
constant uint _1774 = (_1770 / _1773);
constant uint _1775 = (4u * _1774);
constant uint _1801 = gl_WorkGroupSize.x;
constant uint _1802 = gl_WorkGroupSize.x;
constant bool _1803 = (_1802 >= 128u);
constant uint _1804 = _1803 ? 16u : 8u;
constant uint _1805 = (_1801 / _1804);
constant uint _1806 = (4u * _1805);
constant uint _1807 = (_1806 / 4u);
constant uint _1833 = gl_WorkGroupSize.x;
constant bool _1834 = (_1833 >= 128u);
constant uint _1835 = _1834 ? 16u : 8u;
constant uint _1836 = (4u * _1835);
constant uint _1837 = (_1836 / 4u);
constant uint _1847 = gl_WorkGroupSize.x;
constant uint _1848 = gl_WorkGroupSize.x;
constant bool _1849 = (_1848 >= 128u);
constant uint _1850 = _1849 ? 16u : 8u;
constant uint _1851 = (_1847 / _1850);
constant uint _1852 = (4u * _1851);
constant uint _1853 = (_1852 / 4u);
constant uint _1948 = gl_WorkGroupSize.x;
constant bool _1949 = (_1948 >= 128u);
constant uint _1950 = _1949 ? 16u : 8u;
constant uint _1951 = (4u * _1950);

static inline __attribute__((always_inline))
void open_book(thread uint3& gl_LocalInvocationID, threadgroup uint (&book)[1024], const device Table& v_358)
{
    for (uint i = gl_LocalInvocationID.x; i < _349; i += gl_WorkGroupSize.x)
    {
        book[i] = v_358.table[i];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row)
{
    return 0u;
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_381, const device Codes& v_623)
{
    if (_589)
    {
        uint eight = (row * (v_381.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _605) + (((eight & 31u) * _610) >> uint(5));
        uint shift = (eight * _617) & 31u;
        words[0] = v_623.codes[at] >> shift;
        if ((shift + _632) > 32u)
        {
            words[0] |= (v_623.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_381.columns / _668)) + step_) * _692;
        for (uint i = 0u; i < _719; i++)
        {
            words[i] = v_623.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
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
    uint2 out_ = uint2(words[i], _484);
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
    uint param_1 = sub * _538;
    uint2 eight = window(param, param_1);
    for (uint j = 0u; j < 4u; j++)
    {
        uint2 param_2 = eight;
        uint param_3 = BITS;
        uint param_4 = (2u * j) / WIDTH;
        uint pair = (code_in(param_2, param_3, param_4) * _562) + (j % _565);
        float2 two = float2(as_type<half2>(book[pair]));
        v[2u * j] = two.x;
        v[(2u * j) + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, threadgroup uint (&book)[1024], constant Params& v_381, const device Codes& v_623)
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
    spvUnsafeArray<uint, 8> words;
    if (_753)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        spvUnsafeArray<uint, 8> param_2;
        load_step(param, param_1, param_2, v_381, v_623);
        words = param_2;
    }
    else
    {
        uint eight = (row * (v_381.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _779) + (((eight & 31u) * _784) >> uint(5));
        uint shift = (eight * _791) & 31u;
        words[0] = v_623.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _803) > 32u)
        {
            uint next = v_623.codes[word + 1u];
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
            words[1] |= (v_623.codes[word + 2u] << (32u - shift));
        }
    }
    spvUnsafeArray<uint, 8> param_3;
    param_3 = words;
    uint param_4 = 0u;
    uint param_5 = at;
    spvUnsafeArray<float, 8> param_6;
    numbers(param_3, param_4, param_5, param_6, book);
    v = param_6;
}

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
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
    float _233;
    if (x < 0.0)
    {
        _233 = -as_type<float>(bits);
    }
    else
    {
        _233 = as_type<float>(bits);
    }
    return _233;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column, constant Params& v_381, const device Scales& v_402, const device Supers& v_417)
{
    uint at = row;
    if (_375)
    {
        at = (row * (((v_381.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    float2 both = float2(0.0);
    if (_396)
    {
        uint param = v_402.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = v_417.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _436;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _436 = v_402.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _436 = 0u;
        }
        uint param_4 = v_402.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _436;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    return both;
}

static inline __attribute__((always_inline))
float weight_of(thread const float2& level_, thread const float& v)
{
    return v * level_.x;
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
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

static inline __attribute__((always_inline))
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, threadgroup uint (&book)[1024], constant Params& v_381, const device Scales& v_402, const device Supers& v_417, const device Codes& v_623)
{
    uint index = (row * (v_381.columns / WIDTH)) + (column / WIDTH);
    uint _877;
    if ((((index * BITS) & 31u) + BITS) > 32u)
    {
        _877 = v_623.codes[((index * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _877 = 0u;
    }
    uint param = v_623.codes[(index * BITS) >> uint(5)];
    uint param_1 = _877;
    uint param_2 = (index * BITS) & 31u;
    uint param_3 = BITS;
    uint found = (code_of(param, param_1, param_2, param_3) * WIDTH) + (column % WIDTH);
    uint param_4 = row;
    uint param_5 = column;
    uint param_6 = book[found >> uint(1)];
    uint param_7 = found;
    float2 param_8 = level(param_4, param_5, v_381, v_402, v_417);
    float param_9 = half_in(param_6, param_7);
    return weight_of(param_8, param_9);
}

static inline __attribute__((always_inline))
void fetch_weights(thread const uint& row, thread const uint& column, thread spvUnsafeArray<float, 8>& v, threadgroup uint (&book)[1024], constant Params& v_381, const device Scales& v_402, const device Supers& v_417, const device Codes& v_623)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1419 = row >= v_381.row_end;
    bool _1427;
    if (!_1419)
    {
        _1427 = column >= v_381.columns;
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
        uint param_2 = row - v_381.held;
        uint param_3 = column;
        uint param_4 = at;
        spvUnsafeArray<float, 8> param_5;
        load_eight(param_2, param_3, param_4, param_5, book, v_381, v_623);
        v = param_5;
        uint param_6 = row - v_381.held;
        uint param_7 = column;
        float2 found = level(param_6, param_7, v_381, v_402, v_417);
        for (uint j_1 = 0u; j_1 < 8u; j_1++)
        {
            float2 param_8 = found;
            float param_9 = v[j_1];
            v[j_1] = weight_of(param_8, param_9);
        }
        return;
    }
    uint count = min(8u, (v_381.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - v_381.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12, book, v_381, v_402, v_417, v_623);
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_381)
{
    uint at = v_381.x_at + (token * v_381.x_token);
    uint _931;
    if (_930)
    {
        _931 = at + column;
    }
    else
    {
        _931 = (at + ((column / v_381.x_inner) * v_381.x_outer)) + (column % v_381.x_inner);
    }
    return _931;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_381, const device X& v_970)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_381);
    float2 _1003;
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_1002)
        {
            _1003 = float2(as_type<half2>(v_970.x[(at + j) >> uint(1)]));
        }
        else
        {
            _1003 = float2(as_type<float>(v_970.x[at + j]), as_type<float>(v_970.x[(at + j) + 1u]));
        }
        float2 two = _1003;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_381, const device X& v_970)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_381);
    float _964;
    if (_963)
    {
        uint param_2 = v_970.x[at >> uint(1)];
        uint param_3 = at;
        _964 = half_in(param_2, param_3);
    }
    else
    {
        _964 = as_type<float>(v_970.x[at]);
    }
    return _964;
}

static inline __attribute__((always_inline))
void fetch_x(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_381, const device X& v_970)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1529 = token >= v_381.tokens;
    bool _1537;
    if (!_1529)
    {
        _1537 = column >= v_381.columns;
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
        spvUnsafeArray<float, 8> param_2;
        load_x8(param, param_1, param_2, v_381, v_970);
        v = param_2;
        return;
    }
    uint count = min(8u, (v_381.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4, v_381, v_970);
    }
}

static inline __attribute__((always_inline))
float added(thread const uint& token, thread const uint& row, constant Params& v_381, const device Bias& v_1049, const device Residual& v_1092)
{
    float _1043;
    if (_1042)
    {
        _1043 = as_type<float>(v_1049.bias0[row]);
    }
    else
    {
        _1043 = 0.0;
    }
    float sum = _1043;
    if (_1057)
    {
        uint at = ((v_381.residual_at + (token * v_381.residual_token)) + ((row / v_381.residual_inner) * v_381.residual_outer)) + (row % v_381.residual_inner);
        float _1086;
        if (_1085)
        {
            uint param = v_1092.residual[at >> uint(1)];
            uint param_1 = at;
            _1086 = half_in(param, param_1);
        }
        else
        {
            _1086 = as_type<float>(v_1092.residual[at]);
        }
        sum += _1086;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_381, device Y0& v_1122, device Y1& v_1161, device Y2& v_1198)
{
    if (row < v_381.end0)
    {
        v_1122.y0[((v_381.y0_at + (token * v_381.y0_token)) + ((row / v_381.y0_inner) * v_381.y0_outer)) + (row % v_381.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_381.end1)
        {
            v_1161.y1[((v_381.y1_at + (token * v_381.y1_token)) + (((row - v_381.end0) / v_381.y1_inner) * v_381.y1_outer)) + ((row - v_381.end0) % v_381.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_1198.y2[((v_381.y2_at + (token * v_381.y2_token)) + (((row - v_381.end1) / v_381.y2_inner) * v_381.y2_outer)) + ((row - v_381.end1) % v_381.y2_inner)] = as_type<uint>(v);
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
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_381, const device Bias& v_1049, const device Residual& v_1092, device Y0& v_1122, device Y1& v_1161, device Y2& v_1198)
{
    bool two = (row + 1u) < v_381.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_381, v_1049, v_1092);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_381, v_1049, v_1092);
    }
    uint _1267;
    if (row < v_381.end0)
    {
        _1267 = Y0_HALF;
    }
    else
    {
        _1267 = (row < v_381.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1267;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_381, v_1122, v_1161, v_1198);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_381, v_1122, v_1161, v_1198);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_381.end0)
    {
        v_1122.y0[(((v_381.y0_at + (token * v_381.y0_token)) + ((row / v_381.y0_inner) * v_381.y0_outer)) + (row % v_381.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_381.end1)
        {
            v_1161.y1[(((v_381.y1_at + (token * v_381.y1_token)) + (((row - v_381.end0) / v_381.y1_inner) * v_381.y1_outer)) + ((row - v_381.end0) % v_381.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_1198.y2[(((v_381.y2_at + (token * v_381.y2_token)) + (((row - v_381.end1) / v_381.y2_inner) * v_381.y2_outer)) + ((row - v_381.end1) % v_381.y2_inner)) >> uint(1)] = word;
        }
    }
}

kernel void matmul_vectors(constant Params& v_381 [[buffer(0)]], const device X& v_970 [[buffer(1)]], const device Bias& v_1049 [[buffer(2)]], const device Residual& v_1092 [[buffer(3)]], device Y0& v_1122 [[buffer(4)]], device Y1& v_1161 [[buffer(5)]], device Y2& v_1198 [[buffer(6)]], const device Codes& v_623 [[buffer(7)]], const device Table& v_358 [[buffer(8)]], const device Scales& v_402 [[buffer(9)]], const device Supers& v_417 [[buffer(10)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup uint book[1024];
    threadgroup float4 w_tile[256];
    threadgroup float4 x_tile[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1591;
    uint my_row = 4u * (thread0 % _1597);
    uint my_token = 4u * (thread0 / _1604);
    open_book(gl_LocalInvocationID, book, v_358);
    uint _1619 = v_381.row_begin + (gl_WorkGroupID.x * _1617);
    spvUnsafeArray<float4, 4> acc;
    spvUnsafeArray<float, 8> v;
    spvUnsafeArray<float, 8> param_2;
    spvUnsafeArray<float, 8> param_5;
    for (uint row0 = _1619; row0 < v_381.row_end; row0 += (gl_NumWorkGroups.x * _1951))
    {
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = float4(0.0);
        }
        for (uint column0 = 0u; column0 < v_381.columns; column0 += 16u)
        {
            for (uint i_1 = thread0; i_1 < _1676; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1683)
                {
                    uint row = i_1 % _1692;
                    uint k = 8u * (i_1 / _1699);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2, book, v_381, v_402, v_417, v_623);
                    v = param_2;
                    for (uint j = 0u; j < 8u; j++)
                    {
                        ((threadgroup float*)&w_tile[((k + j) * _1732) + (row / 4u)])[row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1753) % _1760;
                    uint k_1 = 8u * ((i_1 - _1768) / _1775);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5, v_381, v_970);
                    v = param_5;
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        ((threadgroup float*)&x_tile[((k_1 + j_1) * _1807) + (token / 4u)])[token % 4u] = v[j_1];
                    }
                }
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                float4 w4 = w_tile[(k_2 * _1837) + (my_row / 4u)];
                float4 x4 = x_tile[(k_2 * _1853) + (my_token / 4u)];
                for (uint i_2 = 0u; i_2 < 4u; i_2++)
                {
                    acc[i_2] += (w4 * x4[i_2]);
                }
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
        }
        uint row_1 = row0 + my_row;
        for (uint i_3 = 0u; i_3 < 4u; i_3++)
        {
            uint token_1 = (token0 + my_token) + i_3;
            if (token_1 >= v_381.tokens)
            {
                continue;
            }
            if (row_1 < v_381.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                float2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8, v_381, v_1049, v_1092, v_1122, v_1161, v_1198);
            }
            if ((row_1 + 2u) < v_381.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                float2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11, v_381, v_1049, v_1092, v_1122, v_1161, v_1198);
            }
        }
    }
}

