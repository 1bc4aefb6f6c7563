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
#define SPIRV_CROSS_CONSTANT_ID_10 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_10;
const bool _279 = (GROUP != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_3;
const bool _687 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _720 = (X_HALF != 0u);
const bool _759 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_4;
const bool _799 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_5;
const bool _814 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_6;
const bool _842 = (RESIDUAL_HALF != 0u);
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
const bool _1194 = (ALIGNED != 0u);
const bool _1297 = (ALIGNED != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _1347 = gl_WorkGroupSize.x;
const uint _1348 = gl_WorkGroupSize.x;
const bool _1350 = (_1348 >= 128u);
const uint _1351 = _1350 ? 16u : 8u;
const uint _1352 = (_1347 / _1351);
const uint _1353 = (4u * _1352);
const uint _1357 = gl_WorkGroupSize.x;
const bool _1358 = (_1357 >= 128u);
const uint _1359 = _1358 ? 16u : 8u;
const uint _1364 = gl_WorkGroupSize.x;
const bool _1365 = (_1364 >= 128u);
const uint _1366 = _1365 ? 16u : 8u;
const uint _1376 = gl_WorkGroupSize.x;
const bool _1377 = (_1376 >= 128u);
const uint _1378 = _1377 ? 16u : 8u;
const uint _1379 = (4u * _1378);
const uint _1427 = gl_WorkGroupSize.x;
const bool _1428 = (_1427 >= 128u);
const uint _1429 = _1428 ? 16u : 8u;
const uint _1430 = (4u * _1429);
const uint _1431 = gl_WorkGroupSize.x;
const uint _1432 = gl_WorkGroupSize.x;
const bool _1433 = (_1432 >= 128u);
const uint _1434 = _1433 ? 16u : 8u;
const uint _1435 = (_1431 / _1434);
const uint _1436 = (4u * _1435);
const uint _1437 = (_1430 + _1436);
const uint _1438 = (2u * _1437);
const uint _1441 = gl_WorkGroupSize.x;
const bool _1442 = (_1441 >= 128u);
const uint _1443 = _1442 ? 16u : 8u;
const uint _1444 = (4u * _1443);
const uint _1445 = (2u * _1444);
const uint _1451 = gl_WorkGroupSize.x;
const bool _1452 = (_1451 >= 128u);
const uint _1453 = _1452 ? 16u : 8u;
const uint _1454 = (4u * _1453);
const uint _1458 = gl_WorkGroupSize.x;
const bool _1459 = (_1458 >= 128u);
const uint _1460 = _1459 ? 16u : 8u;
const uint _1461 = (4u * _1460);
const uint _1491 = gl_WorkGroupSize.x;
const bool _1492 = (_1491 >= 128u);
const uint _1493 = _1492 ? 16u : 8u;
const uint _1494 = (4u * _1493);
const uint _1495 = (_1494 / 4u);
const uint _1512 = gl_WorkGroupSize.x;
const bool _1513 = (_1512 >= 128u);
const uint _1514 = _1513 ? 16u : 8u;
const uint _1515 = (4u * _1514);
const uint _1516 = (2u * _1515);
const uint _1518 = gl_WorkGroupSize.x;
const uint _1519 = gl_WorkGroupSize.x;
const bool _1520 = (_1519 >= 128u);
const uint _1521 = _1520 ? 16u : 8u;
const uint _1522 = (_1518 / _1521);
const uint _1523 = (4u * _1522);
const uint _1527 = gl_WorkGroupSize.x;
const bool _1528 = (_1527 >= 128u);
const uint _1529 = _1528 ? 16u : 8u;
const uint _1530 = (4u * _1529);
const uint _1531 = (2u * _1530);
const uint _1533 = gl_WorkGroupSize.x;
const uint _1534 = gl_WorkGroupSize.x;
const bool _1535 = (_1534 >= 128u);
const uint _1536 = _1535 ? 16u : 8u;
const uint _1537 = (_1533 / _1536);
const uint _1538 = (4u * _1537);
const uint _1564 = gl_WorkGroupSize.x;
const uint _1565 = gl_WorkGroupSize.x;
const bool _1566 = (_1565 >= 128u);
const uint _1567 = _1566 ? 16u : 8u;
const uint _1568 = (_1564 / _1567);
const uint _1569 = (4u * _1568);
const uint _1570 = (_1569 / 4u);
const uint _1597 = gl_WorkGroupSize.x;
const bool _1598 = (_1597 >= 128u);
const uint _1599 = _1598 ? 16u : 8u;
const uint _1600 = (4u * _1599);
const uint _1601 = (_1600 / 4u);
const uint _1611 = gl_WorkGroupSize.x;
const uint _1612 = gl_WorkGroupSize.x;
const bool _1613 = (_1612 >= 128u);
const uint _1614 = _1613 ? 16u : 8u;
const uint _1615 = (_1611 / _1614);
const uint _1616 = (4u * _1615);
const uint _1617 = (_1616 / 4u);
const uint _1712 = gl_WorkGroupSize.x;
const bool _1713 = (_1712 >= 128u);
const uint _1714 = _1713 ? 16u : 8u;
const uint _1715 = (4u * _1714);

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
} _285;

layout(binding = 8, std430) readonly buffer Scales
{
    uint scales[];
} _300;

layout(binding = 9, std430) readonly buffer Offsets
{
    uint offsets[];
} _315;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _466;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _727;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _806;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _849;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _879;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _918;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _955;

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
    if (false)
    {
        uint eight = (row * (_285.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * 32u) + (((eight & 31u) * 32u) >> uint(5));
        uint shift = (eight * 32u) & 31u;
        words[0] = _466.codes[at] >> shift;
        if ((shift + 32u) > 32u)
        {
            words[0] |= (_466.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_285.columns / 8u)) + step_) * 1u;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < 1u; i++)
        {
            words[i] = _466.codes[at_1 + i];
        }
    }
}

