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
const uint _272 = gl_WorkGroupSize.x;
const uint _274 = (_272 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_12
#define SPIRV_CROSS_CONSTANT_ID_12 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_12;
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_5;
const bool _580 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _612 = (X_HALF != 0u);
const bool _651 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_6;
const bool _691 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_7;
const bool _706 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_8;
const bool _734 = (RESIDUAL_HALF != 0u);
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
const uint _1062 = (ROWS * TOKENS);
const uint _1077 = (ROWS * TOKENS);
const uint _1114 = (ROWS * TOKENS);
const uint _1142 = (ROWS / 2u);
const uint _1143 = (_1142 * TOKENS);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_3;
const bool _1271 = (ALIGNED != 0u);

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
} _311;

layout(binding = 8, std430) readonly buffer Table
{
    uint table[];
} _357;

layout(binding = 7, std430) readonly buffer Planes
{
    uint planes[];
} _509;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _619;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _698;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _741;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _771;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _810;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _847;

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

void open_tables(uint first, uint count)
{
    uint begin = first / _311.rows_per_table;
    uint end = (((first + count) - 1u) / _311.rows_per_table) + 1u;
    uint entries = (end - begin) << BITS;
    uint from = _311.table_at + (begin << BITS);
    for (uint i = gl_LocalInvocationID.x; i < entries; i += gl_WorkGroupSize.x)
    {
        uint param = _357.table[(from + i) >> uint(1)];
        uint param_1 = from + i;
        tables[i] = exact_half(param, param_1);
    }
}

uint table_of(uint first, uint row)
{
    return ((row / _311.rows_per_table) - (first / _311.rows_per_table)) << BITS;
}

vec2 level(uint row, uint column)
{
    return vec2(1.0, 0.0);
}

void load_step(uint row, uint step_, inout uint words[8])
{
    uint at = (row * (_311.columns >> uint(5))) + step_;
    uint plane = _311.plane_bytes >> uint(2);
    SPIRV_CROSS_UNROLL
    for (uint p = 0u; p < BITS; p++)
    {
        words[p] = _509.planes[(p * plane) + at];
    }
}

uint x_place(uint token, uint column)
{
    uint at = _311.x_at + (token * _311.x_token);
    uint _581;
    if (_580)
    {
        _581 = at + column;
    }
    else
    {
        _581 = (at + ((column / _311.x_inner) * _311.x_outer)) + (column % _311.x_inner);
    }
    return _581;
}

void load_x8(uint token, uint column, inout float v[8])
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1);
    vec2 _652;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_651)
        {
            _652 = unpackHalf2x16(_619.x[(at + j) >> uint(1)]);
        }
        else
        {
            _652 = vec2(uintBitsToFloat(_619.x[at + j]), uintBitsToFloat(_619.x[(at + j) + 1u]));
        }
        vec2 two = _652;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

uint spread(uint four)
{
    return (four * 2113665u) & 16843009u;
}

