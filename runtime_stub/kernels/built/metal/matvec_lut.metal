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
    uint rows_per_table;
};

constant uint BITS_tmp [[function_constant(12)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;

struct Table
{
    uint table[1];
};

constant uint _457_tmp [[function_constant(0)]];
constant uint _457 = is_function_constant_defined(_457_tmp) ? _457_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_457, 1u, 1u);
constant uint _553 = (8u * BITS);
constant uint _581 = (8u * BITS);
constant uint _582 = (_581 % 8u);
constant bool _583 = (_582 != 0u);
constant uint _599 = (8u * BITS);
constant uint _603 = (8u * BITS);
constant uint _609 = (8u * BITS);

struct Codes
{
    uint codes[1];
};

constant uint _623 = (8u * BITS);
constant uint _645 = (8u * BITS);
constant uint _646 = (_645 % 32u);
constant bool _647 = (_646 == 0u);
constant uint _648 = (8u * BITS);
constant uint _649 = (_648 % 16u);
constant bool _650 = (_649 == 0u);
constant uint _651 = (8u * BITS);
constant uint _652 = (_651 % 8u);
constant bool _653 = (_652 == 0u);
constant uint _654 = _653 ? 32u : 8u;
constant uint _655 = _650 ? 16u : _654;
constant uint _656 = _647 ? 8u : _655;
constant uint _661 = (8u * BITS);
constant uint _662 = (_661 % 32u);
constant bool _663 = (_662 == 0u);
constant uint _664 = (8u * BITS);
constant uint _665 = (_664 % 16u);
constant bool _666 = (_665 == 0u);
constant uint _667 = (8u * BITS);
constant uint _668 = (_667 % 8u);
constant bool _669 = (_668 == 0u);
constant uint _670 = _669 ? 32u : 8u;
constant uint _671 = _666 ? 16u : _670;
constant uint _672 = _663 ? 8u : _671;
constant uint _673 = (8u * BITS);
constant uint _674 = (_672 * _673);
constant uint _675 = (_674 / 256u);
constant uint _684 = (8u * BITS);
constant uint _685 = (_684 % 32u);
constant bool _686 = (_685 == 0u);
constant uint _687 = (8u * BITS);
constant uint _688 = (_687 % 16u);
constant bool _689 = (_688 == 0u);
constant uint _690 = (8u * BITS);
constant uint _691 = (_690 % 8u);
constant bool _692 = (_691 == 0u);
constant uint _693 = _692 ? 32u : 8u;
constant uint _694 = _689 ? 16u : _693;
constant uint _695 = _686 ? 8u : _694;
constant uint _696 = (8u * BITS);
constant uint _697 = (_695 * _696);
constant uint _698 = (_697 / 256u);
constant uint X_RUNS_tmp [[function_constant(5)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _776 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(4)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _809 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _848 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(6)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _888 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(7)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _903 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(8)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _931 = (RESIDUAL_HALF != 0u);

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
constant uint _1259 = (ROWS * TOKENS);
constant uint _1274 = (ROWS * TOKENS);
constant uint _1311 = (ROWS * TOKENS);
constant uint _1338 = (ROWS / 2u);
constant uint _1339 = (_1338 * TOKENS);
constant uint ALIGNED_tmp [[function_constant(3)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _1467 = (ALIGNED != 0u);
constant uint _1505 = (8u * BITS);
constant uint _1506 = (_1505 % 32u);
constant bool _1507 = (_1506 == 0u);
constant uint _1508 = (8u * BITS);
constant uint _1509 = (_1508 % 16u);
constant bool _1510 = (_1509 == 0u);
constant uint _1511 = (8u * BITS);
constant uint _1512 = (_1511 % 8u);
constant bool _1513 = (_1512 == 0u);
constant uint _1514 = _1513 ? 32u : 8u;
constant uint _1515 = _1510 ? 16u : _1514;
constant uint _1516 = _1507 ? 8u : _1515;
constant uint _1550 = (8u * BITS);
constant uint _1551 = (_1550 % 32u);
constant bool _1552 = (_1551 == 0u);
constant uint _1553 = (8u * BITS);
constant uint _1554 = (_1553 % 16u);
constant bool _1555 = (_1554 == 0u);
constant uint _1556 = (8u * BITS);
constant uint _1557 = (_1556 % 8u);
constant bool _1558 = (_1557 == 0u);
constant uint _1559 = _1558 ? 32u : 8u;
constant uint _1560 = _1555 ? 16u : _1559;
constant uint _1561 = _1552 ? 8u : _1560;
constant uint _1562 = (_1561 / 8u);
constant uint _1566 = (8u * BITS);
constant uint _1567 = (_1566 % 32u);
constant bool _1568 = (_1567 == 0u);
constant uint _1569 = (8u * BITS);
constant uint _1570 = (_1569 % 16u);
constant bool _1571 = (_1570 == 0u);
constant uint _1572 = (8u * BITS);
constant uint _1573 = (_1572 % 8u);
constant bool _1574 = (_1573 == 0u);
constant uint _1575 = _1574 ? 32u : 8u;
constant uint _1576 = _1571 ? 16u : _1575;
constant uint _1577 = _1568 ? 8u : _1576;
constant uint _1649 = (8u * BITS);
constant uint _1650 = (_1649 % 32u);
constant bool _1651 = (_1650 == 0u);
constant uint _1652 = (8u * BITS);
constant uint _1653 = (_1652 % 16u);
constant bool _1654 = (_1653 == 0u);
constant uint _1655 = (8u * BITS);
constant uint _1656 = (_1655 % 8u);
constant bool _1657 = (_1656 == 0u);
constant uint _1658 = _1657 ? 32u : 8u;
constant uint _1659 = _1654 ? 16u : _1658;
constant uint _1660 = _1651 ? 8u : _1659;
constant uint _1661 = (0u % _1660);
constant bool _1662 = (_1661 != 0u);

static inline __attribute__((always_inline))
void open_book()
{
}

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _203;
    if ((h & 32768u) != 0u)
    {
        _203 = -size;
    }
    else
    {
        _203 = size;
    }
    return _203;
}

static inline __attribute__((always_inline))
void open_tables(thread const uint& first, thread const uint& count, constant Params& v_395, thread uint3& gl_LocalInvocationID, threadgroup float (&tables)[1024], const device Table& v_441)
{
    uint begin = first / v_395.rows_per_table;
    uint end = (((first + count) - 1u) / v_395.rows_per_table) + 1u;
    uint entries = (end - begin) << BITS;
    uint from = 0u + (begin << BITS);
    for (uint i = gl_LocalInvocationID.x; i < entries; i += gl_WorkGroupSize.x)
    {
        uint param = v_441.table[(from + i) >> uint(1)];
        uint param_1 = from + i;
        tables[i] = exact_half(param, param_1);
    }
}

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row, constant Params& v_395)
{
    return ((row / v_395.rows_per_table) - (first / v_395.rows_per_table)) << BITS;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column)
{
    return float2(1.0, 0.0);
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_395, const device Codes& v_615)
{
    if (_583)
    {
        uint eight = (row * (v_395.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _599) + (((eight & 31u) * _603) >> uint(5));
        uint shift = (eight * _609) & 31u;
        words[0] = v_615.codes[at] >> shift;
        if ((shift + _623) > 32u)
        {
            words[0] |= (v_615.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_395.columns / _656)) + step_) * _675;
        for (uint i = 0u; i < _698; i++)
        {
            words[i] = v_615.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_395)
{
    uint at = v_395.x_at + (token * v_395.x_token);
    uint _777;
    if (_776)
    {
        _777 = at + column;
    }
    else
    {
        _777 = (at + ((column / v_395.x_inner) * v_395.x_outer)) + (column % v_395.x_inner);
    }
    return _777;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_395, const device X& v_816)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_395);
    float2 _849;
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_848)
        {
            _849 = float2(as_type<half2>(v_816.x[(at + j) >> uint(1)]));
        }
        else
        {
            _849 = float2(as_type<float>(v_816.x[at + j]), as_type<float>(v_816.x[(at + j) + 1u]));
        }
        float2 two = _849;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _500;
    if (i < 7u)
    {
        _500 = words[i + 1u];
    }
    else
    {
        _500 = 0u;
    }
    uint2 out_ = uint2(words[i], _500);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _534;
    if (i < 6u)
    {
        _534 = words[i + 2u];
    }
    else
    {
        _534 = 0u;
    }
    out_.y = (out_.y >> shift) | (_534 << (32u - shift));
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
float entry(thread const uint& at, threadgroup float (&tables)[1024])
{
    return tables[at];
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v, threadgroup float (&tables)[1024])
{
    spvUnsafeArray<uint, 8> param;
    param = words;
    uint param_1 = sub * _553;
    uint2 eight = window(param, param_1);
    for (uint j = 0u; j < 8u; j++)
    {
        uint2 param_2 = eight;
        uint param_3 = BITS;
        uint param_4 = j;
        uint param_5 = at + code_in(param_2, param_3, param_4);
        v[j] = entry(param_5, tables);
    }
}

static inline __attribute__((always_inline))
float weigh(thread const float2& level_, thread const float& sum, thread const float& sum_x)
{
    return sum;
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _155;
    if ((index & 1u) == 0u)
    {
        _155 = both.x;
    }
    else
    {
        _155 = both.y;
    }
    return _155;
}

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_395, const device X& v_816)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_395);
    float _810;
    if (_809)
    {
        uint param_2 = v_816.x[at >> uint(1)];
        uint param_3 = at;
        _810 = half_in(param_2, param_3);
    }
    else
    {
        _810 = as_type<float>(v_816.x[at]);
    }
    return _810;
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
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_395, threadgroup float (&tables)[1024], const device Codes& v_615)
{
    uint _728;
    if ((((((row * v_395.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _728 = v_615.codes[((((row * v_395.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _728 = 0u;
    }
    uint param = v_615.codes[(((row * v_395.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _728;
    uint param_2 = (((row * v_395.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = at + code;
    return entry(param_4, tables);
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
    bool _279 = simd_is_first();
    if (_279)
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
float added(thread const uint& token, thread const uint& row, constant Params& v_395, const device Bias& v_895, const device Residual& v_938)
{
    float _889;
    if (_888)
    {
        _889 = as_type<float>(v_895.bias0[row]);
    }
    else
    {
        _889 = 0.0;
    }
    float sum = _889;
    if (_903)
    {
        uint at = ((v_395.residual_at + (token * v_395.residual_token)) + ((row / v_395.residual_inner) * v_395.residual_outer)) + (row % v_395.residual_inner);
        float _932;
        if (_931)
        {
            uint param = v_938.residual[at >> uint(1)];
            uint param_1 = at;
            _932 = half_in(param, param_1);
        }
        else
        {
            _932 = as_type<float>(v_938.residual[at]);
        }
        sum += _932;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_395, device Y0& v_968, device Y1& v_1007, device Y2& v_1044)
{
    if (row < v_395.end0)
    {
        v_968.y0[((v_395.y0_at + (token * v_395.y0_token)) + ((row / v_395.y0_inner) * v_395.y0_outer)) + (row % v_395.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_395.end1)
        {
            v_1007.y1[((v_395.y1_at + (token * v_395.y1_token)) + (((row - v_395.end0) / v_395.y1_inner) * v_395.y1_outer)) + ((row - v_395.end0) % v_395.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_1044.y2[((v_395.y2_at + (token * v_395.y2_token)) + (((row - v_395.end1) / v_395.y2_inner) * v_395.y2_outer)) + ((row - v_395.end1) % v_395.y2_inner)] = as_type<uint>(v);
        }
    }
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
    float _242;
    if (x < 0.0)
    {
        _242 = -as_type<float>(bits);
    }
    else
    {
        _242 = as_type<float>(bits);
    }
    return _242;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_395, const device Bias& v_895, const device Residual& v_938, device Y0& v_968, device Y1& v_1007, device Y2& v_1044)
{
    bool two = (row + 1u) < v_395.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_395, v_895, v_938);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_395, v_895, v_938);
    }
    uint _1113;
    if (row < v_395.end0)
    {
        _1113 = Y0_HALF;
    }
    else
    {
        _1113 = (row < v_395.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1113;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_395, v_968, v_1007, v_1044);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_395, v_968, v_1007, v_1044);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_395.end0)
    {
        v_968.y0[(((v_395.y0_at + (token * v_395.y0_token)) + ((row / v_395.y0_inner) * v_395.y0_outer)) + (row % v_395.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_395.end1)
        {
            v_1007.y1[(((v_395.y1_at + (token * v_395.y1_token)) + (((row - v_395.end0) / v_395.y1_inner) * v_395.y1_outer)) + ((row - v_395.end0) % v_395.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_1044.y2[(((v_395.y2_at + (token * v_395.y2_token)) + (((row - v_395.end1) / v_395.y2_inner) * v_395.y2_outer)) + ((row - v_395.end1) % v_395.y2_inner)) >> uint(1)] = word;
        }
    }
}

static inline __attribute__((always_inline))
void reduce_and_store(thread const uint& row0, thread const uint& token0, thread const spvUnsafeArray<spvUnsafeArray<float, 4>, 8>& acc, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID, constant Params& v_395, thread uint3& gl_LocalInvocationID, const device Bias& v_895, const device Residual& v_938, device Y0& v_968, device Y1& v_1007, device Y2& v_1044, threadgroup float (&totals)[32])
{
    for (uint i = 0u; i < _1259; i += 4u)
    {
        float4 four = float4(0.0);
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _1274)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        float4 param = four;
        float4 _1294 = group_sum(param, gl_NumSubgroups, group_words, gl_SubgroupID);
        four = _1294;
        if (gl_LocalInvocationID.x == 0u)
        {
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1311)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1339; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1356 = token < v_395.tokens;
        bool _1363;
        if (_1356)
        {
            _1363 = row < v_395.row_end;
        }
        else
        {
            _1363 = _1356;
        }
        if (_1363)
        {
            uint param_1 = token;
            uint param_2 = row;
            float2 param_3 = float2(totals[2u * i_1], totals[(2u * i_1) + 1u]);
            store_rows(param_1, param_2, param_3, v_395, v_895, v_938, v_968, v_1007, v_1044);
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}

kernel void matvec_lut(constant Params& v_395 [[buffer(0)]], const device X& v_816 [[buffer(1)]], const device Bias& v_895 [[buffer(2)]], const device Residual& v_938 [[buffer(3)]], device Y0& v_968 [[buffer(4)]], device Y1& v_1007 [[buffer(5)]], device Y2& v_1044 [[buffer(6)]], const device Codes& v_615 [[buffer(7)]], const device Table& v_441 [[buffer(8)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup uint4 group_words[256];
    threadgroup float tables[1024];
    threadgroup float totals[32];
    uint token0 = gl_WorkGroupID.y * TOKENS;
    open_book();
    uint _1398 = v_395.row_begin + (gl_WorkGroupID.x * ROWS);
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
    for (uint row0 = _1398; row0 < v_395.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (v_395.row_end - row0));
        uint param = row0;
        uint param_1 = count;
        open_tables(param, param_1, v_395, gl_LocalInvocationID, tables, v_441);
        threadgroup_barrier(mem_flags::mem_threadgroup);
        for (uint r = 0u; r < ROWS; r++)
        {
            uint row = row0 + min(r, (count - 1u));
            uint param_2 = row0;
            uint param_3 = row;
            at[r] = table_of(param_2, param_3, v_395);
            here[r] = row - v_395.held;
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1467)
        {
            if (true)
            {
                for (uint r_1 = 0u; r_1 < ROWS; r_1++)
                {
                    uint param_4 = here[r_1];
                    uint param_5 = 0u;
                    levels[r_1] = level(param_4, param_5);
                }
            }
            for (uint step_ = gl_LocalInvocationID.x; step_ < (v_395.columns / _1516); step_ += gl_WorkGroupSize.x)
            {
                for (uint r_2 = 0u; r_2 < ROWS; r_2++)
                {
                    uint param_6 = here[r_2];
                    uint param_7 = step_;
                    load_step(param_6, param_7, param_8, v_395, v_615);
                    words[r_2] = param_8;
                }
                for (uint sub = 0u; sub < _1562; sub++)
                {
                    uint column = (step_ * _1577) + (8u * sub);
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (v_395.tokens - 1u));
                        uint param_10 = column;
                        load_x8(param_9, param_10, param_11, v_395, v_816);
                        xs[t_1] = param_11;
                        sums[t_1] = 0.0;
                        for (uint j = 0u; j < 8u; j++)
                        {
                            sums[t_1] += xs[t_1][j];
                        }
                    }
                    for (uint r_3 = 0u; r_3 < ROWS; r_3++)
                    {
                        bool _1664;
                        if (false)
                        {
                            bool _1645 = sub == 0u;
                            bool _1663;
                            if (!_1645)
                            {
                                _1663 = _1662;
                            }
                            else
                            {
                                _1663 = _1645;
                            }
                            _1664 = _1663;
                        }
                        else
                        {
                            _1664 = false;
                        }
                        if (_1664)
                        {
                            uint param_12 = here[r_3];
                            uint param_13 = column;
                            levels[r_3] = level(param_12, param_13);
                        }
                        spvUnsafeArray<uint, 8> param_14;
                        param_14 = words[r_3];
                        uint param_15 = sub;
                        uint param_16 = at[r_3];
                        numbers(param_14, param_15, param_16, param_17, tables);
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
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < v_395.columns; column_1 += gl_WorkGroupSize.x)
            {
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (v_395.tokens - 1u));
                    uint param_22 = column_1;
                    xs_1[t_3] = load_x(param_21, param_22, v_395, v_816);
                }
                for (uint r_4 = 0u; r_4 < ROWS; r_4++)
                {
                    uint param_23 = here[r_4];
                    uint param_24 = column_1;
                    uint param_25 = at[r_4];
                    float weight = load_weight(param_23, param_24, param_25, v_395, tables, v_615);
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
        reduce_and_store(param_26, param_27, param_28, gl_NumSubgroups, group_words, gl_SubgroupID, v_395, gl_LocalInvocationID, v_895, v_938, v_968, v_1007, v_1044, totals);
    }
}

