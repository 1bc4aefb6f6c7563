#version 310 es
#if defined(GL_EXT_control_flow_attributes)
#extension GL_EXT_control_flow_attributes : require
#define SPIRV_CROSS_FLATTEN [[flatten]]
#define SPIRV_CROSS_BRANCH [[dont_flatten]]
#define SPIRV_CROSS_UNROLL [[unroll]]
#define SPIRV_CROSS_LOOP [[dont_unroll]]
#else
#define SPIRV_CROSS_FLATTEN
#define SPIRV_CROSS_BRANCH
#define SPIRV_CROSS_UNROLL
#define SPIRV_CROSS_LOOP
#endif

#ifndef SPIRV_CROSS_CONSTANT_ID_10
#define SPIRV_CROSS_CONSTANT_ID_10 1u
#endif
const uint WEIGHT_HALF = SPIRV_CROSS_CONSTANT_ID_10;
const bool _208 = (WEIGHT_HALF != 0u);
const bool _230 = (WEIGHT_HALF != 0u);
const uint _233 = _230 ? 128u : 256u;
const uint _234 = (_233 % 8u);
const bool _235 = (_234 != 0u);
const bool _256 = (WEIGHT_HALF != 0u);
const uint _257 = _256 ? 128u : 256u;
const bool _262 = (WEIGHT_HALF != 0u);
const uint _263 = _262 ? 128u : 256u;
const bool _269 = (WEIGHT_HALF != 0u);
const uint _270 = _269 ? 128u : 256u;
const bool _286 = (WEIGHT_HALF != 0u);
const uint _287 = _286 ? 128u : 256u;
const bool _310 = (WEIGHT_HALF != 0u);
const uint _311 = _310 ? 128u : 256u;
const uint _312 = (_311 % 32u);
const bool _313 = (_312 == 0u);
const bool _314 = (WEIGHT_HALF != 0u);
const uint _315 = _314 ? 128u : 256u;
const uint _317 = (_315 % 16u);
const bool _318 = (_317 == 0u);
const bool _319 = (WEIGHT_HALF != 0u);
const uint _320 = _319 ? 128u : 256u;
const uint _321 = (_320 % 8u);
const bool _322 = (_321 == 0u);
const uint _323 = _322 ? 32u : 8u;
const uint _324 = _318 ? 16u : _323;
const uint _325 = _313 ? 8u : _324;
const bool _330 = (WEIGHT_HALF != 0u);
const uint _331 = _330 ? 128u : 256u;
const uint _332 = (_331 % 32u);
const bool _333 = (_332 == 0u);
const bool _334 = (WEIGHT_HALF != 0u);
const uint _335 = _334 ? 128u : 256u;
const uint _336 = (_335 % 16u);
const bool _337 = (_336 == 0u);
const bool _338 = (WEIGHT_HALF != 0u);
const uint _339 = _338 ? 128u : 256u;
const uint _340 = (_339 % 8u);
const bool _341 = (_340 == 0u);
const uint _342 = _341 ? 32u : 8u;
const uint _343 = _337 ? 16u : _342;
const uint _344 = _333 ? 8u : _343;
const bool _345 = (WEIGHT_HALF != 0u);
const uint _346 = _345 ? 128u : 256u;
const uint _347 = (_344 * _346);
const uint _348 = (_347 / 256u);
const bool _357 = (WEIGHT_HALF != 0u);
const uint _358 = _357 ? 128u : 256u;
const uint _359 = (_358 % 32u);
const bool _360 = (_359 == 0u);
const bool _361 = (WEIGHT_HALF != 0u);
const uint _362 = _361 ? 128u : 256u;
const uint _363 = (_362 % 16u);
const bool _364 = (_363 == 0u);
const bool _365 = (WEIGHT_HALF != 0u);
const uint _366 = _365 ? 128u : 256u;
const uint _367 = (_366 % 8u);
const bool _368 = (_367 == 0u);
const uint _369 = _368 ? 32u : 8u;
const uint _370 = _364 ? 16u : _369;
const uint _371 = _360 ? 8u : _370;
const bool _372 = (WEIGHT_HALF != 0u);
const uint _373 = _372 ? 128u : 256u;
const uint _374 = (_371 * _373);
const uint _375 = (_374 / 256u);
const bool _386 = (WEIGHT_HALF != 0u);
const uint _387 = _386 ? 128u : 256u;
const uint _388 = (_387 % 8u);
const bool _389 = (_388 != 0u);
const bool _390 = (!_389);
const bool _393 = (WEIGHT_HALF != 0u);
const uint _394 = _393 ? 128u : 256u;
const uint _395 = (_394 % 32u);
const bool _396 = (_395 == 0u);
const bool _397 = (WEIGHT_HALF != 0u);
const uint _398 = _397 ? 128u : 256u;
const uint _399 = (_398 % 16u);
const bool _400 = (_399 == 0u);
const bool _401 = (WEIGHT_HALF != 0u);
const uint _402 = _401 ? 128u : 256u;
const uint _403 = (_402 % 8u);
const bool _404 = (_403 == 0u);
const uint _405 = _404 ? 32u : 8u;
const uint _406 = _400 ? 16u : _405;
const uint _407 = _396 ? 8u : _406;
const bool _408 = (_407 == 8u);
const bool _434 = (WEIGHT_HALF != 0u);
const uint _435 = _434 ? 128u : 256u;
const bool _439 = (WEIGHT_HALF != 0u);
const uint _440 = _439 ? 128u : 256u;
const bool _446 = (WEIGHT_HALF != 0u);
const uint _447 = _446 ? 128u : 256u;
const bool _458 = (WEIGHT_HALF != 0u);
const uint _459 = _458 ? 128u : 256u;
const bool _489 = (WEIGHT_HALF != 0u);
const uint _490 = _489 ? 128u : 256u;
const bool _516 = (WEIGHT_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_3;
const bool _561 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _594 = (X_HALF != 0u);
const bool _633 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_4;
const bool _673 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_5;
const bool _688 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_6;
const bool _716 = (RESIDUAL_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 1u
#endif
const uint Y0_HALF = SPIRV_CROSS_CONSTANT_ID_7;
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 1u
#endif
const uint Y1_HALF = SPIRV_CROSS_CONSTANT_ID_8;
#ifndef SPIRV_CROSS_CONSTANT_ID_9
#define SPIRV_CROSS_CONSTANT_ID_9 1u
#endif
const uint Y2_HALF = SPIRV_CROSS_CONSTANT_ID_9;
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_1;
const bool _1069 = (ALIGNED != 0u);
const bool _1172 = (ALIGNED != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _1223 = gl_WorkGroupSize.x;
const uint _1224 = gl_WorkGroupSize.x;
const bool _1225 = (_1224 >= 128u);
const uint _1226 = _1225 ? 16u : 8u;
const uint _1227 = (_1223 / _1226);
const uint _1228 = (4u * _1227);
const uint _1232 = gl_WorkGroupSize.x;
const bool _1233 = (_1232 >= 128u);
const uint _1234 = _1233 ? 16u : 8u;
const uint _1239 = gl_WorkGroupSize.x;
const bool _1240 = (_1239 >= 128u);
const uint _1241 = _1240 ? 16u : 8u;
const uint _1251 = gl_WorkGroupSize.x;
const bool _1252 = (_1251 >= 128u);
const uint _1253 = _1252 ? 16u : 8u;
const uint _1254 = (4u * _1253);
const uint _1302 = gl_WorkGroupSize.x;
const bool _1303 = (_1302 >= 128u);
const uint _1304 = _1303 ? 16u : 8u;
const uint _1305 = (4u * _1304);
const uint _1306 = gl_WorkGroupSize.x;
const uint _1307 = gl_WorkGroupSize.x;
const bool _1308 = (_1307 >= 128u);
const uint _1309 = _1308 ? 16u : 8u;
const uint _1310 = (_1306 / _1309);
const uint _1311 = (4u * _1310);
const uint _1312 = (_1305 + _1311);
const uint _1313 = (2u * _1312);
const uint _1316 = gl_WorkGroupSize.x;
const bool _1317 = (_1316 >= 128u);
const uint _1318 = _1317 ? 16u : 8u;
const uint _1319 = (4u * _1318);
const uint _1320 = (2u * _1319);
const uint _1326 = gl_WorkGroupSize.x;
const bool _1327 = (_1326 >= 128u);
const uint _1328 = _1327 ? 16u : 8u;
const uint _1329 = (4u * _1328);
const uint _1333 = gl_WorkGroupSize.x;
const bool _1334 = (_1333 >= 128u);
const uint _1335 = _1334 ? 16u : 8u;
const uint _1336 = (4u * _1335);
const uint _1365 = gl_WorkGroupSize.x;
const bool _1366 = (_1365 >= 128u);
const uint _1367 = _1366 ? 16u : 8u;
const uint _1368 = (4u * _1367);
const uint _1369 = (_1368 / 4u);
const uint _1386 = gl_WorkGroupSize.x;
const bool _1387 = (_1386 >= 128u);
const uint _1388 = _1387 ? 16u : 8u;
const uint _1389 = (4u * _1388);
const uint _1390 = (2u * _1389);
const uint _1392 = gl_WorkGroupSize.x;
const uint _1393 = gl_WorkGroupSize.x;
const bool _1394 = (_1393 >= 128u);
const uint _1395 = _1394 ? 16u : 8u;
const uint _1396 = (_1392 / _1395);
const uint _1397 = (4u * _1396);
const uint _1401 = gl_WorkGroupSize.x;
const bool _1402 = (_1401 >= 128u);
const uint _1403 = _1402 ? 16u : 8u;
const uint _1404 = (4u * _1403);
const uint _1405 = (2u * _1404);
const uint _1407 = gl_WorkGroupSize.x;
const uint _1408 = gl_WorkGroupSize.x;
const bool _1409 = (_1408 >= 128u);
const uint _1410 = _1409 ? 16u : 8u;
const uint _1411 = (_1407 / _1410);
const uint _1412 = (4u * _1411);
const uint _1438 = gl_WorkGroupSize.x;
const uint _1439 = gl_WorkGroupSize.x;
const bool _1440 = (_1439 >= 128u);
const uint _1441 = _1440 ? 16u : 8u;
const uint _1442 = (_1438 / _1441);
const uint _1443 = (4u * _1442);
const uint _1444 = (_1443 / 4u);
const uint _1471 = gl_WorkGroupSize.x;
const bool _1472 = (_1471 >= 128u);
const uint _1473 = _1472 ? 16u : 8u;
const uint _1474 = (4u * _1473);
const uint _1475 = (_1474 / 4u);
const uint _1485 = gl_WorkGroupSize.x;
const uint _1486 = gl_WorkGroupSize.x;
const bool _1487 = (_1486 >= 128u);
const uint _1488 = _1487 ? 16u : 8u;
const uint _1489 = (_1485 / _1488);
const uint _1490 = (4u * _1489);
const uint _1491 = (_1490 / 4u);
const uint _1586 = gl_WorkGroupSize.x;
const bool _1587 = (_1586 >= 128u);
const uint _1588 = _1587 ? 16u : 8u;
const uint _1589 = (4u * _1588);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
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
} _242;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _277;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _601;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _680;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _723;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _753;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _792;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _829;

shared vec4 w_tile[256];
shared vec4 x_tile[256];

void open_book()
{
}

uint table_of(uint first, uint row)
{
    return 0u;
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_235)
    {
        uint eight = (row * (_242.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _257) + (((eight & 31u) * _263) >> uint(5));
        uint shift = (eight * _270) & 31u;
        words[0] = _277.codes[at] >> shift;
        if ((shift + _287) > 32u)
        {
            words[0] |= (_277.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_242.columns / _325)) + step_) * _348;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _375; i++)
        {
            words[i] = _277.codes[at_1 + i];
        }
    }
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

void numbers(uint words[8], uint sub, uint at, inout float v[8])
{
    float _209;
    SPIRV_CROSS_UNROLL
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
            _209 = uintBitsToFloat(words[j]);
        }
        v[j] = _209;
    }
}

