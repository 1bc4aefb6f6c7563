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

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _216 = gl_WorkGroupSize.x;
const uint _218 = (_216 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_12
#define SPIRV_CROSS_CONSTANT_ID_12 1u
#endif
const uint WEIGHT_HALF = SPIRV_CROSS_CONSTANT_ID_12;
const bool _270 = (WEIGHT_HALF != 0u);
const bool _291 = (WEIGHT_HALF != 0u);
const uint _293 = _291 ? 128u : 256u;
const uint _294 = (_293 % 8u);
const bool _295 = (_294 != 0u);
const bool _316 = (WEIGHT_HALF != 0u);
const uint _317 = _316 ? 128u : 256u;
const bool _322 = (WEIGHT_HALF != 0u);
const uint _323 = _322 ? 128u : 256u;
const bool _329 = (WEIGHT_HALF != 0u);
const uint _330 = _329 ? 128u : 256u;
const bool _345 = (WEIGHT_HALF != 0u);
const uint _346 = _345 ? 128u : 256u;
const bool _369 = (WEIGHT_HALF != 0u);
const uint _370 = _369 ? 128u : 256u;
const uint _371 = (_370 % 32u);
const bool _372 = (_371 == 0u);
const bool _373 = (WEIGHT_HALF != 0u);
const uint _374 = _373 ? 128u : 256u;
const uint _376 = (_374 % 16u);
const bool _377 = (_376 == 0u);
const bool _378 = (WEIGHT_HALF != 0u);
const uint _379 = _378 ? 128u : 256u;
const uint _380 = (_379 % 8u);
const bool _381 = (_380 == 0u);
const uint _382 = _381 ? 32u : 8u;
const uint _383 = _377 ? 16u : _382;
const uint _384 = _372 ? 8u : _383;
const bool _389 = (WEIGHT_HALF != 0u);
const uint _390 = _389 ? 128u : 256u;
const uint _391 = (_390 % 32u);
const bool _392 = (_391 == 0u);
const bool _393 = (WEIGHT_HALF != 0u);
const uint _394 = _393 ? 128u : 256u;
const uint _395 = (_394 % 16u);
const bool _396 = (_395 == 0u);
const bool _397 = (WEIGHT_HALF != 0u);
const uint _398 = _397 ? 128u : 256u;
const uint _399 = (_398 % 8u);
const bool _400 = (_399 == 0u);
const uint _401 = _400 ? 32u : 8u;
const uint _402 = _396 ? 16u : _401;
const uint _403 = _392 ? 8u : _402;
const bool _404 = (WEIGHT_HALF != 0u);
const uint _405 = _404 ? 128u : 256u;
const uint _406 = (_403 * _405);
const uint _407 = (_406 / 256u);
const bool _416 = (WEIGHT_HALF != 0u);
const uint _417 = _416 ? 128u : 256u;
const uint _418 = (_417 % 32u);
const bool _419 = (_418 == 0u);
const bool _420 = (WEIGHT_HALF != 0u);
const uint _421 = _420 ? 128u : 256u;
const uint _422 = (_421 % 16u);
const bool _423 = (_422 == 0u);
const bool _424 = (WEIGHT_HALF != 0u);
const uint _425 = _424 ? 128u : 256u;
const uint _426 = (_425 % 8u);
const bool _427 = (_426 == 0u);
const uint _428 = _427 ? 32u : 8u;
const uint _429 = _423 ? 16u : _428;
const uint _430 = _419 ? 8u : _429;
const bool _431 = (WEIGHT_HALF != 0u);
const uint _432 = _431 ? 128u : 256u;
const uint _433 = (_430 * _432);
const uint _434 = (_433 / 256u);
const bool _445 = (WEIGHT_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_5;
const bool _490 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _523 = (X_HALF != 0u);
const bool _562 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_6;
const bool _602 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_7;
const bool _617 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_8;
const bool _645 = (RESIDUAL_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_9
#define SPIRV_CROSS_CONSTANT_ID_9 1u
#endif
const uint Y0_HALF = SPIRV_CROSS_CONSTANT_ID_9;
#ifndef SPIRV_CROSS_CONSTANT_ID_10
#define SPIRV_CROSS_CONSTANT_ID_10 1u
#endif
const uint Y1_HALF = SPIRV_CROSS_CONSTANT_ID_10;
#ifndef SPIRV_CROSS_CONSTANT_ID_11
#define SPIRV_CROSS_CONSTANT_ID_11 1u
#endif
const uint Y2_HALF = SPIRV_CROSS_CONSTANT_ID_11;
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 4u
#endif
const uint ROWS = SPIRV_CROSS_CONSTANT_ID_1;
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint TOKENS = SPIRV_CROSS_CONSTANT_ID_2;
const uint _973 = (ROWS * TOKENS);
const uint _988 = (ROWS * TOKENS);
const uint _1025 = (ROWS * TOKENS);
const uint _1053 = (ROWS / 2u);
const uint _1054 = (_1053 * TOKENS);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_3;
const bool _1182 = (ALIGNED != 0u);
const bool _1220 = (WEIGHT_HALF != 0u);
const uint _1221 = _1220 ? 128u : 256u;
const uint _1222 = (_1221 % 32u);
const bool _1223 = (_1222 == 0u);
const bool _1224 = (WEIGHT_HALF != 0u);
const uint _1225 = _1224 ? 128u : 256u;
const uint _1226 = (_1225 % 16u);
const bool _1227 = (_1226 == 0u);
const bool _1228 = (WEIGHT_HALF != 0u);
const uint _1229 = _1228 ? 128u : 256u;
const uint _1230 = (_1229 % 8u);
const bool _1231 = (_1230 == 0u);
const uint _1232 = _1231 ? 32u : 8u;
const uint _1233 = _1227 ? 16u : _1232;
const uint _1234 = _1223 ? 8u : _1233;
const bool _1268 = (WEIGHT_HALF != 0u);
const uint _1269 = _1268 ? 128u : 256u;
const uint _1270 = (_1269 % 32u);
const bool _1271 = (_1270 == 0u);
const bool _1272 = (WEIGHT_HALF != 0u);
const uint _1273 = _1272 ? 128u : 256u;
const uint _1274 = (_1273 % 16u);
const bool _1275 = (_1274 == 0u);
const bool _1276 = (WEIGHT_HALF != 0u);
const uint _1277 = _1276 ? 128u : 256u;
const uint _1278 = (_1277 % 8u);
const bool _1279 = (_1278 == 0u);
const uint _1280 = _1279 ? 32u : 8u;
const uint _1281 = _1275 ? 16u : _1280;
const uint _1282 = _1271 ? 8u : _1281;
const uint _1283 = (_1282 / 8u);
const bool _1287 = (WEIGHT_HALF != 0u);
const uint _1288 = _1287 ? 128u : 256u;
const uint _1289 = (_1288 % 32u);
const bool _1290 = (_1289 == 0u);
const bool _1291 = (WEIGHT_HALF != 0u);
const uint _1292 = _1291 ? 128u : 256u;
const uint _1293 = (_1292 % 16u);
const bool _1294 = (_1293 == 0u);
const bool _1295 = (WEIGHT_HALF != 0u);
const uint _1296 = _1295 ? 128u : 256u;
const uint _1297 = (_1296 % 8u);
const bool _1298 = (_1297 == 0u);
const uint _1299 = _1298 ? 32u : 8u;
const uint _1300 = _1294 ? 16u : _1299;
const uint _1301 = _1290 ? 8u : _1300;
const bool _1373 = (WEIGHT_HALF != 0u);
const uint _1374 = _1373 ? 128u : 256u;
const uint _1375 = (_1374 % 32u);
const bool _1376 = (_1375 == 0u);
const bool _1377 = (WEIGHT_HALF != 0u);
const uint _1378 = _1377 ? 128u : 256u;
const uint _1379 = (_1378 % 16u);
const bool _1380 = (_1379 == 0u);
const bool _1381 = (WEIGHT_HALF != 0u);
const uint _1382 = _1381 ? 128u : 256u;
const uint _1383 = (_1382 % 8u);
const bool _1384 = (_1383 == 0u);
const uint _1385 = _1384 ? 32u : 8u;
const uint _1386 = _1380 ? 16u : _1385;
const uint _1387 = _1376 ? 8u : _1386;
const uint _1388 = (0u % _1387);
const bool _1389 = (_1388 != 0u);

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
} _302;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _336;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _530;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _609;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _652;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _682;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _721;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _758;

shared uvec4 group_words[256];
shared float totals[32];

void open_book()
{
}

void open_tables(uint first, uint count)
{
}

uint table_of(uint first, uint row)
{
    return 0u;
}

vec2 level(uint row, uint column)
{
    return vec2(1.0, 0.0);
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_295)
    {
        uint eight = (row * (_302.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _317) + (((eight & 31u) * _323) >> uint(5));
        uint shift = (eight * _330) & 31u;
        words[0] = _336.codes[at] >> shift;
        if ((shift + _346) > 32u)
        {
            words[0] |= (_336.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_302.columns / _384)) + step_) * _407;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _434; i++)
        {
            words[i] = _336.codes[at_1 + i];
        }
    }
}

