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

template<typename T>
[[clang::optnone]] T spvFMul(T l, T r)
{
    return fma(l, r, T(0));
}

template<typename T, int Cols, int Rows>
[[clang::optnone]] vec<T, Cols> spvFMulVectorMatrix(vec<T, Rows> v, matrix<T, Cols, Rows> m)
{
    vec<T, Cols> res = vec<T, Cols>(0);
    for (uint i = Rows; i > 0; --i)
    {
        vec<T, Cols> tmp(0);
        for (uint j = 0; j < Cols; ++j)
        {
            tmp[j] = m[j][i - 1];
        }
        res = fma(tmp, vec<T, Cols>(v[i - 1]), res);
    }
    return res;
}

template<typename T, int Cols, int Rows>
[[clang::optnone]] vec<T, Rows> spvFMulMatrixVector(matrix<T, Cols, Rows> m, vec<T, Cols> v)
{
    vec<T, Rows> res = vec<T, Rows>(0);
    for (uint i = Cols; i > 0; --i)
    {
        res = fma(m[i - 1], vec<T, Rows>(v[i - 1]), res);
    }
    return res;
}

template<typename T, int LCols, int LRows, int RCols, int RRows>
[[clang::optnone]] matrix<T, RCols, LRows> spvFMulMatrixMatrix(matrix<T, LCols, LRows> l, matrix<T, RCols, RRows> r)
{
    matrix<T, RCols, LRows> res;
    for (uint i = 0; i < RCols; i++)
    {
        vec<T, RCols> tmp(0);
        for (uint j = 0; j < LCols; j++)
        {
            tmp = fma(vec<T, RCols>(r[i][j]), l[j], tmp);
        }
        res[i] = tmp;
    }
    return res;
}

