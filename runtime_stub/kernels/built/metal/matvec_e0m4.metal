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

constant uint GROUP_tmp [[function_constant(12)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _342 = (GROUP != 0u);

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

constant uint X_RUNS_tmp [[function_constant(5)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _661 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(4)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _694 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _733 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(6)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _773 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(7)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _788 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(8)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _816 = (RESIDUAL_HALF != 0u);

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
constant uint _1143 = (ROWS * TOKENS);
constant uint _1158 = (ROWS * TOKENS);
constant uint _1198 = (ROWS * TOKENS);
constant uint _1226 = (ROWS / 2u);
constant uint _1227 = (_1226 * TOKENS);
constant uint _1270_tmp [[function_constant(0)]];
constant uint _1270 = is_function_constant_defined(_1270_tmp) ? _1270_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1270, 1u, 1u);
constant uint ALIGNED_tmp [[function_constant(3)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _1357 = (ALIGNED != 0u);
constant bool _1360 = (GROUP == 0u);
constant bool _1494 = (GROUP != 0u);
constant uint _1502 = (GROUP % 8u);
constant bool _1503 = (_1502 != 0u);

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
    float _197;
    if ((h & 32768u) != 0u)
    {
        _197 = -size;
    }
    else
    {
        _197 = size;
    }
    return _197;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column, constant Params& v_348, const device Scales& v_363, const device Offsets& v_376)
{
    uint at = row;
    if (_342)
    {
        at = (row * (((v_348.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    uint param = v_363.scales[at >> uint(1)];
    uint param_1 = at;
    uint param_2 = v_376.offsets[at >> uint(1)];
    uint param_3 = at;
    return float2(exact_half(param, param_1), exact_half(param_2, param_3));
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_348, const device Codes& v_536)
{
    if (false)
    {
        uint eight = (row * (v_348.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * 32u) + (((eight & 31u) * 32u) >> uint(5));
        uint shift = (eight * 32u) & 31u;
        words[0] = v_536.codes[at] >> shift;
        if ((shift + 32u) > 32u)
        {
            words[0] |= (v_536.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_348.columns / 8u)) + step_) * 1u;
        for (uint i = 0u; i < 1u; i++)
        {
            words[i] = v_536.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_348)
{
    uint at = v_348.x_at + (token * v_348.x_token);
    uint _662;
    if (_661)
    {
        _662 = at + column;
    }
    else
    {
        _662 = (at + ((column / v_348.x_inner) * v_348.x_outer)) + (column % v_348.x_inner);
    }
    return _662;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_348, const device X& v_701)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_348);
    float2 _734;
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_733)
        {
            _734 = float2(as_type<half2>(v_701.x[(at + j) >> uint(1)]));
        }
        else
        {
            _734 = float2(as_type<float>(v_701.x[at + j]), as_type<float>(v_701.x[(at + j) + 1u]));
        }
        float2 two = _734;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _426;
    if (i < 7u)
    {
        _426 = words[i + 1u];
    }
    else
    {
        _426 = 0u;
    }
    uint2 out_ = uint2(words[i], _426);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _460;
    if (i < 6u)
    {
        _460 = words[i + 2u];
    }
    else
    {
        _460 = 0u;
    }
    out_.y = (out_.y >> shift) | (_460 << (32u - shift));
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
float weigh(thread const float2& level_, thread const float& sum, thread const float& sum_x)
{
    return (level_.x * sum) + (level_.y * sum_x);
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _149;
    if ((index & 1u) == 0u)
    {
        _149 = both.x;
    }
    else
    {
        _149 = both.y;
    }
    return _149;
}

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_348, const device X& v_701)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_348);
    float _695;
    if (_694)
    {
        uint param_2 = v_701.x[at >> uint(1)];
        uint param_3 = at;
        _695 = half_in(param_2, param_3);
    }
    else
    {
        _695 = as_type<float>(v_701.x[at]);
    }
    return _695;
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
float weight_of(thread const float2& level_, thread const float& v)
{
    float product = spvFMul(v, level_.x);
    return product + level_.y;
}

static inline __attribute__((always_inline))
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_348, const device Scales& v_363, const device Offsets& v_376, const device Codes& v_536)
{
    uint _606;
    if ((((((row * v_348.columns) + column) * 4u) & 31u) + 4u) > 32u)
    {
        _606 = v_536.codes[((((row * v_348.columns) + column) * 4u) >> uint(5)) + 1u];
    }
    else
    {
        _606 = 0u;
    }
    uint param = v_536.codes[(((row * v_348.columns) + column) * 4u) >> uint(5)];
    uint param_1 = _606;
    uint param_2 = (((row * v_348.columns) + column) * 4u) & 31u;
    uint param_3 = 4u;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = row;
    uint param_5 = column;
    float2 param_6 = level(param_4, param_5, v_348, v_363, v_376);
    float param_7 = as_type<float>(1065353216u | (code << uint(19)));
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
    bool _273 = simd_is_first();
    if (_273)
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
float added(thread const uint& token, thread const uint& row, constant Params& v_348, const device Bias& v_780, const device Residual& v_823)
{
    float _774;
    if (_773)
    {
        _774 = as_type<float>(v_780.bias0[row]);
    }
    else
    {
        _774 = 0.0;
    }
    float sum = _774;
    if (_788)
    {
        uint at = ((v_348.residual_at + (token * v_348.residual_token)) + ((row / v_348.residual_inner) * v_348.residual_outer)) + (row % v_348.residual_inner);
        float _817;
        if (_816)
        {
            uint param = v_823.residual[at >> uint(1)];
            uint param_1 = at;
            _817 = half_in(param, param_1);
        }
        else
        {
            _817 = as_type<float>(v_823.residual[at]);
        }
        sum += _817;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_348, device Y0& v_853, device Y1& v_892, device Y2& v_929)
{
    if (row < v_348.end0)
    {
        v_853.y0[((v_348.y0_at + (token * v_348.y0_token)) + ((row / v_348.y0_inner) * v_348.y0_outer)) + (row % v_348.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_348.end1)
        {
            v_892.y1[((v_348.y1_at + (token * v_348.y1_token)) + (((row - v_348.end0) / v_348.y1_inner) * v_348.y1_outer)) + ((row - v_348.end0) % v_348.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_929.y2[((v_348.y2_at + (token * v_348.y2_token)) + (((row - v_348.end1) / v_348.y2_inner) * v_348.y2_outer)) + ((row - v_348.end1) % v_348.y2_inner)] = as_type<uint>(v);
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
    float _236;
    if (x < 0.0)
    {
        _236 = -as_type<float>(bits);
    }
    else
    {
        _236 = as_type<float>(bits);
    }
    return _236;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_348, const device Bias& v_780, const device Residual& v_823, device Y0& v_853, device Y1& v_892, device Y2& v_929)
{
    bool two = (row + 1u) < v_348.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_348, v_780, v_823);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_348, v_780, v_823);
    }
    uint _997;
    if (row < v_348.end0)
    {
        _997 = Y0_HALF;
    }
    else
    {
        _997 = (row < v_348.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _997;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_348, v_853, v_892, v_929);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_348, v_853, v_892, v_929);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_348.end0)
    {
        v_853.y0[(((v_348.y0_at + (token * v_348.y0_token)) + ((row / v_348.y0_inner) * v_348.y0_outer)) + (row % v_348.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_348.end1)
        {
            v_892.y1[(((v_348.y1_at + (token * v_348.y1_token)) + (((row - v_348.end0) / v_348.y1_inner) * v_348.y1_outer)) + ((row - v_348.end0) % v_348.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_929.y2[(((v_348.y2_at + (token * v_348.y2_token)) + (((row - v_348.end1) / v_348.y2_inner) * v_348.y2_outer)) + ((row - v_348.end1) % v_348.y2_inner)) >> uint(1)] = word;
        }
    }
}

static inline __attribute__((always_inline))
void reduce_and_store(thread const uint& row0, thread const uint& token0, thread const spvUnsafeArray<spvUnsafeArray<float, 4>, 8>& acc, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID, constant Params& v_348, const device Bias& v_780, const device Residual& v_823, device Y0& v_853, device Y1& v_892, device Y2& v_929, thread uint3& gl_LocalInvocationID, threadgroup float (&totals)[32])
{
    for (uint i = 0u; i < _1143; i += 4u)
    {
        float4 four = float4(0.0);
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _1158)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        float4 param = four;
        float4 _1178 = group_sum(param, gl_NumSubgroups, group_words, gl_SubgroupID);
        four = _1178;
        if (gl_LocalInvocationID.x == 0u)
        {
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1198)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1227; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1244 = token < v_348.tokens;
        bool _1251;
        if (_1244)
        {
            _1251 = row < v_348.row_end;
        }
        else
        {
            _1251 = _1244;
        }
        if (_1251)
        {
            uint param_1 = token;
            uint param_2 = row;
            float2 param_3 = float2(totals[2u * i_1], totals[(2u * i_1) + 1u]);
            store_rows(param_1, param_2, param_3, v_348, v_780, v_823, v_853, v_892, v_929);
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}

kernel void matvec_e0m4(constant Params& v_348 [[buffer(0)]], const device X& v_701 [[buffer(1)]], const device Bias& v_780 [[buffer(2)]], const device Residual& v_823 [[buffer(3)]], device Y0& v_853 [[buffer(4)]], device Y1& v_892 [[buffer(5)]], device Y2& v_929 [[buffer(6)]], const device Codes& v_536 [[buffer(7)]], const device Scales& v_363 [[buffer(8)]], const device Offsets& v_376 [[buffer(9)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup uint4 group_words[256];
    threadgroup float totals[32];
    uint token0 = gl_WorkGroupID.y * TOKENS;
    open_book();
    uint _1288 = v_348.row_begin + (gl_WorkGroupID.x * ROWS);
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
    for (uint row0 = _1288; row0 < v_348.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (v_348.row_end - row0));
        uint param = row0;
        uint param_1 = count;
        open_tables(param, param_1);
        for (uint r = 0u; r < ROWS; r++)
        {
            uint row = row0 + min(r, (count - 1u));
            uint param_2 = row0;
            uint param_3 = row;
            at[r] = table_of(param_2, param_3);
            here[r] = row - v_348.held;
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1357)
        {
            if (_1360)
            {
                for (uint r_1 = 0u; r_1 < ROWS; r_1++)
                {
                    uint param_4 = here[r_1];
                    uint param_5 = 0u;
                    levels[r_1] = level(param_4, param_5, v_348, v_363, v_376);
                }
            }
            for (uint step_ = gl_LocalInvocationID.x; step_ < (v_348.columns / 8u); step_ += gl_WorkGroupSize.x)
            {
                for (uint r_2 = 0u; r_2 < ROWS; r_2++)
                {
                    uint param_6 = here[r_2];
                    uint param_7 = step_;
                    load_step(param_6, param_7, param_8, v_348, v_536);
                    words[r_2] = param_8;
                }
                for (uint sub = 0u; sub < 1u; sub++)
                {
                    uint column = (step_ * 8u) + (8u * sub);
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (v_348.tokens - 1u));
                        uint param_10 = column;
                        load_x8(param_9, param_10, param_11, v_348, v_701);
                        xs[t_1] = param_11;
                        sums[t_1] = 0.0;
                        for (uint j = 0u; j < 8u; j++)
                        {
                            sums[t_1] += xs[t_1][j];
                        }
                    }
                    for (uint r_3 = 0u; r_3 < ROWS; r_3++)
                    {
                        bool _1505;
                        if (_1494)
                        {
                            bool _1498 = sub == 0u;
                            bool _1504;
                            if (!_1498)
                            {
                                _1504 = _1503;
                            }
                            else
                            {
                                _1504 = _1498;
                            }
                            _1505 = _1504;
                        }
                        else
                        {
                            _1505 = _1494;
                        }
                        if (_1505)
                        {
                            uint param_12 = here[r_3];
                            uint param_13 = column;
                            levels[r_3] = level(param_12, param_13, v_348, v_363, v_376);
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
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < v_348.columns; column_1 += gl_WorkGroupSize.x)
            {
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (v_348.tokens - 1u));
                    uint param_22 = column_1;
                    xs_1[t_3] = load_x(param_21, param_22, v_348, v_701);
                }
                for (uint r_4 = 0u; r_4 < ROWS; r_4++)
                {
                    uint param_23 = here[r_4];
                    uint param_24 = column_1;
                    uint param_25 = at[r_4];
                    float weight = load_weight(param_23, param_24, param_25, v_348, v_363, v_376, v_536);
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
        reduce_and_store(param_26, param_27, param_28, gl_NumSubgroups, group_words, gl_SubgroupID, v_348, v_780, v_823, v_853, v_892, v_929, gl_LocalInvocationID, totals);
    }
}

