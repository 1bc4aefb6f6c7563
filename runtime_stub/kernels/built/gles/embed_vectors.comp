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

#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_5;
const bool _297 = (GROUP != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 0u
#endif
const uint SCALE_BITS = SPIRV_CROSS_CONSTANT_ID_6;
const bool _318 = (SCALE_BITS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 4u
#endif
const uint WIDTH = SPIRV_CROSS_CONSTANT_ID_4;
const uint _462 = (8u / WIDTH);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 8u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_3;
const uint _464 = (_462 * BITS);
const uint _488 = (WIDTH >> uint(1));
const uint _491 = (WIDTH >> uint(1));
const uint _516 = (8u / WIDTH);
const uint _517 = (_516 * BITS);
const uint _518 = (_517 % 8u);
const bool _519 = (_518 != 0u);
const uint _534 = (8u / WIDTH);
const uint _535 = (_534 * BITS);
const uint _539 = (8u / WIDTH);
const uint _540 = (_539 * BITS);
const uint _546 = (8u / WIDTH);
const uint _547 = (_546 * BITS);
const uint _561 = (8u / WIDTH);
const uint _562 = (_561 * BITS);
const uint _584 = (8u / WIDTH);
const uint _585 = (_584 * BITS);
const uint _586 = (_585 % 32u);
const bool _587 = (_586 == 0u);
const uint _588 = (8u / WIDTH);
const uint _589 = (_588 * BITS);
const uint _590 = (_589 % 16u);
const bool _591 = (_590 == 0u);
const uint _592 = (8u / WIDTH);
const uint _593 = (_592 * BITS);
const uint _594 = (_593 % 8u);
const bool _595 = (_594 == 0u);
const uint _596 = _595 ? 32u : 8u;
const uint _597 = _591 ? 16u : _596;
const uint _598 = _587 ? 8u : _597;
const uint _603 = (8u / WIDTH);
const uint _604 = (_603 * BITS);
const uint _605 = (_604 % 32u);
const bool _606 = (_605 == 0u);
const uint _607 = (8u / WIDTH);
const uint _608 = (_607 * BITS);
const uint _609 = (_608 % 16u);
const bool _610 = (_609 == 0u);
const uint _611 = (8u / WIDTH);
const uint _612 = (_611 * BITS);
const uint _613 = (_612 % 8u);
const bool _614 = (_613 == 0u);
const uint _615 = _614 ? 32u : 8u;
const uint _616 = _610 ? 16u : _615;
const uint _617 = _606 ? 8u : _616;
const uint _618 = (8u / WIDTH);
const uint _619 = (_618 * BITS);
const uint _620 = (_617 * _619);
const uint _622 = (_620 / 256u);
const uint _631 = (8u / WIDTH);
const uint _632 = (_631 * BITS);
const uint _633 = (_632 % 32u);
const bool _634 = (_633 == 0u);
const uint _635 = (8u / WIDTH);
const uint _636 = (_635 * BITS);
const uint _637 = (_636 % 16u);
const bool _638 = (_637 == 0u);
const uint _639 = (8u / WIDTH);
const uint _640 = (_639 * BITS);
const uint _641 = (_640 % 8u);
const bool _642 = (_641 == 0u);
const uint _643 = _642 ? 32u : 8u;
const uint _644 = _638 ? 16u : _643;
const uint _645 = _634 ? 8u : _644;
const uint _646 = (8u / WIDTH);
const uint _647 = (_646 * BITS);
const uint _648 = (_645 * _647);
const uint _649 = (_648 / 256u);
const uint _660 = (8u / WIDTH);
const uint _661 = (_660 * BITS);
const uint _662 = (_661 % 8u);
const bool _663 = (_662 != 0u);
const bool _664 = (!_663);
const uint _667 = (8u / WIDTH);
const uint _668 = (_667 * BITS);
const uint _669 = (_668 % 32u);
const bool _670 = (_669 == 0u);
const uint _671 = (8u / WIDTH);
const uint _672 = (_671 * BITS);
const uint _673 = (_672 % 16u);
const bool _674 = (_673 == 0u);
const uint _675 = (8u / WIDTH);
const uint _676 = (_675 * BITS);
const uint _677 = (_676 % 8u);
const bool _678 = (_677 == 0u);
const uint _679 = _678 ? 32u : 8u;
const uint _680 = _674 ? 16u : _679;
const uint _681 = _670 ? 8u : _680;
const bool _682 = (_681 == 8u);
const uint _708 = (8u / WIDTH);
const uint _709 = (_708 * BITS);
const uint _713 = (8u / WIDTH);
const uint _714 = (_713 * BITS);
const uint _720 = (8u / WIDTH);
const uint _721 = (_720 * BITS);
const uint _732 = (8u / WIDTH);
const uint _733 = (_732 * BITS);
const uint _763 = (8u / WIDTH);
const uint _764 = (_763 * BITS);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_1;
const bool _944 = (ALIGNED != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _1018 = (Y_HALF != 0u);
const bool _1097 = (Y_HALF != 0u);

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
} _303;

layout(binding = 5, std430) readonly buffer Scales
{
    uint scales[];
} _324;

layout(binding = 6, std430) readonly buffer Supers
{
    uint supers[];
} _341;

layout(binding = 4, std430) readonly buffer Table
{
    uint table[];
} _498;

layout(binding = 3, std430) readonly buffer Codes
{
    uint codes[];
} _553;

layout(binding = 1, std430) readonly buffer Ids
{
    uint ids[];
} _885;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _1024;

uint table_of(uint first, uint row)
{
    return 0u;
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_519)
    {
        uint eight = (row * (_303.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _535) + (((eight & 31u) * _540) >> uint(5));
        uint shift = (eight * _547) & 31u;
        words[0] = _553.codes[at] >> shift;
        if ((shift + _562) > 32u)
        {
            words[0] |= (_553.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_303.columns / _598)) + step_) * _622;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _649; i++)
        {
            words[i] = _553.codes[at_1 + i];
        }
    }
}

