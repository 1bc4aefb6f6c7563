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

constant uint GROUP_tmp [[function_constant(11)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _391 = (GROUP != 0u);

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

constant uint SCALE_BITS_tmp [[function_constant(12)]];
constant uint SCALE_BITS = is_function_constant_defined(SCALE_BITS_tmp) ? SCALE_BITS_tmp : 0u;
constant bool _412 = (SCALE_BITS == 0u);

struct Scales
{
    uint scales[1];
};

struct Supers
{
    uint supers[1];
};

constant uint ZEROS_tmp [[function_constant(13)]];
constant uint ZEROS = is_function_constant_defined(ZEROS_tmp) ? ZEROS_tmp : 0u;
constant bool _481 = (ZEROS == 1u);

struct Zeros
{
    uint zeros[1];
};

constant uint ZERO_BITS_tmp [[function_constant(14)]];
constant uint ZERO_BITS = is_function_constant_defined(ZERO_BITS_tmp) ? ZERO_BITS_tmp : 4u;
constant uint BITS_tmp [[function_constant(10)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;
constant uint _520 = (ZERO_BITS - BITS);
constant uint _521 = (1u << _520);
constant bool _526 = (ZEROS == 2u);
constant uint _616 = (8u * BITS);
constant bool _631 = (ZEROS == 0u);
constant uint _654 = (8u * BITS);
constant uint _655 = (_654 % 8u);
constant bool _656 = (_655 != 0u);
constant uint _671 = (8u * BITS);
constant uint _675 = (8u * BITS);
constant uint _681 = (8u * BITS);

struct Codes
{
    uint codes[1];
};

constant uint _695 = (8u * BITS);
constant uint _717 = (8u * BITS);
constant uint _718 = (_717 % 32u);
constant bool _719 = (_718 == 0u);
constant uint _720 = (8u * BITS);
constant uint _721 = (_720 % 16u);
constant bool _722 = (_721 == 0u);
constant uint _723 = (8u * BITS);
constant uint _724 = (_723 % 8u);
constant bool _725 = (_724 == 0u);
constant uint _726 = _725 ? 32u : 8u;
constant uint _727 = _722 ? 16u : _726;
constant uint _728 = _719 ? 8u : _727;
constant uint _733 = (8u * BITS);
constant uint _734 = (_733 % 32u);
constant bool _735 = (_734 == 0u);
constant uint _736 = (8u * BITS);
constant uint _737 = (_736 % 16u);
constant bool _738 = (_737 == 0u);
constant uint _739 = (8u * BITS);
constant uint _740 = (_739 % 8u);
constant bool _741 = (_740 == 0u);
constant uint _742 = _741 ? 32u : 8u;
constant uint _743 = _738 ? 16u : _742;
constant uint _744 = _735 ? 8u : _743;
constant uint _745 = (8u * BITS);
constant uint _746 = (_744 * _745);
constant uint _748 = (_746 / 256u);
constant uint _757 = (8u * BITS);
constant uint _758 = (_757 % 32u);
constant bool _759 = (_758 == 0u);
constant uint _760 = (8u * BITS);
constant uint _761 = (_760 % 16u);
constant bool _762 = (_761 == 0u);
constant uint _763 = (8u * BITS);
constant uint _764 = (_763 % 8u);
constant bool _765 = (_764 == 0u);
constant uint _766 = _765 ? 32u : 8u;
constant uint _767 = _762 ? 16u : _766;
constant uint _768 = _759 ? 8u : _767;
constant uint _769 = (8u * BITS);
constant uint _770 = (_768 * _769);
constant uint _771 = (_770 / 256u);
constant uint _782 = (8u * BITS);
constant uint _783 = (_782 % 8u);
constant bool _784 = (_783 != 0u);
constant bool _785 = (!_784);
constant uint _788 = (8u * BITS);
constant uint _789 = (_788 % 32u);
constant bool _790 = (_789 == 0u);
constant uint _791 = (8u * BITS);
constant uint _792 = (_791 % 16u);
constant bool _793 = (_792 == 0u);
constant uint _794 = (8u * BITS);
constant uint _795 = (_794 % 8u);
constant bool _796 = (_795 == 0u);
constant uint _797 = _796 ? 32u : 8u;
constant uint _798 = _793 ? 16u : _797;
constant uint _799 = _790 ? 8u : _798;
constant bool _800 = (_799 == 8u);
constant uint _826 = (8u * BITS);
constant uint _830 = (8u * BITS);
constant uint _836 = (8u * BITS);
constant uint _847 = (8u * BITS);
constant uint _877 = (8u * BITS);
constant int _956 = int(BITS + 0u);
constant bool _963 = (ZEROS == 0u);
constant uint X_RUNS_tmp [[function_constant(3)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _988 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(2)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _1021 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _1060 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(4)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _1100 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(5)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _1115 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(6)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _1143 = (RESIDUAL_HALF != 0u);

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
constant bool _1496 = (ALIGNED != 0u);
constant bool _1599 = (ALIGNED != 0u);
constant uint _1648_tmp [[function_constant(0)]];
constant uint _1648 = is_function_constant_defined(_1648_tmp) ? _1648_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1648, 1u, 1u);
constant uint _1650 = gl_WorkGroupSize.x;
constant uint _1651 = gl_WorkGroupSize.x;
constant bool _1653 = (_1651 >= 128u);
constant uint _1654 = _1653 ? 16u : 8u;
constant uint _1655 = (_1650 / _1654);
constant uint _1656 = (4u * _1655);
constant uint _1660 = gl_WorkGroupSize.x;
constant bool _1661 = (_1660 >= 128u);
constant uint _1662 = _1661 ? 16u : 8u;
constant uint _1667 = gl_WorkGroupSize.x;
constant bool _1668 = (_1667 >= 128u);
constant uint _1669 = _1668 ? 16u : 8u;
constant uint _1679 = gl_WorkGroupSize.x;
constant bool _1680 = (_1679 >= 128u);
constant uint _1681 = _1680 ? 16u : 8u;
constant uint _1682 = (4u * _1681);
constant uint _1730 = gl_WorkGroupSize.x;
constant bool _1731 = (_1730 >= 128u);
constant uint _1732 = _1731 ? 16u : 8u;
constant uint _1733 = (4u * _1732);
constant uint _1734 = gl_WorkGroupSize.x;
constant uint _1735 = gl_WorkGroupSize.x;
constant bool _1736 = (_1735 >= 128u);
constant uint _1737 = _1736 ? 16u : 8u;
constant uint _1738 = (_1734 / _1737);
constant uint _1739 = (4u * _1738);
constant uint _1740 = (_1733 + _1739);
constant uint _1741 = (2u * _1740);
constant uint _1744 = gl_WorkGroupSize.x;
constant bool _1745 = (_1744 >= 128u);
constant uint _1746 = _1745 ? 16u : 8u;
constant uint _1747 = (4u * _1746);
constant uint _1748 = (2u * _1747);
constant uint _1754 = gl_WorkGroupSize.x;
constant bool _1755 = (_1754 >= 128u);
constant uint _1756 = _1755 ? 16u : 8u;
constant uint _1757 = (4u * _1756);
constant uint _1761 = gl_WorkGroupSize.x;
constant bool _1762 = (_1761 >= 128u);
constant uint _1763 = _1762 ? 16u : 8u;
constant uint _1764 = (4u * _1763);
constant uint _1793 = gl_WorkGroupSize.x;
constant bool _1794 = (_1793 >= 128u);
constant uint _1795 = _1794 ? 16u : 8u;
constant uint _1796 = (4u * _1795);
constant uint _1797 = (_1796 / 4u);
constant uint _1814 = gl_WorkGroupSize.x;
constant bool _1815 = (_1814 >= 128u);
constant uint _1816 = _1815 ? 16u : 8u;
constant uint _1817 = (4u * _1816);
constant uint _1818 = (2u * _1817);
constant uint _1820 = gl_WorkGroupSize.x;
constant uint _1821 = gl_WorkGroupSize.x;
constant bool _1822 = (_1821 >= 128u);
constant uint _1823 = _1822 ? 16u : 8u;
constant uint _1824 = (_1820 / _1823);
constant uint _1825 = (4u * _1824);
constant uint _1829 = gl_WorkGroupSize.x;
constant bool _1830 = (_1829 >= 128u);
constant uint _1831 = _1830 ? 16u : 8u;
constant uint _1832 = (4u * _1831);
constant uint _1833 = (2u * _1832);
constant uint _1835 = gl_WorkGroupSize.x;
constant uint _1836 = gl_WorkGroupSize.x;
constant bool _1837 = (_1836 >= 128u);
constant uint _1838 = _1837 ? 16u : 8u;
constant uint _1839 = (_1835 / _1838);
constant uint _1840 = (4u * _1839);
constant uint _1866 = gl_WorkGroupSize.x;
constant uint _1867 = gl_WorkGroupSize.x;
constant bool _1868 = (_1867 >= 128u);
constant uint _1869 = _1868 ? 16u : 8u;
constant uint _1870 = (_1866 / _1869);
constant uint _1871 = (4u * _1870);
constant uint _1872 = (_1871 / 4u);
constant uint _1899 = gl_WorkGroupSize.x;
constant bool _1900 = (_1899 >= 128u);
constant uint _1901 = _1900 ? 16u : 8u;
constant uint _1902 = (4u * _1901);
constant uint _1903 = (_1902 / 4u);
constant uint _1913 = gl_WorkGroupSize.x;
constant uint _1914 = gl_WorkGroupSize.x;
constant bool _1915 = (_1914 >= 128u);
constant uint _1916 = _1915 ? 16u : 8u;
constant uint _1917 = (_1913 / _1916);
constant uint _1918 = (4u * _1917);
constant uint _1919 = (_1918 / 4u);
constant uint _2014 = gl_WorkGroupSize.x;
constant bool _2015 = (_2014 >= 128u);
constant uint _2016 = _2015 ? 16u : 8u;
constant uint _2017 = (4u * _2016);

static inline __attribute__((always_inline))
void open_book()
{
}

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row)
{
    return 0u;
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_397, const device Codes& v_687)
{
    if (_656)
    {
        uint eight = (row * (v_397.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _671) + (((eight & 31u) * _675) >> uint(5));
        uint shift = (eight * _681) & 31u;
        words[0] = v_687.codes[at] >> shift;
        if ((shift + _695) > 32u)
        {
            words[0] |= (v_687.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_397.columns / _728)) + step_) * _748;
        for (uint i = 0u; i < _771; i++)
        {
            words[i] = v_687.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
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
    uint2 out_ = uint2(words[i], _563);
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

static inline __attribute__((always_inline))
int signed_in(thread const uint2& words, thread const uint& bits, thread const uint& j)
{
    uint at = j * bits;
    if ((at + bits) <= 32u)
    {
        return extract_bits(int(words.x), uint(int(at)), uint(int(bits)));
    }
    if (at >= 32u)
    {
        return extract_bits(int(words.y), uint(int(at - 32u)), uint(int(bits)));
    }
    return extract_bits(int((words.x >> at) | (words.y << ((32u - at) & 31u))), uint(0), uint(int(bits)));
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
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v)
{
    spvUnsafeArray<uint, 8> param;
    param = words;
    uint param_1 = sub * _616;
    uint2 eight = window(param, param_1);
    float _632;
    for (uint j = 0u; j < 8u; j++)
    {
        if (_631)
        {
            uint2 param_2 = eight;
            uint param_3 = BITS;
            uint param_4 = j;
            _632 = float(signed_in(param_2, param_3, param_4));
        }
        else
        {
            uint2 param_5 = eight;
            uint param_6 = BITS;
            uint param_7 = j;
            _632 = float(code_in(param_5, param_6, param_7));
        }
        v[j] = _632;
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, constant Params& v_397, const device Codes& v_687)
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
    spvUnsafeArray<uint, 8> words;
    if (_801)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        spvUnsafeArray<uint, 8> param_2;
        load_step(param, param_1, param_2, v_397, v_687);
        words = param_2;
    }
    else
    {
        uint eight = (row * (v_397.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _826) + (((eight & 31u) * _830) >> uint(5));
        uint shift = (eight * _836) & 31u;
        words[0] = v_687.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _847) > 32u)
        {
            uint next = v_687.codes[word + 1u];
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
            words[1] |= (v_687.codes[word + 2u] << (32u - shift));
        }
    }
    spvUnsafeArray<uint, 8> param_3;
    param_3 = words;
    uint param_4 = 0u;
    uint param_5 = at;
    spvUnsafeArray<float, 8> param_6;
    numbers(param_3, param_4, param_5, param_6);
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
    float _239;
    if (x < 0.0)
    {
        _239 = -as_type<float>(bits);
    }
    else
    {
        _239 = as_type<float>(bits);
    }
    return _239;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column, constant Params& v_397, const device Scales& v_418, const device Supers& v_435, const device Zeros& v_487)
{
    uint at = row;
    if (_391)
    {
        at = (row * (((v_397.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    float2 both = float2(0.0);
    if (_412)
    {
        uint param = v_418.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = v_435.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _454;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _454 = v_418.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _454 = 0u;
        }
        uint param_4 = v_418.scales[(at * SCALE_BITS) >> uint(5)];
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
            _497 = v_487.zeros[((at * ZERO_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _497 = 0u;
        }
        uint param_9 = v_487.zeros[(at * ZERO_BITS) >> uint(5)];
        uint param_10 = _497;
        uint param_11 = (at * ZERO_BITS) & 31u;
        uint param_12 = ZERO_BITS;
        both.y = float(code_of(param_9, param_10, param_11, param_12)) / float(_521);
    }
    if (_526)
    {
        uint param_13 = v_487.zeros[at >> uint(1)];
        uint param_14 = at;
        both.y = exact_half(param_13, param_14);
    }
    return both;
}

static inline __attribute__((always_inline))
float weight_of(thread const float2& level_, thread const float& v)
{
    return (v - level_.y) * level_.x;
}

static inline __attribute__((always_inline))
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_397, const device Scales& v_418, const device Supers& v_435, const device Zeros& v_487, const device Codes& v_687)
{
    uint _921;
    if ((((((row * v_397.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _921 = v_687.codes[((((row * v_397.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _921 = 0u;
    }
    uint param = v_687.codes[(((row * v_397.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _921;
    uint param_2 = (((row * v_397.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    int number = extract_bits(int(code), uint(0), uint(_956));
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
    float2 param_6 = level(param_4, param_5, v_397, v_418, v_435, v_487);
    float param_7 = _964;
    return weight_of(param_6, param_7);
}

static inline __attribute__((always_inline))
void fetch_weights(thread const uint& row, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_397, const device Scales& v_418, const device Supers& v_435, const device Zeros& v_487, const device Codes& v_687)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1477 = row >= v_397.row_end;
    bool _1485;
    if (!_1477)
    {
        _1485 = column >= v_397.columns;
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
        uint param_2 = row - v_397.held;
        uint param_3 = column;
        uint param_4 = at;
        spvUnsafeArray<float, 8> param_5;
        load_eight(param_2, param_3, param_4, param_5, v_397, v_687);
        v = param_5;
        uint param_6 = row - v_397.held;
        uint param_7 = column;
        float2 found = level(param_6, param_7, v_397, v_418, v_435, v_487);
        for (uint j_1 = 0u; j_1 < 8u; j_1++)
        {
            float2 param_8 = found;
            float param_9 = v[j_1];
            v[j_1] = weight_of(param_8, param_9);
        }
        return;
    }
    uint count = min(8u, (v_397.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - v_397.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12, v_397, v_418, v_435, v_487, v_687);
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_397)
{
    uint at = v_397.x_at + (token * v_397.x_token);
    uint _989;
    if (_988)
    {
        _989 = at + column;
    }
    else
    {
        _989 = (at + ((column / v_397.x_inner) * v_397.x_outer)) + (column % v_397.x_inner);
    }
    return _989;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_397, const device X& v_1028)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_397);
    float2 _1061;
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_1060)
        {
            _1061 = float2(as_type<half2>(v_1028.x[(at + j) >> uint(1)]));
        }
        else
        {
            _1061 = float2(as_type<float>(v_1028.x[at + j]), as_type<float>(v_1028.x[(at + j) + 1u]));
        }
        float2 two = _1061;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
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

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_397, const device X& v_1028)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_397);
    float _1022;
    if (_1021)
    {
        uint param_2 = v_1028.x[at >> uint(1)];
        uint param_3 = at;
        _1022 = half_in(param_2, param_3);
    }
    else
    {
        _1022 = as_type<float>(v_1028.x[at]);
    }
    return _1022;
}

static inline __attribute__((always_inline))
void fetch_x(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_397, const device X& v_1028)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1587 = token >= v_397.tokens;
    bool _1595;
    if (!_1587)
    {
        _1595 = column >= v_397.columns;
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
        spvUnsafeArray<float, 8> param_2;
        load_x8(param, param_1, param_2, v_397, v_1028);
        v = param_2;
        return;
    }
    uint count = min(8u, (v_397.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4, v_397, v_1028);
    }
}

static inline __attribute__((always_inline))
float added(thread const uint& token, thread const uint& row, constant Params& v_397, const device Bias& v_1107, const device Residual& v_1150)
{
    float _1101;
    if (_1100)
    {
        _1101 = as_type<float>(v_1107.bias0[row]);
    }
    else
    {
        _1101 = 0.0;
    }
    float sum = _1101;
    if (_1115)
    {
        uint at = ((v_397.residual_at + (token * v_397.residual_token)) + ((row / v_397.residual_inner) * v_397.residual_outer)) + (row % v_397.residual_inner);
        float _1144;
        if (_1143)
        {
            uint param = v_1150.residual[at >> uint(1)];
            uint param_1 = at;
            _1144 = half_in(param, param_1);
        }
        else
        {
            _1144 = as_type<float>(v_1150.residual[at]);
        }
        sum += _1144;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_397, device Y0& v_1180, device Y1& v_1219, device Y2& v_1256)
{
    if (row < v_397.end0)
    {
        v_1180.y0[((v_397.y0_at + (token * v_397.y0_token)) + ((row / v_397.y0_inner) * v_397.y0_outer)) + (row % v_397.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_397.end1)
        {
            v_1219.y1[((v_397.y1_at + (token * v_397.y1_token)) + (((row - v_397.end0) / v_397.y1_inner) * v_397.y1_outer)) + ((row - v_397.end0) % v_397.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_1256.y2[((v_397.y2_at + (token * v_397.y2_token)) + (((row - v_397.end1) / v_397.y2_inner) * v_397.y2_outer)) + ((row - v_397.end1) % v_397.y2_inner)] = as_type<uint>(v);
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
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_397, const device Bias& v_1107, const device Residual& v_1150, device Y0& v_1180, device Y1& v_1219, device Y2& v_1256)
{
    bool two = (row + 1u) < v_397.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_397, v_1107, v_1150);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_397, v_1107, v_1150);
    }
    uint _1325;
    if (row < v_397.end0)
    {
        _1325 = Y0_HALF;
    }
    else
    {
        _1325 = (row < v_397.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1325;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_397, v_1180, v_1219, v_1256);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_397, v_1180, v_1219, v_1256);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_397.end0)
    {
        v_1180.y0[(((v_397.y0_at + (token * v_397.y0_token)) + ((row / v_397.y0_inner) * v_397.y0_outer)) + (row % v_397.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_397.end1)
        {
            v_1219.y1[(((v_397.y1_at + (token * v_397.y1_token)) + (((row - v_397.end0) / v_397.y1_inner) * v_397.y1_outer)) + ((row - v_397.end0) % v_397.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_1256.y2[(((v_397.y2_at + (token * v_397.y2_token)) + (((row - v_397.end1) / v_397.y2_inner) * v_397.y2_outer)) + ((row - v_397.end1) % v_397.y2_inner)) >> uint(1)] = word;
        }
    }
}

kernel void matmul_affine(constant Params& v_397 [[buffer(0)]], const device X& v_1028 [[buffer(1)]], const device Bias& v_1107 [[buffer(2)]], const device Residual& v_1150 [[buffer(3)]], device Y0& v_1180 [[buffer(4)]], device Y1& v_1219 [[buffer(5)]], device Y2& v_1256 [[buffer(6)]], const device Codes& v_687 [[buffer(7)]], const device Scales& v_418 [[buffer(8)]], const device Zeros& v_487 [[buffer(9)]], const device Supers& v_435 [[buffer(10)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup float4 w_tile[256];
    threadgroup float4 x_tile[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1656;
    uint my_row = 4u * (thread0 % _1662);
    uint my_token = 4u * (thread0 / _1669);
    open_book();
    uint _1684 = v_397.row_begin + (gl_WorkGroupID.x * _1682);
    spvUnsafeArray<float4, 4> acc;
    spvUnsafeArray<float, 8> v;
    spvUnsafeArray<float, 8> param_2;
    spvUnsafeArray<float, 8> param_5;
    for (uint row0 = _1684; row0 < v_397.row_end; row0 += (gl_NumWorkGroups.x * _2017))
    {
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = float4(0.0);
        }
        for (uint column0 = 0u; column0 < v_397.columns; column0 += 16u)
        {
            for (uint i_1 = thread0; i_1 < _1741; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1748)
                {
                    uint row = i_1 % _1757;
                    uint k = 8u * (i_1 / _1764);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2, v_397, v_418, v_435, v_487, v_687);
                    v = param_2;
                    for (uint j = 0u; j < 8u; j++)
                    {
                        ((threadgroup float*)&w_tile[((k + j) * _1797) + (row / 4u)])[row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1818) % _1825;
                    uint k_1 = 8u * ((i_1 - _1833) / _1840);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5, v_397, v_1028);
                    v = param_5;
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        ((threadgroup float*)&x_tile[((k_1 + j_1) * _1872) + (token / 4u)])[token % 4u] = v[j_1];
                    }
                }
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                float4 w4 = w_tile[(k_2 * _1903) + (my_row / 4u)];
                float4 x4 = x_tile[(k_2 * _1919) + (my_token / 4u)];
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
            if (token_1 >= v_397.tokens)
            {
                continue;
            }
            if (row_1 < v_397.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                float2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8, v_397, v_1107, v_1150, v_1180, v_1219, v_1256);
            }
            if ((row_1 + 2u) < v_397.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                float2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11, v_397, v_1107, v_1150, v_1180, v_1219, v_1256);
            }
        }
    }
}