uint x_place(uint token, uint column)
{
    uint at = _302.x_at + (token * _302.x_token);
    uint _491;
    if (_490)
    {
        _491 = at + column;
    }
    else
    {
        _491 = (at + ((column / _302.x_inner) * _302.x_outer)) + (column % _302.x_inner);
    }
    return _491;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _563;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_562)
        {
            _563 = unpackHalf2x16(_530.x[(at + j) >> uint(1)]);
        }
        else
        {
            _563 = vec2(uintBitsToFloat(_530.x[at + j]), uintBitsToFloat(_530.x[(at + j) + 1u]));
        }
        vec2 two = _563;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

void numbers(uint words[8], uint sub, uint at, inout float v[8])
{
    float _271;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        if (_270)
        {
            uint param = words[j >> uint(1)];
            uint param_1 = j;
            _271 = half_in(param, param_1);
        }
        else
        {
            _271 = uintBitsToFloat(words[j]);
        }
        v[j] = _271;
    }
}

float weigh(vec2 level_, float sum, float sum_x)
{
    return sum;
}

float load_x(uint token, uint column)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    float _524;
    if (_523)
    {
        uint param_2 = _530.x[at >> uint(1)];
        uint param_3 = at;
        _524 = half_in(param_2, param_3);
    }
    else
    {
        _524 = uintBitsToFloat(_530.x[at]);
    }
    return _524;
}

