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

constant uint BITS_tmp [[function_constant(10)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;

struct Table
{
    uint table[1];
};

constant uint _439 = (8u * BITS);
constant uint _467 = (8u * BITS);
constant uint _468 = (_467 % 8u);
constant bool _469 = (_468 != 0u);
constant uint _485 = (8u * BITS);
constant uint _489 = (8u * BITS);
constant uint _495 = (8u * BITS);

struct Codes
{
    uint codes[1];
};

constant uint _509 = (8u * BITS);
constant uint _531 = (8u * BITS);
constant uint _532 = (_531 % 32u);
constant bool _533 = (_532 == 0u);
constant uint _534 = (8u * BITS);
constant uint _535 = (_534 % 16u);
constant bool _536 = (_535 == 0u);
constant uint _537 = (8u * BITS);
constant uint _538 = (_537 % 8u);
constant bool _539 = (_538 == 0u);
constant uint _540 = _539 ? 32u : 8u;
constant uint _541 = _536 ? 16u : _540;
constant uint _542 = _533 ? 8u : _541;
constant uint _547 = (8u * BITS);
constant uint _548 = (_547 % 32u);
constant bool _549 = (_548 == 0u);
constant uint _550 = (8u * BITS);
constant uint _551 = (_550 % 16u);
constant bool _552 = (_551 == 0u);
constant uint _553 = (8u * BITS);
constant uint _554 = (_553 % 8u);
constant bool _555 = (_554 == 0u);
constant uint _556 = _555 ? 32u : 8u;
constant uint _557 = _552 ? 16u : _556;
constant uint _558 = _549 ? 8u : _557;
constant uint _559 = (8u * BITS);
constant uint _560 = (_558 * _559);
constant uint _562 = (_560 / 256u);
constant uint _571 = (8u * BITS);
constant uint _572 = (_571 % 32u);
constant bool _573 = (_572 == 0u);
constant uint _574 = (8u * BITS);
constant uint _575 = (_574 % 16u);
constant bool _576 = (_575 == 0u);
constant uint _577 = (8u * BITS);
constant uint _578 = (_577 % 8u);
constant bool _579 = (_578 == 0u);
constant uint _580 = _579 ? 32u : 8u;
constant uint _581 = _576 ? 16u : _580;
constant uint _582 = _573 ? 8u : _581;
constant uint _583 = (8u * BITS);
constant uint _584 = (_582 * _583);
constant uint _585 = (_584 / 256u);
constant uint _596 = (8u * BITS);
constant uint _597 = (_596 % 8u);
constant bool _598 = (_597 != 0u);
constant bool _599 = (!_598);
constant uint _602 = (8u * BITS);
constant uint _603 = (_602 % 32u);
constant bool _604 = (_603 == 0u);
constant uint _605 = (8u * BITS);
constant uint _606 = (_605 % 16u);
constant bool _607 = (_606 == 0u);
constant uint _608 = (8u * BITS);
constant uint _609 = (_608 % 8u);
constant bool _610 = (_609 == 0u);
constant uint _611 = _610 ? 32u : 8u;
constant uint _612 = _607 ? 16u : _611;
constant uint _613 = _604 ? 8u : _612;
constant bool _614 = (_613 == 8u);
constant uint _640 = (8u * BITS);
constant uint _644 = (8u * BITS);
constant uint _650 = (8u * BITS);
constant uint _661 = (8u * BITS);
constant uint _691 = (8u * BITS);
constant uint X_RUNS_tmp [[function_constant(3)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _783 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(2)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _816 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _855 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(4)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _895 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(5)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _910 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(6)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _938 = (RESIDUAL_HALF != 0u);

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
constant bool _1291 = (ALIGNED != 0u);
constant bool _1394 = (ALIGNED != 0u);
constant uint _1443_tmp [[function_constant(0)]];
constant uint _1443 = is_function_constant_defined(_1443_tmp) ? _1443_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1443, 1u, 1u);
constant uint _1445 = gl_WorkGroupSize.x;
constant uint _1446 = gl_WorkGroupSize.x;
constant bool _1448 = (_1446 >= 128u);
constant uint _1449 = _1448 ? 16u : 8u;
constant uint _1450 = (_1445 / _1449);
constant uint _1451 = (4u * _1450);
constant uint _1455 = gl_WorkGroupSize.x;
constant bool _1456 = (_1455 >= 128u);
constant uint _1457 = _1456 ? 16u : 8u;
constant uint _1462 = gl_WorkGroupSize.x;
constant bool _1463 = (_1462 >= 128u);
constant uint _1464 = _1463 ? 16u : 8u;
constant uint _1474 = gl_WorkGroupSize.x;
constant bool _1475 = (_1474 >= 128u);
constant uint _1476 = _1475 ? 16u : 8u;
constant uint _1477 = (4u * _1476);
constant uint _1525 = gl_WorkGroupSize.x;
constant bool _1526 = (_1525 >= 128u);
constant uint _1527 = _1526 ? 16u : 8u;
constant uint _1528 = (4u * _1527);
constant uint _1529 = gl_WorkGroupSize.x;
constant uint _1530 = gl_WorkGroupSize.x;
constant bool _1531 = (_1530 >= 128u);
constant uint _1532 = _1531 ? 16u : 8u;
constant uint _1533 = (_1529 / _1532);
constant uint _1534 = (4u * _1533);
constant uint _1535 = (_1528 + _1534);
constant uint _1536 = (2u * _1535);
constant uint _1539 = gl_WorkGroupSize.x;
constant bool _1540 = (_1539 >= 128u);
constant uint _1541 = _1540 ? 16u : 8u;
constant uint _1542 = (4u * _1541);
constant uint _1543 = (2u * _1542);
constant uint _1549 = gl_WorkGroupSize.x;
constant bool _1550 = (_1549 >= 128u);
constant uint _1551 = _1550 ? 16u : 8u;
constant uint _1552 = (4u * _1551);
constant uint _1556 = gl_WorkGroupSize.x;
constant bool _1557 = (_1556 >= 128u);
constant uint _1558 = _1557 ? 16u : 8u;
constant uint _1559 = (4u * _1558);
constant uint _1588 = gl_WorkGroupSize.x;
constant bool _1589 = (_1588 >= 128u);
constant uint _1590 = _1589 ? 16u : 8u;
constant uint _1591 = (4u * _1590);
constant uint _1592 = (_1591 / 4u);
constant uint _1609 = gl_WorkGroupSize.x;
constant bool _1610 = (_1609 >= 128u);
constant uint _1611 = _1610 ? 16u : 8u;
constant uint _1612 = (4u * _1611);
constant uint _1613 = (2u * _1612);
constant uint _1615 = gl_WorkGroupSize.x;
constant uint _1616 = gl_WorkGroupSize.x;
constant bool _1617 = (_1616 >= 128u);
constant uint _1618 = _1617 ? 16u : 8u;
constant uint _1619 = (_1615 / _1618);
constant uint _1620 = (4u * _1619);
constant uint _1624 = gl_WorkGroupSize.x;
constant bool _1625 = (_1624 >= 128u);
constant uint _1626 = _1625 ? 16u : 8u;
constant uint _1627 = (4u * _1626);
constant uint _1628 = (2u * _1627);
constant uint _1630 = gl_WorkGroupSize.x;
constant uint _1631 = gl_WorkGroupSize.x;
constant bool _1632 = (_1631 >= 128u);
constant uint _1633 = _1632 ? 16u : 8u;
constant uint _1634 = (_1630 / _1633);
constant uint _1635 = (4u * _1634);
constant uint _1661 = gl_WorkGroupSize.x;
constant uint _1662 = gl_WorkGroupSize.x;
constant bool _1663 = (_1662 >= 128u);
constant uint _1664 = _1663 ? 16u : 8u;
constant uint _1665 = (_1661 / _1664);
constant uint _1666 = (4u * _1665);
constant uint _1667 = (_1666 / 4u);
constant uint _1694 = gl_WorkGroupSize.x;
constant bool _1695 = (_1694 >= 128u);
constant uint _1696 = _1695 ? 16u : 8u;
constant uint _1697 = (4u * _1696);
constant uint _1698 = (_1697 / 4u);
constant uint _1708 = gl_WorkGroupSize.x;
constant uint _1709 = gl_WorkGroupSize.x;
constant bool _1710 = (_1709 >= 128u);
constant uint _1711 = _1710 ? 16u : 8u;
constant uint _1712 = (_1708 / _1711);
constant uint _1713 = (4u * _1712);
constant uint _1714 = (_1713 / 4u);
constant uint _1809 = gl_WorkGroupSize.x;
constant bool _1810 = (_1809 >= 128u);
constant uint _1811 = _1810 ? 16u : 8u;
constant uint _1812 = (4u * _1811);

static inline __attribute__((always_inline))
void open_book()
{
}

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row, constant Params& v_337)
{
    return 0u + ((row / v_337.rows_per_table) << BITS);
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_337, const device Codes& v_501)
{
    if (_469)
    {
        uint eight = (row * (v_337.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _485) + (((eight & 31u) * _489) >> uint(5));
        uint shift = (eight * _495) & 31u;
        words[0] = v_501.codes[at] >> shift;
        if ((shift + _509) > 32u)
        {
            words[0] |= (v_501.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_337.columns / _542)) + step_) * _562;
        for (uint i = 0u; i < _585; i++)
        {
            words[i] = v_501.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _385;
    if (i < 7u)
    {
        _385 = words[i + 1u];
    }
    else
    {
        _385 = 0u;
    }
    uint2 out_ = uint2(words[i], _385);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _419;
    if (i < 6u)
    {
        _419 = words[i + 2u];
    }
    else
    {
        _419 = 0u;
    }
    out_.y = (out_.y >> shift) | (_419 << (32u - shift));
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
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _198;
    if ((h & 32768u) != 0u)
    {
        _198 = -size;
    }
    else
    {
        _198 = size;
    }
    return _198;
}

static inline __attribute__((always_inline))
float entry(thread const uint& at, const device Table& v_351)
{
    uint param = v_351.table[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v, const device Table& v_351)
{
    spvUnsafeArray<uint, 8> param;
    param = words;
    uint param_1 = sub * _439;
    uint2 eight = window(param, param_1);
    for (uint j = 0u; j < 8u; j++)
    {
        uint2 param_2 = eight;
        uint param_3 = BITS;
        uint param_4 = j;
        uint param_5 = at + code_in(param_2, param_3, param_4);
        v[j] = entry(param_5, v_351);
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, constant Params& v_337, const device Table& v_351, const device Codes& v_501)
{
    bool _615;
    if (_599)
    {
        _615 = _614;
    }
    else
    {
        _615 = _598;
    }
    spvUnsafeArray<uint, 8> words;
    if (_615)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        spvUnsafeArray<uint, 8> param_2;
        load_step(param, param_1, param_2, v_337, v_501);
        words = param_2;
    }
    else
    {
        uint eight = (row * (v_337.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _640) + (((eight & 31u) * _644) >> uint(5));
        uint shift = (eight * _650) & 31u;
        words[0] = v_501.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _661) > 32u)
        {
            uint next = v_501.codes[word + 1u];
            uint _673;
            if (shift == 0u)
            {
                _673 = 0u;
            }
            else
            {
                _673 = next << (32u - shift);
            }
            words[0] |= _673;
            words[1] = next >> shift;
        }
        if ((shift + _691) > 64u)
        {
            words[1] |= (v_501.codes[word + 2u] << (32u - shift));
        }
    }
    spvUnsafeArray<uint, 8> param_3;
    param_3 = words;
    uint param_4 = 0u;
    uint param_5 = at;
    spvUnsafeArray<float, 8> param_6;
    numbers(param_3, param_4, param_5, param_6, v_351);
    v = param_6;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column)
{
    return float2(1.0, 0.0);
}

static inline __attribute__((always_inline))
float weight_of(thread const float2& level_, thread const float& v)
{
    return v;
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
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_337, const device Table& v_351, const device Codes& v_501)
{
    uint _735;
    if ((((((row * v_337.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _735 = v_501.codes[((((row * v_337.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _735 = 0u;
    }
    uint param = v_501.codes[(((row * v_337.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _735;
    uint param_2 = (((row * v_337.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = at + code;
    return entry(param_4, v_351);
}

static inline __attribute__((always_inline))
void fetch_weights(thread const uint& row, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_337, const device Table& v_351, const device Codes& v_501)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1272 = row >= v_337.row_end;
    bool _1280;
    if (!_1272)
    {
        _1280 = column >= v_337.columns;
    }
    else
    {
        _1280 = _1272;
    }
    if (_1280)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1, v_337);
    if (_1291)
    {
        uint param_2 = row - v_337.held;
        uint param_3 = column;
        uint param_4 = at;
        spvUnsafeArray<float, 8> param_5;
        load_eight(param_2, param_3, param_4, param_5, v_337, v_351, v_501);
        v = param_5;
        uint param_6 = row - v_337.held;
        uint param_7 = column;
        float2 found = level(param_6, param_7);
        for (uint j_1 = 0u; j_1 < 8u; j_1++)
        {
            float2 param_8 = found;
            float param_9 = v[j_1];
            v[j_1] = weight_of(param_8, param_9);
        }
        return;
    }
    uint count = min(8u, (v_337.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - v_337.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12, v_337, v_351, v_501);
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_337)
{
    uint at = v_337.x_at + (token * v_337.x_token);
    uint _784;
    if (_783)
    {
        _784 = at + column;
    }
    else
    {
        _784 = (at + ((column / v_337.x_inner) * v_337.x_outer)) + (column % v_337.x_inner);
    }
    return _784;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_337, const device X& v_823)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_337);
    float2 _856;
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_855)
        {
            _856 = float2(as_type<half2>(v_823.x[(at + j) >> uint(1)]));
        }
        else
        {
            _856 = float2(as_type<float>(v_823.x[at + j]), as_type<float>(v_823.x[(at + j) + 1u]));
        }
        float2 two = _856;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _150;
    if ((index & 1u) == 0u)
    {
        _150 = both.x;
    }
    else
    {
        _150 = both.y;
    }
    return _150;
}

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_337, const device X& v_823)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_337);
    float _817;
    if (_816)
    {
        uint param_2 = v_823.x[at >> uint(1)];
        uint param_3 = at;
        _817 = half_in(param_2, param_3);
    }
    else
    {
        _817 = as_type<float>(v_823.x[at]);
    }
    return _817;
}

static inline __attribute__((always_inline))
void fetch_x(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_337, const device X& v_823)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1382 = token >= v_337.tokens;
    bool _1390;
    if (!_1382)
    {
        _1390 = column >= v_337.columns;
    }
    else
    {
        _1390 = _1382;
    }
    if (_1390)
    {
        return;
    }
    if (_1394)
    {
        uint param = token;
        uint param_1 = column;
        spvUnsafeArray<float, 8> param_2;
        load_x8(param, param_1, param_2, v_337, v_823);
        v = param_2;
        return;
    }
    uint count = min(8u, (v_337.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4, v_337, v_823);
    }
}

static inline __attribute__((always_inline))
float added(thread const uint& token, thread const uint& row, constant Params& v_337, const device Bias& v_902, const device Residual& v_945)
{
    float _896;
    if (_895)
    {
        _896 = as_type<float>(v_902.bias0[row]);
    }
    else
    {
        _896 = 0.0;
    }
    float sum = _896;
    if (_910)
    {
        uint at = ((v_337.residual_at + (token * v_337.residual_token)) + ((row / v_337.residual_inner) * v_337.residual_outer)) + (row % v_337.residual_inner);
        float _939;
        if (_938)
        {
            uint param = v_945.residual[at >> uint(1)];
            uint param_1 = at;
            _939 = half_in(param, param_1);
        }
        else
        {
            _939 = as_type<float>(v_945.residual[at]);
        }
        sum += _939;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_337, device Y0& v_975, device Y1& v_1014, device Y2& v_1051)
{
    if (row < v_337.end0)
    {
        v_975.y0[((v_337.y0_at + (token * v_337.y0_token)) + ((row / v_337.y0_inner) * v_337.y0_outer)) + (row % v_337.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_337.end1)
        {
            v_1014.y1[((v_337.y1_at + (token * v_337.y1_token)) + (((row - v_337.end0) / v_337.y1_inner) * v_337.y1_outer)) + ((row - v_337.end0) % v_337.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_1051.y2[((v_337.y2_at + (token * v_337.y2_token)) + (((row - v_337.end1) / v_337.y2_inner) * v_337.y2_outer)) + ((row - v_337.end1) % v_337.y2_inner)] = as_type<uint>(v);
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
    float _237;
    if (x < 0.0)
    {
        _237 = -as_type<float>(bits);
    }
    else
    {
        _237 = as_type<float>(bits);
    }
    return _237;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_337, const device Bias& v_902, const device Residual& v_945, device Y0& v_975, device Y1& v_1014, device Y2& v_1051)
{
    bool two = (row + 1u) < v_337.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_337, v_902, v_945);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_337, v_902, v_945);
    }
    uint _1120;
    if (row < v_337.end0)
    {
        _1120 = Y0_HALF;
    }
    else
    {
        _1120 = (row < v_337.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1120;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_337, v_975, v_1014, v_1051);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_337, v_975, v_1014, v_1051);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_337.end0)
    {
        v_975.y0[(((v_337.y0_at + (token * v_337.y0_token)) + ((row / v_337.y0_inner) * v_337.y0_outer)) + (row % v_337.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_337.end1)
        {
            v_1014.y1[(((v_337.y1_at + (token * v_337.y1_token)) + (((row - v_337.end0) / v_337.y1_inner) * v_337.y1_outer)) + ((row - v_337.end0) % v_337.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_1051.y2[(((v_337.y2_at + (token * v_337.y2_token)) + (((row - v_337.end1) / v_337.y2_inner) * v_337.y2_outer)) + ((row - v_337.end1) % v_337.y2_inner)) >> uint(1)] = word;
        }
    }
}

kernel void matmul_lut(constant Params& v_337 [[buffer(0)]], const device X& v_823 [[buffer(1)]], const device Bias& v_902 [[buffer(2)]], const device Residual& v_945 [[buffer(3)]], device Y0& v_975 [[buffer(4)]], device Y1& v_1014 [[buffer(5)]], device Y2& v_1051 [[buffer(6)]], const device Codes& v_501 [[buffer(7)]], const device Table& v_351 [[buffer(8)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup float4 w_tile[256];
    threadgroup float4 x_tile[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1451;
    uint my_row = 4u * (thread0 % _1457);
    uint my_token = 4u * (thread0 / _1464);
    open_book();
    uint _1479 = v_337.row_begin + (gl_WorkGroupID.x * _1477);
    spvUnsafeArray<float4, 4> acc;
    spvUnsafeArray<float, 8> v;
    spvUnsafeArray<float, 8> param_2;
    spvUnsafeArray<float, 8> param_5;
    for (uint row0 = _1479; row0 < v_337.row_end; row0 += (gl_NumWorkGroups.x * _1812))
    {
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = float4(0.0);
        }
        for (uint column0 = 0u; column0 < v_337.columns; column0 += 16u)
        {
            for (uint i_1 = thread0; i_1 < _1536; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1543)
                {
                    uint row = i_1 % _1552;
                    uint k = 8u * (i_1 / _1559);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2, v_337, v_351, v_501);
                    v = param_2;
                    for (uint j = 0u; j < 8u; j++)
                    {
                        ((threadgroup float*)&w_tile[((k + j) * _1592) + (row / 4u)])[row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1613) % _1620;
                    uint k_1 = 8u * ((i_1 - _1628) / _1635);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5, v_337, v_823);
                    v = param_5;
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        ((threadgroup float*)&x_tile[((k_1 + j_1) * _1667) + (token / 4u)])[token % 4u] = v[j_1];
                    }
                }
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                float4 w4 = w_tile[(k_2 * _1698) + (my_row / 4u)];
                float4 x4 = x_tile[(k_2 * _1714) + (my_token / 4u)];
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
            if (token_1 >= v_337.tokens)
            {
                continue;
            }
            if (row_1 < v_337.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                float2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8, v_337, v_902, v_945, v_975, v_1014, v_1051);
            }
            if ((row_1 + 2u) < v_337.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                float2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11, v_337, v_902, v_945, v_975, v_1014, v_1051);
            }
        }
    }
}

