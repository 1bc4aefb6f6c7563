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

struct Eight
{
    uint2 codes;
    int sum;
};

constant uint GROUP_tmp [[function_constant(13)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _336 = (GROUP != 0u);

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
    uint x_scales_at;
    uint columns;
    uint row_begin;
    uint row_end;
    uint held;
};

constant uint SCALE_BITS_tmp [[function_constant(14)]];
constant uint SCALE_BITS = is_function_constant_defined(SCALE_BITS_tmp) ? SCALE_BITS_tmp : 0u;
constant bool _357 = (SCALE_BITS == 0u);

struct Scales
{
    uint scales[1];
};

struct Supers
{
    uint supers[1];
};

constant uint BIAS_tmp [[function_constant(6)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _430 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(7)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _445 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(8)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _473 = (RESIDUAL_HALF != 0u);

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

struct X
{
    uint x[1];
};

constant uint BITS_tmp [[function_constant(12)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;
constant bool _846 = (BITS != 4u);
constant uint ALIGNED_tmp [[function_constant(3)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _907 = (ALIGNED != 0u);
constant uint _920 = (BITS >> uint(2));

struct Codes
{
    uint codes[1];
};

constant bool _931 = (BITS == 8u);
constant bool _1043 = (BITS != 4u);

struct XScales
{
    uint x_scales[1];
};

constant uint TOKENS_tmp [[function_constant(2)]];
constant uint TOKENS = is_function_constant_defined(TOKENS_tmp) ? TOKENS_tmp : 1u;
constant uint ROWS_tmp [[function_constant(1)]];
constant uint ROWS = is_function_constant_defined(ROWS_tmp) ? ROWS_tmp : 4u;
constant bool _1250 = (GROUP == 0u);
constant bool _1287 = (GROUP == 0u);
constant uint _1312_tmp [[function_constant(0)]];
constant uint _1312 = is_function_constant_defined(_1312_tmp) ? _1312_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1312, 1u, 1u);
constant uint _1314 = gl_WorkGroupSize.x;
constant uint _1315 = (8u * _1314);
constant uint _1325 = (ROWS * TOKENS);
constant uint _1342 = (ROWS * TOKENS);
constant bool _1373 = (GROUP == 0u);
constant uint _1399 = (ROWS * TOKENS);
constant uint _1426 = (ROWS / 2u);
constant uint _1427 = (_1426 * TOKENS);
constant bool _1471 = (GROUP == 0u);
constant uint X_HALF_tmp [[function_constant(4)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant uint X_RUNS_tmp [[function_constant(5)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;

static inline __attribute__((always_inline))
uint code_of(thread const uint& low, thread const uint& high, thread const uint& at, thread const uint& bits)
{
    uint code = low >> at;
    if ((at + bits) > 32u)
    {
        code |= (high << (32u - at));
    }
    return code & ((1u << bits) - 1u);
}

static inline __attribute__((always_inline))
uint2 load_w8(thread const uint& row, thread const uint& column, constant Params& v_342, const device Codes& v_925)
{
    uint2 out_ = uint2(0u);
    if (_907)
    {
        uint at = ((row * (v_342.columns >> uint(3))) + (column >> uint(3))) * _920;
        out_.x = v_925.codes[at];
        if (_931)
        {
            out_.y = v_925.codes[at + 1u];
        }
        return out_;
    }
    uint count = min(8u, (v_342.columns - column));
    uint _979;
    for (uint j = 0u; j < count; j++)
    {
        if (((((((row * v_342.columns) + column) + j) * BITS) & 31u) + BITS) > 32u)
        {
            _979 = v_925.codes[(((((row * v_342.columns) + column) + j) * BITS) >> uint(5)) + 1u];
        }
        else
        {
            _979 = 0u;
        }
        uint param = v_925.codes[((((row * v_342.columns) + column) + j) * BITS) >> uint(5)];
        uint param_1 = _979;
        uint param_2 = ((((row * v_342.columns) + column) + j) * BITS) & 31u;
        uint param_3 = BITS;
        uint code = code_of(param, param_1, param_2, param_3);
        uint bit = j * BITS;
        if (bit < 32u)
        {
            out_.x |= (code << (bit & 31u));
        }
        else
        {
            out_.y |= (code << (bit & 31u));
        }
    }
    return out_;
}

static inline __attribute__((always_inline))
int dot4(thread const uint& a, thread const uint& b)
{
    int sum = 0;
    for (int i = 0; i < 32; i += 8)
    {
        sum += (extract_bits(int(a), uint(i), uint(8)) * extract_bits(int(b), uint(i), uint(8)));
    }
    return sum;
}

static inline __attribute__((always_inline))
Eight load_x8(thread const uint& token, thread const uint& column, constant Params& v_342, const device X& v_835)
{
    uint at = (v_342.x_at + (token * v_342.x_token)) + (column >> uint(2));
    uint a = v_835.x[at];
    uint b = v_835.x[at + 1u];
    if (_846)
    {
        return Eight{ uint2(a, b), 0 };
    }
    uint even = (((a & 255u) | ((a >> uint(8)) & 65280u)) | ((b & 255u) << uint(16))) | ((b << uint(8)) & 4278190080u);
    uint odd = ((((a >> uint(8)) & 255u) | ((a >> uint(16)) & 65280u)) | ((b << uint(8)) & 16711680u)) | (b & 4278190080u);
    uint param = even;
    uint param_1 = 16843009u;
    uint param_2 = odd;
    uint param_3 = 16843009u;
    return Eight{ uint2(even, odd), dot4(param, param_1) + dot4(param_2, param_3) };
}

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _154;
    if ((h & 32768u) != 0u)
    {
        _154 = -size;
    }
    else
    {
        _154 = size;
    }
    return _154;
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
    float _193;
    if (x < 0.0)
    {
        _193 = -as_type<float>(bits);
    }
    else
    {
        _193 = as_type<float>(bits);
    }
    return _193;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column, constant Params& v_342, const device Scales& v_363, const device Supers& v_379)
{
    uint at = row;
    if (_336)
    {
        at = (row * (((v_342.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    float2 both = float2(0.0);
    if (_357)
    {
        uint param = v_363.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = v_379.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _399;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _399 = v_363.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _399 = 0u;
        }
        uint param_4 = v_363.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _399;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    return both;
}

static inline __attribute__((always_inline))
int dot8(thread const Eight& x8, thread const uint2& w8)
{
    if (_1043)
    {
        uint param = x8.codes.x;
        uint param_1 = w8.x;
        uint param_2 = x8.codes.y;
        uint param_3 = w8.y;
        return dot4(param, param_1) + dot4(param_2, param_3);
    }
    uint offset = w8.x ^ 2290649224u;
    uint param_4 = x8.codes.x;
    uint param_5 = offset & 252645135u;
    int even = dot4(param_4, param_5);
    uint param_6 = x8.codes.y;
    uint param_7 = (offset >> uint(4)) & 252645135u;
    return (even + dot4(param_6, param_7)) - (8 * x8.sum);
}

static inline __attribute__((always_inline))
int4 group_sum(thread int4& mine, thread uint& gl_NumSubgroups, threadgroup uint4 (&group_words)[256], thread uint& gl_SubgroupID)
{
    mine = simd_sum(mine);
    if (gl_NumSubgroups == 1u)
    {
        return mine;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    bool _278 = simd_is_first();
    if (_278)
    {
        group_words[gl_SubgroupID] = uint4(mine);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    int4 all_ = int4(group_words[0]);
    for (uint i = 1u; i < gl_NumSubgroups; i++)
    {
        all_ += int4(group_words[i]);
    }
    return all_;
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
    bool _230 = simd_is_first();
    if (_230)
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
float x_scale(thread const uint& token, constant Params& v_342, const device XScales& v_1096)
{
    return as_type<float>(v_1096.x_scales[v_342.x_scales_at + token]);
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _107;
    if ((index & 1u) == 0u)
    {
        _107 = both.x;
    }
    else
    {
        _107 = both.y;
    }
    return _107;
}

static inline __attribute__((always_inline))
float added(thread const uint& token, thread const uint& row, constant Params& v_342, const device Bias& v_437, const device Residual& v_480)
{
    float _431;
    if (_430)
    {
        _431 = as_type<float>(v_437.bias0[row]);
    }
    else
    {
        _431 = 0.0;
    }
    float sum = _431;
    if (_445)
    {
        uint at = ((v_342.residual_at + (token * v_342.residual_token)) + ((row / v_342.residual_inner) * v_342.residual_outer)) + (row % v_342.residual_inner);
        float _474;
        if (_473)
        {
            uint param = v_480.residual[at >> uint(1)];
            uint param_1 = at;
            _474 = half_in(param, param_1);
        }
        else
        {
            _474 = as_type<float>(v_480.residual[at]);
        }
        sum += _474;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_342, device Y0& v_510, device Y1& v_549, device Y2& v_586)
{
    if (row < v_342.end0)
    {
        v_510.y0[((v_342.y0_at + (token * v_342.y0_token)) + ((row / v_342.y0_inner) * v_342.y0_outer)) + (row % v_342.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_342.end1)
        {
            v_549.y1[((v_342.y1_at + (token * v_342.y1_token)) + (((row - v_342.end0) / v_342.y1_inner) * v_342.y1_outer)) + ((row - v_342.end0) % v_342.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_586.y2[((v_342.y2_at + (token * v_342.y2_token)) + (((row - v_342.end1) / v_342.y2_inner) * v_342.y2_outer)) + ((row - v_342.end1) % v_342.y2_inner)] = as_type<uint>(v);
        }
    }
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_342, const device Bias& v_437, const device Residual& v_480, device Y0& v_510, device Y1& v_549, device Y2& v_586)
{
    bool two = (row + 1u) < v_342.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_342, v_437, v_480);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_342, v_437, v_480);
    }
    uint _655;
    if (row < v_342.end0)
    {
        _655 = Y0_HALF;
    }
    else
    {
        _655 = (row < v_342.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _655;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_342, v_510, v_549, v_586);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_342, v_510, v_549, v_586);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_342.end0)
    {
        v_510.y0[(((v_342.y0_at + (token * v_342.y0_token)) + ((row / v_342.y0_inner) * v_342.y0_outer)) + (row % v_342.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_342.end1)
        {
            v_549.y1[(((v_342.y1_at + (token * v_342.y1_token)) + (((row - v_342.end0) / v_342.y1_inner) * v_342.y1_outer)) + ((row - v_342.end0) % v_342.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_586.y2[(((v_342.y2_at + (token * v_342.y2_token)) + (((row - v_342.end1) / v_342.y2_inner) * v_342.y2_outer)) + ((row - v_342.end1) % v_342.y2_inner)) >> uint(1)] = word;
        }
    }
}

kernel void matvec_affine_i8(constant Params& v_342 [[buffer(0)]], const device X& v_835 [[buffer(1)]], const device Bias& v_437 [[buffer(2)]], const device Residual& v_480 [[buffer(3)]], device Y0& v_510 [[buffer(4)]], device Y1& v_549 [[buffer(5)]], device Y2& v_586 [[buffer(6)]], const device Codes& v_925 [[buffer(7)]], const device Scales& v_363 [[buffer(8)]], const device Supers& v_379 [[buffer(9)]], const device XScales& v_1096 [[buffer(10)]], uint gl_NumSubgroups [[simdgroups_per_threadgroup]], uint gl_SubgroupID [[simdgroup_index_in_threadgroup]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup uint4 group_words[256];
    threadgroup float totals[32];
    uint thread0 = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * TOKENS;
    uint _1127 = v_342.row_begin + (gl_WorkGroupID.x * ROWS);
    spvUnsafeArray<spvUnsafeArray<int, 4>, 8> whole;
    spvUnsafeArray<spvUnsafeArray<float, 4>, 8> acc;
    spvUnsafeArray<uint2, 8> w8;
    spvUnsafeArray<Eight, 4> x8;
    float _1251;
    for (uint row0 = _1127; row0 < v_342.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint last = v_342.row_end - 1u;
        for (uint r = 0u; r < ROWS; r++)
        {
            for (uint t = 0u; t < TOKENS; t++)
            {
                whole[r][t] = 0;
                acc[r][t] = 0.0;
            }
        }
        uint _1177 = 8u * thread0;
        for (uint column = _1177; column < v_342.columns; column += _1315)
        {
            for (uint r_1 = 0u; r_1 < ROWS; r_1++)
            {
                uint param = min((row0 + r_1), last) - v_342.held;
                uint param_1 = column;
                w8[r_1] = load_w8(param, param_1, v_342, v_925);
            }
            for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
            {
                uint param_2 = min((token0 + t_1), (v_342.tokens - 1u));
                uint param_3 = column;
                x8[t_1] = load_x8(param_2, param_3, v_342, v_835);
            }
            for (uint r_2 = 0u; r_2 < ROWS; r_2++)
            {
                if (_1250)
                {
                    _1251 = 0.0;
                }
                else
                {
                    uint param_4 = min((row0 + r_2), last) - v_342.held;
                    uint param_5 = column;
                    _1251 = level(param_4, param_5, v_342, v_363, v_379).x;
                }
                float scale = _1251;
                for (uint t_2 = 0u; t_2 < TOKENS; t_2++)
                {
                    Eight param_6 = x8[t_2];
                    uint2 param_7 = w8[r_2];
                    int sum = dot8(param_6, param_7);
                    if (_1287)
                    {
                        whole[r_2][t_2] += sum;
                    }
                    else
                    {
                        acc[r_2][t_2] += (scale * float(sum));
                    }
                }
            }
        }
        for (uint i = 0u; i < _1325; i += 4u)
        {
            int4 four = int4(0);
            float4 scaled = float4(0.0);
            for (uint j = 0u; j < 4u; j++)
            {
                if ((i + j) >= _1342)
                {
                    break;
                }
                four[j] = whole[(i + j) % ROWS][(i + j) / ROWS];
                scaled[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
            if (_1373)
            {
                int4 param_8 = four;
                int4 _1378 = group_sum(param_8, gl_NumSubgroups, group_words, gl_SubgroupID);
                scaled = float4(_1378);
            }
            else
            {
                float4 param_9 = scaled;
                float4 _1383 = group_sum(param_9, gl_NumSubgroups, group_words, gl_SubgroupID);
                scaled = _1383;
            }
            if (thread0 == 0u)
            {
                for (uint j_1 = 0u; j_1 < 4u; j_1++)
                {
                    if ((i + j_1) < _1399)
                    {
                        totals[i + j_1] = scaled[j_1];
                    }
                }
            }
        }
        threadgroup_barrier(mem_flags::mem_threadgroup);
        for (uint i_1 = thread0; i_1 < _1427; i_1 += gl_WorkGroupSize.x)
        {
            uint token = token0 + ((2u * i_1) / ROWS);
            uint row = row0 + ((2u * i_1) % ROWS);
            bool _1444 = token >= v_342.tokens;
            bool _1452;
            if (!_1444)
            {
                _1452 = row >= v_342.row_end;
            }
            else
            {
                _1452 = _1444;
            }
            if (_1452)
            {
                continue;
            }
            uint param_10 = token;
            float2 v = float2(totals[2u * i_1], totals[(2u * i_1) + 1u]) * x_scale(param_10, v_342, v_1096);
            if (_1471)
            {
                uint param_11 = row - v_342.held;
                uint param_12 = 0u;
                uint param_13 = min((row + 1u), last) - v_342.held;
                uint param_14 = 0u;
                v *= float2(level(param_11, param_12, v_342, v_363, v_379).x, level(param_13, param_14, v_342, v_363, v_379).x);
            }
            uint param_15 = token;
            uint param_16 = row;
            float2 param_17 = v;
            store_rows(param_15, param_16, param_17, v_342, v_437, v_480, v_510, v_549, v_586);
        }
        threadgroup_barrier(mem_flags::mem_threadgroup);
    }
}

