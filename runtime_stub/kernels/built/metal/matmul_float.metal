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

constant uint WEIGHT_HALF_tmp [[function_constant(10)]];
constant uint WEIGHT_HALF = is_function_constant_defined(WEIGHT_HALF_tmp) ? WEIGHT_HALF_tmp : 1u;
constant bool _208 = (WEIGHT_HALF != 0u);
constant bool _230 = (WEIGHT_HALF != 0u);
constant uint _233 = _230 ? 128u : 256u;
constant uint _234 = (_233 % 8u);
constant bool _235 = (_234 != 0u);

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

constant bool _256 = (WEIGHT_HALF != 0u);
constant uint _257 = _256 ? 128u : 256u;
constant bool _262 = (WEIGHT_HALF != 0u);
constant uint _263 = _262 ? 128u : 256u;
constant bool _269 = (WEIGHT_HALF != 0u);
constant uint _270 = _269 ? 128u : 256u;

struct Codes
{
    uint codes[1];
};

constant bool _286 = (WEIGHT_HALF != 0u);
constant uint _287 = _286 ? 128u : 256u;
constant bool _310 = (WEIGHT_HALF != 0u);
constant uint _311 = _310 ? 128u : 256u;
constant uint _312 = (_311 % 32u);
constant bool _313 = (_312 == 0u);
constant bool _314 = (WEIGHT_HALF != 0u);
constant uint _315 = _314 ? 128u : 256u;
constant uint _317 = (_315 % 16u);
constant bool _318 = (_317 == 0u);
constant bool _319 = (WEIGHT_HALF != 0u);
constant uint _320 = _319 ? 128u : 256u;
constant uint _321 = (_320 % 8u);
constant bool _322 = (_321 == 0u);
constant uint _323 = _322 ? 32u : 8u;
constant uint _324 = _318 ? 16u : _323;
constant uint _325 = _313 ? 8u : _324;
constant bool _330 = (WEIGHT_HALF != 0u);
constant uint _331 = _330 ? 128u : 256u;
constant uint _332 = (_331 % 32u);
constant bool _333 = (_332 == 0u);
constant bool _334 = (WEIGHT_HALF != 0u);
constant uint _335 = _334 ? 128u : 256u;
constant uint _336 = (_335 % 16u);
constant bool _337 = (_336 == 0u);
constant bool _338 = (WEIGHT_HALF != 0u);
constant uint _339 = _338 ? 128u : 256u;
constant uint _340 = (_339 % 8u);
constant bool _341 = (_340 == 0u);
constant uint _342 = _341 ? 32u : 8u;
constant uint _343 = _337 ? 16u : _342;
constant uint _344 = _333 ? 8u : _343;
constant bool _345 = (WEIGHT_HALF != 0u);
constant uint _346 = _345 ? 128u : 256u;
constant uint _347 = (_344 * _346);
constant uint _348 = (_347 / 256u);
constant bool _357 = (WEIGHT_HALF != 0u);
constant uint _358 = _357 ? 128u : 256u;
constant uint _359 = (_358 % 32u);
constant bool _360 = (_359 == 0u);
constant bool _361 = (WEIGHT_HALF != 0u);
constant uint _362 = _361 ? 128u : 256u;
constant uint _363 = (_362 % 16u);
constant bool _364 = (_363 == 0u);
constant bool _365 = (WEIGHT_HALF != 0u);
constant uint _366 = _365 ? 128u : 256u;
constant uint _367 = (_366 % 8u);
constant bool _368 = (_367 == 0u);
constant uint _369 = _368 ? 32u : 8u;
constant uint _370 = _364 ? 16u : _369;
constant uint _371 = _360 ? 8u : _370;
constant bool _372 = (WEIGHT_HALF != 0u);
constant uint _373 = _372 ? 128u : 256u;
constant uint _374 = (_371 * _373);
constant uint _375 = (_374 / 256u);
constant bool _386 = (WEIGHT_HALF != 0u);
constant uint _387 = _386 ? 128u : 256u;
constant uint _388 = (_387 % 8u);
constant bool _389 = (_388 != 0u);
constant bool _390 = (!_389);
constant bool _393 = (WEIGHT_HALF != 0u);
constant uint _394 = _393 ? 128u : 256u;
constant uint _395 = (_394 % 32u);
constant bool _396 = (_395 == 0u);
constant bool _397 = (WEIGHT_HALF != 0u);
constant uint _398 = _397 ? 128u : 256u;
constant uint _399 = (_398 % 16u);
constant bool _400 = (_399 == 0u);
constant bool _401 = (WEIGHT_HALF != 0u);
constant uint _402 = _401 ? 128u : 256u;
constant uint _403 = (_402 % 8u);
constant bool _404 = (_403 == 0u);
constant uint _405 = _404 ? 32u : 8u;
constant uint _406 = _400 ? 16u : _405;
constant uint _407 = _396 ? 8u : _406;
constant bool _408 = (_407 == 8u);
constant bool _434 = (WEIGHT_HALF != 0u);
constant uint _435 = _434 ? 128u : 256u;
constant bool _439 = (WEIGHT_HALF != 0u);
constant uint _440 = _439 ? 128u : 256u;
constant bool _446 = (WEIGHT_HALF != 0u);
constant uint _447 = _446 ? 128u : 256u;
constant bool _458 = (WEIGHT_HALF != 0u);
constant uint _459 = _458 ? 128u : 256u;
constant bool _489 = (WEIGHT_HALF != 0u);
constant uint _490 = _489 ? 128u : 256u;
constant bool _516 = (WEIGHT_HALF != 0u);
constant uint X_RUNS_tmp [[function_constant(3)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _561 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(2)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _594 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _633 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(4)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _673 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(5)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _688 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(6)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _716 = (RESIDUAL_HALF != 0u);

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
constant bool _1069 = (ALIGNED != 0u);
constant bool _1172 = (ALIGNED != 0u);
constant uint _1221_tmp [[function_constant(0)]];
constant uint _1221 = is_function_constant_defined(_1221_tmp) ? _1221_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1221, 1u, 1u);
constant uint _1223 = gl_WorkGroupSize.x;
constant uint _1224 = gl_WorkGroupSize.x;
constant bool _1225 = (_1224 >= 128u);
constant uint _1226 = _1225 ? 16u : 8u;
constant uint _1227 = (_1223 / _1226);
constant uint _1228 = (4u * _1227);
constant uint _1232 = gl_WorkGroupSize.x;
constant bool _1233 = (_1232 >= 128u);
constant uint _1234 = _1233 ? 16u : 8u;
constant uint _1239 = gl_WorkGroupSize.x;
constant bool _1240 = (_1239 >= 128u);
constant uint _1241 = _1240 ? 16u : 8u;
constant uint _1251 = gl_WorkGroupSize.x;
constant bool _1252 = (_1251 >= 128u);
constant uint _1253 = _1252 ? 16u : 8u;
constant uint _1254 = (4u * _1253);
constant uint _1302 = gl_WorkGroupSize.x;
constant bool _1303 = (_1302 >= 128u);
constant uint _1304 = _1303 ? 16u : 8u;
constant uint _1305 = (4u * _1304);
constant uint _1306 = gl_WorkGroupSize.x;
constant uint _1307 = gl_WorkGroupSize.x;
constant bool _1308 = (_1307 >= 128u);
constant uint _1309 = _1308 ? 16u : 8u;
constant uint _1310 = (_1306 / _1309);
constant uint _1311 = (4u * _1310);
constant uint _1312 = (_1305 + _1311);
constant uint _1313 = (2u * _1312);
constant uint _1316 = gl_WorkGroupSize.x;
constant bool _1317 = (_1316 >= 128u);
constant uint _1318 = _1317 ? 16u : 8u;
constant uint _1319 = (4u * _1318);
constant uint _1320 = (2u * _1319);
constant uint _1326 = gl_WorkGroupSize.x;
constant bool _1327 = (_1326 >= 128u);
constant uint _1328 = _1327 ? 16u : 8u;
constant uint _1329 = (4u * _1328);
constant uint _1333 = gl_WorkGroupSize.x;
constant bool _1334 = (_1333 >= 128u);
constant uint _1335 = _1334 ? 16u : 8u;
constant uint _1336 = (4u * _1335);
constant uint _1365 = gl_WorkGroupSize.x;
constant bool _1366 = (_1365 >= 128u);
constant uint _1367 = _1366 ? 16u : 8u;
constant uint _1368 = (4u * _1367);
constant uint _1369 = (_1368 / 4u);
constant uint _1386 = gl_WorkGroupSize.x;
constant bool _1387 = (_1386 >= 128u);
constant uint _1388 = _1387 ? 16u : 8u;
constant uint _1389 = (4u * _1388);
constant uint _1390 = (2u * _1389);
constant uint _1392 = gl_WorkGroupSize.x;
constant uint _1393 = gl_WorkGroupSize.x;
constant bool _1394 = (_1393 >= 128u);
constant uint _1395 = _1394 ? 16u : 8u;
constant uint _1396 = (_1392 / _1395);
constant uint _1397 = (4u * _1396);
constant uint _1401 = gl_WorkGroupSize.x;
constant bool _1402 = (_1401 >= 128u);
constant uint _1403 = _1402 ? 16u : 8u;
constant uint _1404 = (4u * _1403);
constant uint _1405 = (2u * _1404);
constant uint _1407 = gl_WorkGroupSize.x;
constant uint _1408 = gl_WorkGroupSize.x;
constant bool _1409 = (_1408 >= 128u);
constant uint _1410 = _1409 ? 16u : 8u;
constant uint _1411 = (_1407 / _1410);
constant uint _1412 = (4u * _1411);
constant uint _1438 = gl_WorkGroupSize.x;
constant uint _1439 = gl_WorkGroupSize.x;
constant bool _1440 = (_1439 >= 128u);
constant uint _1441 = _1440 ? 16u : 8u;
constant uint _1442 = (_1438 / _1441);
constant uint _1443 = (4u * _1442);
constant uint _1444 = (_1443 / 4u);
constant uint _1471 = gl_WorkGroupSize.x;
constant bool _1472 = (_1471 >= 128u);
constant uint _1473 = _1472 ? 16u : 8u;
constant uint _1474 = (4u * _1473);
constant uint _1475 = (_1474 / 4u);
constant uint _1485 = gl_WorkGroupSize.x;
constant uint _1486 = gl_WorkGroupSize.x;
constant bool _1487 = (_1486 >= 128u);
constant uint _1488 = _1487 ? 16u : 8u;
constant uint _1489 = (_1485 / _1488);
constant uint _1490 = (4u * _1489);
constant uint _1491 = (_1490 / 4u);
constant uint _1586 = gl_WorkGroupSize.x;
constant bool _1587 = (_1586 >= 128u);
constant uint _1588 = _1587 ? 16u : 8u;
constant uint _1589 = (4u * _1588);

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
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_242, const device Codes& v_277)
{
    if (_235)
    {
        uint eight = (row * (v_242.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _257) + (((eight & 31u) * _263) >> uint(5));
        uint shift = (eight * _270) & 31u;
        words[0] = v_277.codes[at] >> shift;
        if ((shift + _287) > 32u)
        {
            words[0] |= (v_277.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_242.columns / _325)) + step_) * _348;
        for (uint i = 0u; i < _375; i++)
        {
            words[i] = v_277.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _122;
    if ((index & 1u) == 0u)
    {
        _122 = both.x;
    }
    else
    {
        _122 = both.y;
    }
    return _122;
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v)
{
    float _209;
    for (uint j = 0u; j < 8u; j++)
    {
        if (_208)
        {
            uint param = words[j >> uint(1)];
            uint param_1 = j;
            _209 = half_in(param, param_1);
        }
        else
        {
            _209 = as_type<float>(words[j]);
        }
        v[j] = _209;
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, constant Params& v_242, const device Codes& v_277)
{
    bool _409;
    if (_390)
    {
        _409 = _408;
    }
    else
    {
        _409 = _389;
    }
    spvUnsafeArray<uint, 8> words;
    if (_409)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        spvUnsafeArray<uint, 8> param_2;
        load_step(param, param_1, param_2, v_242, v_277);
        words = param_2;
    }
    else
    {
        uint eight = (row * (v_242.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _435) + (((eight & 31u) * _440) >> uint(5));
        uint shift = (eight * _447) & 31u;
        words[0] = v_277.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _459) > 32u)
        {
            uint next = v_277.codes[word + 1u];
            uint _471;
            if (shift == 0u)
            {
                _471 = 0u;
            }
            else
            {
                _471 = next << (32u - shift);
            }
            words[0] |= _471;
            words[1] = next >> shift;
        }
        if ((shift + _490) > 64u)
        {
            words[1] |= (v_277.codes[word + 2u] << (32u - shift));
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
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_242, const device Codes& v_277)
{
    float _517;
    if (_516)
    {
        uint param = v_277.codes[((row * v_242.columns) + column) >> uint(1)];
        uint param_1 = (row * v_242.columns) + column;
        _517 = half_in(param, param_1);
    }
    else
    {
        _517 = as_type<float>(v_277.codes[(row * v_242.columns) + column]);
    }
    return _517;
}

static inline __attribute__((always_inline))
void fetch_weights(thread const uint& row, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_242, const device Codes& v_277)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1050 = row >= v_242.row_end;
    bool _1058;
    if (!_1050)
    {
        _1058 = column >= v_242.columns;
    }
    else
    {
        _1058 = _1050;
    }
    if (_1058)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    if (_1069)
    {
        uint param_2 = row - v_242.held;
        uint param_3 = column;
        uint param_4 = at;
        spvUnsafeArray<float, 8> param_5;
        load_eight(param_2, param_3, param_4, param_5, v_242, v_277);
        v = param_5;
        uint param_6 = row - v_242.held;
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
    uint count = min(8u, (v_242.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - v_242.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12, v_242, v_277);
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_242)
{
    uint at = v_242.x_at + (token * v_242.x_token);
    uint _562;
    if (_561)
    {
        _562 = at + column;
    }
    else
    {
        _562 = (at + ((column / v_242.x_inner) * v_242.x_outer)) + (column % v_242.x_inner);
    }
    return _562;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_242, const device X& v_601)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_242);
    float2 _634;
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_633)
        {
            _634 = float2(as_type<half2>(v_601.x[(at + j) >> uint(1)]));
        }
        else
        {
            _634 = float2(as_type<float>(v_601.x[at + j]), as_type<float>(v_601.x[(at + j) + 1u]));
        }
        float2 two = _634;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_242, const device X& v_601)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_242);
    float _595;
    if (_594)
    {
        uint param_2 = v_601.x[at >> uint(1)];
        uint param_3 = at;
        _595 = half_in(param_2, param_3);
    }
    else
    {
        _595 = as_type<float>(v_601.x[at]);
    }
    return _595;
}