float entry(uint at)
{
    return tables[at];
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

float weigh(vec2 level_, float sum, float sum_x)
{
    return sum;
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
    float _613;
    if (_612)
    {
        uint param_2 = _619.x[at >> uint(1)];
        uint param_3 = at;
        _613 = half_in(param_2, param_3);
    }
    else
    {
        _613 = uintBitsToFloat(_619.x[at]);
    }
    return _613;
}

float load_weight(uint row, uint column, uint at)
{
    uint code = 0u;
    uint bit = (row * _311.columns) + column;
    SPIRV_CROSS_UNROLL
    for (uint p = 0u; p < BITS; p++)
    {
        uint found = (p * _311.plane_bytes) + (bit >> uint(3));
        code = (code << uint(1)) | ((_509.planes[found >> uint(2)] >> ((8u * (found & 3u)) + (bit & 7u))) & 1u);
    }
    uint param = at + code;
    return entry(param);
}

vec4 group_sum(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _274; half_ > 0u; half_ = half_ >> uint(1))
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
    float _692;
    if (_691)
    {
        _692 = uintBitsToFloat(_698.bias[row]);
    }
    else
    {
        _692 = 0.0;
    }
    float sum = _692;
    if (_706)
    {
        uint at = ((_311.residual_at + (token * _311.residual_token)) + ((row / _311.residual_inner) * _311.residual_outer)) + (row % _311.residual_inner);
        float _735;
        if (_734)
        {
            uint param = _741.residual[at >> uint(1)];
            uint param_1 = at;
            _735 = half_in(param, param_1);
        }
        else
        {
            _735 = uintBitsToFloat(_741.residual[at]);
        }
        sum += _735;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _311.end0)
    {
        _771.y0[((_311.y0_at + (token * _311.y0_token)) + ((row / _311.y0_inner) * _311.y0_outer)) + (row % _311.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _311.end1)
        {
            _810.y1[((_311.y1_at + (token * _311.y1_token)) + (((row - _311.end0) / _311.y1_inner) * _311.y1_outer)) + ((row - _311.end0) % _311.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _847.y2[((_311.y2_at + (token * _311.y2_token)) + (((row - _311.end1) / _311.y2_inner) * _311.y2_outer)) + ((row - _311.end1) % _311.y2_inner)] = floatBitsToUint(v);
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
    bool two = (row + 1u) < _311.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _916;
    if (row < _311.end0)
    {
        _916 = Y0_HALF;
    }
    else
    {
        _916 = (row < _311.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _916;
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
    if (row < _311.end0)
    {
        _771.y0[(((_311.y0_at + (token * _311.y0_token)) + ((row / _311.y0_inner) * _311.y0_outer)) + (row % _311.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _311.end1)
        {
            _810.y1[(((_311.y1_at + (token * _311.y1_token)) + (((row - _311.end0) / _311.y1_inner) * _311.y1_outer)) + ((row - _311.end0) % _311.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _847.y2[(((_311.y2_at + (token * _311.y2_token)) + (((row - _311.end1) / _311.y2_inner) * _311.y2_outer)) + ((row - _311.end1) % _311.y2_inner)) >> uint(1)] = word;
        }
    }
}

void reduce_and_store(uint row0, uint token0, float acc[8][4])
{
    SPIRV_CROSS_UNROLL
    for (uint i = 0u; i < _1062; i += 4u)
    {
        vec4 four = vec4(0.0);
        SPIRV_CROSS_UNROLL
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _1077)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        vec4 param = four;
        vec4 _1097 = group_sum(param);
        four = _1097;
        if (gl_LocalInvocationID.x == 0u)
        {
            SPIRV_CROSS_UNROLL
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1114)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    barrier();
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1143; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1160 = token < _311.tokens;
        bool _1167;
        if (_1160)
        {
            _1167 = row < _311.row_end;
        }
        else
        {
            _1167 = _1160;
        }
        if (_1167)
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
    uint _1202 = _311.row_begin + (gl_WorkGroupID.x * ROWS);
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
    for (uint row0 = _1202; row0 < _311.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (_311.row_end - row0));
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
            here[r] = row - _311.held;
            SPIRV_CROSS_UNROLL
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1271)
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
            for (uint step_ = gl_LocalInvocationID.x; step_ < (_311.columns / 32u); step_ += gl_WorkGroupSize.x)
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
                for (uint sub = 0u; sub < 4u; sub++)
                {
                    uint column = (step_ * 32u) + (8u * sub);
                    SPIRV_CROSS_UNROLL
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (_311.tokens - 1u));
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
                        bool _1414;
                        if (false)
                        {
                            _1414 = (sub == 0u) || false;
                        }
                        else
                        {
                            _1414 = false;
                        }
                        if (_1414)
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
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < _311.columns; column_1 += gl_WorkGroupSize.x)
            {
                SPIRV_CROSS_UNROLL
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (_311.tokens - 1u));
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

