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

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _239 = gl_WorkGroupSize.x;
const uint _241 = (_239 >> uint(1));
const uint _282 = gl_WorkGroupSize.x;
const uint _283 = (_282 >> uint(1));
#ifndef SPIRV_CROSS_CONSTANT_ID_13
#define SPIRV_CROSS_CONSTANT_ID_13 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_13;
const bool _342 = (GROUP != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_14
#define SPIRV_CROSS_CONSTANT_ID_14 0u
#endif
const uint SCALE_BITS = SPIRV_CROSS_CONSTANT_ID_14;
const bool _363 = (SCALE_BITS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint BIAS = SPIRV_CROSS_CONSTANT_ID_6;
const bool _436 = (BIAS != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_7;
const bool _451 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_8;
const bool _479 = (RESIDUAL_HALF != 0u);
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
#ifndef SPIRV_CROSS_CONSTANT_ID_12
#define SPIRV_CROSS_CONSTANT_ID_12 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_12;
const bool _852 = (BITS != 4u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_3;
const bool _913 = (ALIGNED != 0u);
const uint _926 = (BITS >> uint(2));
const bool _937 = (BITS == 8u);
const bool _1049 = (BITS != 4u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint TOKENS = SPIRV_CROSS_CONSTANT_ID_2;
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 4u
#endif
const uint ROWS = SPIRV_CROSS_CONSTANT_ID_1;
const bool _1253 = (GROUP == 0u);
const bool _1290 = (GROUP == 0u);
const uint _1315 = gl_WorkGroupSize.x;
const uint _1316 = (8u * _1315);
const uint _1326 = (ROWS * TOKENS);
const uint _1343 = (ROWS * TOKENS);
const bool _1374 = (GROUP == 0u);
const uint _1400 = (ROWS * TOKENS);
const uint _1427 = (ROWS / 2u);
const uint _1428 = (_1427 * TOKENS);
const bool _1472 = (GROUP == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_4;
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_5;

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
} _348;

layout(binding = 8, std430) readonly buffer Scales
{
    uint scales[];
} _369;

layout(binding = 9, std430) readonly buffer Supers
{
    uint supers[];
} _385;

layout(binding = 2, std430) readonly buffer Bias
{
    uint bias[];
} _443;

layout(binding = 3, std430) readonly buffer Residual
{
    uint residual[];
} _486;

layout(binding = 4, std430) buffer Y0
{
    uint y0[];
} _516;

layout(binding = 5, std430) buffer Y1
{
    uint y1[];
} _555;

layout(binding = 6, std430) buffer Y2
{
    uint y2[];
} _592;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _841;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _931;

layout(binding = 10, std430) readonly buffer XScales
{
    uint x_scales[];
} _1102;

shared uvec4 group_words[256];
shared float totals[32];

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
    if (_913)
    {
        uint at = ((row * (_348.columns >> uint(3))) + (column >> uint(3))) * _926;
        out_.x = _931.codes[at];
        if (_937)
        {
            out_.y = _931.codes[at + 1u];
        }
        return out_;
    }
    uint count = min(8u, (_348.columns - column));
    uint _985;
    for (uint j = 0u; j < count; j++)
    {
        if (((((((row * _348.columns) + column) + j) * BITS) & 31u) + BITS) > 32u)
        {
            _985 = _931.codes[(((((row * _348.columns) + column) + j) * BITS) >> uint(5)) + 1u];
        }
        else
        {
            _985 = 0u;
        }
        uint param = _931.codes[((((row * _348.columns) + column) + j) * BITS) >> uint(5)];
        uint param_1 = _985;
        uint param_2 = ((((row * _348.columns) + column) + j) * BITS) & 31u;
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
    uint at = (_348.x_at + (token * _348.x_token)) + (column >> uint(2));
    uint a = _841.x[at];
    uint b = _841.x[at + 1u];
    if (_852)
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

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
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

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _193;
    if (x < 0.0)
    {
        _193 = -uintBitsToFloat(bits);
    }
    else
    {
        _193 = uintBitsToFloat(bits);
    }
    return _193;
}

vec2 level(uint row, uint column)
{
    uint at = row;
    if (_342)
    {
        at = (row * (((_348.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    vec2 both = vec2(0.0);
    if (_363)
    {
        uint param = _369.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = _385.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _405;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _405 = _369.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _405 = 0u;
        }
        uint param_4 = _369.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _405;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    return both;
}

int dot8(Eight x8, uvec2 w8)
{
    if (_1049)
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

ivec4 group_sum(inout ivec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = uvec4(mine);
    for (uint half_ = _283; half_ > 0u; half_ = half_ >> uint(1))
    {
        barrier();
        if (thread < half_)
        {
            mine += ivec4(group_words[thread + half_]);
            group_words[thread] = uvec4(mine);
        }
    }
    barrier();
    return ivec4(group_words[0]);
}

vec4 group_sum(inout vec4 mine)
{
    uint thread = gl_LocalInvocationID.x;
    barrier();
    group_words[thread] = floatBitsToUint(mine);
    for (uint half_ = _241; half_ > 0u; half_ = half_ >> uint(1))
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

float x_scale(uint token)
{
    return uintBitsToFloat(_1102.x_scales[_348.x_scales_at + token]);
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

float added(uint token, uint row)
{
    float _437;
    if (_436)
    {
        _437 = uintBitsToFloat(_443.bias[row]);
    }
    else
    {
        _437 = 0.0;
    }
    float sum = _437;
    if (_451)
    {
        uint at = ((_348.residual_at + (token * _348.residual_token)) + ((row / _348.residual_inner) * _348.residual_outer)) + (row % _348.residual_inner);
        float _480;
        if (_479)
        {
            uint param = _486.residual[at >> uint(1)];
            uint param_1 = at;
            _480 = half_in(param, param_1);
        }
        else
        {
            _480 = uintBitsToFloat(_486.residual[at]);
        }
        sum += _480;
    }
    return sum;
}

void store_row(uint token, uint row, float v)
{
    if (row < _348.end0)
    {
        _516.y0[((_348.y0_at + (token * _348.y0_token)) + ((row / _348.y0_inner) * _348.y0_outer)) + (row % _348.y0_inner)] = floatBitsToUint(v);
    }
    else
    {
        if (row < _348.end1)
        {
            _555.y1[((_348.y1_at + (token * _348.y1_token)) + (((row - _348.end0) / _348.y1_inner) * _348.y1_outer)) + ((row - _348.end0) % _348.y1_inner)] = floatBitsToUint(v);
        }
        else
        {
            _592.y2[((_348.y2_at + (token * _348.y2_token)) + (((row - _348.end1) / _348.y2_inner) * _348.y2_outer)) + ((row - _348.end1) % _348.y2_inner)] = floatBitsToUint(v);
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
    bool two = (row + 1u) < _348.row_end;
    uint param = token;
    uint param_1 = row;
    v.x += added(param, param_1);
    if (two)
    {
        uint param_2 = token;
        uint param_3 = row + 1u;
        v.y += added(param_2, param_3);
    }
    uint _661;
    if (row < _348.end0)
    {
        _661 = Y0_HALF;
    }
    else
    {
        _661 = (row < _348.end1) ? Y1_HALF : Y2_HALF;
    }
    uint is_half = _661;
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
    if (row < _348.end0)
    {
        _516.y0[(((_348.y0_at + (token * _348.y0_token)) + ((row / _348.y0_inner) * _348.y0_outer)) + (row % _348.y0_inner)) >> uint(1)] = word;
    }
    else
    {
        if (row < _348.end1)
        {
            _555.y1[(((_348.y1_at + (token * _348.y1_token)) + (((row - _348.end0) / _348.y1_inner) * _348.y1_outer)) + ((row - _348.end0) % _348.y1_inner)) >> uint(1)] = word;
        }
        else
        {
            _592.y2[(((_348.y2_at + (token * _348.y2_token)) + (((row - _348.end1) / _348.y2_inner) * _348.y2_outer)) + ((row - _348.end1) % _348.y2_inner)) >> uint(1)] = word;
        }
    }
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint token0 = gl_WorkGroupID.y * TOKENS;
    uint _1130 = _348.row_begin + (gl_WorkGroupID.x * ROWS);
    int whole[8][4];
    float acc[8][4];
    uvec2 w8[8];
    Eight x8[4];
    float _1254;
    for (uint row0 = _1130; row0 < _348.row_end; row0 += (gl_NumWorkGroups.x * ROWS))
    {
        uint last = _348.row_end - 1u;
        SPIRV_CROSS_UNROLL
        for (uint r = 0u; r < ROWS; r++)
        {
            SPIRV_CROSS_UNROLL
            for (uint t = 0u; t < TOKENS; t++)
            {
                whole[r][t] = 0;
                acc[r][t] = 0.0;
            }
        }
        uint _1180 = 8u * thread;
        for (uint column = _1180; column < _348.columns; column += _1316)
        {
            SPIRV_CROSS_UNROLL
            for (uint r_1 = 0u; r_1 < ROWS; r_1++)
            {
                uint param = min((row0 + r_1), last) - _348.held;
                uint param_1 = column;
                w8[r_1] = load_w8(param, param_1);
            }
            SPIRV_CROSS_UNROLL
            for (uint t_1 = 0u; t_1 < TOKENS; t_1++)
            {
                uint param_2 = min((token0 + t_1), (_348.tokens - 1u));
                uint param_3 = column;
                x8[t_1] = load_x8(param_2, param_3);
            }
            SPIRV_CROSS_UNROLL
            for (uint r_2 = 0u; r_2 < ROWS; r_2++)
            {
                if (_1253)
                {
                    _1254 = 0.0;
                }
                else
                {
                    uint param_4 = min((row0 + r_2), last) - _348.held;
                    uint param_5 = column;
                    _1254 = level(param_4, param_5).x;
                }
                float scale = _1254;
                SPIRV_CROSS_UNROLL
                for (uint t_2 = 0u; t_2 < TOKENS; t_2++)
                {
                    Eight param_6 = x8[t_2];
                    uvec2 param_7 = w8[r_2];
                    int sum = dot8(param_6, param_7);
                    if (_1290)
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
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _1326; i += 4u)
        {
            ivec4 four = ivec4(0);
            vec4 scaled = vec4(0.0);
            SPIRV_CROSS_UNROLL
            for (uint j = 0u; j < 4u; j++)
            {
                if ((i + j) >= _1343)
                {
                    break;
                }
                four[j] = whole[(i + j) % ROWS][(i + j) / ROWS];
                scaled[j] = acc[(i + j) % ROWS][(i + j) / ROWS];
            }
            if (_1374)
            {
                ivec4 param_8 = four;
                ivec4 _1379 = group_sum(param_8);
                scaled = vec4(_1379);
            }
            else
            {
                vec4 param_9 = scaled;
                vec4 _1384 = group_sum(param_9);
                scaled = _1384;
            }
            if (thread == 0u)
            {
                SPIRV_CROSS_UNROLL
                for (uint j_1 = 0u; j_1 < 4u; j_1++)
                {
                    if ((i + j_1) < _1400)
                    {
                        totals[i + j_1] = scaled[j_1];
                    }
                }
            }
        }
        barrier();
        for (uint i_1 = thread; i_1 < _1428; i_1 += gl_WorkGroupSize.x)
        {
            uint token = token0 + ((2u * i_1) / ROWS);
            uint row = row0 + ((2u * i_1) % ROWS);
            bool _1445 = token >= _348.tokens;
            bool _1453;
            if (!_1445)
            {
                _1453 = row >= _348.row_end;
            }
            else
            {
                _1453 = _1445;
            }
            if (_1453)
            {
                continue;
            }
            uint param_10 = token;
            vec2 v = vec2(totals[2u * i_1], totals[(2u * i_1) + 1u]) * x_scale(param_10);
            if (_1472)
            {
                uint param_11 = row - _348.held;
                uint param_12 = 0u;
                uint param_13 = min((row + 1u), last) - _348.held;
                uint param_14 = 0u;
                v *= vec2(level(param_11, param_12).x, level(param_13, param_14).x);
            }
            uint param_15 = token;
            uint param_16 = row;
            vec2 param_17 = v;
            store_rows(param_15, param_16, param_17);
        }
        barrier();
    }
}