void load_eight(uint row, uint column, uint at, out float v[8])
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
    uint words[8];
    if (_409)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        uint param_2[8];
        load_step(param, param_1, param_2);
        words = param_2;
    }
    else
    {
        uint eight = (row * (_242.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _435) + (((eight & 31u) * _440) >> uint(5));
        uint shift = (eight * _447) & 31u;
        words[0] = _277.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _459) > 32u)
        {
            uint next = _277.codes[word + 1u];
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
            words[1] |= (_277.codes[word + 2u] << (32u - shift));
        }
    }
    uint param_3[8] = words;
    uint param_4 = 0u;
    uint param_5 = at;
    float param_6[8];
    numbers(param_3, param_4, param_5, param_6);
    v = param_6;
}

vec2 level(uint row, uint column)
{
    return vec2(1.0, 0.0);
}

float weight_of(vec2 level_, float v)
{
    return v;
}

float load_weight(uint row, uint column, uint at)
{
    float _517;
    if (_516)
    {
        uint param = _277.codes[((row * _242.columns) + column) >> uint(1)];
        uint param_1 = (row * _242.columns) + column;
        _517 = half_in(param, param_1);
    }
    else
    {
        _517 = uintBitsToFloat(_277.codes[(row * _242.columns) + column]);
    }
    return _517;
}

