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
const uint _288 = gl_WorkGroupSize.x;
const uint _290 = (_288 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_12
#define SPIRV_CROSS_CONSTANT_ID_12 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_12;
const uint _552 = (8u * BITS);
const uint _580 = (8u * BITS);
const uint _581 = (_580 % 8u);
const bool _582 = (_581 != 0u);
const uint _598 = (8u * BITS);
const uint _602 = (8u * BITS);
const uint _608 = (8u * BITS);
const uint _622 = (8u * BITS);
const uint _644 = (8u * BITS);
const uint _645 = (_644 % 32u);
const bool _646 = (_645 == 0u);
const uint _647 = (8u * BITS);
const uint _648 = (_647 % 16u);
const bool _649 = (_648 == 0u);
const uint _650 = (8u * BITS);
const uint _651 = (_650 % 8u);
const bool _652 = (_651 == 0u);
const uint _653 = _652 ? 32u : 8u;
const uint _654 = _649 ? 16u : _653;
const uint _655 = _646 ? 8u : _654;
const uint _660 = (8u * BITS);
const uint _661 = (_660 % 32u);
const bool _662 = (_661 == 0u);
const uint _663 = (8u * BITS);
const uint _664 = (_663 % 16u);
const bool _665 = (_664 == 0u);
const uint _666 = (8u * BITS);
const uint _667 = (_666 % 8u);
const bool _668 = (_667 == 0u);
const uint _669 = _668 ? 32u : 8u;
const uint _670 = _665 ? 16u : _669;
const uint _671 = _662 ? 8u : _670;
const uint _672 = (8u * BITS);
const uint _673 = (_671 * _672);
const uint _674 = (_673 / 256u);
const uint _683 = (8u * BITS);
const uint _684 = (_683 % 32u);
const bool _685 = (_684 == 0u);
const uint _686 = (8u * BITS);
const uint _687 = (_686 % 16u);
const bool _688 = (_687 == 0u);
const uint _689 = (8u * BITS);
const uint _690 = (_689 % 8u);
const bool _691 = (_690 == 0u);
const uint _692 = _691 ? 32u : 8u;
const uint _693 = _688 ? 16u : _692;
const uint _694 = _685 ? 8u : _693;
const uint _695 = (8u * BITS);
const uint _696 = (_694 * _695);
const uint _697 = (_696 / 256u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_5;
const bool _775 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _808 = (X_HALF != 0u);
const bool _847 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_6;
const bool _887 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_7;
const bool _902 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_8;
const bool _930 = (RESIDUAL_HALF != 0u);
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
const uint _1258 = (ROWS * TOKENS);
const uint _1273 = (ROWS * TOKENS);
const uint _1310 = (ROWS * TOKENS);
const uint _1337 = (ROWS / 2u);
const uint _1338 = (_1337 * TOKENS);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_3;
const bool _1466 = (ALIGNED != 0u);
const uint _1504 = (8u * BITS);
const uint _1505 = (_1504 % 32u);
const bool _1506 = (_1505 == 0u);
const uint _1507 = (8u * BITS);
const uint _1508 = (_1507 % 16u);
const bool _1509 = (_1508 == 0u);
const uint _1510 = (8u * BITS);
const uint _1511 = (_1510 % 8u);
const bool _1512 = (_1511 == 0u);
const uint _1513 = _1512 ? 32u : 8u;
const uint _1514 = _1509 ? 16u : _1513;
const uint _1515 = _1506 ? 8u : _1514;
const uint _1549 = (8u * BITS);
const uint _1550 = (_1549 % 32u);
const bool _1551 = (_1550 == 0u);
const uint _1552 = (8u * BITS);
const uint _1553 = (_1552 % 16u);
const bool _1554 = (_1553 == 0u);
const uint _1555 = (8u * BITS);
const uint _1556 = (_1555 % 8u);
const bool _1557 = (_1556 == 0u);
const uint _1558 = _1557 ? 32u : 8u;
const uint _1559 = _1554 ? 16u : _1558;
const uint _1560 = _1551 ? 8u : _1559;
const uint _1561 = (_1560 / 8u);
const uint _1565 = (8u * BITS);
const uint _1566 = (_1565 % 32u);
const bool _1567 = (_1566 == 0u);
const uint _1568 = (8u * BITS);
const uint _1569 = (_1568 % 16u);
const bool _1570 = (_1569 == 0u);
const uint _1571 = (8u * BITS);
const uint _1572 = (_1571 % 8u);
const bool _1573 = (_1572 == 0u);
const uint _1574 = _1573 ? 32u : 8u;
const uint _1575 = _1570 ? 16u : _1574;
const uint _1576 = _1567 ? 8u : _1575;
const uint _1648 = (8u * BITS);
const uint _1649 = (_1648 % 32u);
const bool _1650 = (_1649 == 0u);
const uint _1651 = (8u * BITS);
const uint _1652 = (_1651 % 16u);
const bool _1653 = (_1652 == 0u);
const uint _1654 = (8u * BITS);
const uint _1655 = (_1654 % 8u);
const bool _1656 = (_1655 == 0u);
const uint _1657 = _1656 ? 32u : 8u;
const uint _1658 = _1653 ? 16u : _1657;
const uint _1659 = _1650 ? 8u : _1658;
const uint _1660 = (0u % _1659);
const bool _1661 = (_1660 != 0u);

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
} _399;

layout(binding = 8, std430) readonly buffer Table
{
    uint table[];
} _442;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _614;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _815;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _894;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _937;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _967;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _1006;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _1043;

shared uvec4 group_words[256];
shared float tables[1024];
shared float totals[32];

void open_book()
{
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _203;
    if ((h & 32768u) != 0u)
    {
        _203 = -size;
    }
    else
    {
        _203 = size;
    }
    return _203;
}

void open_tables(uint first, uint count)
{
    uint begin = first / _399.rows_per_table;
    uint end = (((first + count) - 1u) / _399.rows_per_table) + 1u;
    uint entries = (end - begin) << BITS;
    uint from = 0u + (begin << BITS);
    for (uint i = gl_LocalInvocationID.x; i < entries; i += gl_WorkGroupSize.x)
    {
        uint param = _442.table[(from + i) >> uint(1)];
        uint param_1 = from + i;
        tables[i] = exact_half(param, param_1);
    }
}

uint table_of(uint first, uint row)
{
    return ((row / _399.rows_per_table) - (first / _399.rows_per_table)) << BITS;
}

vec2 level(uint row, uint column)
{
    return vec2(1.0, 0.0);
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_582)
    {
        uint eight = (row * (_399.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _598) + (((eight & 31u) * _602) >> uint(5));
        uint shift = (eight * _608) & 31u;
        words[0] = _614.codes[at] >> shift;
        if ((shift + _622) > 32u)
        {
            words[0] |= (_614.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_399.columns / _655)) + step_) * _674;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _697; i++)
        {
            words[i] = _614.codes[at_1 + i];
        }
    }
}

