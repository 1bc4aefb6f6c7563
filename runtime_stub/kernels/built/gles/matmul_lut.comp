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
const uint _439 = (8u * BITS);
const uint _467 = (8u * BITS);
const uint _468 = (_467 % 8u);
const bool _469 = (_468 != 0u);
const uint _485 = (8u * BITS);
const uint _489 = (8u * BITS);
const uint _495 = (8u * BITS);
const uint _509 = (8u * BITS);
const uint _531 = (8u * BITS);
const uint _532 = (_531 % 32u);
const bool _533 = (_532 == 0u);
const uint _534 = (8u * BITS);
const uint _535 = (_534 % 16u);
const bool _536 = (_535 == 0u);
const uint _537 = (8u * BITS);
const uint _538 = (_537 % 8u);
const bool _539 = (_538 == 0u);
const uint _540 = _539 ? 32u : 8u;
const uint _541 = _536 ? 16u : _540;
const uint _542 = _533 ? 8u : _541;
const uint _547 = (8u * BITS);
const uint _548 = (_547 % 32u);
const bool _549 = (_548 == 0u);
const uint _550 = (8u * BITS);
const uint _551 = (_550 % 16u);
const bool _552 = (_551 == 0u);
const uint _553 = (8u * BITS);
const uint _554 = (_553 % 8u);
const bool _555 = (_554 == 0u);
const uint _556 = _555 ? 32u : 8u;
const uint _557 = _552 ? 16u : _556;
const uint _558 = _549 ? 8u : _557;
const uint _559 = (8u * BITS);
const uint _560 = (_558 * _559);
const uint _562 = (_560 / 256u);
const uint _571 = (8u * BITS);
const uint _572 = (_571 % 32u);
const bool _573 = (_572 == 0u);
const uint _574 = (8u * BITS);
const uint _575 = (_574 % 16u);
const bool _576 = (_575 == 0u);
const uint _577 = (8u * BITS);
const uint _578 = (_577 % 8u);
const bool _579 = (_578 == 0u);
const uint _580 = _579 ? 32u : 8u;
const uint _581 = _576 ? 16u : _580;
const uint _582 = _573 ? 8u : _581;
const uint _583 = (8u * BITS);
const uint _584 = (_582 * _583);
const uint _585 = (_584 / 256u);
const uint _596 = (8u * BITS);
const uint _597 = (_596 % 8u);
const bool _598 = (_597 != 0u);
const bool _599 = (!_598);
const uint _602 = (8u * BITS);
const uint _603 = (_602 % 32u);
const bool _604 = (_603 == 0u);
const uint _605 = (8u * BITS);
const uint _606 = (_605 % 16u);
const bool _607 = (_606 == 0u);
const uint _608 = (8u * BITS);
const uint _609 = (_608 % 8u);
const bool _610 = (_609 == 0u);
const uint _611 = _610 ? 32u : 8u;
const uint _612 = _607 ? 16u : _611;
const uint _613 = _604 ? 8u : _612;
const bool _614 = (_613 == 8u);
const uint _640 = (8u * BITS);
const uint _644 = (8u * BITS);
const uint _650 = (8u * BITS);
const uint _661 = (8u * BITS);
const uint _691 = (8u * BITS);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_3;
const bool _783 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _816 = (X_HALF != 0u);
const bool _855 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_4;
const bool _895 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_5;
const bool _910 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_6;
const bool _938 = (RESIDUAL_HALF != 0u);
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
const bool _1291 = (ALIGNED != 0u);
const bool _1394 = (ALIGNED != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _1445 = gl_WorkGroupSize.x;
const uint _1446 = gl_WorkGroupSize.x;
const bool _1448 = (_1446 >= 128u);
const uint _1449 = _1448 ? 16u : 8u;
const uint _1450 = (_1445 / _1449);
const uint _1451 = (4u * _1450);
const uint _1455 = gl_WorkGroupSize.x;
const bool _1456 = (_1455 >= 128u);
const uint _1457 = _1456 ? 16u : 8u;
const uint _1462 = gl_WorkGroupSize.x;
const bool _1463 = (_1462 >= 128u);
const uint _1464 = _1463 ? 16u : 8u;
const uint _1474 = gl_WorkGroupSize.x;
const bool _1475 = (_1474 >= 128u);
const uint _1476 = _1475 ? 16u : 8u;
const uint _1477 = (4u * _1476);
const uint _1525 = gl_WorkGroupSize.x;
const bool _1526 = (_1525 >= 128u);
const uint _1527 = _1526 ? 16u : 8u;
const uint _1528 = (4u * _1527);
const uint _1529 = gl_WorkGroupSize.x;
const uint _1530 = gl_WorkGroupSize.x;
const bool _1531 = (_1530 >= 128u);
const uint _1532 = _1531 ? 16u : 8u;
const uint _1533 = (_1529 / _1532);
const uint _1534 = (4u * _1533);
const uint _1535 = (_1528 + _1534);
const uint _1536 = (2u * _1535);
const uint _1539 = gl_WorkGroupSize.x;
const bool _1540 = (_1539 >= 128u);
const uint _1541 = _1540 ? 16u : 8u;
const uint _1542 = (4u * _1541);
const uint _1543 = (2u * _1542);
const uint _1549 = gl_WorkGroupSize.x;
const bool _1550 = (_1549 >= 128u);
const uint _1551 = _1550 ? 16u : 8u;
const uint _1552 = (4u * _1551);
const uint _1556 = gl_WorkGroupSize.x;
const bool _1557 = (_1556 >= 128u);
const uint _1558 = _1557 ? 16u : 8u;
const uint _1559 = (4u * _1558);
const uint _1588 = gl_WorkGroupSize.x;
const bool _1589 = (_1588 >= 128u);
const uint _1590 = _1589 ? 16u : 8u;
const uint _1591 = (4u * _1590);
const uint _1592 = (_1591 / 4u);
const uint _1609 = gl_WorkGroupSize.x;
const bool _1610 = (_1609 >= 128u);
const uint _1611 = _1610 ? 16u : 8u;
const uint _1612 = (4u * _1611);
const uint _1613 = (2u * _1612);
const uint _1615 = gl_WorkGroupSize.x;
const uint _1616 = gl_WorkGroupSize.x;
const bool _1617 = (_1616 >= 128u);
const uint _1618 = _1617 ? 16u : 8u;
const uint _1619 = (_1615 / _1618);
const uint _1620 = (4u * _1619);
const uint _1624 = gl_WorkGroupSize.x;
const bool _1625 = (_1624 >= 128u);
const uint _1626 = _1625 ? 16u : 8u;
const uint _1627 = (4u * _1626);
const uint _1628 = (2u * _1627);
const uint _1630 = gl_WorkGroupSize.x;
const uint _1631 = gl_WorkGroupSize.x;
const bool _1632 = (_1631 >= 128u);
const uint _1633 = _1632 ? 16u : 8u;
const uint _1634 = (_1630 / _1633);
const uint _1635 = (4u * _1634);
const uint _1661 = gl_WorkGroupSize.x;
const uint _1662 = gl_WorkGroupSize.x;
const bool _1663 = (_1662 >= 128u);
const uint _1664 = _1663 ? 16u : 8u;
const uint _1665 = (_1661 / _1664);
const uint _1666 = (4u * _1665);
const uint _1667 = (_1666 / 4u);
const uint _1694 = gl_WorkGroupSize.x;
const bool _1695 = (_1694 >= 128u);
const uint _1696 = _1695 ? 16u : 8u;
const uint _1697 = (4u * _1696);
const uint _1698 = (_1697 / 4u);
const uint _1708 = gl_WorkGroupSize.x;
const uint _1709 = gl_WorkGroupSize.x;
const bool _1710 = (_1709 >= 128u);
const uint _1711 = _1710 ? 16u : 8u;
const uint _1712 = (_1708 / _1711);
const uint _1713 = (4u * _1712);
const uint _1714 = (_1713 / 4u);
const uint _1809 = gl_WorkGroupSize.x;
const bool _1810 = (_1809 >= 128u);
const uint _1811 = _1810 ? 16u : 8u;
const uint _1812 = (4u * _1811);

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
} _337;

