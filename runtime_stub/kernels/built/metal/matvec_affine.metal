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

constant uint GROUP_tmp [[function_constant(13)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _453 = (GROUP != 0u);

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

constant uint SCALE_BITS_tmp [[function_constant(14)]];
constant uint SCALE_BITS = is_function_constant_defined(SCALE_BITS_tmp) ? SCALE_BITS_tmp : 0u;
constant bool _474 = (SCALE_BITS == 0u);

struct Scales
{
    uint scales[1];
};

struct Supers
{
    uint supers[1];
};

constant uint ZEROS_tmp [[function_constant(15)]];
constant uint ZEROS = is_function_constant_defined(ZEROS_tmp) ? ZEROS_tmp : 0u;
constant bool _542 = (ZEROS == 1u);

struct Zeros
{
    uint zeros[1];
};

constant uint ZERO_BITS_tmp [[function_constant(16)]];
constant uint ZERO_BITS = is_function_constant_defined(ZERO_BITS_tmp) ? ZERO_BITS_tmp : 4u;
constant uint BITS_tmp [[function_constant(12)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;
constant uint _581 = (ZERO_BITS - BITS);
constant uint _582 = (1u << _581);
constant bool _586 = (ZEROS == 2u);
constant bool _612 = (ZEROS == 0u);
constant uint _694 = (8u * BITS);
constant bool _709 = (ZEROS == 0u);
constant uint _732 = (8u * BITS);
constant uint _733 = (_732 % 8u);
constant bool _734 = (_733 != 0u);
constant uint _749 = (8u * BITS);
constant uint _753 = (8u * BITS);
constant uint _759 = (8u * BITS);

struct Codes
{
    uint codes[1];
};

constant uint _773 = (8u * BITS);
constant uint _795 = (8u * BITS);
constant uint _796 = (_795 % 32u);
constant bool _797 = (_796 == 0u);
constant uint _798 = (8u * BITS);
constant uint _799 = (_798 % 16u);
constant bool _800 = (_799 == 0u);
constant uint _801 = (8u * BITS);
constant uint _802 = (_801 % 8u);
constant bool _803 = (_802 == 0u);
constant uint _804 = _803 ? 32u : 8u;
constant uint _805 = _800 ? 16u : _804;
constant uint _806 = _797 ? 8u : _805;
constant uint _811 = (8u * BITS);
constant uint _812 = (_811 % 32u);
constant bool _813 = (_812 == 0u);
constant uint _814 = (8u * BITS);
constant uint _815 = (_814 % 16u);
constant bool _816 = (_815 == 0u);
constant uint _817 = (8u * BITS);
constant uint _818 = (_817 % 8u);
constant bool _819 = (_818 == 0u);
constant uint _820 = _819 ? 32u : 8u;
constant uint _821 = _816 ? 16u : _820;
constant uint _822 = _813 ? 8u : _821;
constant uint _823 = (8u * BITS);
constant uint _824 = (_822 * _823);
constant uint _825 = (_824 / 256u);
constant uint _834 = (8u * BITS);
constant uint _835 = (_834 % 32u);
constant bool _836 = (_835 == 0u);
constant uint _837 = (8u * BITS);
constant uint _838 = (_837 % 16u);
constant bool _839 = (_838 == 0u);
constant uint _840 = (8u * BITS);
constant uint _841 = (_840 % 8u);
constant bool _842 = (_841 == 0u);
constant uint _843 = _842 ? 32u : 8u;
constant uint _844 = _839 ? 16u : _843;
constant uint _845 = _836 ? 8u : _844;
constant uint _846 = (8u * BITS);
constant uint _847 = (_845 * _846);
constant uint _848 = (_847 / 256u);
constant int _913 = int(BITS + 0u);
constant bool _920 = (ZEROS == 0u);
constant uint X_RUNS_tmp [[function_constant(5)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _945 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(4)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _978 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _1017 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(6)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _1057 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(7)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _1072 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(8)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _1100 = (RESIDUAL_HALF != 0u);

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
constant uint _1428 = (ROWS * TOKENS);
constant uint _1443 = (ROWS * TOKENS);
constant uint _1483 = (ROWS * TOKENS);
constant uint _1511 = (ROWS / 2u);
constant uint _1512 = (_1511 * TOKENS);
constant uint _1555_tmp [[function_constant(0)]];
constant uint _1555 = is_function_constant_defined(_1555_tmp) ? _1555_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1555, 1u, 1u);
constant uint ALIGNED_tmp [[function_constant(3)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _1642 = (ALIGNED != 0u);
constant bool _1645 = (GROUP == 0u);
constant uint _1680 = (8u * BITS);
constant uint _1681 = (_1680 % 32u);
constant bool _1682 = (_1681 == 0u);
constant uint _1683 = (8u * BITS);
constant uint _1684 = (_1683 % 16u);
constant bool _1685 = (_1684 == 0u);
constant uint _1686 = (8u * BITS);
constant uint _1687 = (_1686 % 8u);
constant bool _1688 = (_1687 == 0u);
constant uint _1689 = _1688 ? 32u : 8u;
constant uint _1690 = _1685 ? 16u : _1689;
constant uint _1691 = _1682 ? 8u : _1690;
constant uint _1725 = (8u * BITS);
constant uint _1726 = (_1725 % 32u);
constant bool _1727 = (_1726 == 0u);
constant uint _1728 = (8u * BITS);
constant uint _1729 = (_1728 % 16u);
constant bool _1730 = (_1729 == 0u);
constant uint _1731 = (8u * BITS);
constant uint _1732 = (_1731 % 8u);
constant bool _1733 = (_1732 == 0u);
constant uint _1734 = _1733 ? 32u : 8u;
constant uint _1735 = _1730 ? 16u : _1734;
constant uint _1736 = _1727 ? 8u : _1735;
constant uint _1737 = (_1736 / 8u);
constant uint _1741 = (8u * BITS);
constant uint _1742 = (_1741 % 32u);
constant bool _1743 = (_1742 == 0u);
constant uint _1744 = (8u * BITS);
constant uint _1745 = (_1744 % 16u);
constant bool _1746 = (_1745 == 0u);
constant uint _1747 = (8u * BITS);
constant uint _1748 = (_1747 % 8u);
constant bool _1749 = (_1748 == 0u);
constant uint _1750 = _1749 ? 32u : 8u;
constant uint _1751 = _1746 ? 16u : _1750;
constant uint _1752 = _1743 ? 8u : _1751;
constant bool _1816 = (GROUP != 0u);
constant uint _1824 = (8u * BITS);
constant uint _1825 = (_1824 % 32u);
constant bool _1826 = (_1825 == 0u);
constant uint _1827 = (8u * BITS);
constant uint _1828 = (_1827 % 16u);
constant bool _1829 = (_1828 == 0u);
constant uint _1830 = (8u * BITS);
constant uint _1831 = (_1830 % 8u);
constant bool _1832 = (_1831 == 0u);
constant uint _1833 = _1832 ? 32u : 8u;
constant uint _1834 = _1829 ? 16u : _1833;
constant uint _1835 = _1826 ? 8u : _1834;
constant uint _1836 = (GROUP % _1835);
constant bool _1837 = (_1836 != 0u);

static inline __attribute__((always_inline))
void open_book()
{
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
    float _249;
    if (x < 0.0)
    {
        _249 = -as_type<float>(bits);
    }
    else
    {
        _249 = as_type<float>(bits);
    }
    return _249;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column, constant Params& v_459, const device Scales& v_480, const device Supers& v_496, const device Zeros& v_548)
{
    uint at = row;
    if (_453)
    {
        at = (row * (((v_459.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    float2 both = float2(0.0);
    if (_474)
    {
        uint param = v_480.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = v_496.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _515;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _515 = v_480.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _515 = 0u;
        }
        uint param_4 = v_480.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _515;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    if (_542)
    {
        uint _558;
        if ((((at * ZERO_BITS) & 31u) + ZERO_BITS) > 32u)
        {
            _558 = v_548.zeros[((at * ZERO_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _558 = 0u;
        }
        uint param_9 = v_548.zeros[(at * ZERO_BITS) >> uint(5)];
        uint param_10 = _558;
        uint param_11 = (at * ZERO_BITS) & 31u;
        uint param_12 = ZERO_BITS;
        both.y = float(code_of(param_9, param_10, param_11, param_12)) / float(_582);
    }
    if (_586)
    {
        uint param_13 = v_548.zeros[at >> uint(1)];
        uint param_14 = at;
        both.y = exact_half(param_13, param_14);
    }
    return both;
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_459, const device Codes& v_765)
{
    if (_734)
    {
        uint eight = (row * (v_459.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _749) + (((eight & 31u) * _753) >> uint(5));
        uint shift = (eight * _759) & 31u;
        words[0] = v_765.codes[at] >> shift;
        if ((shift + _773) > 32u)
        {
            words[0] |= (v_765.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_459.columns / _806)) + step_) * _825;
        for (uint i = 0u; i < _848; i++)
        {
            words[i] = v_765.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_459)
{
    uint at = v_459.x_at + (token * v_459.x_token);
    uint _946;
    if (_945)
    {
        _946 = at + column;
    }
    else
    {
        _946 = (at + ((column / v_459.x_inner) * v_459.x_outer)) + (column % v_459.x_inner);
    }
    return _946;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_459, const device X& v_985)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_459);
    float2 _1018;
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_1017)
        {
            _1018 = float2(as_type<half2>(v_985.x[(at + j) >> uint(1)]));
        }
        else
        {
            _1018 = float2(as_type<float>(v_985.x[at + j]), as_type<float>(v_985.x[(at + j) + 1u]));
        }
        float2 two = _1018;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _641;
    if (i < 7u)
    {
        _641 = words[i + 1u];
    }
    else
    {
        _641 = 0u;
    }
    uint2 out_ = uint2(words[i], _641);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _675;
    if (i < 6u)
    {
        _675 = words[i + 2u];
    }
    else
    {
        _675 = 0u;
    }
    out_.y = (out_.y >> shift) | (_675 << (32u - shift));
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
    uint param_1 = sub * _694;
    uint2 eight = window(param, param_1);
    float _710;
    for (uint j = 0u; j < 8u; j++)
    {
        if (_709)
        {
            uint2 param_2 = eight;
            uint param_3 = BITS;
            uint param_4 = j;
            _710 = float(signed_in(param_2, param_3, param_4));
        }
        else
        {
            uint2 param_5 = eight;
            uint param_6 = BITS;
            uint param_7 = j;
            _710 = float(code_in(param_5, param_6, param_7));
        }
        v[j] = _710;
    }
}

static inline __attribute__((always_inline))
float weigh(thread const float2& level_, thread const float& sum, thread const float& sum_x)
{
    float _613;
    if (_612)
    {
        _613 = sum;
    }
    else
    {
        _613 = sum - (level_.y * sum_x);
    }
    return level_.x * _613;
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
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

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_459, const device X& v_985)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_459);
    float _979;
    if (_978)
    {
        uint param_2 = v_985.x[at >> uint(1)];
        uint param_3 = at;
        _979 = half_in(param_2, param_3);
    }
    else
    {
        _979 = as_type<float>(v_985.x[at]);
    }
    return _979;
}

static inline __attribute__((always_inline))
float weight_of(thread const float2& level_, thread const float& v)
{
    return (v - level_.y) * level_.x;
}

static inline __attribute__((always_inline))
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_459, const device Scales& v_480, const device Supers& v_496, const device Zeros& v_548, const device Codes& v_765)
{
    uint _878;
    if ((((((row * v_459.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _878 = v_765.codes[((((row * v_459.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _878 = 0u;
    }
    uint param = v_765.codes[(((row * v_459.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _878;
    uint param_2 = (((row * v_459.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    int number = extract_bits(int(code), uint(0), uint(_913));
    uint param_4 = row;
    uint param_5 = column;
    float _921;
    if (_920)
    {
        _921 = float(number);
    }
    else
    {
        _921 = float(code);
    }
    float2 param_6 = level(param_4, param_5, v_459, v_480, v_496, v_548);
    float param_7 = _921;
    return weight_of(param_6, param_7);
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
    bool _286 = simd_is_first();
    if (_286)
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
float added(thread const uint& token, thread const uint& row, constant Params& v_459, const device Bias& v_1064, const device Residual& v_1107)
{
    float _1058;
    if (_1057)
    {
        _1058 = as_type<float>(v_1064.bias0[row]);
    }
    else
    {
        _1058 = 0.0;
    }
    float sum = _1058;
    if (_1072)
    {
        uint at = ((v_459.residual_at + (token * v_459.residual_token)) + ((row / v_459.residual_inner) * v_459.residual_outer)) + (row % v_459.residual_inner);
        float _1101;
        if (_1100)
        {
            uint param = v_1107.residual[at >> uint(1)];
            uint param_1 = at;
            _1101 = half_in(param, param_1);
        }
        else
        {
            _1101 = as_type<float>(v_1107.residual[at]);
        }
        sum += _1101;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_459, device Y0& v_1137, device Y1& v_1176, device Y2& v_1213)
{
    if (row < v_459.end0)
    {
        v_1137.y0[((v_459.y0_at + (token * v_459.y0_token)) + ((row / v_459.y0_inner) * v_459.y0_outer)) + (row % v_459.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_459.end1)
        {
            v_1176.y1[((v_459.y1_at + (token * v_459.y1_token)) + (((row - v_459.end0) / v_459.y1_inner) * v_459.y1_outer)) + ((row - v_459.end0) % v_459.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_1213.y2[((v_459.y2_at + (token * v_459.y2_token)) + (((row - v_459.end1) / v_459.y2_inner) * v_459.y2_outer)) + ((row - v_459.end1) % v_459.y2_inner)] = as_type<uint>(v);
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
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_459, const device Bias& v_1064, const device Residual& v_1107, device Y0& v_1137, device Y1& v_1176, device Y2& v_1213)
{
    bool two = (row + 1u) < v_459.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_459, v_1064, v_1107);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_459, v_1064, v_1107);
    }
    uint _1282;
    if (row < v_459.end0)
    {
        _1282 = Y0_HALF;
    }
    else
    {
        _1282 = (row < v_459.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1282;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_459, v_1137, v_1176, v_1213);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_459, v_1137, v_1176, v_1213);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_459.end0)
    {
        v_1137.y0[(((v_459.y0_at + (token * v_459.y0_token)) + ((row / v_459.y0_inner) * v_459.y0_outer)) + (row % v_459.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_459.end1)
        {
            v_1176.y1[(((v_459.y1_at + (token * v_459.y1_token)) + (((row - v_459.end0) / v_459.y1_inner) * v_459.y1_outer)) + ((row - v_459.end0) % v_459.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_1213.y2[(((v_459.y2_at + (token * v_459.y2_token)) + (((row - v_459.end1) / v_459.y2_inner) * v_459.y2_outer)) + ((row - v_459.end1) % v_459.y2_inner)) >> uint(1)] = word;
        }
    }
}

static inline __attribute__((always_inline))
void reduce_and_store(thread const uint& row0, thread const uint& token0, thread const spvUnsafeArray<spvUnsafeArray<float, 4>, 8>& acc, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID, constant Params& v_459, const device Bias& v_1064, const device Residual& v_1107, device Y0& v_1137, device Y1& v_1176, device Y2& v_1213, thread uint3& gl_LocalInvocationID, threadgroup float (&totals)[32])
{
    for (uint i = 0u; i < _1428; i += 4u)
    {
        float4 four = float4(0.0);
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _1443)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        float4 param = four;
        float4 _1463 = group_sum(param, gl_NumSubgroups, group_words, gl_SubgroupID);
        four = _1463;
        if (gl_LocalInvocationID.x == 0u)
        {
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1483)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1512; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1529 = token < v_459.tokens;
        bool _1536;
        if (_1529)
        {
            _1536 = row < v_459.row_end;
        }
        else
        {
            _1536 = _1529;
        }
        if (_1536)
        {
            uint param_1 = token;
            uint param_2 = row;
            float2 param_3 = float2(totals[2u * i_1], totals[(2u * i_1) + 1u]);
            store_rows(param_1, param_2, param_3, v_459, v_1064, v_1107, v_1137, v_1176, v_1213);
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}

kernel void matvec_affine(constant Params& v_459 [[buffer(0)]], const device X& v_985 [[buffer(1)]], const device Bias& v_1064 [[buffer(2)]], const device Residual& v_1107 [[buffer(3)]], device Y0& v_1137 [[buffer(4)]], device Y1& v_1176 [[buffer(5)]], device Y2& v_1213 [[buffer(6)]], const device Codes& v_765 [[buffer(7)]], const device Scales& v_480 [[buffer(8)]], const device Zeros& v_548 [[buffer(9)]], const device Supers& v_496 [[buffer(10)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup uint4 group_words[256];
    threadgroup float totals[32];
    uint token0 = gl_WorkGroupID.y * TOKENS;
    open_book();
    uint _1573 = v_459.row_begin + (gl_WorkGroupID.x * ROWS);
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
    for (uint row0 = _1573; row0 < v_459.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (v_459.row_end - row0));
        uint param = row0;
        uint param_1 = count;
        open_tables(param, param_1);
        for (uint r = 0u; r < ROWS; r++)
        {
            uint row = row0 + min(r, (count - 1u));
            uint param_2 = row0;
            uint param_3 = row;
            at[r] = table_of(param_2, param_3);
            here[r] = row - v_459.held;
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1642)
        {
            if (_1645)
            {
                for (uint r_1 = 0u; r_1 < ROWS; r_1++)
                {
                    uint param_4 = here[r_1];
                    uint param_5 = 0u;
                    levels[r_1] = level(param_4, param_5, v_459, v_480, v_496, v_548);
                }
            }
            for (uint step_ = gl_LocalInvocationID.x; step_ < (v_459.columns / _1691); step_ += gl_WorkGroupSize.x)
            {
                for (uint r_2 = 0u; r_2 < ROWS; r_2++)
                {
                    uint param_6 = here[r_2];
                    uint param_7 = step_;
                    load_step(param_6, param_7, param_8, v_459, v_765);
                    words[r_2] = param_8;
                }
                for (uint sub = 0u; sub < _1737; sub++)
                {
                    uint column = (step_ * _1752) + (8u * sub);
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (v_459.tokens - 1u));
                        uint param_10 = column;
                        load_x8(param_9, param_10, param_11, v_459, v_985);
                        xs[t_1] = param_11;
                        sums[t_1] = 0.0;
                        for (uint j = 0u; j < 8u; j++)
                        {
                            sums[t_1] += xs[t_1][j];
                        }
                    }
                    for (uint r_3 = 0u; r_3 < ROWS; r_3++)
                    {
                        bool _1839;
                        if (_1816)
                        {
                            bool _1820 = sub == 0u;
                            bool _1838;
                            if (!_1820)
                            {
                                _1838 = _1837;
                            }
                            else
                            {
                                _1838 = _1820;
                            }
                            _1839 = _1838;
                        }
                        else
                        {
                            _1839 = _1816;
                        }
                        if (_1839)
                        {
                            uint param_12 = here[r_3];
                            uint param_13 = column;
                            levels[r_3] = level(param_12, param_13, v_459, v_480, v_496, v_548);
                        }
                        spvUnsafeArray<uint, 8> param_14;
                        param_14 = words[r_3];
                        uint param_15 = sub;
                        uint param_16 = at[r_3];
                        numbers(param_14, param_15, param_16, param_17);
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
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < v_459.columns; column_1 += gl_WorkGroupSize.x)
            {
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (v_459.tokens - 1u));
                    uint param_22 = column_1;
                    xs_1[t_3] = load_x(param_21, param_22, v_459, v_985);
                }
                for (uint r_4 = 0u; r_4 < ROWS; r_4++)
                {
                    uint param_23 = here[r_4];
                    uint param_24 = column_1;
                    uint param_25 = at[r_4];
                    float weight = load_weight(param_23, param_24, param_25, v_459, v_480, v_496, v_548, v_765);
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
        reduce_and_store(param_26, param_27, param_28, gl_NumSubgroups, group_words, gl_SubgroupID, v_459, v_1064, v_1107, v_1137, v_1176, v_1213, gl_LocalInvocationID, totals);
    }
}

