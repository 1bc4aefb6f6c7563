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

constant uint GROUP_tmp [[function_constant(11)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _239 = (GROUP != 0u);

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

constant uint SCALE_BITS_tmp [[function_constant(12)]];
constant uint SCALE_BITS = is_function_constant_defined(SCALE_BITS_tmp) ? SCALE_BITS_tmp : 0u;
constant bool _260 = (SCALE_BITS == 0u);

struct Scales
{
    uint scales[1];
};

struct Supers
{
    uint supers[1];
};

constant uint BIAS_tmp [[function_constant(4)]];
constant uint BIAS = is_function_constant_defined(BIAS_tmp) ? BIAS_tmp : 0u;
constant bool _335 = (BIAS != 0u);

struct Bias
{
    uint bias0[1];
};

constant uint RESIDUAL_tmp [[function_constant(5)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _350 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(6)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _378 = (RESIDUAL_HALF != 0u);

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

constant uint Y0_HALF_tmp [[function_constant(7)]];
constant uint Y0_HALF = is_function_constant_defined(Y0_HALF_tmp) ? Y0_HALF_tmp : 1u;
constant uint Y1_HALF_tmp [[function_constant(8)]];
constant uint Y1_HALF = is_function_constant_defined(Y1_HALF_tmp) ? Y1_HALF_tmp : 1u;
constant uint Y2_HALF_tmp [[function_constant(9)]];
constant uint Y2_HALF = is_function_constant_defined(Y2_HALF_tmp) ? Y2_HALF_tmp : 1u;

struct X
{
    uint x[1];
};

constant uint BITS_tmp [[function_constant(10)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;
constant bool _751 = (BITS != 4u);
constant uint ALIGNED_tmp [[function_constant(1)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _812 = (ALIGNED != 0u);
constant uint _825 = (BITS >> uint(2));

struct Codes
{
    uint codes[1];
};

constant bool _836 = (BITS == 8u);
constant bool _948 = (BITS != 4u);

struct XScales
{
    uint x_scales[1];
};

constant uint _1013_tmp [[function_constant(0)]];
constant uint _1013 = is_function_constant_defined(_1013_tmp) ? _1013_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1013, 1u, 1u);
constant uint _1016 = gl_WorkGroupSize.x;
constant bool _1018 = (_1016 >= 128u);
constant uint _1019 = _1018 ? 16u : 8u;
constant uint _1020 = (4u * _1019);
constant uint _1021 = (4u * _1020);
constant uint _1028 = gl_WorkGroupSize.x;
constant bool _1029 = (_1028 >= 128u);
constant uint _1030 = _1029 ? 16u : 8u;
constant uint _1031 = (4u * _1030);
constant uint _1037 = gl_WorkGroupSize.x;
constant bool _1038 = (_1037 >= 128u);
constant uint _1039 = _1038 ? 16u : 8u;
constant uint _1040 = (4u * _1039);
constant bool _1078 = (GROUP != 0u);
constant uint _1105 = gl_WorkGroupSize.x;
constant bool _1106 = (_1105 >= 128u);
constant uint _1107 = _1106 ? 16u : 8u;
constant uint _1108 = (4u * _1107);
constant uint _1109 = (4u * _1108);
constant uint _1114 = gl_WorkGroupSize.x;
constant uint _1115 = gl_WorkGroupSize.x;
constant bool _1116 = (_1115 >= 128u);
constant uint _1117 = _1116 ? 16u : 8u;
constant uint _1118 = (_1114 / _1117);
constant uint _1119 = (4u * _1118);
constant uint _1125 = gl_WorkGroupSize.x;
constant uint _1126 = gl_WorkGroupSize.x;
constant bool _1127 = (_1126 >= 128u);
constant uint _1128 = _1127 ? 16u : 8u;
constant uint _1129 = (_1125 / _1128);
constant uint _1130 = (4u * _1129);
constant uint _1177 = gl_WorkGroupSize.x;
constant uint _1178 = gl_WorkGroupSize.x;
constant bool _1179 = (_1178 >= 128u);
constant uint _1180 = _1179 ? 16u : 8u;
constant uint _1181 = (_1177 / _1180);
constant uint _1182 = (4u * _1181);
constant uint _1186 = gl_WorkGroupSize.x;
constant bool _1187 = (_1186 >= 128u);
constant uint _1188 = _1187 ? 16u : 8u;
constant uint _1193 = gl_WorkGroupSize.x;
constant bool _1194 = (_1193 >= 128u);
constant uint _1195 = _1194 ? 16u : 8u;
constant uint _1204 = gl_WorkGroupSize.x;
constant bool _1205 = (_1204 >= 128u);
constant uint _1206 = _1205 ? 16u : 8u;
constant uint _1207 = (4u * _1206);
constant uint _1263 = gl_WorkGroupSize.x;
constant bool _1264 = (_1263 >= 128u);
constant uint _1265 = _1264 ? 16u : 8u;
constant uint _1266 = (4u * _1265);
constant uint _1267 = gl_WorkGroupSize.x;
constant uint _1268 = gl_WorkGroupSize.x;
constant bool _1269 = (_1268 >= 128u);
constant uint _1270 = _1269 ? 16u : 8u;
constant uint _1271 = (_1267 / _1270);
constant uint _1272 = (4u * _1271);
constant uint _1273 = (_1266 + _1272);
constant uint _1274 = (4u * _1273);
constant uint _1300 = gl_WorkGroupSize.x;
constant bool _1301 = (_1300 >= 128u);
constant uint _1302 = _1301 ? 16u : 8u;
constant uint _1303 = (4u * _1302);
constant uint _1317 = gl_WorkGroupSize.x;
constant uint _1318 = gl_WorkGroupSize.x;
constant bool _1319 = (_1318 >= 128u);
constant uint _1320 = _1319 ? 16u : 8u;
constant uint _1321 = (_1317 / _1320);
constant uint _1322 = (4u * _1321);
constant bool _1361 = (GROUP != 0u);
constant uint _1367 = (GROUP % 32u);
constant bool one_group = (_1367 == 0u);
constant bool _1369 = (!one_group);
constant bool _1417 = (GROUP == 0u);
constant bool _1507 = (GROUP != 0u);
constant uint _1557 = gl_WorkGroupSize.x;
constant bool _1558 = (_1557 >= 128u);
constant uint _1559 = _1558 ? 16u : 8u;
constant uint _1560 = (4u * _1559);
constant uint X_HALF_tmp [[function_constant(2)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant uint X_RUNS_tmp [[function_constant(3)]];
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
uint2 load_w8(thread const uint& row, thread const uint& column, constant Params& v_245, const device Codes& v_830)
{
    uint2 out_ = uint2(0u);
    if (_812)
    {
        uint at = ((row * (v_245.columns >> uint(3))) + (column >> uint(3))) * _825;
        out_.x = v_830.codes[at];
        if (_836)
        {
            out_.y = v_830.codes[at + 1u];
        }
        return out_;
    }
    uint count = min(8u, (v_245.columns - column));
    uint _884;
    for (uint j = 0u; j < count; j++)
    {
        if (((((((row * v_245.columns) + column) + j) * BITS) & 31u) + BITS) > 32u)
        {
            _884 = v_830.codes[(((((row * v_245.columns) + column) + j) * BITS) >> uint(5)) + 1u];
        }
        else
        {
            _884 = 0u;
        }
        uint param = v_830.codes[((((row * v_245.columns) + column) + j) * BITS) >> uint(5)];
        uint param_1 = _884;
        uint param_2 = ((((row * v_245.columns) + column) + j) * BITS) & 31u;
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
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _149;
    if ((h & 32768u) != 0u)
    {
        _149 = -size;
    }
    else
    {
        _149 = size;
    }
    return _149;
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
    float _188;
    if (x < 0.0)
    {
        _188 = -as_type<float>(bits);
    }
    else
    {
        _188 = as_type<float>(bits);
    }
    return _188;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column, constant Params& v_245, const device Scales& v_266, const device Supers& v_284)
{
    uint at = row;
    if (_239)
    {
        at = (row * (((v_245.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    float2 both = float2(0.0);
    if (_260)
    {
        uint param = v_266.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = v_284.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _304;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _304 = v_266.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _304 = 0u;
        }
        uint param_4 = v_266.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _304;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    return both;
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
Eight load_x8(thread const uint& token, thread const uint& column, constant Params& v_245, const device X& v_740)
{
    uint at = (v_245.x_at + (token * v_245.x_token)) + (column >> uint(2));
    uint a = v_740.x[at];
    uint b = v_740.x[at + 1u];
    if (_751)
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
void fetch(thread const uint& i, thread const uint& row0, thread const uint& token0, thread const uint& column0, constant Params& v_245, const device Scales& v_266, const device Supers& v_284, const device X& v_740, const device Codes& v_830, threadgroup uint2 (&w_tile)[256], threadgroup float (&w_scales)[256], threadgroup uint2 (&x_tile)[256], threadgroup int (&x_sums)[256])
{
    if (i < _1021)
    {
        uint row = row0 + (i % _1031);
        uint column = column0 + (8u * (i / _1040));
        bool _1048 = row < v_245.row_end;
        bool _1055;
        if (_1048)
        {
            _1055 = column < v_245.columns;
        }
        else
        {
            _1055 = _1048;
        }
        bool inside = _1055;
        uint2 _1062;
        if (inside)
        {
            uint param = row - v_245.held;
            uint param_1 = column;
            _1062 = load_w8(param, param_1, v_245, v_830);
        }
        else
        {
            _1062 = uint2(0u);
        }
        w_tile[i] = _1062;
        if (_1078)
        {
            float _1086;
            if (inside)
            {
                uint param_2 = row - v_245.held;
                uint param_3 = column;
                _1086 = level(param_2, param_3, v_245, v_266, v_284).x;
            }
            else
            {
                _1086 = 0.0;
            }
            w_scales[i] = _1086;
        }
        return;
    }
    uint at = i - _1109;
    uint token = token0 + (at % _1119);
    uint column_1 = column0 + (8u * (at / _1130));
    Eight found = Eight{ uint2(0u), 0 };
    bool _1139 = token < v_245.tokens;
    bool _1146;
    if (_1139)
    {
        _1146 = column_1 < v_245.columns;
    }
    else
    {
        _1146 = _1139;
    }
    if (_1146)
    {
        uint param_4 = token;
        uint param_5 = column_1;
        found = load_x8(param_4, param_5, v_245, v_740);
    }
    x_tile[at] = found.codes;
    x_sums[at] = found.sum;
}

static inline __attribute__((always_inline))
int dot8(thread const Eight& x8, thread const uint2& w8)
{
    if (_948)
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
float x_scale(thread const uint& token, constant Params& v_245, const device XScales& v_1001)
{
    return as_type<float>(v_1001.x_scales[v_245.x_scales_at + token]);
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _102;
    if ((index & 1u) == 0u)
    {
        _102 = both.x;
    }
    else
    {
        _102 = both.y;
    }
    return _102;
}

static inline __attribute__((always_inline))
float added(thread const uint& token, thread const uint& row, constant Params& v_245, const device Bias& v_342, const device Residual& v_385)
{
    float _336;
    if (_335)
    {
        _336 = as_type<float>(v_342.bias0[row]);
    }
    else
    {
        _336 = 0.0;
    }
    float sum = _336;
    if (_350)
    {
        uint at = ((v_245.residual_at + (token * v_245.residual_token)) + ((row / v_245.residual_inner) * v_245.residual_outer)) + (row % v_245.residual_inner);
        float _379;
        if (_378)
        {
            uint param = v_385.residual[at >> uint(1)];
            uint param_1 = at;
            _379 = half_in(param, param_1);
        }
        else
        {
            _379 = as_type<float>(v_385.residual[at]);
        }
        sum += _379;
    }
    return sum;
}

static inline __attribute__((always_inline))
void store_row(thread const uint& token, thread const uint& row, thread const float& v, constant Params& v_245, device Y0& v_415, device Y1& v_454, device Y2& v_491)
{
    if (row < v_245.end0)
    {
        v_415.y0[((v_245.y0_at + (token * v_245.y0_token)) + ((row / v_245.y0_inner) * v_245.y0_outer)) + (row % v_245.y0_inner)] = as_type<uint>(v);
    }
    else
    {
        if (row < v_245.end1)
        {
            v_454.y1[((v_245.y1_at + (token * v_245.y1_token)) + (((row - v_245.end0) / v_245.y1_inner) * v_245.y1_outer)) + ((row - v_245.end0) % v_245.y1_inner)] = as_type<uint>(v);
        }
        else
        {
            v_491.y2[((v_245.y2_at + (token * v_245.y2_token)) + (((row - v_245.end1) / v_245.y2_inner) * v_245.y2_outer)) + ((row - v_245.end1) % v_245.y2_inner)] = as_type<uint>(v);
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
void store_rows(thread const uint& token, thread const uint& row, thread float2& v, constant Params& v_245, const device Bias& v_342, const device Residual& v_385, device Y0& v_415, device Y1& v_454, device Y2& v_491)
{
    bool two = (row + 1u) < v_245.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1, v_245, v_342, v_385);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3, v_245, v_342, v_385);
    }
    uint _560;
    if (row < v_245.end0)
    {
        _560 = Y0_HALF;
    }
    else
    {
        _560 = (row < v_245.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _560;
    if (is_half == 0u)
    {
        uint param_4 = token;
        uint param_5 = row;
        float param_6 = v.x;
        store_row(param_4, param_5, param_6, v_245, v_415, v_454, v_491);
        if (two)
        {
            uint param_7 = token;
            uint param_8 = row + 1u;
            float param_9 = v.y;
            store_row(param_7, param_8, param_9, v_245, v_415, v_454, v_491);
        }
        return;
    }
    float2 param_10 = v;
    uint word = pack_halves(param_10);
    if (row < v_245.end0)
    {
        v_415.y0[(((v_245.y0_at + (token * v_245.y0_token)) + ((row / v_245.y0_inner) * v_245.y0_outer)) + (row % v_245.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < v_245.end1)
        {
            v_454.y1[(((v_245.y1_at + (token * v_245.y1_token)) + (((row - v_245.end0) / v_245.y1_inner) * v_245.y1_outer)) + ((row - v_245.end0) % v_245.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            v_491.y2[(((v_245.y2_at + (token * v_245.y2_token)) + (((row - v_245.end1) / v_245.y2_inner) * v_245.y2_outer)) + ((row - v_245.end1) % v_245.y2_inner)) >> uint(1)] = word;
        }
    }
}

kernel void matmul_affine_i8(constant Params& v_245 [[buffer(0)]], const device X& v_740 [[buffer(1)]], const device Bias& v_342 [[buffer(2)]], const device Residual& v_385 [[buffer(3)]], device Y0& v_415 [[buffer(4)]], device Y1& v_454 [[buffer(5)]], device Y2& v_491 [[buffer(6)]], const device Codes& v_830 [[buffer(7)]], const device Scales& v_266 [[buffer(8)]], const device Supers& v_284 [[buffer(9)]], const device XScales& v_1001 [[buffer(10)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup uint2 w_tile[256];
    threadgroup float w_scales[256];
    threadgroup uint2 x_tile[256];
    threadgroup int x_sums[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1182;
    uint my_row = 4u * (thread0 % _1188);
    uint my_token = 4u * (thread0 / _1195);
    uint _1209 = v_245.row_begin + (gl_WorkGroupID.x * _1207);
    spvUnsafeArray<int4, 4> whole;
    spvUnsafeArray<float4, 4> acc;
    float4 scales_;
    for (uint row0 = _1209; row0 < v_245.row_end; row0 += (gl_NumWorkGroups.x * _1560))
    {
        for (uint i = 0u; i < 4u; i++)
        {
            whole[i] = int4(0);
            acc[i] = float4(0.0);
        }
        for (uint column0 = 0u; column0 < v_245.columns; column0 += 32u)
        {
            for (uint i_1 = thread0; i_1 < _1274; i_1 += gl_WorkGroupSize.x)
            {
                uint param = i_1;
                uint param_1 = row0;
                uint param_2 = token0;
                uint param_3 = column0;
                fetch(param, param_1, param_2, param_3, v_245, v_266, v_284, v_740, v_830, w_tile, w_scales, x_tile, x_sums);
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint k = 0u; k < 4u; k++)
            {
                uint w_at = (k * _1303) + my_row;
                for (uint i_2 = 0u; i_2 < 4u; i_2++)
                {
                    uint x_here = ((k * _1322) + my_token) + i_2;
                    Eight x8 = Eight{ x_tile[x_here], x_sums[x_here] };
                    for (uint r = 0u; r < 4u; r++)
                    {
                        Eight param_4 = x8;
                        uint2 param_5 = w_tile[w_at + r];
                        whole[i_2][r] += dot8(param_4, param_5);
                    }
                    bool _1371;
                    if (_1361)
                    {
                        _1371 = ((k + 1u) == 4u) || _1369;
                    }
                    else
                    {
                        _1371 = _1361;
                    }
                    if (_1371)
                    {
                        uint scale_at = one_group ? my_row : w_at;
                        for (uint r_1 = 0u; r_1 < 4u; r_1++)
                        {
                            acc[i_2][r_1] += (w_scales[scale_at + r_1] * float(whole[i_2][r_1]));
                        }
                        whole[i_2] = int4(0);
                    }
                }
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
        }
        uint row = row0 + my_row;
        bool _1424;
        if (_1417)
        {
            _1424 = row < v_245.row_end;
        }
        else
        {
            _1424 = _1417;
        }
        if (_1424)
        {
            for (uint r_2 = 0u; r_2 < 4u; r_2++)
            {
                uint param_6 = min((row + r_2), (v_245.row_end - 1u)) - v_245.held;
                uint param_7 = 0u;
                scales_[r_2] = level(param_6, param_7, v_245, v_266, v_284).x;
            }
            for (uint i_3 = 0u; i_3 < 4u; i_3++)
            {
                uint token = min(((token0 + my_token) + i_3), (v_245.tokens - 1u));
                uint param_8 = token;
                acc[i_3] = (float4(whole[i_3]) * x_scale(param_8, v_245, v_1001)) * scales_;
            }
        }
        for (uint i_4 = 0u; i_4 < 4u; i_4++)
        {
            uint token_1 = (token0 + my_token) + i_4;
            if (token_1 >= v_245.tokens)
            {
                continue;
            }
            if (_1507)
            {
                uint param_9 = token_1;
                acc[i_4] *= x_scale(param_9, v_245, v_1001);
            }
            if (row < v_245.row_end)
            {
                uint param_10 = token_1;
                uint param_11 = row;
                float2 param_12 = acc[i_4].xy;
                store_rows(param_10, param_11, param_12, v_245, v_342, v_385, v_415, v_454, v_491);
            }
            if ((row + 2u) < v_245.row_end)
            {
                uint param_13 = token_1;
                uint param_14 = row + 2u;
                float2 param_15 = acc[i_4].zw;
                store_rows(param_13, param_14, param_15, v_245, v_342, v_385, v_415, v_454, v_491);
            }
        }
    }
}