constant uint GROUP_tmp [[function_constant(10)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _279 = (GROUP != 0u);

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

struct Scales
{
    uint scales[1];
};

struct Offsets
{
    uint offsets[1];
};

struct Codes
{
    uint codes[1];
};

constant uint X_RUNS_tmp [[function_constant(3)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _687 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(2)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _720 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _759 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(4)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _799 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(5)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _814 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(6)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _842 = (RESIDUAL_HALF != 0u);

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
constant bool _1194 = (ALIGNED != 0u);
constant bool _1297 = (ALIGNED != 0u);
constant uint _1345_tmp [[function_constant(0)]];
constant uint _1345 = is_function_constant_defined(_1345_tmp) ? _1345_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1345, 1u, 1u);
constant uint _1347 = gl_WorkGroupSize.x;
constant uint _1348 = gl_WorkGroupSize.x;
constant bool _1350 = (_1348 >= 128u);
constant uint _1351 = _1350 ? 16u : 8u;
constant uint _1352 = (_1347 / _1351);
constant uint _1353 = (4u * _1352);
constant uint _1357 = gl_WorkGroupSize.x;
constant bool _1358 = (_1357 >= 128u);
constant uint _1359 = _1358 ? 16u : 8u;
constant uint _1364 = gl_WorkGroupSize.x;
constant bool _1365 = (_1364 >= 128u);
constant uint _1366 = _1365 ? 16u : 8u;
constant uint _1376 = gl_WorkGroupSize.x;
constant bool _1377 = (_1376 >= 128u);
constant uint _1378 = _1377 ? 16u : 8u;
constant uint _1379 = (4u * _1378);
constant uint _1427 = gl_WorkGroupSize.x;
constant bool _1428 = (_1427 >= 128u);
constant uint _1429 = _1428 ? 16u : 8u;
constant uint _1430 = (4u * _1429);
constant uint _1431 = gl_WorkGroupSize.x;
constant uint _1432 = gl_WorkGroupSize.x;
constant bool _1433 = (_1432 >= 128u);
constant uint _1434 = _1433 ? 16u : 8u;
constant uint _1435 = (_1431 / _1434);
constant uint _1436 = (4u * _1435);
constant uint _1437 = (_1430 + _1436);
constant uint _1438 = (2u * _1437);
constant uint _1441 = gl_WorkGroupSize.x;
constant bool _1442 = (_1441 >= 128u);
constant uint _1443 = _1442 ? 16u : 8u;
constant uint _1444 = (4u * _1443);
constant uint _1445 = (2u * _1444);
constant uint _1451 = gl_WorkGroupSize.x;
constant bool _1452 = (_1451 >= 128u);
constant uint _1453 = _1452 ? 16u : 8u;
constant uint _1454 = (4u * _1453);
constant uint _1458 = gl_WorkGroupSize.x;
constant bool _1459 = (_1458 >= 128u);
constant uint _1460 = _1459 ? 16u : 8u;
constant uint _1461 = (4u * _1460);
constant uint _1491 = gl_WorkGroupSize.x;
constant bool _1492 = (_1491 >= 128u);
constant uint _1493 = _1492 ? 16u : 8u;
constant uint _1494 = (4u * _1493);
constant uint _1495 = (_1494 / 4u);
constant uint _1512 = gl_WorkGroupSize.x;
constant bool _1513 = (_1512 >= 128u);
constant uint _1514 = _1513 ? 16u : 8u;
constant uint _1515 = (4u * _1514);
constant uint _1516 = (2u * _1515);
constant uint _1518 = gl_WorkGroupSize.x;
constant uint _1519 = gl_WorkGroupSize.x;
constant bool _1520 = (_1519 >= 128u);
constant uint _1521 = _1520 ? 16u : 8u;
constant uint _1522 = (_1518 / _1521);
constant uint _1523 = (4u * _1522);
constant uint _1527 = gl_WorkGroupSize.x;
constant bool _1528 = (_1527 >= 128u);
constant uint _1529 = _1528 ? 16u : 8u;
constant uint _1530 = (4u * _1529);
constant uint _1531 = (2u * _1530);
constant uint _1533 = gl_WorkGroupSize.x;
constant uint _1534 = gl_WorkGroupSize.x;
constant bool _1535 = (_1534 >= 128u);
constant uint _1536 = _1535 ? 16u : 8u;
constant uint _1537 = (_1533 / _1536);
constant uint _1538 = (4u * _1537);
constant uint _1564 = gl_WorkGroupSize.x;
constant uint _1565 = gl_WorkGroupSize.x;
constant bool _1566 = (_1565 >= 128u);
constant uint _1567 = _1566 ? 16u : 8u;
constant uint _1568 = (_1564 / _1567);
constant uint _1569 = (4u * _1568);
constant uint _1570 = (_1569 / 4u);
constant uint _1597 = gl_WorkGroupSize.x;
constant bool _1598 = (_1597 >= 128u);
constant uint _1599 = _1598 ? 16u : 8u;
constant uint _1600 = (4u * _1599);
constant uint _1601 = (_1600 / 4u);
constant uint _1611 = gl_WorkGroupSize.x;
constant uint _1612 = gl_WorkGroupSize.x;
constant bool _1613 = (_1612 >= 128u);
constant uint _1614 = _1613 ? 16u : 8u;
constant uint _1615 = (_1611 / _1614);
constant uint _1616 = (4u * _1615);
constant uint _1617 = (_1616 / 4u);
constant uint _1712 = gl_WorkGroupSize.x;
constant bool _1713 = (_1712 >= 128u);
constant uint _1714 = _1713 ? 16u : 8u;
constant uint _1715 = (4u * _1714);

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
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_285, const device Codes& v_466)
{
    if (false)
    {
        uint eight = (row * (v_285.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * 32u) + (((eight & 31u) * 32u) >> uint(5));
        uint shift = (eight * 32u) & 31u;
        words[0] = v_466.codes[at] >> shift;
        if ((shift + 32u) > 32u)
        {
            words[0] |= (v_466.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_285.columns / 8u)) + step_) * 1u;
        for (uint i = 0u; i < 1u; i++)
        {
            words[i] = v_466.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _354;
    if (i < 7u)
    {
        _354 = words[i + 1u];
    }
    else
    {
        _354 = 0u;
    }
    uint2 out_ = uint2(words[i], _354);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _388;
    if (i < 6u)
    {
        _388 = words[i + 2u];
    }
    else
    {
        _388 = 0u;
    }
    out_.y = (out_.y >> shift) | (_388 << (32u - shift));
    return out_;
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v)
{
    spvUnsafeArray<uint, 8> param;
    param = words;
    uint param_1 = sub * 32u;
    uint2 eight = window(param, param_1);
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = as_type<float>(1065353216u | (((eight.x >> (4u * j)) & 15u) << uint(19)));
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, constant Params& v_285, const device Codes& v_466)
{
    spvUnsafeArray<uint, 8> words;
    if (true)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        spvUnsafeArray<uint, 8> param_2;
        load_step(param, param_1, param_2, v_285, v_466);
        words = param_2;
    }
    else
    {
        uint eight = (row * (v_285.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * 32u) + (((eight & 31u) * 32u) >> uint(5));
        uint shift = (eight * 32u) & 31u;
        words[0] = v_466.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + 32u) > 32u)
        {
            uint next = v_466.codes[word + 1u];
            uint _571;
            if (shift == 0u)
            {
                _571 = 0u;
            }
            else
            {
                _571 = next << (32u - shift);
            }
            words[0] |= _571;
            words[1] = next >> shift;
        }
        if ((shift + 32u) > 64u)
        {
            words[1] |= (v_466.codes[word + 2u] << (32u - shift));
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
    float _187;
    if ((h & 32768u) != 0u)
    {
        _187 = -size;
    }
    else
    {
        _187 = size;
    }
    return _187;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column, constant Params& v_285, const device Scales& v_300, const device Offsets& v_315)
{
    uint at = row;
    if (_279)
    {
        at = (row * (((v_285.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    uint param = v_300.scales[at >> uint(1)];
    uint param_1 = at;
    uint param_2 = v_315.offsets[at >> uint(1)];
    uint param_3 = at;
    return float2(exact_half(param, param_1), exact_half(param_2, param_3));
}

static inline __attribute__((always_inline))
float weight_of(thread const float2& level_, thread const float& v)
{
    float product = spvFMul(v, level_.x);
    return product + level_.y;
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
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_285, const device Scales& v_300, const device Offsets& v_315, const device Codes& v_466)
{
    uint _632;
    if ((((((row * v_285.columns) + column) * 4u) & 31u) + 4u) > 32u)
    {
        _632 = v_466.codes[((((row * v_285.columns) + column) * 4u) >> uint(5)) + 1u];
    }
    else
    {
        _632 = 0u;
    }
    uint param = v_466.codes[(((row * v_285.columns) + column) * 4u) >> uint(5)];
    uint param_1 = _632;
    uint param_2 = (((row * v_285.columns) + column) * 4u) & 31u;
    uint param_3 = 4u;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = row;
    uint param_5 = column;
    float2 param_6 = level(param_4, param_5, v_285, v_300, v_315);
    float param_7 = as_type<float>(1065353216u | (code << uint(19)));
    return weight_of(param_6, param_7);
}

static inline __attribute__((always_inline))
void fetch_weights(thread const uint& row, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_285, const device Scales& v_300, const device Offsets& v_315, const device Codes& v_466)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1175 = row >= v_285.row_end;
    bool _1183;
    if (!_1175)
    {
        _1183 = column >= v_285.columns;
    }
    else
    {
        _1183 = _1175;
    }
    if (_1183)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    if (_1194)
    {
        uint param_2 = row - v_285.held;
        uint param_3 = column;
        uint param_4 = at;
        spvUnsafeArray<float, 8> param_5;
        load_eight(param_2, param_3, param_4, param_5, v_285, v_466);
        v = param_5;
        uint param_6 = row - v_285.held;
        uint param_7 = column;
        float2 found = level(param_6, param_7, v_285, v_300, v_315);
        for (uint j_1 = 0u; j_1 < 8u; j_1++)
        {
            float2 param_8 = found;
            float param_9 = v[j_1];
            v[j_1] = weight_of(param_8, param_9);
        }
        return;
    }
    uint count = min(8u, (v_285.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - v_285.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12, v_285, v_300, v_315, v_466);
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_285)
{
    uint at = v_285.x_at + (token * v_285.x_token);
    uint _688;
    if (_687)
    {
        _688 = at + column;
    }
    else
    {
        _688 = (at + ((column / v_285.x_inner) * v_285.x_outer)) + (column % v_285.x_inner);
    }
    return _688;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_285, const device X& v_727)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_285);
    float2 _760;
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_759)
        {
            _760 = float2(as_type<half2>(v_727.x[(at + j) >> uint(1)]));
        }
        else
        {
            _760 = float2(as_type<float>(v_727.x[at + j]), as_type<float>(v_727.x[(at + j) + 1u]));
        }
        float2 two = _760;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _139;
    if ((index & 1u) == 0u)
    {
        _139 = both.x;
    }
    else
    {
        _139 = both.y;
    }
    return _139;
}

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_285, const device X& v_727)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_285);
    float _721;
    if (_720)
    {
        uint param_2 = v_727.x[at >> uint(1)];
        uint param_3 = at;
        _721 = half_in(param_2, param_3);
    }
    else
    {
        _721 = as_type<float>(v_727.x[at]);
    }
    return _721;
}

static inline __attribute__((always_inline))
void fetch_x(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_285, const device X& v_727)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1285 = token >= v_285.tokens;
    bool _1293;
    if (!_1285)
    {
        _1293 = column >= v_285.columns;
    }
    else
    {
        _1293 = _1285;
    }
    if (_1293)
    {
        return;
    }
    if (_1297)
    {
        uint param = token;
        uint param_1 = column;
        spvUnsafeArray<float, 8> param_2;
        load_x8(param, param_1, param_2, v_285, v_727);
        v = param_2;
        return;
    }
    uint count = min(8u, (v_285.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4, v_285, v_727);
    }
}

static inline __attribute__((always_inline))
float added(thread const uint& token, thread const uint& row, constant Params& v_285, const device Bias& v_806, const device Residual& v_849)
{
    float _800;
    if (_799)
    {
        _800 = as_type<float>(v_806.bias0[row]);
    }
    else
    {
        _800 = 0.0;
    }
    float sum = _800;
    if (_814)
    {
        uint at = ((v_285.residual_at + (token * v_285.residual_token)) + ((row / v_285.residual_inner) * v_285.residual_outer)) + (row % v_285.residual_inner);
        float _843;
        if (_842)
        {
            uint param = v_849.residual[at >> uint(1)];
            uint param_1 = at;
            _843 = half_in(param, param_1);
        }
        else
        {
            _843 = as_type<float>(v_849.residual[at]);
        }
        sum += _843;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_285, device Y0& v_879, device Y1& v_918, device Y2& v_955)
{
    if (row < v_285.end0)
    {
        v_879.y0[((v_285.y0_at + (token * v_285.y0_token)) + ((row / v_285.y0_inner) * v_285.y0_outer)) + (row % v_285.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_285.end1)
        {
            v_918.y1[((v_285.y1_at + (token * v_285.y1_token)) + (((row - v_285.end0) / v_285.y1_inner) * v_285.y1_outer)) + ((row - v_285.end0) % v_285.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_955.y2[((v_285.y2_at + (token * v_285.y2_token)) + (((row - v_285.end1) / v_285.y2_inner) * v_285.y2_outer)) + ((row - v_285.end1) % v_285.y2_inner)] = as_type<uint>(v);
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
    float _226;
    if (x < 0.0)
    {
        _226 = -as_type<float>(bits);
    }
    else
    {
        _226 = as_type<float>(bits);
    }
    return _226;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_285, const device Bias& v_806, const device Residual& v_849, device Y0& v_879, device Y1& v_918, device Y2& v_955)
{
    bool two = (row + 1u) < v_285.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_285, v_806, v_849);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_285, v_806, v_849);
    }
    uint _1023;
    if (row < v_285.end0)
    {
        _1023 = Y0_HALF;
    }
    else
    {
        _1023 = (row < v_285.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1023;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_285, v_879, v_918, v_955);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_285, v_879, v_918, v_955);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_285.end0)
    {
        v_879.y0[(((v_285.y0_at + (token * v_285.y0_token)) + ((row / v_285.y0_inner) * v_285.y0_outer)) + (row % v_285.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_285.end1)
        {
            v_918.y1[(((v_285.y1_at + (token * v_285.y1_token)) + (((row - v_285.end0) / v_285.y1_inner) * v_285.y1_outer)) + ((row - v_285.end0) % v_285.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_955.y2[(((v_285.y2_at + (token * v_285.y2_token)) + (((row - v_285.end1) / v_285.y2_inner) * v_285.y2_outer)) + ((row - v_285.end1) % v_285.y2_inner)) >> uint(1)] = word;
        }
    }
}

kernel void matmul_e0m4(constant Params& v_285 [[buffer(0)]], const device X& v_727 [[buffer(1)]], const device Bias& v_806 [[buffer(2)]], const device Residual& v_849 [[buffer(3)]], device Y0& v_879 [[buffer(4)]], device Y1& v_918 [[buffer(5)]], device Y2& v_955 [[buffer(6)]], const device Codes& v_466 [[buffer(7)]], const device Scales& v_300 [[buffer(8)]], const device Offsets& v_315 [[buffer(9)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup float4 w_tile[256];
    threadgroup float4 x_tile[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1353;
    uint my_row = 4u * (thread0 % _1359);
    uint my_token = 4u * (thread0 / _1366);
    open_book();
    uint _1381 = v_285.row_begin + (gl_WorkGroupID.x * _1379);
    spvUnsafeArray<float4, 4> acc;
    spvUnsafeArray<float, 8> v;
    spvUnsafeArray<float, 8> param_2;
    spvUnsafeArray<float, 8> param_5;
    for (uint row0 = _1381; row0 < v_285.row_end; row0 += (gl_NumWorkGroups.x * _1715))
    {
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = float4(0.0);
        }
        for (uint column0 = 0u; column0 < v_285.columns; column0 += 16u)
        {
            for (uint i_1 = thread0; i_1 < _1438; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1445)
                {
                    uint row = i_1 % _1454;
                    uint k = 8u * (i_1 / _1461);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2, v_285, v_300, v_315, v_466);
                    v = param_2;
                    for (uint j = 0u; j < 8u; j++)
                    {
                        ((threadgroup float*)&w_tile[((k + j) * _1495) + (row / 4u)])[row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1516) % _1523;
                    uint k_1 = 8u * ((i_1 - _1531) / _1538);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5, v_285, v_727);
                    v = param_5;
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        ((threadgroup float*)&x_tile[((k_1 + j_1) * _1570) + (token / 4u)])[token % 4u] = v[j_1];
                    }
                }
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                float4 w4 = w_tile[(k_2 * _1601) + (my_row / 4u)];
                float4 x4 = x_tile[(k_2 * _1617) + (my_token / 4u)];
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
            if (token_1 >= v_285.tokens)
            {
                continue;
            }
            if (row_1 < v_285.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                float2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8, v_285, v_806, v_849, v_879, v_918, v_955);
            }
            if ((row_1 + 2u) < v_285.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                float2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11, v_285, v_806, v_849, v_879, v_918, v_955);
            }
        }
    }
}

