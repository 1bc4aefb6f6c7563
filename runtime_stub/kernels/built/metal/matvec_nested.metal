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

constant uint BITS_tmp [[function_constant(12)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;

struct Table
{
    uint table[1];
};

constant uint _372_tmp [[function_constant(0)]];
constant uint _372 = is_function_constant_defined(_372_tmp) ? _372_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_372, 1u, 1u);

struct Planes
{
    uint planes[1];
};

constant uint X_RUNS_tmp [[function_constant(5)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _580 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(4)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _612 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant bool _651 = (X_HALF != 0u);
constant uint BIAS_tmp [[function_constant(6)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _691 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(7)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _706 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(8)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _734 = (RESIDUAL_HALF != 0u);

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

constant uint Y0_HALF_tmp [[function_constant(9)]];
constant uint Y0_HALF = is_function_constant_defined(Y0_HALF_tmp) ? Y0_HALF_tmp : 1u;
constant uint Y1_HALF_tmp [[function_constant(10)]];
constant uint Y1_HALF = is_function_constant_defined(Y1_HALF_tmp) ? Y1_HALF_tmp : 1u;
constant uint Y2_HALF_tmp [[function_constant(11)]];
constant uint Y2_HALF = is_function_constant_defined(Y2_HALF_tmp) ? Y2_HALF_tmp : 1u;
constant uint ROWS_tmp [[function_constant(1)]];
constant uint ROWS = is_function_constant_defined(ROWS_tmp) ? ROWS_tmp : 4u;
constant uint TOKENS_tmp [[function_constant(2)]];
constant uint TOKENS = is_function_constant_defined(TOKENS_tmp) ? TOKENS_tmp : 1u;
constant uint _1062 = (ROWS * TOKENS);
constant uint _1077 = (ROWS * TOKENS);
constant uint _1114 = (ROWS * TOKENS);
constant uint _1142 = (ROWS / 2u);
constant uint _1143 = (_1142 * TOKENS);
constant uint ALIGNED_tmp [[function_constant(3)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _1271 = (ALIGNED != 0u);

static inline __attribute__((always_inline))
void open_book()
{
}

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
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

static inline __attribute__((always_inline))
void open_tables(thread const uint& first, thread const uint& count, constant Params& v_307, thread uint3& gl_LocalInvocationID, threadgroup float (&tables)[1024], const device Table& v_356)
{
    uint begin = first / v_307.rows_per_table;
    uint end = (((first + count) - 1u) / v_307.rows_per_table) + 1u;
    uint entries = (end - begin) << BITS;
    uint from = v_307.table_at + (begin << BITS);
    for (uint i = gl_LocalInvocationID.x; i < entries; i += gl_WorkGroupSize.x)
    {
        uint param = v_356.table[(from + i) >> uint(1)];
        uint param_1 = from + i;
        tables[i] = exact_half(param, param_1);
    }
}

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row, constant Params& v_307)
{
    return ((row / v_307.rows_per_table) - (first / v_307.rows_per_table)) << BITS;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column)
{
    return float2(1.0, 0.0);
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_307, const device Planes& v_510)
{
    uint at = (row * (v_307.columns >> uint(5))) + step_;
    uint plane = v_307.plane_bytes >> uint(2);
    for (uint p = 0u; p < BITS; p++)
    {
        words[p] = v_510.planes[(p * plane) + at];
    }
}

static inline __attribute__((always_inline))
uint x_place(thread const uint& token, thread const uint& column, constant Params& v_307)
{
    uint at = v_307.x_at + (token * v_307.x_token);
    uint _581;
    if (_580)
    {
        _581 = at + column;
    }
    else
    {
        _581 = (at + ((column / v_307.x_inner) * v_307.x_outer)) + (column % v_307.x_inner);
    }
    return _581;
}

static inline __attribute__((always_inline))
void load_x8(thread const uint& token, thread const uint& column, thread spvUnsafeArray<float, 8>& v, constant Params& v_307, const device X& v_619)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_307);
    float2 _652;
    for (uint j = 0u; j < 8u; j += 2u)
    {
        if (_651)
        {
            _652 = float2(as_type<half2>(v_619.x[(at + j) >> uint(1)]));
        }
        else
        {
            _652 = float2(as_type<float>(v_619.x[at + j]), as_type<float>(v_619.x[(at + j) + 1u]));
        }
        float2 two = _652;
        v[j] = two.x;
        v[j + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
uint spread(thread const uint& four)
{
    return (four * 2113665u) & 16843009u;
}

static inline __attribute__((always_inline))
float entry(thread const uint& at, threadgroup float (&tables)[1024])
{
    return tables[at];
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v, threadgroup float (&tables)[1024])
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
        v[j] = entry(param_2, tables);
        uint param_3 = at + ((eight.y >> (8u * j)) & 255u);
        v[j + 4u] = entry(param_3, tables);
    }
}

static inline __attribute__((always_inline))
float weigh(thread const float2& level_, thread const float& sum, thread const float& sum_x)
{
    return sum;
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
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

static inline __attribute__((always_inline))
float load_x(thread const uint& token, thread const uint& column, constant Params& v_307, const device X& v_619)
{
    uint param = token;
    uint param_1 = column;
    uint at = x_place(param, param_1, v_307);
    float _613;
    if (_612)
    {
        uint param_2 = v_619.x[at >> uint(1)];
        uint param_3 = at;
        _613 = half_in(param_2, param_3);
    }
    else
    {
        _613 = as_type<float>(v_619.x[at]);
    }
    return _613;
}

static inline __attribute__((always_inline))
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_307, threadgroup float (&tables)[1024], const device Planes& v_510)
{
    uint code = 0u;
    uint bit = (row * v_307.columns) + column;
    for (uint p = 0u; p < BITS; p++)
    {
        uint found = (p * v_307.plane_bytes) + (bit >> uint(3));
        code = (code << uint(1)) | ((v_510.planes[found >> uint(2)] >> ((8u * (found & 3u)) + (bit & 7u))) & 1u);
    }
    uint param = at + code;
    return entry(param, tables);
}

static inline __attribute__((always_inline))
float4 group_sum(thread float4& mine, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID)
{
    mine = simd_sum(mine);
    if (gl_NumSubgroups == 1u)
    {
        return mine;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    bool _263 = simd_is_first();
    if (_263)
    {
        group_words[gl_SubgroupID] = as_type<uint4>(mine);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float4 all_ = as_type<float4>(group_words[0]);
    for (uint i = 1u; i < gl_NumSubgroups; i++)
    {
        all_ += as_type<float4>(group_words[i]);
    }
    return all_;
}

static inline __attribute__((always_inline))
float added(thread const uint& token, thread const uint& row, constant Params& v_307, const device Bias& v_698, const device Residual& v_741)
{
    float _692;
    if (_691)
    {
        _692 = as_type<float>(v_698.bias0[row]);
    }
    else
    {
        _692 = 0.0;
    }
    float sum = _692;
    if (_706)
    {
        uint at = ((v_307.residual_at + (token * v_307.residual_token)) + ((row / v_307.residual_inner) * v_307.residual_outer)) + (row % v_307.residual_inner);
        float _735;
        if (_734)
        {
            uint param = v_741.residual[at >> uint(1)];
            uint param_1 = at;
            _735 = half_in(param, param_1);
        }
        else
        {
            _735 = as_type<float>(v_741.residual[at]);
        }
        sum += _735;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_307, device Y0& v_771, device Y1& v_810, device Y2& v_847)
{
    if (row < v_307.end0)
    {
        v_771.y0[((v_307.y0_at + (token * v_307.y0_token)) + ((row / v_307.y0_inner) * v_307.y0_outer)) + (row % v_307.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_307.end1)
        {
            v_810.y1[((v_307.y1_at + (token * v_307.y1_token)) + (((row - v_307.end0) / v_307.y1_inner) * v_307.y1_outer)) + ((row - v_307.end0) % v_307.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_847.y2[((v_307.y2_at + (token * v_307.y2_token)) + (((row - v_307.end1) / v_307.y2_inner) * v_307.y2_outer)) + ((row - v_307.end1) % v_307.y2_inner)] = as_type<uint>(v);
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
    float _226;
    if (x < 0.0)
    {
        _226 = -as_type<float>(bits);
    }
    else
    {
        _226 = as_type<float>(bits);
    }
    return _226;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_307, const device Bias& v_698, const device Residual& v_741, device Y0& v_771, device Y1& v_810, device Y2& v_847)
{
    bool two = (row + 1u) < v_307.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_307, v_698, v_741);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_307, v_698, v_741);
    }
    uint _916;
    if (row < v_307.end0)
    {
        _916 = Y0_HALF;
    }
    else
    {
        _916 = (row < v_307.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _916;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_307, v_771, v_810, v_847);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_307, v_771, v_810, v_847);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_307.end0)
    {
        v_771.y0[(((v_307.y0_at + (token * v_307.y0_token)) + ((row / v_307.y0_inner) * v_307.y0_outer)) + (row % v_307.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_307.end1)
        {
            v_810.y1[(((v_307.y1_at + (token * v_307.y1_token)) + (((row - v_307.end0) / v_307.y1_inner) * v_307.y1_outer)) + ((row - v_307.end0) % v_307.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_847.y2[(((v_307.y2_at + (token * v_307.y2_token)) + (((row - v_307.end1) / v_307.y2_inner) * v_307.y2_outer)) + ((row - v_307.end1) % v_307.y2_inner)) >> uint(1)] = word;
        }
    }
}

static inline __attribute__((always_inline))
void reduce_and_store(thread const uint& row0, thread const uint& token0, thread const spvUnsafeArray<spvUnsafeArray<float, 4>, 8>& acc, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID, constant Params& v_307, thread uint3& gl_LocalInvocationID, const device Bias& v_698, const device Residual& v_741, device Y0& v_771, device Y1& v_810, device Y2& v_847, threadgroup float (&totals)[32])
{
    for (uint i = 0u; i < _1062; i += 4u)
    {
        float4 four = float4(0.0);
        for (uint j = 0u; j < 4u; j++)
        {
            if ((i + j) < _1077)
            {
                four[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
        }
        float4 param = four;
        float4 _1097 = group_sum(param, gl_NumSubgroups, group_words, gl_SubgroupID);
        four = _1097;
        if (gl_LocalInvocationID.x == 0u)
        {
            for (uint j_1 = 0u; j_1 < 4u; j_1++)
            {
                if ((i + j_1) < _1114)
                {
                    totals[i + j_1] = four[j_1];
                }
            }
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i_1 = gl_LocalInvocationID.x; i_1 < _1143; i_1 += gl_WorkGroupSize.x)
    {
        uint token = token0 + ((2u * i_1) / ROWS);
        uint row = row0 + ((2u * i_1) % ROWS);
        bool _1160 = token < v_307.tokens;
        bool _1167;
        if (_1160)
        {
            _1167 = row < v_307.row_end;
        }
        else
        {
            _1167 = _1160;
        }
        if (_1167)
        {
            uint param_1 = token;
            uint param_2 = row;
            float2 param_3 = float2(totals[2u * i_1], totals[(2u * i_1) + 1u]);
            store_rows(param_1, param_2, param_3, v_307, v_698, v_741, v_771, v_810, v_847);
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}

kernel void matvec_nested(constant Params& v_307 [[buffer(0)]], const device X& v_619 [[buffer(1)]], const device Bias& v_698 [[buffer(2)]], const device Residual& v_741 [[buffer(3)]], device Y0& v_771 [[buffer(4)]], device Y1& v_810 [[buffer(5)]], device Y2& v_847 [[buffer(6)]], const device Planes& v_510 [[buffer(7)]], const device Table& v_356 [[buffer(8)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup uint4 group_words[256];
    threadgroup float tables[1024];
    threadgroup float totals[32];
    uint token0 = gl_WorkGroupID.y * TOKENS;
    open_book();
    uint _1202 = v_307.row_begin + (gl_WorkGroupID.x * ROWS);
    spvUnsafeArray<uint, 8> at;
    spvUnsafeArray<uint, 8> here;
    spvUnsafeArray<spvUnsafeArray<float, 4>, 8> acc;
    spvUnsafeArray<float2, 8> levels;
    spvUnsafeArray<spvUnsafeArray<uint, 8>, 8> words;
    spvUnsafeArray<uint, 8> param_8;
    spvUnsafeArray<spvUnsafeArray<float, 8>, 4> xs;
    spvUnsafeArray<float, 8> param_11;
    spvUnsafeArray<float, 4> sums;
    spvUnsafeArray<float, 8> param_17;
    spvUnsafeArray<float, 4> xs_1;
    for (uint row0 = _1202; row0 < v_307.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint count = min(ROWS, (v_307.row_end - row0));
        uint param = row0;
        uint param_1 = count;
        open_tables(param, param_1, v_307, gl_LocalInvocationID, tables, v_356);
        threadgroup_barrier(mem_flags::mem_threadgroup);
        for (uint r = 0u; r < ROWS; r++)
        {
            uint row = row0 + min(r, (count - 1u));
            uint param_2 = row0;
            uint param_3 = row;
            at[r] = table_of(param_2, param_3, v_307);
            here[r] = row - v_307.held;
            for (uint t = 0u; t < TOKENS; t++)
            {
                acc[r][t] = 0.0;
            }
        }
        if (_1271)
        {
            if (true)
            {
                for (uint r_1 = 0u; r_1 < ROWS; r_1++)
                {
                    uint param_4 = here[r_1];
                    uint param_5 = 0u;
                    levels[r_1] = level(param_4, param_5);
                }
            }
            for (uint step_ = gl_LocalInvocationID.x; step_ < (v_307.columns / 32u); step_ += gl_WorkGroupSize.x)
            {
                for (uint r_2 = 0u; r_2 < ROWS; r_2++)
                {
                    uint param_6 = here[r_2];
                    uint param_7 = step_;
                    load_step(param_6, param_7, param_8, v_307, v_510);
                    words[r_2] = param_8;
                }
                for (uint sub = 0u; sub < 4u; sub++)
                {
                    uint column = (step_ * 32u) + (8u * sub);
                    for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
                    {
                        uint param_9 = min((token0 + t_1), (v_307.tokens - 1u));
                        uint param_10 = column;
                        load_x8(param_9, param_10, param_11, v_307, v_619);
                        xs[t_1] = param_11;
                        sums[t_1] = 0.0;
                        for (uint j = 0u; j < 8u; j++)
                        {
                            sums[t_1] += xs[t_1][j];
                        }
                    }
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
                        spvUnsafeArray<uint, 8> param_14;
                        param_14 = words[r_3];
                        uint param_15 = sub;
                        uint param_16 = at[r_3];
                        numbers(param_14, param_15, param_16, param_17, tables);
                        spvUnsafeArray<float, 8> v;
                        v = param_17;
                        for (uint t_2 = 0u; t_2 < TOKENS; t_2++)
                        {
                            float sum = 0.0;
                            for (uint j_1 = 0u; j_1 < 8u; j_1++)
                            {
                                sum += (xs[t_2][j_1] * v[j_1]);
                            }
                            float2 param_18 = levels[r_3];
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
            for (uint column_1 = gl_LocalInvocationID.x; column_1 < v_307.columns; column_1 += gl_WorkGroupSize.x)
            {
                for (uint t_3 = 0u; t_3 < TOKENS; t_3++)
                {
                    uint param_21 = min((token0 + t_3), (v_307.tokens - 1u));
                    uint param_22 = column_1;
                    xs_1[t_3] = load_x(param_21, param_22, v_307, v_619);
                }
                for (uint r_4 = 0u; r_4 < ROWS; r_4++)
                {
                    uint param_23 = here[r_4];
                    uint param_24 = column_1;
                    uint param_25 = at[r_4];
                    float weight = load_weight(param_23, param_24, param_25, v_307, tables, v_510);
                    for (uint t_4 = 0u; t_4 < TOKENS; t_4++)
                    {
                        acc[r_4][t_4] += (xs_1[t_4] * weight);
                    }
                }
            }
        }
        uint param_26 = row0;
        uint param_27 = token0;
        spvUnsafeArray<spvUnsafeArray<float, 4>, 8> param_28;
        param_28 = acc;
        reduce_and_store(param_26, param_27, param_28, gl_NumSubgroups, group_words, gl_SubgroupID, v_307, gl_LocalInvocationID, v_698, v_741, v_771, v_810, v_847, totals);
    }
}