uint x_place(uint token, uint column)
{
    uint at = _399.x_at + (token * _399.x_token);
    uint _776;
    if (_775)
    {
        _776 = at + column;
    }
    else
    {
        _776 = (at + ((column / _399.x_inner) * _399.x_outer)) + (column % _399.x_inner);
    }
    return _776;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _848;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_847)
        {
            _848 = unpackHalf2x16(_815.x[(at + j) >> uint(1)]);
        }
        else
        {
            _848 = vec2(uintBitsToFloat(_815.x[at + j]), uintBitsToFloat(_815.x[(at + j) + 1u]));
        }
        vec2 two = _848;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

uvec2 window(uint words[8], uint at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _499;
    if (i < 7u)
    {
        _499 = words[i + 1u];
    }
    else
    {
        _499 = 0u;
    }
    uvec2 out_ = uvec2(words[i], _499);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _533;
    if (i < 6u)
    {
        _533 = words[i + 2u];
    }
    else
    {
        _533 = 0u;
    }
    out_.y = (out_.y >> shift) | (_533 << (32u - shift));
    return out_;
}

uint code_in(uvec2 words, uint bits, uint j)
{
    uint at = j * bits;
    if ((at + bits) <= 32u)
    {
        return bitfieldExtract(words.x, int(at), int(bits));
    }
    if (at >= 32u)
    {
        return bitfieldExtract(words.y, int(at - 32u), int(bits));
    }
    return bitfieldExtract((words.x >> at) | (words.y << ((32u - at) & 31u)), 0, int(bits));
}

float entry(uint at)
{
    return tables[at];
}

void numbers(uint words[8], uint sub, uint at, inout float v[8])
{
    uint param[8] = words;
    uint param_1 = sub * _552;
    uvec2 eight = window(param, param_1);
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        uvec2 param_2 = eight;
        uint param_3 = BITS;
        uint param_4 = j;
        uint param_5 = at + code_in(param_2, param_3, param_4);
        v[j] = entry(param_5);
    }
}

float weigh(vec2 level_, float sum, float sum_x)
{
    return sum;
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _155;
    if ((index & 1u) == 0u)
    {
        _155 = both.x;
    }
    else
    {
        _155 = both.y;
    }
    return _155;
}

