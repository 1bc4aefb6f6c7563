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

constant uint WEIGHT_HALF_tmp [[function_constant(12)]];
constant uint WEIGHT_HALF = is_function_constant_defined(WEIGHT_HALF_tmp) ? WEIGHT_HALF_tmp : 1u;
constant bool _266 = (WEIGHT_HALF != 0u);
constant bool _287 = (WEIGHT_HALF != 0u);
constant uint _289 = _287 ? 128u : 256u;
constant uint _290 = (_289 % 8u);
constant bool _291 = (_290 != 0u);

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

constant bool _312 = (WEIGHT_HALF != 0u);
constant uint _313 = _312 ? 128u : 256u;
constant bool _318 = (WEIGHT_HALF != 0u);
constant uint _319 = _318 ? 128u : 256u;
constant bool _325 = (WEIGHT_HALF != 0u);
constant uint _326 = _325 ? 128u : 256u;

struct Codes
{
    uint codes[1];
};

constant bool _341 = (WEIGHT_HALF != 0u);
constant uint _342 = _341 ? 128u : 256u;
constant bool _365 = (WEIGHT_HALF != 0u);
constant uint _366 = _365 ? 128u : 256u;
constant uint _367 = (_366 % 32u);
constant bool _368 = (_367 == 0u);
constant bool _369 = (WEIGHT_HALF != 0u);
constant uint _370 = _369 ? 128u : 256u;
constant uint _372 = (_370 % 16u);
constant bool _373 = (_372 == 0u);
constant bool _374 = (WEIGHT_HALF != 0u);
constant uint _375 = _374 ? 128u : 256u;
constant uint _376 = (_375 % 8u);
constant bool _377 = (_376 == 0u);
constant uint _378 = _377 ? 32u : 8u;
constant uint _379 = _373 ? 16u : _378;
constant uint _380 = _368 ? 8u : _379;
constant bool _385 = (WEIGHT_HALF != 0u);
constant uint _386 = _385 ? 128u : 256u;
constant uint _387 = (_386 % 32u);
constant bool _388 = (_387 == 0u);
constant bool _389 = (WEIGHT_HALF != 0u);
constant uint _390 = _389 ? 128u : 256u;
constant uint _391 = (_390 % 16u);
constant bool _392 = (_391 == 0u);
constant bool _393 = (WEIGHT_HALF != 0u);
constant uint _394 = _393 ? 128u : 256u;
constant uint _395 = (_394 % 8u);
constant bool _396 = (_395 == 0u);
constant uint _397 = _396 ? 32u : 8u;
constant uint _398 = _392 ? 16u : _397;
constant uint _399 = _388 ? 8u : _398;
constant bool _400 = (WEIGHT_HALF != 0u);
constant uint _401 = _400 ? 128u : 256u;
constant uint _402 = (_399 * _401);
constant uint _403 = (_402 / 256u);
constant bool _412 = (WEIGHT_HALF != 0u);
constant uint _413 = _412 ? 128u : 256u;
constant uint _414 = (_413 % 32u);
constant bool _415 = (_414 == 0u);
constant bool _416 = (WEIGHT_HALF != 0u);
constant uint _417 = _416 ? 128u : 256u;
constant uint _418 = (_417 % 16u);
constant bool _419 = (_418 == 0u);
constant bool _420 = (WEIGHT_HALF != 0u);
constant uint _421 = _420 ? 128u : 256u;
constant uint _422 = (_421 % 8u);
constant bool _423 = (_422 == 0u);
constant uint _424 = _423 ? 32u : 8u;
constant uint _425 = _419 ? 16u : _424;
constant uint _426 = _415 ? 8u : _425;
constant bool _427 = (WEIGHT_HALF != 0u);
constant uint _428 = _427 ? 128u : 256u;
constant uint _429 = (_426 * _428);
constant uint _430 = (_429 / 256u);
constant bool _441 = (WEIGHT_HALF != 0u);
constant uint X_RUNS_tmp [[function_constant(5)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _486 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(4)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _519 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _558 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(6)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _598 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(7)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _613 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(8)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _641 = (RESIDUAL_HALF != 0u);

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
constant uint _969 = (ROWS * TOKENS);
constant uint _984 = (ROWS * TOKENS);
constant uint _1024 = (ROWS * TOKENS);
constant uint _1052 = (ROWS / 2u);
constant uint _1053 = (_1052 * TOKENS);
constant uint _1096_tmp [[function_constant(0)]];
constant uint _1096 = is_function_constant_defined(_1096_tmp) ? _1096_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1096, 1u, 1u);
constant uint ALIGNED_tmp [[function_constant(3)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _1183 = (ALIGNED != 0u);
constant bool _1221 = (WEIGHT_HALF != 0u);
constant uint _1222 = _1221 ? 128u : 256u;
constant uint _1223 = (_1222 % 32u);
constant bool _1224 = (_1223 == 0u);
constant bool _1225 = (WEIGHT_HALF != 0u);
constant uint _1226 = _1225 ? 128u : 256u;
constant uint _1227 = (_1226 % 16u);
constant bool _1228 = (_1227 == 0u);
constant bool _1229 = (WEIGHT_HALF != 0u);
constant uint _1230 = _1229 ? 128u : 256u;
constant uint _1231 = (_1230 % 8u);
constant bool _1232 = (_1231 == 0u);
constant uint _1233 = _1232 ? 32u : 8u;
constant uint _1234 = _1228 ? 16u : _1233;
constant uint _1235 = _1224 ? 8u : _1234;
constant bool _1269 = (WEIGHT_HALF != 0u);
constant uint _1270 = _1269 ? 128u : 256u;
constant uint _1271 = (_1270 % 32u);
constant bool _1272 = (_1271 == 0u);
constant bool _1273 = (WEIGHT_HALF != 0u);
constant uint _1274 = _1273 ? 128u : 256u;
constant uint _1275 = (_1274 % 16u);
constant bool _1276 = (_1275 == 0u);
constant bool _1277 = (WEIGHT_HALF != 0u);
constant uint _1278 = _1277 ? 128u : 256u;
constant uint _1279 = (_1278 % 8u);
constant bool _1280 = (_1279 == 0u);
constant uint _1281 = _1280 ? 32u : 8u;
constant uint _1282 = _1276 ? 16u : _1281;
constant uint _1283 = _1272 ? 8u : _1282;
constant uint _1284 = (_1283 / 8u);
constant bool _1288 = (WEIGHT_HALF != 0u);
constant uint _1289 = _1288 ? 128u : 256u;
constant uint _1290 = (_1289 % 32u);
constant bool _1291 = (_1290 == 0u);
constant bool _1292 = (WEIGHT_HALF != 0u);
constant uint _1293 = _1292 ? 128u : 256u;
constant uint _1294 = (_1293 % 16u);
constant bool _1295 = (_1294 == 0u);
constant bool _1296 = (WEIGHT_HALF != 0u);
constant uint _1297 = _1296 ? 128u : 256u;
constant uint _1298 = (_1297 % 8u);
constant bool _1299 = (_1298 == 0u);
constant uint _1300 = _1299 ? 32u : 8u;
constant uint _1301 = _1295 ? 16u : _1300;
constant uint _1302 = _1291 ? 8u : _1301;
constant bool _1374 = (WEIGHT_HALF != 0u);
constant uint _1375 = _1374 ? 128u : 256u;
constant uint _1376 = (_1375 % 32u);
constant bool _1377 = (_1376 == 0u);
constant bool _1378 = (WEIGHT_HALF != 0u);
constant uint _1379 = _1378 ? 128u : 256u;
constant uint _1380 = (_1379 % 16u);
constant bool _1381 = (_1380 == 0u);
constant bool _1382 = (WEIGHT_HALF != 0u);
constant uint _1383 = _1382 ? 128u : 256u;
constant uint _1384 = (_1383 % 8u);
constant bool _1385 = (_1384 == 0u);
constant uint _1386 = _1385 ? 32u : 8u;
constant uint _1387 = _1381 ? 16u : _1386;
constant uint _1388 = _1377 ? 8u : _1387;
constant uint _1389 = (0u % _1388);
constant bool _1390 = (_1389 != 0u);

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
float2 level(thread const uint& row, thread const uint& column)
{
    return float2(1.0, 0.0);
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_298, const device Codes& v_332)
{
    if (_291)
    {
        uint eight = (row * (v_298.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _313) + (((eight & 31u) * _319) >> uint(5));
        uint shift = (eight * _326) & 31u;
        words[0] = v_332.codes[at] >> shift;
        if ((shift + _342) > 32u)
        {
            words[0] |= (v_332.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_298.columns / _380)) + step_) * _403;
        for (uint i = 0u; i < _430; i++)
        {
            words[i] = v_332.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_298)
{
    uint at = v_298.x_at + (token * v_298.x_token);
    uint _487;
    if (_486)
    {
        _487 = at + column;
    }
    else
    {
        _487 = (at + ((column / v_298.x_inner) * v_298.x_outer)) + (column % v_298.x_inner);
    }
    return _487;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_298, const device X& v_526)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_298);
    float2 _559;
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_558)
        {
            _559 = float2(as_type<half2>(v_526.x[(at + j) >> uint(1)]));
        }
        else
        {
            _559 = float2(as_type<float>(v_526.x[at + j]), as_type<float>(v_526.x[(at + j) + 1u]));
        }
        float2 two = _559;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _127;
    if ((index & 1u) == 0u)
    {
        _127 = both.x;
    }
    else
    {
        _127 = both.y;
    }
    return _127;
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v)
{
    float _267;
    for (uint j = 0u; j < 8u; j++)
    {
        if (_266)
        {
            uint param = words[j >> uint(1)];
            uint param_1 = j;
            _267 = half_in(param, param_1);
        }
        else
        {
            _267 = as_type<float>(words[j]);
        }
        v[j] = _267;
    }
}

static inline __attribute__((always_inline))
float weigh(thread const float2& level_, thread const float& sum, thread const float& sum_x)
{
    return sum;
}

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_298, const device X& v_526)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_298);
    float _520;
    if (_519)
    {
        uint param_2 = v_526.x[at >> uint(1)];
        uint param_3 = at;
        _520 = half_in(param_2, param_3);
    }
    else
    {
        _520 = as_type<float>(v_526.x[at]);
    }
    return _520;
}