void fetch_weights(uint row, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1050 = row >= _242.row_end;
    bool _1058;
    if (!_1050)
    {
        _1058 = column >= _242.columns;
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
        uint param_2 = row - _242.held;
        uint param_3 = column;
        uint param_4 = at;
        float param_5[8];
        load_eight(param_2, param_3, param_4, param_5);
        v = param_5;
        uint param_6 = row - _242.held;
        uint param_7 = column;
        vec2 found = level(param_6, param_7);
        SPIRV_CROSS_UNROLL
        for (uint j_1 = 0u; j_1 < 8u; j_1++)
        {
            vec2 param_8 = found;
            float param_9 = v[j_1];
            v[j_1] = weight_of(param_8, param_9);
        }
        return;
    }
    uint count = min(8u, (_242.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - _242.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12);
    }
}

uint x_place(uint token, uint column)
{
    uint at = _242.x_at + (token * _242.x_token);
    uint _562;
    if (_561)
    {
        _562 = at + column;
    }
    else
    {
        _562 = (at + ((column / _242.x_inner) * _242.x_outer)) + (column % _242.x_inner);
    }
    return _562;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _634;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_633)
        {
            _634 = unpackHalf2x16(_601.x[(at + j) >> uint(1)]);
        }
        else
        {
            _634 = vec2(uintBitsToFloat(_601.x[at + j]), uintBitsToFloat(_601.x[(at + j) + 1u]));
        }
        vec2 two = _634;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