uvec2 window(uint words[8], uint at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _407;
    if (i < 7u)
    {
        _407 = words[i + 1u];
    }
    else
    {
        _407 = 0u;
    }
    uvec2 out_ = uvec2(words[i], _407);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _441;
    if (i < 6u)
    {
        _441 = words[i + 2u];
    }
    else
    {
        _441 = 0u;
    }
    out_.y = (out_.y >> shift) | (_441 << (32u - shift));
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

void numbers(uint words[8], uint sub, uint at, inout float v[8])
{
    uint param[8] = words;
    uint param_1 = sub * _464;
    uvec2 eight = window(param, param_1);
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 4u; j++)
    {
        uvec2 param_2 = eight;
        uint param_3 = BITS;
        uint param_4 = (2u * j) / WIDTH;
        uint pair = (code_in(param_2, param_3, param_4) * _488) + (j % _491);
        vec2 two = unpackHalf2x16(_498.table[pair]);
        v[2u * j] = two.x;
        v[(2u * j) + 1u] = two.y;
    }
}

void load_eight(uint row, uint column, uint at, out float v[8])
{
    bool _683;
    if (_664)
    {
        _683 = _682;
    }
    else
    {
        _683 = _663;
    }
    uint words[8];
    if (_683)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        uint param_2[8];
        load_step(param, param_1, param_2);
        words = param_2;
    }
    else
    {
        uint eight = (row * (_303.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _709) + (((eight & 31u) * _714) >> uint(5));
        uint shift = (eight * _721) & 31u;
        words[0] = _553.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _733) > 32u)
        {
            uint next = _553.codes[word + 1u];
            uint _745;
            if (shift == 0u)
            {
                _745 = 0u;
            }
            else
            {
                _745 = next << (32u - shift);
            }
            words[0] |= _745;
            words[1] = next >> shift;
        }
        if ((shift + _764) > 64u)
        {
            words[1] |= (_553.codes[word + 2u] << (32u - shift));
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
    float _156;
    if ((h & 32768u) != 0u)
    {
        _156 = -size;
    }
    else
    {
        _156 = size;
    }
    return _156;
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

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _195;
    if (x < 0.0)
    {
        _195 = -uintBitsToFloat(bits);
    }
    else
    {
        _195 = uintBitsToFloat(bits);
    }
    return _195;
}

vec2 level(uint row, uint column)
{
    uint at = row;
    if (_297)
    {
        at = (row * (((_303.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    vec2 both = vec2(0.0);
    if (_318)
    {
        uint param = _324.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = _341.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _359;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _359 = _324.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _359 = 0u;
        }
        uint param_4 = _324.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _359;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    return both;
}

uint place(uint token, uint column)
{
    return ((_303.y_at + (token * _303.y_token)) + ((column / _303.y_inner) * _303.y_outer)) + (column % _303.y_inner);
}

float weight_of(vec2 level_, float v)
{
    return v * level_.x;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _108;
    if ((index & 1u) == 0u)
    {
        _108 = both.x;
    }
    else
    {
        _108 = both.y;
    }
    return _108;
}

float load_weight(uint row, uint column, uint at)
{
    uint index = (row * (_303.columns / WIDTH)) + (column / WIDTH);
    uint _807;
    if ((((index * BITS) & 31u) + BITS) > 32u)
    {
        _807 = _553.codes[((index * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _807 = 0u;
    }
    uint param = _553.codes[(index * BITS) >> uint(5)];
    uint param_1 = _807;
    uint param_2 = (index * BITS) & 31u;
    uint param_3 = BITS;
    uint found = (code_of(param, param_1, param_2, param_3) * WIDTH) + (column % WIDTH);
    uint param_4 = row;
    uint param_5 = column;
    uint param_6 = _498.table[found >> uint(1)];
    uint param_7 = found;
    vec2 param_8 = level(param_4, param_5);
    float param_9 = half_in(param_6, param_7);
    return weight_of(param_8, param_9);
}

void main()
{
    uint token = gl_WorkGroupID.y;
    uint row = _885.ids[2u * (_303.ids_at + token)];
    bool _901 = _885.ids[(2u * (_303.ids_at + token)) + 1u] != 0u;
    bool _910;
    if (!_901)
    {
        _910 = row < _303.row_begin;
    }
    else
    {
        _910 = _901;
    }
    bool _919;
    if (!_910)
    {
        _919 = row >= _303.row_end;
    }
    else
    {
        _919 = _910;
    }
    if (_919)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    uint here = row - _303.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_944)
    {
        float param_5[8];
        for (uint i = gl_GlobalInvocationID.x; i < (_303.columns >> uint(3)); i += stride)
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
                if (_1018)
                {
                    vec2 param_14 = two_;
                    _1024.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _1024.y[at_] = floatBitsToUint(two_.x);
                    _1024.y[at_ + 1u] = floatBitsToUint(two_.y);
                }
            }
        }
        return;
    }
    uint _1052 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _1052; column < _303.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17);
        if ((column + 1u) == _303.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _1024.y[place(param_18, param_19)] = floatBitsToUint(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        vec2 two_1 = vec2(first, load_weight(param_20, param_21, param_22));
        if (_1097)
        {
            uint param_23 = token;
            uint param_24 = column;
            vec2 param_25 = two_1;
            _1024.y[place(param_23, param_24) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _1024.y[place(param_26, param_27)] = floatBitsToUint(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _1024.y[place(param_28, param_29)] = floatBitsToUint(two_1.y);
        }
    }
}

