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
    uint table_at;
    uint plane_bytes;
};

constant uint BITS_tmp [[function_constant(10)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;

struct Table
{
    uint table[1];
};

struct Planes
{
    uint planes[1];
};

constant uint X_RUNS_tmp [[function_constant(3)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _487 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(2)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _519 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _558 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(4)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _599 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(5)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _614 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(6)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _642 = (RESIDUAL_HALF != 0u);

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
constant bool _995 = (ALIGNED != 0u);
constant bool _1098 = (ALIGNED != 0u);
constant uint _1146_tmp [[function_constant(0)]];
constant uint _1146 = is_function_constant_defined(_1146_tmp) ? _1146_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1146, 1u, 1u);
constant uint _1148 = gl_WorkGroupSize.x;
constant uint _1149 = gl_WorkGroupSize.x;
constant bool _1151 = (_1149 >= 128u);
constant uint _1152 = _1151 ? 16u : 8u;
constant uint _1153 = (_1148 / _1152);
constant uint _1154 = (4u * _1153);
constant uint _1158 = gl_WorkGroupSize.x;
constant bool _1159 = (_1158 >= 128u);
constant uint _1160 = _1159 ? 16u : 8u;
constant uint _1165 = gl_WorkGroupSize.x;
constant bool _1166 = (_1165 >= 128u);
constant uint _1167 = _1166 ? 16u : 8u;
constant uint _1177 = gl_WorkGroupSize.x;
constant bool _1178 = (_1177 >= 128u);
constant uint _1179 = _1178 ? 16u : 8u;
constant uint _1180 = (4u * _1179);
constant uint _1228 = gl_WorkGroupSize.x;
constant bool _1229 = (_1228 >= 128u);
constant uint _1230 = _1229 ? 16u : 8u;
constant uint _1231 = (4u * _1230);
constant uint _1232 = gl_WorkGroupSize.x;
constant uint _1233 = gl_WorkGroupSize.x;
constant bool _1234 = (_1233 >= 128u);
constant uint _1235 = _1234 ? 16u : 8u;
constant uint _1236 = (_1232 / _1235);
constant uint _1237 = (4u * _1236);
constant uint _1238 = (_1231 + _1237);
constant uint _1239 = (2u * _1238);
constant uint _1242 = gl_WorkGroupSize.x;
constant bool _1243 = (_1242 >= 128u);
constant uint _1244 = _1243 ? 16u : 8u;
constant uint _1245 = (4u * _1244);
constant uint _1246 = (2u * _1245);
constant uint _1252 = gl_WorkGroupSize.x;
constant bool _1253 = (_1252 >= 128u);
constant uint _1254 = _1253 ? 16u : 8u;
constant uint _1255 = (4u * _1254);
constant uint _1259 = gl_WorkGroupSize.x;
constant bool _1260 = (_1259 >= 128u);
constant uint _1261 = _1260 ? 16u : 8u;
constant uint _1262 = (4u * _1261);
constant uint _1292 = gl_WorkGroupSize.x;
constant bool _1293 = (_1292 >= 128u);
constant uint _1294 = _1293 ? 16u : 8u;
constant uint _1295 = (4u * _1294);
constant uint _1296 = (_1295 / 4u);
constant uint _1313 = gl_WorkGroupSize.x;
constant bool _1314 = (_1313 >= 128u);
constant uint _1315 = _1314 ? 16u : 8u;
constant uint _1316 = (4u * _1315);
constant uint _1317 = (2u * _1316);
constant uint _1319 = gl_WorkGroupSize.x;
constant uint _1320 = gl_WorkGroupSize.x;
constant bool _1321 = (_1320 >= 128u);
constant uint _1322 = _1321 ? 16u : 8u;
constant uint _1323 = (_1319 / _1322);
constant uint _1324 = (4u * _1323);
constant uint _1328 = gl_WorkGroupSize.x;
constant bool _1329 = (_1328 >= 128u);
constant uint _1330 = _1329 ? 16u : 8u;
constant uint _1331 = (4u * _1330);
constant uint _1332 = (2u * _1331);
constant uint _1334 = gl_WorkGroupSize.x;
constant uint _1335 = gl_WorkGroupSize.x;
constant bool _1336 = (_1335 >= 128u);
constant uint _1337 = _1336 ? 16u : 8u;
constant uint _1338 = (_1334 / _1337);
constant uint _1339 = (4u * _1338);
constant uint _1365 = gl_WorkGroupSize.x;
constant uint _1366 = gl_WorkGroupSize.x;
constant bool _1367 = (_1366 >= 128u);
constant uint _1368 = _1367 ? 16u : 8u;
constant uint _1369 = (_1365 / _1368);
constant uint _1370 = (4u * _1369);
constant uint _1371 = (_1370 / 4u);
constant uint _1398 = gl_WorkGroupSize.x;
constant bool _1399 = (_1398 >= 128u);
constant uint _1400 = _1399 ? 16u : 8u;
constant uint _1401 = (4u * _1400);
constant uint _1402 = (_1401 / 4u);
constant uint _1412 = gl_WorkGroupSize.x;
constant uint _1413 = gl_WorkGroupSize.x;
constant bool _1414 = (_1413 >= 128u);
constant uint _1415 = _1414 ? 16u : 8u;
constant uint _1416 = (_1412 / _1415);
constant uint _1417 = (4u * _1416);
constant uint _1418 = (_1417 / 4u);
constant uint _1513 = gl_WorkGroupSize.x;
constant bool _1514 = (_1513 >= 128u);
constant uint _1515 = _1514 ? 16u : 8u;
constant uint _1516 = (4u * _1515);

static inline __attribute__((always_inline))
void open_book()
{
}

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row, constant Params& v_247)
{
    return v_247.table_at + ((row / v_247.rows_per_table) << BITS);
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_247, const device Planes& v_396)
{
    uint at = (row * (v_247.columns >> uint(5))) + step_;
    uint plane = v_247.plane_bytes >> uint(2);
    for (uint p = 0u; p < BITS; p++)
    {
        words[p] = v_396.planes[(p * plane) + at];
    }
}

static inline __attribute__((always_inline))
uint spread(thread const uint& four)
{
    return (four * 2113665u) & 16843009u;
}

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _182;
    if ((h & 32768u) != 0u)
    {
        _182 = -size;
    }
    else
    {
        _182 = size;
    }
    return _182;
}

static inline __attribute__((always_inline))
float entry(thread const uint& at, const device Table& v_265)
{
    uint param = v_265.table[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v, const device Table& v_265)
{
    uint2 eight = uint2(0u);
    for (uint p = 0u; p < BITS; p++)
    {
        uint bits = words[p] >> (8u * sub);
        uint param = bits & 15u;
        uint param_1 = (bits >> uint(4)) & 15u;
        eight = (eight << uint2(int2(1))) | uint2(spread(param), spread(param_1));
    }
    for (uint j = 0u; j < 4u; j++)
    {
        uint param_2 = at + ((eight.x >> (8u * j)) & 255u);
        v[j] = entry(param_2, v_265);
        uint param_3 = at + ((eight.y >> (8u * j)) & 255u);
        v[j + 4u] = entry(param_3, v_265);
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, constant Params& v_247, const device Table& v_265, const device Planes& v_396)
{
    uint param = row;
    uint param_1 = column >> uint(5);
    spvUnsafeArray<uint, 8> param_2;
    load_step(param, param_1, param_2, v_247, v_396);
    spvUnsafeArray<uint, 8> words;
    words = param_2;
    spvUnsafeArray<uint, 8> param_3;
    param_3 = words;
    uint param_4 = (column >> uint(3)) & 3u;
    uint param_5 = at;
    spvUnsafeArray<float, 8> param_6;
    numbers(param_3, param_4, param_5, param_6, v_265);
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
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_247, const device Table& v_265, const device Planes& v_396)
{
    uint code = 0u;
    uint bit = (row * v_247.columns) + column;
    for (uint p = 0u; p < BITS; p++)
    {
        uint found = (p * v_247.plane_bytes) + (bit >> uint(3));
        code = (code << uint(1)) | ((v_396.planes[found >> uint(2)] >> ((8u * (found & 3u)) + (bit & 7u))) & 1u);
    }
    uint param = at + code;
    return entry(param, v_265);
}

static inline __attribute__((always_inline))
void fetch_weights(thread const uint& row, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_247, const device Table& v_265, const device Planes& v_396)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _976 = row >= v_247.row_end;
    bool _984;
    if (!_976)
    {
        _984 = column >= v_247.columns;
    }
    else
    {
        _984 = _976;
    }
    if (_984)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1, v_247);
    if (_995)
    {
        uint param_2 = row - v_247.held;
        uint param_3 = column;
        uint param_4 = at;
        spvUnsafeArray<float, 8> param_5;
        load_eight(param_2, param_3, param_4, param_5, v_247, v_265, v_396);
        v = param_5;
        uint param_6 = row - v_247.held;
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
    uint count = min(8u, (v_247.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - v_247.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12, v_247, v_265, v_396);
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_247)
{
    uint at = v_247.x_at + (token * v_247.x_token);
    uint _488;
    if (_487)
    {
        _488 = at + column;
    }
    else
    {
        _488 = (at + ((column / v_247.x_inner) * v_247.x_outer)) + (column % v_247.x_inner);
    }
    return _488;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_247, const device X& v_526)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_247);
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
    float _134;
    if ((index & 1u) == 0u)
    {
        _134 = both.x;
    }
    else
    {
        _134 = both.y;
    }
    return _134;
}

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_247, const device X& v_526)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_247);
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
void fetch_x(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_247, const device X& v_526)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1086 = token >= v_247.tokens;
    bool _1094;
    if (!_1086)
    {
        _1094 = column >= v_247.columns;
    }
    else
    {
        _1094 = _1086;
    }
    if (_1094)
    {
        return;
    }
    if (_1098)
    {
        uint param = token;
        uint param_1 = column;
        spvUnsafeArray<float, 8> param_2;
        load_x8(param, param_1, param_2, v_247, v_526);
        v = param_2;
        return;
    }
    uint count = min(8u, (v_247.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4, v_247, v_526);
    }
}