static inline __attribute__((always_inline))
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_298, const device Codes& v_332)
{
    float _442;
    if (_441)
    {
        uint param = v_332.codes[((row * v_298.columns) + column) >> uint(1)];
        uint param_1 = (row * v_298.columns) + column;
        _442 = half_in(param, param_1);
    }
    else
    {
        _442 = as_type<float>(v_332.codes[(row * v_298.columns) + column]);
    }
    return _442;
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
    bool _207 = simd_is_first();
    if (_207)
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
float added(thread const uint& token, thread const uint& row, constant Params& v_298, const device Bias& v_605, const device Residual& v_648)
{
    float _599;
    if (_598)
    {
        _599 = as_type<float>(v_605.bias0[row]);
    }
    else
    {
        _599 = 0.0;
    }
    float sum = _599;
    if (_613)
    {
        uint at = ((v_298.residual_at + (token * v_298.residual_token)) + ((row / v_298.residual_inner) * v_298.residual_outer)) + (row % v_298.residual_inner);
        float _642;
        if (_641)
        {
            uint param = v_648.residual[at >> uint(1)];
            uint param_1 = at;
            _642 = half_in(param, param_1);
        }
        else
        {
            _642 = as_type<float>(v_648.residual[at]);
        }
        sum += _642;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_298, device Y0& v_678, device Y1& v_717, device Y2& v_754)
{
    if (row < v_298.end0)
    {
        v_678.y0[((v_298.y0_at + (token * v_298.y0_token)) + ((row / v_298.y0_inner) * v_298.y0_outer)) + (row % v_298.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_298.end1)
        {
            v_717.y1[((v_298.y1_at + (token * v_298.y1_token)) + (((row - v_298.end0) / v_298.y1_inner) * v_298.y1_outer)) + ((row - v_298.end0) % v_298.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_754.y2[((v_298.y2_at + (token * v_298.y2_token)) + (((row - v_298.end1) / v_298.y2_inner) * v_298.y2_outer)) + ((row - v_298.end1) % v_298.y2_inner)] = as_type<uint>(v);
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
    float _170;
    if (x < 0.0)
    {
        _170 = -as_type<float>(bits);
    }
    else
    {
        _170 = as_type<float>(bits);
    }
    return _170;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_298, const device Bias& v_605, const device Residual& v_648, device Y0& v_678, device Y1& v_717, device Y2& v_754)
{
    bool two = (row + 1u) < v_298.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_298, v_605, v_648);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_298, v_605, v_648);
    }
    uint _823;
    if (row < v_298.end0)
    {
        _823 = Y0_HALF;
    }
    else
    {
        _823 = (row < v_298.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _823;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_298, v_678, v_717, v_754);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_298, v_678, v_717, v_754);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_298.end0)
    {
        v_678.y0[(((v_298.y0_at + (token * v_298.y0_token)) + ((row / v_298.y0_inner) * v_298.y0_outer)) + (row % v_298.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_298.end1)
        {
            v_717.y1[(((v_298.y1_at + (token * v_298.y1_token)) + (((row - v_298.end0) / v_298.y1_inner) * v_298.y1_outer)) + ((row - v_298.end0) % v_298.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_754.y2[(((v_298.y2_at + (token * v_298.y2_token)) + (((row - v_298.end1) / v_298.y2_inner) * v_298.y2_outer)) + ((row - v_298.end1) % v_298.y2_inner)) >> uint(1)] = word;
        }
    }
}

static inline __attribute__((always_inline))
void reduce_and_store(thread const uint& row0, thread const uint& token0, thread const spvUnsafeArray<spvUnsafeArray<float, 4>, 8>& acc, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID, constant Params& v_298, const device Bias& v_605, const device Residual& v_648, device Y0& v_678, device Y1& v_717, device Y2& v_754, thread uint3& gl_LocalInvocationID, threadgroup float (&totals)[32])
{
    for (uint i = 0u; i < _969; i += 4u)
    {
        float4 four = float4(0.0);
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _984)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        float4 param = four;
        float4 _1004 = group_sum(param, gl_NumSubgroups, group_words, gl_SubgroupID);
        four = _1004;
        if (gl_LocalInvocationID.x == 0u)
        {
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1024)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1053; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1070 = token < v_298.tokens;
        bool _1077;
        if (_1070)
        {
            _1077 = row < v_298.row_end;
        }
        else
        {
            _1077 = _1070;
        }
        if (_1077)
        {
            uint param_1 = token;
            uint param_2 = row;
            float2 param_3 = float2(totals[2u * i_1], totals[(2u * i_1) + 1u]);
            store_rows(param_1, param_2, param_3, v_298, v_605, v_648, v_678, v_717, v_754);
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}

kernel void matvec_float(constant Params& v_298 [[buffer(0)]], const device X& v_526 [[buffer(1)]], const device Bias& v_605 [[buffer(2)]], const device Residual& v_648 [[buffer(3)]], device Y0& v_678 [[buffer(4)]], device Y1& v_717 [[buffer(5)]], device Y2& v_754 [[buffer(6)]], const device Codes& v_332 [[buffer(7)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup uint4 group_words[256];
    threadgroup float totals[32];
    uint token0 = gl_WorkGroupID.y * TOKENS;
    open_book();
    uint _1114 = v_298.row_begin + (gl_WorkGroupID.x * ROWS);
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
    for (uint row0 = _1114; row0 < v_298.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (v_298.row_end - row0));
        uint param = row0;
        uint param_1 = count;
        open_tables(param, param_1);
        for (uint r = 0u; r < ROWS; r++)
        {
            uint row = row0 + min(r, (count - 1u));
            uint param_2 = row0;
            uint param_3 = row;
            at[r] = table_of(param_2, param_3);
            here[r] = row - v_298.held;
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1183)
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
            for (uint step_ = gl_LocalInvocationID.x; step_ < (v_298.columns / _1235); step_ += gl_WorkGroupSize.x)
            {
                for (uint r_2 = 0u; r_2 < ROWS; r_2++)
                {
                    uint param_6 = here[r_2];
                    uint param_7 = step_;
                    load_step(param_6, param_7, param_8, v_298, v_332);
                    words[r_2] = param_8;
                }
                for (uint sub = 0u; sub < _1284; sub++)
                {
                    uint column = (step_ * _1302) + (8u * sub);
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (v_298.tokens - 1u));
                        uint param_10 = column;
                        load_x8(param_9, param_10, param_11, v_298, v_526);
                        xs[t_1] = param_11;
                        sums[t_1] = 0.0;
                        for (uint j = 0u; j < 8u; j++)
                        {
                            sums[t_1] += xs[t_1][j];
                        }
                    }
                    for (uint r_3 = 0u; r_3 < ROWS; r_3++)
                    {
                        bool _1392;
                        if (false)
                        {
                            bool _1370 = sub == 0u;
                            bool _1391;
                            if (!_1370)
                            {
                                _1391 = _1390;
                            }
                            else
                            {
                                _1391 = _1370;
                            }
                            _1392 = _1391;
                        }
                        else
                        {
                            _1392 = false;
                        }
                        if (_1392)
                        {
                            uint param_12 = here[r_3];
                            uint param_13 = column;
                            levels[r_3] = level(param_12, param_13);
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
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < v_298.columns; column_1 += gl_WorkGroupSize.x)
            {
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (v_298.tokens - 1u));
                    uint param_22 = column_1;
                    xs_1[t_3] = load_x(param_21, param_22, v_298, v_526);
                }
                for (uint r_4 = 0u; r_4 < ROWS; r_4++)
                {
                    uint param_23 = here[r_4];
                    uint param_24 = column_1;
                    uint param_25 = at[r_4];
                    float weight = load_weight(param_23, param_24, param_25, v_298, v_332);
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
        reduce_and_store(param_26, param_27, param_28, gl_NumSubgroups, group_words, gl_SubgroupID, v_298, v_605, v_648, v_678, v_717, v_754, gl_LocalInvocationID, totals);
    }
}