float load_x(uint token, uint column)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    float _809;
    if (_808)
    {
        uint param_2 = _815.x[at >> uint(1)];
        uint param_3 = at;
        _809 = half_in(param_2, param_3);
    }
    else
    {
        _809 = uintBitsToFloat(_815.x[at]);
    }
    return _809;
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
    uint _727;
    if ((((((row * _399.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _727 = _614.codes[((((row * _399.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _727 = 0u;
    }
    uint param = _614.codes[(((row * _399.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _727;
    uint param_2 = (((row * _399.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = at + code;
    return entry(param_4);
}

vec4 group_sum(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _290; half_ > 0u; half_ = half_ >> uint(1))
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
    float _888;
    if (_887)
    {
        _888 = uintBitsToFloat(_894.bias[row]);
    }
    else
    {
        _888 = 0.0;
    }
    float sum = _888;
    if (_902)
    {
        uint at = ((_399.residual_at + (token * _399.residual_token)) + ((row / _399.residual_inner) * _399.residual_outer)) + (row % _399.residual_inner);
        float _931;
        if (_930)
        {
            uint param = _937.residual[at >> uint(1)];
            uint param_1 = at;
            _931 = half_in(param, param_1);
        }
        else
        {
            _931 = uintBitsToFloat(_937.residual[at]);
        }
        sum += _931;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _399.end0)
    {
        _967.y0[((_399.y0_at + (token * _399.y0_token)) + ((row / _399.y0_inner) * _399.y0_outer)) + (row % _399.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _399.end1)
        {
            _1006.y1[((_399.y1_at + (token * _399.y1_token)) + (((row - _399.end0) / _399.y1_inner) * _399.y1_outer)) + ((row - _399.end0) % _399.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _1043.y2[((_399.y2_at + (token * _399.y2_token)) + (((row - _399.end1) / _399.y2_inner) * _399.y2_outer)) + ((row - _399.end1) % _399.y2_inner)] = floatBitsToUint(v);
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
    float _242;
    if (x < 0.0)
    {
        _242 = -uintBitsToFloat(bits);
    }
    else
    {
        _242 = uintBitsToFloat(bits);
    }
    return _242;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void store_rows(uint token, uint row, inout vec2 v)
{
    bool two = (row + 1u) < _399.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _1112;
    if (row < _399.end0)
    {
        _1112 = Y0_HALF;
    }
    else
    {
        _1112 = (row < _399.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1112;
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
    if (row < _399.end0)
    {
        _967.y0[(((_399.y0_at + (token * _399.y0_token)) + ((row / _399.y0_inner) * _399.y0_outer)) + (row % _399.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _399.end1)
        {
            _1006.y1[(((_399.y1_at + (token * _399.y1_token)) + (((row - _399.end0) / _399.y1_inner) * _399.y1_outer)) + ((row - _399.end0) % _399.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _1043.y2[(((_399.y2_at + (token * _399.y2_token)) + (((row - _399.end1) / _399.y2_inner) * _399.y2_outer)) + ((row - _399.end1) % _399.y2_inner)) >> uint(1)] = word;
        }
    }
}

void reduce_and_store(uint row0, uint token0, float acc[8][4])
{
    SPIRV_CROSS_UNROLL
    for (uint i = 0u; i < _1258; i += 4u)
    {
        vec4 four = vec4(0.0);
        SPIRV_CROSS_UNROLL
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _1273)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        vec4 param = four;
        vec4 _1293 = group_sum(param);
        four = _1293;
        if (gl_LocalInvocationID.x == 0u)
        {
            SPIRV_CROSS_UNROLL
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1310)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    barrier();
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1338; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1355 = token < _399.tokens;
        bool _1362;
        if (_1355)
        {
            _1362 = row < _399.row_end;
        }
        else
        {
            _1362 = _1355;
        }
        if (_1362)
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
    uint _1397 = _399.row_begin + (gl_WorkGroupID.x * ROWS);
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
    for (uint row0 = _1397; row0 < _399.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (_399.row_end - row0));
        uint param = row0;
        uint param_1 = count;
        open_tables(param, param_1);
        barrier();
        SPIRV_CROSS_UNROLL
        for (uint r = 0u; r < ROWS; r++)
        {
            uint row = row0 + min(r, (count - 1u));
            uint param_2 = row0;
            uint param_3 = row;
            at[r] = table_of(param_2, param_3);
            here[r] = row - _399.held;
            SPIRV_CROSS_UNROLL
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1466)
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
            for (uint step_ = gl_LocalInvocationID.x; step_ < (_399.columns / _1515); step_ += gl_WorkGroupSize.x)
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
                for (uint sub = 0u; sub < _1561; sub++)
                {
                    uint column = (step_ * _1576) + (8u * sub);
                    SPIRV_CROSS_UNROLL
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (_399.tokens - 1u));
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
                        bool _1663;
                        if (false)
                        {
                            bool _1644 = sub == 0u;
                            bool _1662;
                            if (!_1644)
                            {
                                _1662 = _1661;
                            }
                            else
                            {
                                _1662 = _1644;
                            }
                            _1663 = _1662;
                        }
                        else
                        {
                            _1663 = false;
                        }
                        if (_1663)
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
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < _399.columns; column_1 += gl_WorkGroupSize.x)
            {
                SPIRV_CROSS_UNROLL
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (_399.tokens - 1u));
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

