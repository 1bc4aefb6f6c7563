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

#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_3;
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_1;
const bool _511 = (ALIGNED != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _585 = (Y_HALF != 0u);
const bool _664 = (Y_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint ids_at;
    uint y_at;
    uint y_token;
    uint y_inner;
    uint y_outer;
    uint columns;
    uint row_begin;
    uint row_end;
    uint held;
    uint rows_per_table;
    uint table_at;
    uint plane_bytes;
} _188;

layout(binding = 4, std430) readonly buffer Table
{
    uint table[];
} _206;

layout(binding = 3, std430) readonly buffer Planes
{
    uint planes[];
} _336;

layout(binding = 1, std430) readonly buffer Ids
{
    uint ids[];
} _451;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _591;

uint table_of(uint first, uint row)
{
    return _188.table_at + ((row / _188.rows_per_table) << BITS);
}

void load_step(uint row, uint step_, inout uint words[8])
{
    uint at = (row * (_188.columns >> uint(5))) + step_;
    uint plane = _188.plane_bytes >> uint(2);
    SPIRV_CROSS_UNROLL
    for (uint p = 0u; p < BITS; p++)
    {
        words[p] = _336.planes[(p * plane) + at];
    }
}

uint spread(uint four)
{
    return (four * 2113665u) & 16843009u;
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _123;
    if ((h & 32768u) != 0u)
    {
        _123 = -size;
    }
    else
    {
        _123 = size;
    }
    return _123;
}

float entry(uint at)
{
    uint param = _206.table[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
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

void load_eight(uint row, uint column, uint at, out float v[8])
{
    uint param = row;
    uint param_1 = column >> uint(5);
    uint param_2[8];
    load_step(param, param_1, param_2);
    uint words[8] = param_2;
    uint param_3[8] = words;
    uint param_4 = (column >> uint(3)) & 3u;
    uint param_5 = at;
    float param_6[8];
    numbers(param_3, param_4, param_5, param_6);
    v = param_6;
}

vec2 level(uint row, uint column)
{
    return vec2(1.0, 0.0);
}

uint place(uint token, uint column)
{
    return ((_188.y_at + (token * _188.y_token)) + ((column / _188.y_inner) * _188.y_outer)) + (column % _188.y_inner);
}

float weight_of(vec2 level_, float v)
{
    return v;
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
    float _162;
    if (x < 0.0)
    {
        _162 = -uintBitsToFloat(bits);
    }
    else
    {
        _162 = uintBitsToFloat(bits);
    }
    return _162;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

float load_weight(uint row, uint column, uint at)
{
    uint code = 0u;
    uint bit = (row * _188.columns) + column;
    SPIRV_CROSS_UNROLL
    for (uint p = 0u; p < BITS; p++)
    {
        uint found = (p * _188.plane_bytes) + (bit >> uint(3));
        code = (code << uint(1)) | ((_336.planes[found >> uint(2)] >> ((8u * (found & 3u)) + (bit & 7u))) & 1u);
    }
    uint param = at + code;
    return entry(param);
}

void main()
{
    uint token = gl_WorkGroupID.y;
    uint row = _451.ids[2u * (_188.ids_at + token)];
    bool _468 = _451.ids[(2u * (_188.ids_at + token)) + 1u] != 0u;
    bool _477;
    if (!_468)
    {
        _477 = row < _188.row_begin;
    }
    else
    {
        _477 = _468;
    }
    bool _486;
    if (!_477)
    {
        _486 = row >= _188.row_end;
    }
    else
    {
        _486 = _477;
    }
    if (_486)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    uint here = row - _188.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_511)
    {
        float param_5[8];
        for (uint i = gl_GlobalInvocationID.x; i < (_188.columns >> uint(3)); i += stride)
        {
            uint param_2 = here;
            uint param_3 = 8u * i;
            uint param_4 = at;
            load_eight(param_2, param_3, param_4, param_5);
            float v[8] = param_5;
            uint param_6 = here;
            uint param_7 = 8u * i;
            vec2 found = level(param_6, param_7);
            uint param_8 = token;
            uint param_9 = 8u * i;
            uint to = place(param_8, param_9);
            SPIRV_CROSS_UNROLL
            for (uint j = 0u; j < 8u; j += 2u)
            {
                vec2 param_10 = found;
                float param_11 = v[j];
                vec2 param_12 = found;
                float param_13 = v[j + 1u];
                vec2 two = vec2(weight_of(param_10, param_11), weight_of(param_12, param_13));
                uint at_ = to + j;
                vec2 two_ = two;
                if (_585)
                {
                    vec2 param_14 = two_;
                    _591.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _591.y[at_] = floatBitsToUint(two_.x);
                    _591.y[at_ + 1u] = floatBitsToUint(two_.y);
                }
            }
        }
        return;
    }
    uint _619 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _619; column < _188.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17);
        if ((column + 1u) == _188.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _591.y[place(param_18, param_19)] = floatBitsToUint(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        vec2 two_1 = vec2(first, load_weight(param_20, param_21, param_22));
        if (_664)
        {
            uint param_23 = token;
            uint param_24 = column;
            vec2 param_25 = two_1;
            _591.y[place(param_23, param_24) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _591.y[place(param_26, param_27)] = floatBitsToUint(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _591.y[place(param_28, param_29)] = floatBitsToUint(two_1.y);
        }
    }
}

