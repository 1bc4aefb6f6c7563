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
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_3;
const bool _220 = (GROUP != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_1;
const bool _711 = (ALIGNED != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _785 = (Y_HALF != 0u);
const bool _864 = (Y_HALF != 0u);

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
} _226;

layout(binding = 4, std430) readonly buffer Scales
{
    uint scales[];
} _241;

layout(binding = 5, std430) readonly buffer Offsets
{
    uint offsets[];
} _256;

layout(binding = 3, std430) readonly buffer Codes
{
    uint codes[];
} _406;

layout(binding = 1, std430) readonly buffer Ids
{
    uint ids[];
} _652;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _791;

uint table_of(uint first, uint row)
{
    return 0u;
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (false)
    {
        uint eight = (row * (_226.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * 32u) + (((eight & 31u) * 32u) >> uint(5));
        uint shift = (eight * 32u) & 31u;
        words[0] = _406.codes[at] >> shift;
        if ((shift + 32u) > 32u)
        {
            words[0] |= (_406.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_226.columns / 8u)) + step_) * 1u;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < 1u; i++)
        {
            words[i] = _406.codes[at_1 + i];
        }
    }
}

uvec2 window(uint words[8], uint at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _294;
    if (i < 7u)
    {
        _294 = words[i + 1u];
    }
    else
    {
        _294 = 0u;
    }
    uvec2 out_ = uvec2(words[i], _294);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _328;
    if (i < 6u)
    {
        _328 = words[i + 2u];
    }
    else
    {
        _328 = 0u;
    }
    out_.y = (out_.y >> shift) | (_328 << (32u - shift));
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

void load_eight(uint row, uint column, uint at, out float v[8])
{
    uint words[8];
    if (true)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        uint param_2[8];
        load_step(param, param_1, param_2);
        words = param_2;
    }
    else
    {
        uint eight = (row * (_226.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * 32u) + (((eight & 31u) * 32u) >> uint(5));
        uint shift = (eight * 32u) & 31u;
        words[0] = _406.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + 32u) > 32u)
        {
            uint next = _406.codes[word + 1u];
            uint _511;
            if (shift == 0u)
            {
                _511 = 0u;
            }
            else
            {
                _511 = next << (32u - shift);
            }
            words[0] |= _511;
            words[1] = next >> shift;
        }
        if ((shift + 32u) > 64u)
        {
            words[1] |= (_406.codes[word + 2u] << (32u - shift));
        }
    }
    uint param_3[8] = words;
    uint param_4 = 0u;
    uint param_5 = at;
    float param_6[8];
    numbers(param_3, param_4, param_5, param_6);
    v = param_6;
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _128;
    if ((h & 32768u) != 0u)
    {
        _128 = -size;
    }
    else
    {
        _128 = size;
    }
    return _128;
}

vec2 level(uint row, uint column)
{
    uint at = row;
    if (_220)
    {
        at = (row * (((_226.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    uint param = _241.scales[at >> uint(1)];
    uint param_1 = at;
    uint param_2 = _256.offsets[at >> uint(1)];
    uint param_3 = at;
    return vec2(exact_half(param, param_1), exact_half(param_2, param_3));
}

uint place(uint token, uint column)
{
    return ((_226.y_at + (token * _226.y_token)) + ((column / _226.y_inner) * _226.y_outer)) + (column % _226.y_inner);
}

float weight_of(vec2 level_, float v)
{
    float product = v * level_.x;
    return product + level_.y;
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
    float _167;
    if (x < 0.0)
    {
        _167 = -uintBitsToFloat(bits);
    }
    else
    {
        _167 = uintBitsToFloat(bits);
    }
    return _167;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
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
    uint _572;
    if ((((((row * _226.columns) + column) * 4u) & 31u) + 4u) > 32u)
    {
        _572 = _406.codes[((((row * _226.columns) + column) * 4u) >> uint(5)) + 1u];
    }
    else
    {
        _572 = 0u;
    }
    uint param = _406.codes[(((row * _226.columns) + column) * 4u) >> uint(5)];
    uint param_1 = _572;
    uint param_2 = (((row * _226.columns) + column) * 4u) & 31u;
    uint param_3 = 4u;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = row;
    uint param_5 = column;
    vec2 param_6 = level(param_4, param_5);
    float param_7 = uintBitsToFloat(1065353216u | (code << uint(19)));
    return weight_of(param_6, param_7);
}

void main()
{
    uint token = gl_WorkGroupID.y;
    uint row = _652.ids[2u * (_226.ids_at + token)];
    bool _668 = _652.ids[(2u * (_226.ids_at + token)) + 1u] != 0u;
    bool _677;
    if (!_668)
    {
        _677 = row < _226.row_begin;
    }
    else
    {
        _677 = _668;
    }
    bool _686;
    if (!_677)
    {
        _686 = row >= _226.row_end;
    }
    else
    {
        _686 = _677;
    }
    if (_686)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    uint here = row - _226.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_711)
    {
        float param_5[8];
        for (uint i = gl_GlobalInvocationID.x; i < (_226.columns >> uint(3)); i += stride)
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
                if (_785)
                {
                    vec2 param_14 = two_;
                    _791.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _791.y[at_] = floatBitsToUint(two_.x);
                    _791.y[at_ + 1u] = floatBitsToUint(two_.y);
                }
            }
        }
        return;
    }
    uint _819 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _819; column < _226.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17);
        if ((column + 1u) == _226.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _791.y[place(param_18, param_19)] = floatBitsToUint(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        vec2 two_1 = vec2(first, load_weight(param_20, param_21, param_22));
        if (_864)
        {
            uint param_23 = token;
            uint param_24 = column;
            vec2 param_25 = two_1;
            _791.y[place(param_23, param_24) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _791.y[place(param_26, param_27)] = floatBitsToUint(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _791.y[place(param_28, param_29)] = floatBitsToUint(two_1.y);
        }
    }
}

