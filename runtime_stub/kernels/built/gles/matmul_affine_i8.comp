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

struct Eight
{
    uvec2 codes;
    int sum;
};

#ifndef SPIRV_CROSS_CONSTANT_ID_11
#define SPIRV_CROSS_CONSTANT_ID_11 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_11;
const bool _239 = (GROUP != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_12
#define SPIRV_CROSS_CONSTANT_ID_12 0u
#endif
const uint SCALE_BITS = SPIRV_CROSS_CONSTANT_ID_12;
const bool _260 = (SCALE_BITS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_4;
const bool _335 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_5;
const bool _350 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_6;
const bool _378 = (RESIDUAL_HALF != 0u);
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
#ifndef SPIRV_CROSS_CONSTANT_ID_10
#define SPIRV_CROSS_CONSTANT_ID_10 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_10;
const bool _751 = (BITS != 4u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_1;
const bool _812 = (ALIGNED != 0u);
const uint _825 = (BITS >> uint(2));
const bool _836 = (BITS == 8u);
const bool _948 = (BITS != 4u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _1016 = gl_WorkGroupSize.x;
const bool _1018 = (_1016 >= 128u);
const uint _1019 = _1018 ? 16u : 8u;
const uint _1020 = (4u * _1019);
const uint _1021 = (4u * _1020);
const uint _1028 = gl_WorkGroupSize.x;
const bool _1029 = (_1028 >= 128u);
const uint _1030 = _1029 ? 16u : 8u;
const uint _1031 = (4u * _1030);
const uint _1037 = gl_WorkGroupSize.x;
const bool _1038 = (_1037 >= 128u);
const uint _1039 = _1038 ? 16u : 8u;
const uint _1040 = (4u * _1039);
const bool _1078 = (GROUP != 0u);
const uint _1105 = gl_WorkGroupSize.x;
const bool _1106 = (_1105 >= 128u);
const uint _1107 = _1106 ? 16u : 8u;
const uint _1108 = (4u * _1107);
const uint _1109 = (4u * _1108);
const uint _1114 = gl_WorkGroupSize.x;
const uint _1115 = gl_WorkGroupSize.x;
const bool _1116 = (_1115 >= 128u);
const uint _1117 = _1116 ? 16u : 8u;
const uint _1118 = (_1114 / _1117);
const uint _1119 = (4u * _1118);
const uint _1125 = gl_WorkGroupSize.x;
const uint _1126 = gl_WorkGroupSize.x;
const bool _1127 = (_1126 >= 128u);
const uint _1128 = _1127 ? 16u : 8u;
const uint _1129 = (_1125 / _1128);
const uint _1130 = (4u * _1129);
const uint _1177 = gl_WorkGroupSize.x;
const uint _1178 = gl_WorkGroupSize.x;
const bool _1179 = (_1178 >= 128u);
const uint _1180 = _1179 ? 16u : 8u;
const uint _1181 = (_1177 / _1180);
const uint _1182 = (4u * _1181);
const uint _1186 = gl_WorkGroupSize.x;
const bool _1187 = (_1186 >= 128u);
const uint _1188 = _1187 ? 16u : 8u;
const uint _1193 = gl_WorkGroupSize.x;
const bool _1194 = (_1193 >= 128u);
const uint _1195 = _1194 ? 16u : 8u;
const uint _1204 = gl_WorkGroupSize.x;
const bool _1205 = (_1204 >= 128u);
const uint _1206 = _1205 ? 16u : 8u;
const uint _1207 = (4u * _1206);
const uint _1263 = gl_WorkGroupSize.x;
const bool _1264 = (_1263 >= 128u);
const uint _1265 = _1264 ? 16u : 8u;
const uint _1266 = (4u * _1265);
const uint _1267 = gl_WorkGroupSize.x;
const uint _1268 = gl_WorkGroupSize.x;
const bool _1269 = (_1268 >= 128u);
const uint _1270 = _1269 ? 16u : 8u;
const uint _1271 = (_1267 / _1270);
const uint _1272 = (4u * _1271);
const uint _1273 = (_1266 + _1272);
const uint _1274 = (4u * _1273);
const uint _1300 = gl_WorkGroupSize.x;
const bool _1301 = (_1300 >= 128u);
const uint _1302 = _1301 ? 16u : 8u;
const uint _1303 = (4u * _1302);
const uint _1317 = gl_WorkGroupSize.x;
const uint _1318 = gl_WorkGroupSize.x;
const bool _1319 = (_1318 >= 128u);
const uint _1320 = _1319 ? 16u : 8u;
const uint _1321 = (_1317 / _1320);
const uint _1322 = (4u * _1321);
const bool _1361 = (GROUP != 0u);
const uint _1367 = (GROUP % 32u);
const bool one_group = (_1367 == 0u);
const bool _1369 = (!one_group);
const bool _1417 = (GROUP == 0u);
const bool _1507 = (GROUP != 0u);
const uint _1557 = gl_WorkGroupSize.x;
const bool _1558 = (_1557 >= 128u);
const uint _1559 = _1558 ? 16u : 8u;
const uint _1560 = (4u * _1559);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_2;
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_3;

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
    uint x_scales_at;
    uint columns;
    uint row_begin;
    uint row_end;
    uint held;
} _245;

layout(binding = 8, std430) readonly buffer Scales
{
    uint scales[];
} _266;

layout(binding = 9, std430) readonly buffer Supers
{
    uint supers[];
} _284;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _342;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _385;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _415;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _454;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _491;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _740;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _830;

layout(binding = 10, std430) readonly buffer XScales
{
    uint x_scales[];
} _1001;

shared uvec2 w_tile[256];
shared float w_scales[256];
shared uvec2 x_tile[256];
shared int x_sums[256];

uint code_of(uint low, uint high, uint at, uint bits)
{
    uint code = low >> at;
    if ((at + bits) > 32u)
    {
        code |= (high << (32u - at));
    }
    return code & ((1u << bits) - 1u);
}

uvec2 load_w8(uint row, uint column)
{
    uvec2 out_ = uvec2(0u);
    if (_812)
    {
        uint at = ((row * (_245.columns >> uint(3))) + (column >> uint(3))) * _825;
        out_.x = _830.codes[at];
        if (_836)
        {
            out_.y = _830.codes[at + 1u];
        }
        return out_;
    }
    uint count = min(8u, (_245.columns - column));
    uint _884;
    for (uint j = 0u; j < count; j++)
    {
        if (((((((row * _245.columns) + column) + j) * BITS) & 31u) + BITS) > 32u)
        {
            _884 = _830.codes[(((((row * _245.columns) + column) + j) * BITS) >> uint(5)) + 1u];
        }
        else
        {
            _884 = 0u;
        }
        uint param = _830.codes[((((row * _245.columns) + column) + j) * BITS) >> uint(5)];
        uint param_1 = _884;
        uint param_2 = ((((row * _245.columns) + column) + j) * BITS) & 31u;
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

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
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

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _188;
    if (x < 0.0)
    {
        _188 = -uintBitsToFloat(bits);
    }
    else
    {
        _188 = uintBitsToFloat(bits);
    }
    return _188;
}

vec2 level(uint row, uint column)
{
    uint at = row;
    if (_239)
    {
        at = (row * (((_245.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    vec2 both = vec2(0.0);
    if (_260)
    {
        uint param = _266.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = _284.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _304;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _304 = _266.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _304 = 0u;
        }
        uint param_4 = _266.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _304;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    return both;
}

int dot4(uint a, uint b)
{
    int sum = 0;
    SPIRV_CROSS_UNROLL
    for (int i = 0; i < 32; i += 8)
    {
        sum += (bitfieldExtract(int(a), i, 8) * bitfieldExtract(int(b), i, 8));
    }
    return sum;
}

Eight load_x8(uint token, uint column)
{
    uint at = (_245.x_at + (token * _245.x_token)) + (column >> uint(2));
    uint a = _740.x[at];
    uint b = _740.x[at + 1u];
    if (_751)
    {
        return Eight(uvec2(a, b), 0);
    }
    uint even = (((a & 255u) | ((a >> uint(8)) & 65280u)) | ((b & 255u) << uint(16))) | ((b << uint(8)) & 4278190080u);
    uint odd = ((((a >> uint(8)) & 255u) | ((a >> uint(16)) & 65280u)) | ((b << uint(8)) & 16711680u)) | (b & 4278190080u);
    uint param = even;
    uint param_1 = 16843009u;
    uint param_2 = odd;
    uint param_3 = 16843009u;
    return Eight(uvec2(even, odd), dot4(param, param_1) + dot4(param_2, param_3));
}

void fetch(uint i, uint row0, uint token0, uint column0)
{
    if (i < _1021)
    {
        uint row = row0 + (i % _1031);
        uint column = column0 + (8u * (i / _1040));
        bool _1048 = row < _245.row_end;
        bool _1055;
        if (_1048)
        {
            _1055 = column < _245.columns;
        }
        else
        {
            _1055 = _1048;
        }
        bool inside = _1055;
        uvec2 _1062;
        if (inside)
        {
            uint param = row - _245.held;
            uint param_1 = column;
            _1062 = load_w8(param, param_1);
        }
        else
        {
            _1062 = uvec2(0u);
        }
        w_tile[i] = _1062;
        if (_1078)
        {
            float _1086;
            if (inside)
            {
                uint param_2 = row - _245.held;
                uint param_3 = column;
                _1086 = level(param_2, param_3).x;
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
    Eight found = Eight(uvec2(0u), 0);
    bool _1139 = token < _245.tokens;
    bool _1146;
    if (_1139)
    {
        _1146 = column_1 < _245.columns;
    }
    else
    {
        _1146 = _1139;
    }
    if (_1146)
    {
        uint param_4 = token;
        uint param_5 = column_1;
        found = load_x8(param_4, param_5);
    }
    x_tile[at] = found.codes;
    x_sums[at] = found.sum;
}

int dot8(Eight x8, uvec2 w8)
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

float x_scale(uint token)
{
    return uintBitsToFloat(_1001.x_scales[_245.x_scales_at + token]);
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

float added(uint token, uint row)
{
    float _336;
    if (_335)
    {
        _336 = uintBitsToFloat(_342.bias[row]);
    }
    else
    {
        _336 = 0.0;
    }
    float sum = _336;
    if (_350)
    {
        uint at = ((_245.residual_at + (token * _245.residual_token)) + ((row / _245.residual_inner) * _245.residual_outer)) + (row % _245.residual_inner);
        float _379;
        if (_378)
        {
            uint param = _385.residual[at >> uint(1)];
            uint param_1 = at;
            _379 = half_in(param, param_1);
        }
        else
        {
            _379 = uintBitsToFloat(_385.residual[at]);
        }
        sum += _379;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _245.end0)
    {
        _415.y0[((_245.y0_at + (token * _245.y0_token)) + ((row / _245.y0_inner) * _245.y0_outer)) + (row % _245.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _245.end1)
        {
            _454.y1[((_245.y1_at + (token * _245.y1_token)) + (((row - _245.end0) / _245.y1_inner) * _245.y1_outer)) + ((row - _245.end0) % _245.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _491.y2[((_245.y2_at + (token * _245.y2_token)) + (((row - _245.end1) / _245.y2_inner) * _245.y2_outer)) + ((row - _245.end1) % _245.y2_inner)] = floatBitsToUint(v);
        }
    }
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void store_rows(uint token, uint row, inout vec2 v)
{
    bool two = (row + 1u) < _245.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _560;
    if (row < _245.end0)
    {
        _560 = Y0_HALF;
    }
    else
    {
        _560 = (row < _245.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _560;
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
    if (row < _245.end0)
    {
        _415.y0[(((_245.y0_at + (token * _245.y0_token)) + ((row / _245.y0_inner) * _245.y0_outer)) + (row % _245.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _245.end1)
        {
            _454.y1[(((_245.y1_at + (token * _245.y1_token)) + (((row - _245.end0) / _245.y1_inner) * _245.y1_outer)) + ((row - _245.end0) % _245.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _491.y2[(((_245.y2_at + (token * _245.y2_token)) + (((row - _245.end1) / _245.y2_inner) * _245.y2_outer)) + ((row - _245.end1) % _245.y2_inner)) >> uint(1)] = word;
        }
    }
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * _1182;
    uint my_row = 4u * (thread % _1188);
    uint my_token = 4u * (thread / _1195);
    uint _1209 = _245.row_begin + (gl_WorkGroupID.x * _1207);
    ivec4 whole[4];
    vec4 acc[4];
    vec4 scales_;
    for (uint row0 = _1209; row0 < _245.row_end; row0 += (gl_NumWorkGroups.x * _1560))
    {
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < 4u; i++)
        {
            whole[i] = ivec4(0);
            acc[i] = vec4(0.0);
        }
        for (uint column0 = 0u; column0 < _245.columns; column0 += 32u)
        {
            for (uint i_1 = thread; i_1 < _1274; i_1 += gl_WorkGroupSize.x)
            {
                uint param = i_1;
                uint param_1 = row0;
                uint param_2 = token0;
                uint param_3 = column0;
                fetch(param, param_1, param_2, param_3);
            }
            barrier();
            SPIRV_CROSS_UNROLL
            for (uint k = 0u; k < 4u; k++)
            {
                uint w_at = (k * _1303) + my_row;
                SPIRV_CROSS_UNROLL
                for (uint i_2 = 0u; i_2 < 4u; i_2++)
                {
                    uint x_here = ((k * _1322) + my_token) + i_2;
                    Eight x8 = Eight(x_tile[x_here], x_sums[x_here]);
                    SPIRV_CROSS_UNROLL
                    for (uint r = 0u; r < 4u; r++)
                    {
                        Eight param_4 = x8;
                        uvec2 param_5 = w_tile[w_at + r];
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
                        SPIRV_CROSS_UNROLL
                        for (uint r_1 = 0u; r_1 < 4u; r_1++)
                        {
                            acc[i_2][r_1] += (w_scales[scale_at + r_1] * float(whole[i_2][r_1]));
                        }
                        whole[i_2] = ivec4(0);
                    }
                }
            }
            barrier();
        }
        uint row = row0 + my_row;
        bool _1424;
        if (_1417)
        {
            _1424 = row < _245.row_end;
        }
        else
        {
            _1424 = _1417;
        }
        if (_1424)
        {
            SPIRV_CROSS_UNROLL
            for (uint r_2 = 0u; r_2 < 4u; r_2++)
            {
                uint param_6 = min((row + r_2), (_245.row_end - 1u)) - _245.held;
                uint param_7 = 0u;
                scales_[r_2] = level(param_6, param_7).x;
            }
            SPIRV_CROSS_UNROLL
            for (uint i_3 = 0u; i_3 < 4u; i_3++)
            {
                uint token = min(((token0 + my_token) + i_3), (_245.tokens - 1u));
                uint param_8 = token;
                acc[i_3] = (vec4(whole[i_3]) * x_scale(param_8)) * scales_;
            }
        }
        SPIRV_CROSS_UNROLL
        for (uint i_4 = 0u; i_4 < 4u; i_4++)
        {
            uint token_1 = (token0 + my_token) + i_4;
            if (token_1 >= _245.tokens)
            {
                continue;
            }
            if (_1507)
            {
                uint param_9 = token_1;
                acc[i_4] *= x_scale(param_9);
            }
            if (row < _245.row_end)
            {
                uint param_10 = token_1;
                uint param_11 = row;
                vec2 param_12 = acc[i_4].xy;
                store_rows(param_10, param_11, param_12);
            }
            if ((row + 2u) < _245.row_end)
            {
                uint param_13 = token_1;
                uint param_14 = row + 2u;
                vec2 param_15 = acc[i_4].zw;
                store_rows(param_13, param_14, param_15);
            }
        }
    }
}