static inline __attribute__((always_inline))
float added(thread const uint& token, thread const uint& row, constant Params& v_247, const device Bias& v_606, const device Residual& v_649)
{
    float _600;
    if (_599)
    {
        _600 = as_type<float>(v_606.bias0[row]);
    }
    else
    {
        _600 = 0.0;
    }
    float sum = _600;
    if (_614)
    {
        uint at = ((v_247.residual_at + (token * v_247.residual_token)) + ((row / v_247.residual_inner) * v_247.residual_outer)) + (row % v_247.residual_inner);
        float _643;
        if (_642)
        {
            uint param = v_649.residual[at >> uint(1)];
            uint param_1 = at;
            _643 = half_in(param, param_1);
        }
        else
        {
            _643 = as_type<float>(v_649.residual[at]);
        }
        sum += _643;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_247, device Y0& v_679, device Y1& v_718, device Y2& v_755)
{
    if (row < v_247.end0)
    {
        v_679.y0[((v_247.y0_at + (token * v_247.y0_token)) + ((row / v_247.y0_inner) * v_247.y0_outer)) + (row % v_247.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_247.end1)
        {
            v_718.y1[((v_247.y1_at + (token * v_247.y1_token)) + (((row - v_247.end0) / v_247.y1_inner) * v_247.y1_outer)) + ((row - v_247.end0) % v_247.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_755.y2[((v_247.y2_at + (token * v_247.y2_token)) + (((row - v_247.end1) / v_247.y2_inner) * v_247.y2_outer)) + ((row - v_247.end1) % v_247.y2_inner)] = as_type<uint>(v);
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
    float _221;
    if (x < 0.0)
    {
        _221 = -as_type<float>(bits);
    }
    else
    {
        _221 = as_type<float>(bits);
    }
    return _221;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_247, const device Bias& v_606, const device Residual& v_649, device Y0& v_679, device Y1& v_718, device Y2& v_755)
{
    bool two = (row + 1u) < v_247.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_247, v_606, v_649);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_247, v_606, v_649);
    }
    uint _824;
    if (row < v_247.end0)
    {
        _824 = Y0_HALF;
    }
    else
    {
        _824 = (row < v_247.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _824;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_247, v_679, v_718, v_755);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_247, v_679, v_718, v_755);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_247.end0)
    {
        v_679.y0[(((v_247.y0_at + (token * v_247.y0_token)) + ((row / v_247.y0_inner) * v_247.y0_outer)) + (row % v_247.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_247.end1)
        {
            v_718.y1[(((v_247.y1_at + (token * v_247.y1_token)) + (((row - v_247.end0) / v_247.y1_inner) * v_247.y1_outer)) + ((row - v_247.end0) % v_247.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_755.y2[(((v_247.y2_at + (token * v_247.y2_token)) + (((row - v_247.end1) / v_247.y2_inner) * v_247.y2_outer)) + ((row - v_247.end1) % v_247.y2_inner)) >> uint(1)] = word;
        }
    }
}

kernel void matmul_nested(constant Params& v_247 [[buffer(0)]], const device X& v_526 [[buffer(1)]], const device Bias& v_606 [[buffer(2)]], const device Residual& v_649 [[buffer(3)]], device Y0& v_679 [[buffer(4)]], device Y1& v_718 [[buffer(5)]], device Y2& v_755 [[buffer(6)]], const device Planes& v_396 [[buffer(7)]], const device Table& v_265 [[buffer(8)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup float4 w_tile[256];
    threadgroup float4 x_tile[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1154;
    uint my_row = 4u * (thread0 % _1160);
    uint my_token = 4u * (thread0 / _1167);
    open_book();
    uint _1182 = v_247.row_begin + (gl_WorkGroupID.x * _1180);
    spvUnsafeArray<float4, 4> acc;
    spvUnsafeArray<float, 8> v;
    spvUnsafeArray<float, 8> param_2;
    spvUnsafeArray<float, 8> param_5;
    for (uint row0 = _1182; row0 < v_247.row_end; row0 += (gl_NumWorkGroups.x * _1516))
    {
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = float4(0.0);
        }
        for (uint column0 = 0u; column0 < v_247.columns; column0 += 16u)
        {
            for (uint i_1 = thread0; i_1 < _1239; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1246)
                {
                    uint row = i_1 % _1255;
                    uint k = 8u * (i_1 / _1262);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2, v_247, v_265, v_396);
                    v = param_2;
                    for (uint j = 0u; j < 8u; j++)
                    {
                        ((threadgroup float*)&w_tile[((k + j) * _1296) + (row / 4u)])[row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1317) % _1324;
                    uint k_1 = 8u * ((i_1 - _1332) / _1339);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5, v_247, v_526);
                    v = param_5;
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        ((threadgroup float*)&x_tile[((k_1 + j_1) * _1371) + (token / 4u)])[token % 4u] = v[j_1];
                    }
                }
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                float4 w4 = w_tile[(k_2 * _1402) + (my_row / 4u)];
                float4 x4 = x_tile[(k_2 * _1418) + (my_token / 4u)];
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
            if (token_1 >= v_247.tokens)
            {
                continue;
            }
            if (row_1 < v_247.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                float2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8, v_247, v_606, v_649, v_679, v_718, v_755);
            }
            if ((row_1 + 2u) < v_247.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                float2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11, v_247, v_606, v_649, v_679, v_718, v_755);
            }
        }
    }
}