layout(binding = 8, std430) readonly buffer Table
{
    uint table[];
} _351;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _501;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _823;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _902;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _945;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _975;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _1014;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _1051;

shared vec4 w_tile[256];
shared vec4 x_tile[256];

void open_book()
{
}

uint table_of(uint first, uint row)
{
    return 0u + ((row / _337.rows_per_table) << BITS);
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_469)
    {
        uint eight = (row * (_337.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _485) + (((eight & 31u) * _489) >> uint(5));
        uint shift = (eight * _495) & 31u;
        words[0] = _501.codes[at] >> shift;
        if ((shift + _509) > 32u)
        {
            words[0] |= (_501.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_337.columns / _542)) + step_) * _562;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _585; i++)
        {
            words[i] = _501.codes[at_1 + i];
        }
    }
}

uvec2 window(uint words[8], uint at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _385;
    if (i < 7u)
    {
        _385 = words[i + 1u];
    }
    else
    {
        _385 = 0u;
    }
    uvec2 out_ = uvec2(words[i], _385);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _419;
    if (i < 6u)
    {
        _419 = words[i + 2u];
    }
    else
    {
        _419 = 0u;
    }
    out_.y = (out_.y >> shift) | (_419 << (32u - shift));
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

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _198;
    if ((h & 32768u) != 0u)
    {
        _198 = -size;
    }
    else
    {
        _198 = size;
    }
    return _198;
}