float load_weight(uint row, uint column, uint at)
{
    float _446;
    if (_445)
    {
        uint param = _336.codes[((row * _302.columns) + column) >> uint(1)];
        uint param_1 = (row * _302.columns) + column;
        _446 = half_in(param, param_1);
    }
    else
    {
        _446 = uintBitsToFloat(_336.codes[(row * _302.columns) + column]);
    }
    return _446;
}

vec4 group_sum(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _218; half_ > 0u; half_ = half_ >> uint(1))
    {
        barrier();
        if (thread < half_)
        {
            mine += uintBitsToFloat(group_words[thread + half_]);
            group_words[thread] = floatBitsToUint(mine);
        }
    }
    barrier();
    return uintBitsToFloat(group_words[0]);
}

float added(uint token, uint row)
{
    float _603;
    if (_602)
    {
        _603 = uintBitsToFloat(_609.bias[row]);
    }
    else
    {
        _603 = 0.0;
    }
    float sum = _603;
    if (_617)
    {
        uint at = ((_302.residual_at + (token * _302.residual_token)) + ((row / _302.residual_inner) * _302.residual_outer)) + (row % _302.residual_inner);
        float _646;
        if (_645)
        {
            uint param = _652.residual[at >> uint(1)];
            uint param_1 = at;
            _646 = half_in(param, param_1);
        }
        else
        {
            _646 = uintBitsToFloat(_652.residual[at]);
        }
        sum += _646;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _302.end0)
    {
        _682.y0[((_302.y0_at + (token * _302.y0_token)) + ((row / _302.y0_inner) * _302.y0_outer)) + (row % _302.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _302.end1)
        {
            _721.y1[((_302.y1_at + (token * _302.y1_token)) + (((row - _302.end0) / _302.y1_inner) * _302.y1_outer)) + ((row - _302.end0) % _302.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _758.y2[((_302.y2_at + (token * _302.y2_token)) + (((row - _302.end1) / _302.y2_inner) * _302.y2_outer)) + ((row - _302.end1) % _302.y2_inner)] = floatBitsToUint(v);
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
    float _170;
    if (x < 0.0)
    {
        _170 = -uintBitsToFloat(bits);
    }
    else
    {
        _170 = uintBitsToFloat(bits);
    }
    return _170;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void store_rows(uint token, uint row, inout vec2 v)
{
    bool two = (row + 1u) < _302.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _827;
    if (row < _302.end0)
    {
        _827 = Y0_HALF;
    }
    else
    {
        _827 = (row < _302.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _827;
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
    if (row < _302.end0)
    {
        _682.y0[(((_302.y0_at + (token * _302.y0_token)) + ((row / _302.y0_inner) * _302.y0_outer)) + (row % _302.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _302.end1)
        {
            _721.y1[(((_302.y1_at + (token * _302.y1_token)) + (((row - _302.end0) / _302.y1_inner) * _302.y1_outer)) + ((row - _302.end0) % _302.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _758.y2[(((_302.y2_at + (token * _302.y2_token)) + (((row - _302.end1) / _302.y2_inner) * _302.y2_outer)) + ((row - _302.end1) % _302.y2_inner)) >> uint(1)] = word;
        }
    }
}

void reduce_and_store(uint row0, uint token0, float acc[8][4])
{
    SPIRV_CROSS_UNROLL
    for (uint i = 0u; i < _973; i += 4u)
    {
        vec4 four = vec4(0.0);
        SPIRV_CROSS_UNROLL
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _988)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        vec4 param = four;
        vec4 _1008 = group_sum(param);
        four = _1008;
        if (gl_LocalInvocationID.x == 0u)
        {
            SPIRV_CROSS_UNROLL
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1025)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    barrier();
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1054; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1071 = token < _302.tokens;
        bool _1078;
        if (_1071)
        {
            _1078 = row < _302.row_end;
        }
        else
        {
            _1078 = _1071;
        }
        if (_1078)
        {
            uint param_1 = token;
            uint param_2 = row;
            vec2 param_3 = vec2(totals[2u * i_1], totals[(2u * i_1) + 1u]);
            store_rows(param_1, param_2, param_3);
        }
    }
    barrier();
}

void main()
{
    uint token0 = gl_WorkGroupID.y * TOKENS;
    open_book();
    uint _1113 = _302.row_begin + (gl_WorkGroupID.x * ROWS);
    uint at[8];
    uint here[8];
    float acc[8][4];
    vec2 levels[8];
    uint words[8][8];
    uint param_8[8];
    float xs[4][8];
    float param_11[8];
    float sums[4];
    float param_17[8];
    float xs_1[4];
    for (uint row0 = _1113; row0 < _302.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (_302.row_end - row0));
        uint param = row0;
        uint param_1 = count;
        open_tables(param, param_1);
        SPIRV_CROSS_UNROLL
        for (uint r = 0u; r < ROWS; r++)
        {
            uint row = row0 + min(r, (count - 1u));
            uint param_2 = row0;
            uint param_3 = row;
            at[r] = table_of(param_2, param_3);
            here[r] = row - _302.held;
            SPIRV_CROSS_UNROLL
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1182)
        {
            if (true)
            {
                SPIRV_CROSS_UNROLL
                for (uint r_1 = 0u; r_1 < ROWS; r_1++)
                {
                    uint param_4 = here[r_1];
                    uint param_5 = 0u;
                    levels[r_1] = level(param_4, param_5);
                }
            }
            for (uint step_ = gl_LocalInvocationID.x; step_ < (_302.columns / _1234); step_ += gl_WorkGroupSize.x)
            {
                SPIRV_CROSS_UNROLL
                for (uint r_2 = 0u; r_2 < ROWS; r_2++)
                {
                    uint param_6 = here[r_2];
                    uint param_7 = step_;
                    load_step(param_6, param_7, param_8);
                    words[r_2] = param_8;
                }
                SPIRV_CROSS_UNROLL
                for (uint sub = 0u; sub < _1283; sub++)
                {
                    uint column = (step_ * _1301) + (8u * sub);
                    SPIRV_CROSS_UNROLL
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (_302.tokens - 1u));
                        uint param_10 = column;
                        load_x8(param_9, param_10, param_11);
                        xs[t_1] = param_11;
                        sums[t_1] = 0.0;
                        SPIRV_CROSS_UNROLL
                        for (uint j = 0u; j < 8u; j++)
                        {
                            sums[t_1] += xs[t_1][j];
                        }
                    }
                    SPIRV_CROSS_UNROLL
                    for (uint r_3 = 0u; r_3 < ROWS; r_3++)
                    {
                        bool _1391;
                        if (false)
                        {
                            bool _1369 = sub == 0u;
                            bool _1390;
                            if (!_1369)
                            {
                                _1390 = _1389;
                            }
                            else
                            {
                                _1390 = _1369;
                            }
                            _1391 = _1390;
                        }
                        else
                        {
                            _1391 = false;
                        }
                        if (_1391)
                        {
                            uint param_12 = here[r_3];
                            uint param_13 = column;
                            levels[r_3] = level(param_12, param_13);
                        }
                        uint param_14[8] = words[r_3];
                        uint param_15 = sub;
                        uint param_16 = at[r_3];
                        numbers(param_14, param_15, param_16, param_17);
                        float v[8] = param_17;
                        SPIRV_CROSS_UNROLL
                        for (uint t_2 = 0u; t_2 < TOKENS; t_2++)
                        {
                            float sum = 0.0;
                            SPIRV_CROSS_UNROLL
                            for (uint j_1 = 0u; j_1 < 8u; j_1++)
                            {
                                sum += (xs[t_2][j_1] * v[j_1]);
                            }
                            vec2 param_18 = levels[r_3];
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
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < _302.columns; column_1 += gl_WorkGroupSize.x)
            {
                SPIRV_CROSS_UNROLL
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (_302.tokens - 1u));
                    uint param_22 = column_1;
                    xs_1[t_3] = load_x(param_21, param_22);
                }
                SPIRV_CROSS_UNROLL
                for (uint r_4 = 0u; r_4 < ROWS; r_4++)
                {
                    uint param_23 = here[r_4];
                    uint param_24 = column_1;
                    uint param_25 = at[r_4];
                    float weight = load_weight(param_23, param_24, param_25);
                    SPIRV_CROSS_UNROLL
                    for (uint t_4 = 0u; t_4 < TOKENS; t_4++)
                    {
                        acc[r_4][t_4] += (xs_1[t_4] * weight);
                    }
                }
            }
        }
        uint param_26 = row0;
        uint param_27 = token0;
        float param_28[8][4] = acc;
        reduce_and_store(param_26, param_27, param_28);
    }
}