uvec2 window(uint words[8], uint at)
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
    uvec2 out_ = uvec2(words[i], _354);
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

void numbers(uint words[8], uint sub, uint at, inout float v[8])
{
    uint param[8] = words;
    uint param_1 = sub * 32u;
    uvec2 eight = window(param, param_1);
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = uintBitsToFloat(1065353216u | (((eight.x >> (4u * j)) & 15u) << uint(19)));
    }
}

void load_eight(uint row, uint column, uint at, out float v[8])
{
    uint words[8];
    if (true)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        uint param_2[8];
        load_step(param, param_1, param_2);
        words = param_2;
    }
    else
    {
        uint eight = (row * (_285.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * 32u) + (((eight & 31u) * 32u) >> uint(5));
        uint shift = (eight * 32u) & 31u;
        words[0] = _466.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + 32u) > 32u)
        {
            uint next = _466.codes[word + 1u];
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
            words[1] |= (_466.codes[word + 2u] << (32u - shift));
        }
    }
    uint param_3[8] = words;
    uint param_4 = 0u;
    uint param_5 = at;
    float param_6[8];
    numbers(param_3, param_4, param_5, param_6);
    v = param_6;
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
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

vec2 level(uint row, uint column)
{
    uint at = row;
    if (_279)
    {
        at = (row * (((_285.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    uint param = _300.scales[at >> uint(1)];
    uint param_1 = at;
    uint param_2 = _315.offsets[at >> uint(1)];
    uint param_3 = at;
    return vec2(exact_half(param, param_1), exact_half(param_2, param_3));
}

float weight_of(vec2 level_, float v)
{
    float product = v * level_.x;
    return product + level_.y;
}

uint code_of(uint low, uint high, uint at, uint bits)
{
    uint code = low >> at;
    if ((at + bits) > 32u)
    {
        code |= (high << (32u - at));
    }
    return code & ((1u << bits) - 1u);
}

float load_weight(uint row, uint column, uint at)
{
    uint _632;
    if ((((((row * _285.columns) + column) * 4u) & 31u) + 4u) > 32u)
    {
        _632 = _466.codes[((((row * _285.columns) + column) * 4u) >> uint(5)) + 1u];
    }
    else
    {
        _632 = 0u;
    }
    uint param = _466.codes[(((row * _285.columns) + column) * 4u) >> uint(5)];
    uint param_1 = _632;
    uint param_2 = (((row * _285.columns) + column) * 4u) & 31u;
    uint param_3 = 4u;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = row;
    uint param_5 = column;
    vec2 param_6 = level(param_4, param_5);
    float param_7 = uintBitsToFloat(1065353216u | (code << uint(19)));
    return weight_of(param_6, param_7);
}

void fetch_weights(uint row, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1175 = row >= _285.row_end;
    bool _1183;
    if (!_1175)
    {
        _1183 = column >= _285.columns;
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
        uint param_2 = row - _285.held;
        uint param_3 = column;
        uint param_4 = at;
        float param_5[8];
        load_eight(param_2, param_3, param_4, param_5);
        v = param_5;
        uint param_6 = row - _285.held;
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
    uint count = min(8u, (_285.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - _285.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12);
    }
}

uint x_place(uint token, uint column)
{
    uint at = _285.x_at + (token * _285.x_token);
    uint _688;
    if (_687)
    {
        _688 = at + column;
    }
    else
    {
        _688 = (at + ((column / _285.x_inner) * _285.x_outer)) + (column % _285.x_inner);
    }
    return _688;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _760;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_759)
        {
            _760 = unpackHalf2x16(_727.x[(at + j) >> uint(1)]);
        }
        else
        {
            _760 = vec2(uintBitsToFloat(_727.x[at + j]), uintBitsToFloat(_727.x[(at + j) + 1u]));
        }
        vec2 two = _760;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

float load_x(uint token, uint column)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    float _721;
    if (_720)
    {
        uint param_2 = _727.x[at >> uint(1)];
        uint param_3 = at;
        _721 = half_in(param_2, param_3);
    }
    else
    {
        _721 = uintBitsToFloat(_727.x[at]);
    }
    return _721;
}

void fetch_x(uint token, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1285 = token >= _285.tokens;
    bool _1293;
    if (!_1285)
    {
        _1293 = column >= _285.columns;
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
        float param_2[8];
        load_x8(param, param_1, param_2);
        v = param_2;
        return;
    }
    uint count = min(8u, (_285.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4);
    }
}

float added(uint token, uint row)
{
    float _800;
    if (_799)
    {
        _800 = uintBitsToFloat(_806.bias[row]);
    }
    else
    {
        _800 = 0.0;
    }
    float sum = _800;
    if (_814)
    {
        uint at = ((_285.residual_at + (token * _285.residual_token)) + ((row / _285.residual_inner) * _285.residual_outer)) + (row % _285.residual_inner);
        float _843;
        if (_842)
        {
            uint param = _849.residual[at >> uint(1)];
            uint param_1 = at;
            _843 = half_in(param, param_1);
        }
        else
        {
            _843 = uintBitsToFloat(_849.residual[at]);
        }
        sum += _843;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _285.end0)
    {
        _879.y0[((_285.y0_at + (token * _285.y0_token)) + ((row / _285.y0_inner) * _285.y0_outer)) + (row % _285.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _285.end1)
        {
            _918.y1[((_285.y1_at + (token * _285.y1_token)) + (((row - _285.end0) / _285.y1_inner) * _285.y1_outer)) + ((row - _285.end0) % _285.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _955.y2[((_285.y2_at + (token * _285.y2_token)) + (((row - _285.end1) / _285.y2_inner) * _285.y2_outer)) + ((row - _285.end1) % _285.y2_inner)] = floatBitsToUint(v);
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
    float _226;
    if (x < 0.0)
    {
        _226 = -uintBitsToFloat(bits);
    }
    else
    {
        _226 = uintBitsToFloat(bits);
    }
    return _226;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void store_rows(uint token, uint row, inout vec2 v)
{
    bool two = (row + 1u) < _285.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _1023;
    if (row < _285.end0)
    {
        _1023 = Y0_HALF;
    }
    else
    {
        _1023 = (row < _285.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1023;
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
    if (row < _285.end0)
    {
        _879.y0[(((_285.y0_at + (token * _285.y0_token)) + ((row / _285.y0_inner) * _285.y0_outer)) + (row % _285.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _285.end1)
        {
            _918.y1[(((_285.y1_at + (token * _285.y1_token)) + (((row - _285.end0) / _285.y1_inner) * _285.y1_outer)) + ((row - _285.end0) % _285.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _955.y2[(((_285.y2_at + (token * _285.y2_token)) + (((row - _285.end1) / _285.y2_inner) * _285.y2_outer)) + ((row - _285.end1) % _285.y2_inner)) >> uint(1)] = word;
        }
    }
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1353;
    uint my_row = 4u * (thread % _1359);
    uint my_token = 4u * (thread / _1366);
    open_book();
    uint _1381 = _285.row_begin + (gl_WorkGroupID.x * _1379);
    vec4 acc[4];
    float v[8];
    float param_2[8];
    float param_5[8];
    for (uint row0 = _1381; row0 < _285.row_end; row0 += (gl_NumWorkGroups.x * _1715))
    {
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = vec4(0.0);
        }
        for (uint column0 = 0u; column0 < _285.columns; column0 += 16u)
        {
            for (uint i_1 = thread; i_1 < _1438; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1445)
                {
                    uint row = i_1 % _1454;
                    uint k = 8u * (i_1 / _1461);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2);
                    v = param_2;
                    SPIRV_CROSS_UNROLL
                    for (uint j = 0u; j < 8u; j++)
                    {
                        w_tile[((k + j) * _1495) + (row / 4u)][row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1516) % _1523;
                    uint k_1 = 8u * ((i_1 - _1531) / _1538);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5);
                    v = param_5;
                    SPIRV_CROSS_UNROLL
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        x_tile[((k_1 + j_1) * _1570) + (token / 4u)][token % 4u] = v[j_1];
                    }
                }
            }
            barrier();
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                vec4 w4 = w_tile[(k_2 * _1601) + (my_row / 4u)];
                vec4 x4 = x_tile[(k_2 * _1617) + (my_token / 4u)];
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
            if (token_1 >= _285.tokens)
            {
                continue;
            }
            if (row_1 < _285.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                vec2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8);
            }
            if ((row_1 + 2u) < _285.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                vec2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11);
            }
        }
    }
}