static inline __attribute__((always_inline))
void fetch_x(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_242, const device X& v_601)
{
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1160 = token >= v_242.tokens;
    bool _1168;
    if (!_1160)
    {
        _1168 = column >= v_242.columns;
    }
    else
    {
        _1168 = _1160;
    }
    if (_1168)
    {
        return;
    }
    if (_1172)
    {
        uint param = token;
        uint param_1 = column;
        spvUnsafeArray<float, 8> param_2;
        load_x8(param, param_1, param_2, v_242, v_601);
        v = param_2;
        return;
    }
    uint count = min(8u, (v_242.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4, v_242, v_601);
    }
}

static inline __attribute__((always_inline))
float added(thread const uint& token, thread const uint& row, constant Params& v_242, const device Bias& v_680, const device Residual& v_723)
{
    float _674;
    if (_673)
    {
        _674 = as_type<float>(v_680.bias0[row]);
    }
    else
    {
        _674 = 0.0;
    }
    float sum = _674;
    if (_688)
    {
        uint at = ((v_242.residual_at + (token * v_242.residual_token)) + ((row / v_242.residual_inner) * v_242.residual_outer)) + (row % v_242.residual_inner);
        float _717;
        if (_716)
        {
            uint param = v_723.residual[at >> uint(1)];
            uint param_1 = at;
            _717 = half_in(param, param_1);
        }
        else
        {
            _717 = as_type<float>(v_723.residual[at]);
        }
        sum += _717;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_242, device Y0& v_753, device Y1& v_792, device Y2& v_829)
{
    if (row < v_242.end0)
    {
        v_753.y0[((v_242.y0_at + (token * v_242.y0_token)) + ((row / v_242.y0_inner) * v_242.y0_outer)) + (row % v_242.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_242.end1)
        {
            v_792.y1[((v_242.y1_at + (token * v_242.y1_token)) + (((row - v_242.end0) / v_242.y1_inner) * v_242.y1_outer)) + ((row - v_242.end0) % v_242.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_829.y2[((v_242.y2_at + (token * v_242.y2_token)) + (((row - v_242.end1) / v_242.y2_inner) * v_242.y2_outer)) + ((row - v_242.end1) % v_242.y2_inner)] = as_type<uint>(v);
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
    float _165;
    if (x < 0.0)
    {
        _165 = -as_type<float>(bits);
    }
    else
    {
        _165 = as_type<float>(bits);
    }
    return _165;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_242, const device Bias& v_680, const device Residual& v_723, device Y0& v_753, device Y1& v_792, device Y2& v_829)
{
    bool two = (row + 1u) < v_242.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_242, v_680, v_723);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_242, v_680, v_723);
    }
    uint _898;
    if (row < v_242.end0)
    {
        _898 = Y0_HALF;
    }
    else
    {
        _898 = (row < v_242.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _898;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_242, v_753, v_792, v_829);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_242, v_753, v_792, v_829);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_242.end0)
    {
        v_753.y0[(((v_242.y0_at + (token * v_242.y0_token)) + ((row / v_242.y0_inner) * v_242.y0_outer)) + (row % v_242.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_242.end1)
        {
            v_792.y1[(((v_242.y1_at + (token * v_242.y1_token)) + (((row - v_242.end0) / v_242.y1_inner) * v_242.y1_outer)) + ((row - v_242.end0) % v_242.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_829.y2[(((v_242.y2_at + (token * v_242.y2_token)) + (((row - v_242.end1) / v_242.y2_inner) * v_242.y2_outer)) + ((row - v_242.end1) % v_242.y2_inner)) >> uint(1)] = word;
        }
    }
}

kernel void matmul_float(constant Params& v_242 [[buffer(0)]], const device X& v_601 [[buffer(1)]], const device Bias& v_680 [[buffer(2)]], const device Residual& v_723 [[buffer(3)]], device Y0& v_753 [[buffer(4)]], device Y1& v_792 [[buffer(5)]], device Y2& v_829 [[buffer(6)]], const device Codes& v_277 [[buffer(7)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup float4 w_tile[256];
    threadgroup float4 x_tile[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1228;
    uint my_row = 4u * (thread0 % _1234);
    uint my_token = 4u * (thread0 / _1241);
    open_book();
    uint _1256 = v_242.row_begin + (gl_WorkGroupID.x * _1254);
    spvUnsafeArray<float4, 4> acc;
    spvUnsafeArray<float, 8> v;
    spvUnsafeArray<float, 8> param_2;
    spvUnsafeArray<float, 8> param_5;
    for (uint row0 = _1256; row0 < v_242.row_end; row0 += (gl_NumWorkGroups.x * _1589))
    {
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = float4(0.0);
        }
        for (uint column0 = 0u; column0 < v_242.columns; column0 += 16u)
        {
            for (uint i_1 = thread0; i_1 < _1313; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1320)
                {
                    uint row = i_1 % _1329;
                    uint k = 8u * (i_1 / _1336);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2, v_242, v_277);
                    v = param_2;
                    for (uint j = 0u; j < 8u; j++)
                    {
                        ((threadgroup float*)&w_tile[((k + j) * _1369) + (row / 4u)])[row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1390) % _1397;
                    uint k_1 = 8u * ((i_1 - _1405) / _1412);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5, v_242, v_601);
                    v = param_5;
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        ((threadgroup float*)&x_tile[((k_1 + j_1) * _1444) + (token / 4u)])[token % 4u] = v[j_1];
                    }
                }
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                float4 w4 = w_tile[(k_2 * _1475) + (my_row / 4u)];
                float4 x4 = x_tile[(k_2 * _1491) + (my_token / 4u)];
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
            if (token_1 >= v_242.tokens)
            {
                continue;
            }
            if (row_1 < v_242.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                float2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8, v_242, v_680, v_723, v_753, v_792, v_829);
            }
            if ((row_1 + 2u) < v_242.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                float2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11, v_242, v_680, v_723, v_753, v_792, v_829);
            }
        }
    }
}

