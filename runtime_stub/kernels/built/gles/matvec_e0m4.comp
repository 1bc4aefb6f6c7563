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
const uint _282 = gl_WorkGroupSize.x;
const uint _284 = (_282 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_12
#define SPIRV_CROSS_CONSTANT_ID_12 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_12;
const bool _346 = (GROUP != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_5;
const bool _665 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _698 = (X_HALF != 0u);
const bool _737 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_6;
const bool _777 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_7;
const bool _792 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_8;
const bool _820 = (RESIDUAL_HALF != 0u);
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
const uint _1147 = (ROWS * TOKENS);
const uint _1162 = (ROWS * TOKENS);
const uint _1199 = (ROWS * TOKENS);
const uint _1227 = (ROWS / 2u);
const uint _1228 = (_1227 * TOKENS);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_3;
const bool _1356 = (ALIGNED != 0u);
const bool _1359 = (GROUP == 0u);
const bool _1493 = (GROUP != 0u);
const uint _1501 = (GROUP % 8u);
const bool _1502 = (_1501 != 0u);

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
} _352;

layout(binding = 8, std430) readonly buffer Scales
{
    uint scales[];
} _367;

layout(binding = 9, std430) readonly buffer Offsets
{
    uint offsets[];
} _380;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _540;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _705;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _784;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _827;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _857;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _896;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _933;

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

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
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

vec2 level(uint row, uint column)
{
    uint at = row;
    if (_346)
    {
        at = (row * (((_352.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    uint param = _367.scales[at >> uint(1)];
    uint param_1 = at;
    uint param_2 = _380.offsets[at >> uint(1)];
    uint param_3 = at;
    return vec2(exact_half(param, param_1), exact_half(param_2, param_3));
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (false)
    {
        uint eight = (row * (_352.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * 32u) + (((eight & 31u) * 32u) >> uint(5));
        uint shift = (eight * 32u) & 31u;
        words[0] = _540.codes[at] >> shift;
        if ((shift + 32u) > 32u)
        {
            words[0] |= (_540.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_352.columns / 8u)) + step_) * 1u;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < 1u; i++)
        {
            words[i] = _540.codes[at_1 + i];
        }
    }
}

uint x_place(uint token, uint column)
{
    uint at = _352.x_at + (token * _352.x_token);
    uint _666;
    if (_665)
    {
        _666 = at + column;
    }
    else
    {
        _666 = (at + ((column / _352.x_inner) * _352.x_outer)) + (column % _352.x_inner);
    }
    return _666;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _738;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_737)
        {
            _738 = unpackHalf2x16(_705.x[(at + j) >> uint(1)]);
        }
        else
        {
            _738 = vec2(uintBitsToFloat(_705.x[at + j]), uintBitsToFloat(_705.x[(at + j) + 1u]));
        }
        vec2 two = _738;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

uvec2 window(uint words[8], uint at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _430;
    if (i < 7u)
    {
        _430 = words[i + 1u];
    }
    else
    {
        _430 = 0u;
    }
    uvec2 out_ = uvec2(words[i], _430);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _464;
    if (i < 6u)
    {
        _464 = words[i + 2u];
    }
    else
    {
        _464 = 0u;
    }
    out_.y = (out_.y >> shift) | (_464 << (32u - shift));
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

float weigh(vec2 level_, float sum, float sum_x)
{
    return (level_.x * sum) + (level_.y * sum_x);
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

float load_x(uint token, uint column)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    float _699;
    if (_698)
    {
        uint param_2 = _705.x[at >> uint(1)];
        uint param_3 = at;
        _699 = half_in(param_2, param_3);
    }
    else
    {
        _699 = uintBitsToFloat(_705.x[at]);
    }
    return _699;
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

float weight_of(vec2 level_, float v)
{
    float product = v * level_.x;
    return product + level_.y;
}

float load_weight(uint row, uint column, uint at)
{
    uint _610;
    if ((((((row * _352.columns) + column) * 4u) & 31u) + 4u) > 32u)
    {
        _610 = _540.codes[((((row * _352.columns) + column) * 4u) >> uint(5)) + 1u];
    }
    else
    {
        _610 = 0u;
    }
    uint param = _540.codes[(((row * _352.columns) + column) * 4u) >> uint(5)];
    uint param_1 = _610;
    uint param_2 = (((row * _352.columns) + column) * 4u) & 31u;
    uint param_3 = 4u;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = row;
    uint param_5 = column;
    vec2 param_6 = level(param_4, param_5);
    float param_7 = uintBitsToFloat(1065353216u | (code << uint(19)));
    return weight_of(param_6, param_7);
}

vec4 group_sum(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _284; half_ > 0u; half_ = half_ >> uint(1))
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
    float _778;
    if (_777)
    {
        _778 = uintBitsToFloat(_784.bias[row]);
    }
    else
    {
        _778 = 0.0;
    }
    float sum = _778;
    if (_792)
    {
        uint at = ((_352.residual_at + (token * _352.residual_token)) + ((row / _352.residual_inner) * _352.residual_outer)) + (row % _352.residual_inner);
        float _821;
        if (_820)
        {
            uint param = _827.residual[at >> uint(1)];
            uint param_1 = at;
            _821 = half_in(param, param_1);
        }
        else
        {
            _821 = uintBitsToFloat(_827.residual[at]);
        }
        sum += _821;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _352.end0)
    {
        _857.y0[((_352.y0_at + (token * _352.y0_token)) + ((row / _352.y0_inner) * _352.y0_outer)) + (row % _352.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _352.end1)
        {
            _896.y1[((_352.y1_at + (token * _352.y1_token)) + (((row - _352.end0) / _352.y1_inner) * _352.y1_outer)) + ((row - _352.end0) % _352.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _933.y2[((_352.y2_at + (token * _352.y2_token)) + (((row - _352.end1) / _352.y2_inner) * _352.y2_outer)) + ((row - _352.end1) % _352.y2_inner)] = floatBitsToUint(v);
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
    float _236;
    if (x < 0.0)
    {
        _236 = -uintBitsToFloat(bits);
    }
    else
    {
        _236 = uintBitsToFloat(bits);
    }
    return _236;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void store_rows(uint token, uint row, inout vec2 v)
{
    bool two = (row + 1u) < _352.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _1001;
    if (row < _352.end0)
    {
        _1001 = Y0_HALF;
    }
    else
    {
        _1001 = (row < _352.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _1001;
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
    if (row < _352.end0)
    {
        _857.y0[(((_352.y0_at + (token * _352.y0_token)) + ((row / _352.y0_inner) * _352.y0_outer)) + (row % _352.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _352.end1)
        {
            _896.y1[(((_352.y1_at + (token * _352.y1_token)) + (((row - _352.end0) / _352.y1_inner) * _352.y1_outer)) + ((row - _352.end0) % _352.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _933.y2[(((_352.y2_at + (token * _352.y2_token)) + (((row - _352.end1) / _352.y2_inner) * _352.y2_outer)) + ((row - _352.end1) % _352.y2_inner)) >> uint(1)] = word;
        }
    }
}

void reduce_and_store(uint row0, uint token0, float acc[8][4])
{
    SPIRV_CROSS_UNROLL
    for (uint i = 0u; i < _1147; i += 4u)
    {
        vec4 four = vec4(0.0);
        SPIRV_CROSS_UNROLL
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _1162)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        vec4 param = four;
        vec4 _1182 = group_sum(param);
        four = _1182;
        if (gl_LocalInvocationID.x == 0u)
        {
            SPIRV_CROSS_UNROLL
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1199)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    barrier();
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1228; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1245 = token < _352.tokens;
        bool _1252;
        if (_1245)
        {
            _1252 = row < _352.row_end;
        }
        else
        {
            _1252 = _1245;
        }
        if (_1252)
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
    uint _1287 = _352.row_begin + (gl_WorkGroupID.x * ROWS);
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
    for (uint row0 = _1287; row0 < _352.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (_352.row_end - row0));
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
            here[r] = row - _352.held;
            SPIRV_CROSS_UNROLL
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1356)
        {
            if (_1359)
            {
                SPIRV_CROSS_UNROLL
                for (uint r_1 = 0u; r_1 < ROWS; r_1++)
                {
                    uint param_4 = here[r_1];
                    uint param_5 = 0u;
                    levels[r_1] = level(param_4, param_5);
                }
            }
            for (uint step_ = gl_LocalInvocationID.x; step_ < (_352.columns / 8u); step_ += gl_WorkGroupSize.x)
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
                for (uint sub = 0u; sub < 1u; sub++)
                {
                    uint column = (step_ * 8u) + (8u * sub);
                    SPIRV_CROSS_UNROLL
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (_352.tokens - 1u));
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
                        bool _1504;
                        if (_1493)
                        {
                            bool _1497 = sub == 0u;
                            bool _1503;
                            if (!_1497)
                            {
                                _1503 = _1502;
                            }
                            else
                            {
                                _1503 = _1497;
                            }
                            _1504 = _1503;
                        }
                        else
                        {
                            _1504 = _1493;
                        }
                        if (_1504)
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
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < _352.columns; column_1 += gl_WorkGroupSize.x)
            {
                SPIRV_CROSS_UNROLL
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (_352.tokens - 1u));
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