float entry(uint at)
{
    uint param = _351.table[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
}

void numbers(uint words[8], uint sub, uint at, inout float v[8])
{
    uint param[8] = words;
    uint param_1 = sub * _439;
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

void load_eight(uint row, uint column, uint at, out float v[8])
{
    bool _615;
    if (_599)
    {
        _615 = _614;
    }
    else
    {
        _615 = _598;
    }
    uint words[8];
    if (_615)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        uint param_2[8];
        load_step(param, param_1, param_2);
        words = param_2;
    }
    else
    {
        uint eight = (row * (_337.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _640) + (((eight & 31u) * _644) >> uint(5));
        uint shift = (eight * _650) & 31u;
        words[0] = _501.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _661) > 32u)
        {
            uint next = _501.codes[word + 1u];
            uint _673;
            if (shift == 0u)
            {
                _673 = 0u;
            }
            else
            {
                _673 = next << (32u - shift);
            }
            words[0] |= _673;
            words[1] = next >> shift;
        }
        if ((shift + _691) > 64u)
        {
            words[1] |= (_501.codes[word + 2u] << (32u - shift));
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
    uint _735;
    if ((((((row * _337.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _735 = _501.codes[((((row * _337.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _735 = 0u;
    }
    uint param = _501.codes[(((row * _337.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _735;
    uint param_2 = (((row * _337.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = at + code;
    return entry(param_4);
}

void fetch_weights(uint row, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1272 = row >= _337.row_end;
    bool _1280;
    if (!_1272)
    {
        _1280 = column >= _337.columns;
    }
    else
    {
        _1280 = _1272;
    }
    if (_1280)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    if (_1291)
    {
        uint param_2 = row - _337.held;
        uint param_3 = column;
        uint param_4 = at;
        float param_5[8];
        load_eight(param_2, param_3, param_4, param_5);
        v = param_5;
        uint param_6 = row - _337.held;
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
    uint count = min(8u, (_337.columns - column));
    for (uint j_2 = 0u; j_2 < count; j_2++)
    {
        uint param_10 = row - _337.held;
        uint param_11 = column + j_2;
        uint param_12 = at;
        v[j_2] = load_weight(param_10, param_11, param_12);
    }
}

uint x_place(uint token, uint column)
{
    uint at = _337.x_at + (token * _337.x_token);
    uint _784;
    if (_783)
    {
        _784 = at + column;
    }
    else
    {
        _784 = (at + ((column / _337.x_inner) * _337.x_outer)) + (column % _337.x_inner);
    }
    return _784;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _856;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_855)
        {
            _856 = unpackHalf2x16(_823.x[(at + j) >> uint(1)]);
        }
        else
        {
            _856 = vec2(uintBitsToFloat(_823.x[at + j]), uintBitsToFloat(_823.x[(at + j) + 1u]));
        }
        vec2 two = _856;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _150;
    if ((index & 1u) == 0u)
    {
        _150 = both.x;
    }
    else
    {
        _150 = both.y;
    }
    return _150;
}

float load_x(uint token, uint column)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    float _817;
    if (_816)
    {
        uint param_2 = _823.x[at >> uint(1)];
        uint param_3 = at;
        _817 = half_in(param_2, param_3);
    }
    else
    {
        _817 = uintBitsToFloat(_823.x[at]);
    }
    return _817;
}

void fetch_x(uint token, uint column, inout float v[8])
{
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = 0.0;
    }
    bool _1382 = token >= _337.tokens;
    bool _1390;
    if (!_1382)
    {
        _1390 = column >= _337.columns;
    }
    else
    {
        _1390 = _1382;
    }
    if (_1390)
    {
        return;
    }
    if (_1394)
    {
        uint param = token;
        uint param_1 = column;
        float param_2[8];
        load_x8(param, param_1, param_2);
        v = param_2;
        return;
    }
    uint count = min(8u, (_337.columns - column));
    for (uint j_1 = 0u; j_1 < count; j_1++)
    {
        uint param_3 = token;
        uint param_4 = column + j_1;
        v[j_1] = load_x(param_3, param_4);
    }
}

float added(uint token, uint row)
{
    float _896;
    if (_895)
    {
        _896 = uintBitsToFloat(_902.bias[row]);
    }
    else
    {
        _896 = 0.0;
    }
    float sum = _896;
    if (_910)
    {
        uint at = ((_337.residual_at + (token * _337.residual_token)) + ((row / _337.residual_inner) * _337.residual_outer)) + (row % _337.residual_inner);
        float _939;
        if (_938)
        {
            uint param = _945.residual[at >> uint(1)];
            uint param_1 = at;
            _939 = half_in(param, param_1);
        }
        else
        {
            _939 = uintBitsToFloat(_945.residual[at]);
        }
        sum += _939;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _337.end0)
    {
        _975.y0[((_337.y0_at + (token * _337.y0_token)) + ((row / _337.y0_inner) * _337.y0_outer)) + (row % _337.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _337.end1)
        {
            _1014.y1[((_337.y1_at + (token * _337.y1_token)) + (((row - _337.end0) / _337.y1_inner) * _337.y1_outer)) + ((row - _337.end0) % _337.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _1051.y2[((_337.y2_at + (token * _337.y2_token)) + (((row - _337.end1) / _337.y2_inner) * _337.y2_outer)) + ((row - _337.end1) % _337.y2_inner)] = floatBitsToUint(v);
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
    float _237;
    if (x < 0.0)
    {
        _237 = -uintBitsToFloat(bits);
    }
    else
    {
        _237 = uintBitsToFloat(bits);
    }
    return _237;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void store_rows(uint token, uint row, inout vec2 v)
{
    bool two = (row + 1u) < _337.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _1120;
    if (row < _337.end0)
    {
        _1120 = Y0_HALF;
    }
    else
    {
        _1120 = (row < _337.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1120;
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
    if (row < _337.end0)
    {
        _975.y0[(((_337.y0_at + (token * _337.y0_token)) + ((row / _337.y0_inner) * _337.y0_outer)) + (row % _337.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _337.end1)
        {
            _1014.y1[(((_337.y1_at + (token * _337.y1_token)) + (((row - _337.end0) / _337.y1_inner) * _337.y1_outer)) + ((row - _337.end0) % _337.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _1051.y2[(((_337.y2_at + (token * _337.y2_token)) + (((row - _337.end1) / _337.y2_inner) * _337.y2_outer)) + ((row - _337.end1) % _337.y2_inner)) >> uint(1)] = word;
        }
    }
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1451;
    uint my_row = 4u * (thread % _1457);
    uint my_token = 4u * (thread / _1464);
    open_book();
    uint _1479 = _337.row_begin + (gl_WorkGroupID.x * _1477);
    vec4 acc[4];
    float v[8];
    float param_2[8];
    float param_5[8];
    for (uint row0 = _1479; row0 < _337.row_end; row0 += (gl_NumWorkGroups.x * _1812))
    {
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < 4u; i++)
        {
            acc[i] = vec4(0.0);
        }
        for (uint column0 = 0u; column0 < _337.columns; column0 += 16u)
        {
            for (uint i_1 = thread; i_1 < _1536; i_1 += gl_WorkGroupSize.x)
            {
                if (i_1 < _1543)
                {
                    uint row = i_1 % _1552;
                    uint k = 8u * (i_1 / _1559);
                    uint param = row0 + row;
                    uint param_1 = column0 + k;
                    fetch_weights(param, param_1, param_2);
                    v = param_2;
                    SPIRV_CROSS_UNROLL
                    for (uint j = 0u; j < 8u; j++)
                    {
                        w_tile[((k + j) * _1592) + (row / 4u)][row % 4u] = v[j];
                    }
                }
                else
                {
                    uint token = (i_1 - _1613) % _1620;
                    uint k_1 = 8u * ((i_1 - _1628) / _1635);
                    uint param_3 = token0 + token;
                    uint param_4 = column0 + k_1;
                    fetch_x(param_3, param_4, param_5);
                    v = param_5;
                    SPIRV_CROSS_UNROLL
                    for (uint j_1 = 0u; j_1 < 8u; j_1++)
                    {
                        x_tile[((k_1 + j_1) * _1667) + (token / 4u)][token % 4u] = v[j_1];
                    }
                }
            }
            barrier();
            for (uint k_2 = 0u; k_2 < 16u; k_2++)
            {
                vec4 w4 = w_tile[(k_2 * _1698) + (my_row / 4u)];
                vec4 x4 = x_tile[(k_2 * _1714) + (my_token / 4u)];
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
            if (token_1 >= _337.tokens)
            {
                continue;
            }
            if (row_1 < _337.row_end)
            {
                uint param_6 = token_1;
                uint param_7 = row_1;
                vec2 param_8 = acc[i_3].xy;
                store_rows(param_6, param_7, param_8);
            }
            if ((row_1 + 2u) < _337.row_end)
            {
                uint param_9 = token_1;
                uint param_10 = row_1 + 2u;
                vec2 param_11 = acc[i_3].zw;
                store_rows(param_9, param_10, param_11);
            }
        }
    }
}

