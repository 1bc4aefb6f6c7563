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
#define SPIRV_CROSS_CONSTANT_ID_10 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_10;
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_3;
const bool _487 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _519 = (X_HALF != 0u);
const bool _558 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_4;
const bool _599 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_5;
const bool _614 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_6;
const bool _642 = (RESIDUAL_HALF != 0u);
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
const bool _995 = (ALIGNED != 0u);
const bool _1098 = (ALIGNED != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _1148 = gl_WorkGroupSize.x;
const uint _1149 = gl_WorkGroupSize.x;
const bool _1151 = (_1149 >= 128u);
const uint _1152 = _1151 ? 16u : 8u;
const uint _1153 = (_1148 / _1152);
const uint _1154 = (4u * _1153);
const uint _1158 = gl_WorkGroupSize.x;
const bool _1159 = (_1158 >= 128u);
const uint _1160 = _1159 ? 16u : 8u;
const uint _1165 = gl_WorkGroupSize.x;
const bool _1166 = (_1165 >= 128u);
const uint _1167 = _1166 ? 16u : 8u;
const uint _1177 = gl_WorkGroupSize.x;
const bool _1178 = (_1177 >= 128u);
const uint _1179 = _1178 ? 16u : 8u;
const uint _1180 = (4u * _1179);
const uint _1228 = gl_WorkGroupSize.x;
const bool _1229 = (_1228 >= 128u);
const uint _1230 = _1229 ? 16u : 8u;
const uint _1231 = (4u * _1230);
const uint _1232 = gl_WorkGroupSize.x;
const uint _1233 = gl_WorkGroupSize.x;
const bool _1234 = (_1233 >= 128u);
const uint _1235 = _1234 ? 16u : 8u;
const uint _1236 = (_1232 / _1235);
const uint _1237 = (4u * _1236);
const uint _1238 = (_1231 + _1237);
const uint _1239 = (2u * _1238);
const uint _1242 = gl_WorkGroupSize.x;
const bool _1243 = (_1242 >= 128u);
const uint _1244 = _1243 ? 16u : 8u;
const uint _1245 = (4u * _1244);
const uint _1246 = (2u * _1245);
const uint _1252 = gl_WorkGroupSize.x;
const bool _1253 = (_1252 >= 128u);
const uint _1254 = _1253 ? 16u : 8u;
const uint _1255 = (4u * _1254);
const uint _1259 = gl_WorkGroupSize.x;
const bool _1260 = (_1259 >= 128u);
const uint _1261 = _1260 ? 16u : 8u;
const uint _1262 = (4u * _1261);
const uint _1292 = gl_WorkGroupSize.x;
const bool _1293 = (_1292 >= 128u);
const uint _1294 = _1293 ? 16u : 8u;
const uint _1295 = (4u * _1294);
const uint _1296 = (_1295 / 4u);
const uint _1313 = gl_WorkGroupSize.x;
const bool _1314 = (_1313 >= 128u);
const uint _1315 = _1314 ? 16u : 8u;
const uint _1316 = (4u * _1315);
const uint _1317 = (2u * _1316);
const uint _1319 = gl_WorkGroupSize.x;
const uint _1320 = gl_WorkGroupSize.x;
const bool _1321 = (_1320 >= 128u);
const uint _1322 = _1321 ? 16u : 8u;
const uint _1323 = (_1319 / _1322);
const uint _1324 = (4u * _1323);
const uint _1328 = gl_WorkGroupSize.x;
const bool _1329 = (_1328 >= 128u);
const uint _1330 = _1329 ? 16u : 8u;
const uint _1331 = (4u * _1330);
const uint _1332 = (2u * _1331);
const uint _1334 = gl_WorkGroupSize.x;
const uint _1335 = gl_WorkGroupSize.x;
const bool _1336 = (_1335 >= 128u);
const uint _1337 = _1336 ? 16u : 8u;
const uint _1338 = (_1334 / _1337);
const uint _1339 = (4u * _1338);
const uint _1365 = gl_WorkGroupSize.x;
const uint _1366 = gl_WorkGroupSize.x;
const bool _1367 = (_1366 >= 128u);
const uint _1368 = _1367 ? 16u : 8u;
const uint _1369 = (_1365 / _1368);
const uint _1370 = (4u * _1369);
const uint _1371 = (_1370 / 4u);
const uint _1398 = gl_WorkGroupSize.x;
const bool _1399 = (_1398 >= 128u);
const uint _1400 = _1399 ? 16u : 8u;
const uint _1401 = (4u * _1400);
const uint _1402 = (_1401 / 4u);
const uint _1412 = gl_WorkGroupSize.x;
const uint _1413 = gl_WorkGroupSize.x;
const bool _1414 = (_1413 >= 128u);
const uint _1415 = _1414 ? 16u : 8u;
const uint _1416 = (_1412 / _1415);
const uint _1417 = (4u * _1416);
const uint _1418 = (_1417 / 4u);
const uint _1513 = gl_WorkGroupSize.x;
const bool _1514 = (_1513 >= 128u);
const uint _1515 = _1514 ? 16u : 8u;
const uint _1516 = (4u * _1515);

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
    uint rows_per_table;
    uint table_at;
    uint plane_bytes;
} _247;