float load_x(uint token, uint column)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    float _595;
    if (_594)
    {
        uint param_2 = _601.x[at >> uint(1)];
        uint param_3 = at;
        _595 = half_in(param_2, param_3);
    }
    else
    {
        _595 = uintBitsToFloat(_601.x[at]);
    }
    return _595;
}

void fetch_x(uint token, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1160 = token >= _242.tokens;
    bool _1168;
    if (!_1160)
    {
        _1168 = column >= _242.columns;
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
        float param_2[8];
        load_x8(param, param_1, param_2);
        v = param_2;
        return;
    }
    uint count = min(8u, (_242.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4);
    }
}

float added(uint token, uint row)
{
    float _674;
    if (_673)
    {
        _674 = uintBitsToFloat(_680.bias[row]);
    }
    else
    {
        _674 = 0.0;
    }
    float sum = _674;
    if (_688)
    {
        uint at = ((_242.residual_at + (token * _242.residual_token)) + ((row / _242.residual_inner) * _242.residual_outer)) + (row % _242.residual_inner);
        float _717;
        if (_716)
        {
            uint param = _723.residual[at >> uint(1)];
            uint param_1 = at;
            _717 = half_in(param, param_1);
        }
        else
        {
            _717 = uintBitsToFloat(_723.residual[at]);
        }
        sum += _717;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _242.end0)
    {
        _753.y0[((_242.y0_at + (token * _242.y0_token)) + ((row / _242.y0_inner) * _242.y0_outer)) + (row % _242.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _242.end1)
        {
            _792.y1[((_242.y1_at + (token * _242.y1_token)) + (((row - _242.end0) / _242.y1_inner) * _242.y1_outer)) + ((row - _242.end0) % _242.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _829.y2[((_242.y2_at + (token * _242.y2_token)) + (((row - _242.end1) / _242.y2_inner) * _242.y2_outer)) + ((row - _242.end1) % _242.y2_inner)] = floatBitsToUint(v);
        }
    }
}

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _165;
    if (x < 0.0)
    {
        _165 = -uintBitsToFloat(bits);
    }
    else
    {
        _165 = uintBitsToFloat(bits);
    }
    return _165;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void store_rows(uint token, uint row, inout vec2 v)
{
    bool two = (row + 1u) < _242.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _898;
    if (row < _242.end0)
    {
        _898 = Y0_HALF;
    }
    else
    {
        _898 = (row < _242.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _898;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9);
        }
        return;
    }
    vec2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < _242.end0)
    {
        _753.y0[(((_242.y0_at + (token * _242.y0_token)) + ((row / _242.y0_inner) * _242.y0_outer)) + (row % _242.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _242.end1)
        {
            _792.y1[(((_242.y1_at + (token * _242.y1_token)) + (((row - _242.end0) / _242.y1_inner) * _242.y1_outer)) + ((row - _242.end0) % _242.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _829.y2[(((_242.y2_at + (token * _242.y2_token)) + (((row - _242.end1) / _242.y2_inner) * _242.y2_outer)) + ((row - _242.end1) % _242.y2_inner)) >> uint(1)] = word;
        }
    }
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1228;
    uint my_row = 4u * (thread % _1234);
    uint my_token = 4u * (thread / _1241);
    open_book();
    uint _1256 = _242.row_begin + (gl_WorkGroupID.x * _1254);
    vec4 acc[4];
    float v[8];
    float param_2[8];
    float param_5[8];
    for (uint row0 = _1256; row0 < _242.row_end; row0 += (gl_NumWorkGroups.x * _1589))
    {
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = vec4(0.0);
        }
        for (uint column0 = 0u; column0 < _242.columns; column0 += 16u)
        {
            for (uint i_1 = thread; i_1 < _1313; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1320)
                {
                    uint row = i_1 % _1329;
                    uint k = 8u * (i_1 / _1336);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2);
                    v = param_2;
                    SPIRV_CROSS_UNROLL
                    for (uint j = 0u; j < 8u; j++)
                    {
                        w_tile[((k + j) * _1369) + (row / 4u)][row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1390) % _1397;
                    uint k_1 = 8u * ((i_1 - _1405) / _1412);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5);
                    v = param_5;
                    SPIRV_CROSS_UNROLL
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        x_tile[((k_1 + j_1) * _1444) + (token / 4u)][token % 4u] = v[j_1];
                    }
                }
            }
            barrier();
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                vec4 w4 = w_tile[(k_2 * _1475) + (my_row / 4u)];
                vec4 x4 = x_tile[(k_2 * _1491) + (my_token / 4u)];
                SPIRV_CROSS_UNROLL
                for (uint i_2 = 0u; i_2 < 4u; i_2++)
                {
                    acc[i_2] += (w4 * x4[i_2]);
                }
            }
            barrier();
        }
        uint row_1 = row0 + my_row;
        SPIRV_CROSS_UNROLL
        for (uint i_3 = 0u; i_3 < 4u; i_3++)
        {
            uint token_1 = (token0 + my_token) + i_3;
            if (token_1 >= _242.tokens)
            {
                continue;
            }
            if (row_1 < _242.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                vec2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8);
            }
            if ((row_1 + 2u) < _242.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                vec2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11);
            }
        }
    }
}