layout(binding = 8, std430) readonly buffer Table
{
    uint table[];
} _265;

layout(binding = 7, std430) readonly buffer Planes
{
    uint planes[];
} _396;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _526;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _606;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _649;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _679;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _718;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _755;

shared vec4 w_tile[256];
shared vec4 x_tile[256];

void open_book()
{
}

uint table_of(uint first, uint row)
{
    return _247.table_at + ((row / _247.rows_per_table) << BITS);
}

void load_step(uint row, uint step_, inout uint words[8])
{
    uint at = (row * (_247.columns >> uint(5))) + step_;
    uint plane = _247.plane_bytes >> uint(2);
    SPIRV_CROSS_UNROLL
    for (uint p = 0u; p < BITS; p++)
    {
        words[p] = _396.planes[(p * plane) + at];
    }
}

uint spread(uint four)
{
    return (four * 2113665u) & 16843009u;
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
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

float entry(uint at)
{
    uint param = _265.table[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
}

void numbers(uint words[8], uint sub, uint at, inout float v[8])
{
    uvec2 eight = uvec2(0u);
    SPIRV_CROSS_UNROLL
    for (uint p = 0u; p < BITS; p++)
    {
        uint bits = words[p] >> (8u * sub);
        uint param = bits & 15u;
        uint param_1 = (bits >> uint(4)) & 15u;
        eight = (eight << uvec2(ivec2(1))) | uvec2(spread(param), spread(param_1));
    }
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 4u; j++)
    {
        uint param_2 = at + ((eight.x >> (8u * j)) & 255u);
        v[j] = entry(param_2);
        uint param_3 = at + ((eight.y >> (8u * j)) & 255u);
        v[j + 4u] = entry(param_3);
    }
}

void load_eight(uint row, uint column, uint at, out float v[8])
{
    uint param = row;
    uint param_1 = column >> uint(5);
    uint param_2[8];
    load_step(param, param_1, param_2);
    uint words[8] = param_2;
    uint param_3[8] = words;
    uint param_4 = (column >> uint(3)) & 3u;
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
    uint code = 0u;
    uint bit = (row * _247.columns) + column;
    SPIRV_CROSS_UNROLL
    for (uint p = 0u; p < BITS; p++)
    {
        uint found = (p * _247.plane_bytes) + (bit >> uint(3));
        code = (code << uint(1)) | ((_396.planes[found >> uint(2)] >> ((8u * (found & 3u)) + (bit & 7u))) & 1u);
    }
    uint param = at + code;
    return entry(param);
}

void fetch_weights(uint row, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _976 = row >= _247.row_end;
    bool _984;
    if (!_976)
    {
        _984 = column >= _247.columns;
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
    uint at = table_of(param, param_1);
    if (_995)
    {
        uint param_2 = row - _247.held;
        uint param_3 = column;
        uint param_4 = at;
        float param_5[8];
        load_eight(param_2, param_3, param_4, param_5);
        v = param_5;
        uint param_6 = row - _247.held;
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
    uint count = min(8u, (_247.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - _247.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12);
    }
}

uint x_place(uint token, uint column)
{
    uint at = _247.x_at + (token * _247.x_token);
    uint _488;
    if (_487)
    {
        _488 = at + column;
    }
    else
    {
        _488 = (at + ((column / _247.x_inner) * _247.x_outer)) + (column % _247.x_inner);
    }
    return _488;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _559;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_558)
        {
            _559 = unpackHalf2x16(_526.x[(at + j) >> uint(1)]);
        }
        else
        {
            _559 = vec2(uintBitsToFloat(_526.x[at + j]), uintBitsToFloat(_526.x[(at + j) + 1u]));
        }
        vec2 two = _559;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

float load_x(uint token, uint column)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    float _520;
    if (_519)
    {
        uint param_2 = _526.x[at >> uint(1)];
        uint param_3 = at;
        _520 = half_in(param_2, param_3);
    }
    else
    {
        _520 = uintBitsToFloat(_526.x[at]);
    }
    return _520;
}

void fetch_x(uint token, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1086 = token >= _247.tokens;
    bool _1094;
    if (!_1086)
    {
        _1094 = column >= _247.columns;
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
        float param_2[8];
        load_x8(param, param_1, param_2);
        v = param_2;
        return;
    }
    uint count = min(8u, (_247.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4);
    }
}

float added(uint token, uint row)
{
    float _600;
    if (_599)
    {
        _600 = uintBitsToFloat(_606.bias[row]);
    }
    else
    {
        _600 = 0.0;
    }
    float sum = _600;
    if (_614)
    {
        uint at = ((_247.residual_at + (token * _247.residual_token)) + ((row / _247.residual_inner) * _247.residual_outer)) + (row % _247.residual_inner);
        float _643;
        if (_642)
        {
            uint param = _649.residual[at >> uint(1)];
            uint param_1 = at;
            _643 = half_in(param, param_1);
        }
        else
        {
            _643 = uintBitsToFloat(_649.residual[at]);
        }
        sum += _643;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _247.end0)
    {
        _679.y0[((_247.y0_at + (token * _247.y0_token)) + ((row / _247.y0_inner) * _247.y0_outer)) + (row % _247.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _247.end1)
        {
            _718.y1[((_247.y1_at + (token * _247.y1_token)) + (((row - _247.end0) / _247.y1_inner) * _247.y1_outer)) + ((row - _247.end0) % _247.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _755.y2[((_247.y2_at + (token * _247.y2_token)) + (((row - _247.end1) / _247.y2_inner) * _247.y2_outer)) + ((row - _247.end1) % _247.y2_inner)] = floatBitsToUint(v);
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
    float _221;
    if (x < 0.0)
    {
        _221 = -uintBitsToFloat(bits);
    }
    else
    {
        _221 = uintBitsToFloat(bits);
    }
    return _221;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void store_rows(uint token, uint row, inout vec2 v)
{
    bool two = (row + 1u) < _247.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _824;
    if (row < _247.end0)
    {
        _824 = Y0_HALF;
    }
    else
    {
        _824 = (row < _247.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _824;
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
    if (row < _247.end0)
    {
        _679.y0[(((_247.y0_at + (token * _247.y0_token)) + ((row / _247.y0_inner) * _247.y0_outer)) + (row % _247.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _247.end1)
        {
            _718.y1[(((_247.y1_at + (token * _247.y1_token)) + (((row - _247.end0) / _247.y1_inner) * _247.y1_outer)) + ((row - _247.end0) % _247.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _755.y2[(((_247.y2_at + (token * _247.y2_token)) + (((row - _247.end1) / _247.y2_inner) * _247.y2_outer)) + ((row - _247.end1) % _247.y2_inner)) >> uint(1)] = word;
        }
    }
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1154;
    uint my_row = 4u * (thread % _1160);
    uint my_token = 4u * (thread / _1167);
    open_book();
    uint _1182 = _247.row_begin + (gl_WorkGroupID.x * _1180);
    vec4 acc[4];
    float v[8];
    float param_2[8];
    float param_5[8];
    for (uint row0 = _1182; row0 < _247.row_end; row0 += (gl_NumWorkGroups.x * _1516))
    {
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = vec4(0.0);
        }
        for (uint column0 = 0u; column0 < _247.columns; column0 += 16u)
        {
            for (uint i_1 = thread; i_1 < _1239; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1246)
                {
                    uint row = i_1 % _1255;
                    uint k = 8u * (i_1 / _1262);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2);
                    v = param_2;
                    SPIRV_CROSS_UNROLL
                    for (uint j = 0u; j < 8u; j++)
                    {
                        w_tile[((k + j) * _1296) + (row / 4u)][row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1317) % _1324;
                    uint k_1 = 8u * ((i_1 - _1332) / _1339);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5);
                    v = param_5;
                    SPIRV_CROSS_UNROLL
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        x_tile[((k_1 + j_1) * _1371) + (token / 4u)][token % 4u] = v[j_1];
                    }
                }
            }
            barrier();
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                vec4 w4 = w_tile[(k_2 * _1402) + (my_row / 4u)];
                vec4 x4 = x_tile[(k_2 * _1418) + (my_token / 4u)];
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
            if (token_1 >= _247.tokens)
            {
                continue;
            }
            if (row_1 < _247.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                vec2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8);
            }
            if ((row_1 + 2u) < _247.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                vec2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11);
            }
        }
    }
}

