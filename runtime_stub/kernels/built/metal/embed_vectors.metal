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

constant uint GROUP_tmp [[function_constant(5)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _297 = (GROUP != 0u);

struct Params
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
};

constant uint SCALE_BITS_tmp [[function_constant(6)]];
constant uint SCALE_BITS = is_function_constant_defined(SCALE_BITS_tmp) ? SCALE_BITS_tmp : 0u;
constant bool _318 = (SCALE_BITS == 0u);

struct Scales
{
    uint scales[1];
};

struct Supers
{
    uint supers[1];
};

constant uint WIDTH_tmp [[function_constant(4)]];
constant uint WIDTH = is_function_constant_defined(WIDTH_tmp) ? WIDTH_tmp : 4u;
constant uint _462 = (8u / WIDTH);
constant uint BITS_tmp [[function_constant(3)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 8u;
constant uint _464 = (_462 * BITS);
constant uint _488 = (WIDTH >> uint(1));
constant uint _491 = (WIDTH >> uint(1));

struct Table
{
    uint table[1];
};

constant uint _516 = (8u / WIDTH);
constant uint _517 = (_516 * BITS);
constant uint _518 = (_517 % 8u);
constant bool _519 = (_518 != 0u);
constant uint _534 = (8u / WIDTH);
constant uint _535 = (_534 * BITS);
constant uint _539 = (8u / WIDTH);
constant uint _540 = (_539 * BITS);
constant uint _546 = (8u / WIDTH);
constant uint _547 = (_546 * BITS);

struct Codes
{
    uint codes[1];
};

constant uint _561 = (8u / WIDTH);
constant uint _562 = (_561 * BITS);
constant uint _584 = (8u / WIDTH);
constant uint _585 = (_584 * BITS);
constant uint _586 = (_585 % 32u);
constant bool _587 = (_586 == 0u);
constant uint _588 = (8u / WIDTH);
constant uint _589 = (_588 * BITS);
constant uint _590 = (_589 % 16u);
constant bool _591 = (_590 == 0u);
constant uint _592 = (8u / WIDTH);
constant uint _593 = (_592 * BITS);
constant uint _594 = (_593 % 8u);
constant bool _595 = (_594 == 0u);
constant uint _596 = _595 ? 32u : 8u;
constant uint _597 = _591 ? 16u : _596;
constant uint _598 = _587 ? 8u : _597;
constant uint _603 = (8u / WIDTH);
constant uint _604 = (_603 * BITS);
constant uint _605 = (_604 % 32u);
constant bool _606 = (_605 == 0u);
constant uint _607 = (8u / WIDTH);
constant uint _608 = (_607 * BITS);
constant uint _609 = (_608 % 16u);
constant bool _610 = (_609 == 0u);
constant uint _611 = (8u / WIDTH);
constant uint _612 = (_611 * BITS);
constant uint _613 = (_612 % 8u);
constant bool _614 = (_613 == 0u);
constant uint _615 = _614 ? 32u : 8u;
constant uint _616 = _610 ? 16u : _615;
constant uint _617 = _606 ? 8u : _616;
constant uint _618 = (8u / WIDTH);
constant uint _619 = (_618 * BITS);
constant uint _620 = (_617 * _619);
constant uint _622 = (_620 / 256u);
constant uint _631 = (8u / WIDTH);
constant uint _632 = (_631 * BITS);
constant uint _633 = (_632 % 32u);
constant bool _634 = (_633 == 0u);
constant uint _635 = (8u / WIDTH);
constant uint _636 = (_635 * BITS);
constant uint _637 = (_636 % 16u);
constant bool _638 = (_637 == 0u);
constant uint _639 = (8u / WIDTH);
constant uint _640 = (_639 * BITS);
constant uint _641 = (_640 % 8u);
constant bool _642 = (_641 == 0u);
constant uint _643 = _642 ? 32u : 8u;
constant uint _644 = _638 ? 16u : _643;
constant uint _645 = _634 ? 8u : _644;
constant uint _646 = (8u / WIDTH);
constant uint _647 = (_646 * BITS);
constant uint _648 = (_645 * _647);
constant uint _649 = (_648 / 256u);
constant uint _660 = (8u / WIDTH);
constant uint _661 = (_660 * BITS);
constant uint _662 = (_661 % 8u);
constant bool _663 = (_662 != 0u);
constant bool _664 = (!_663);
constant uint _667 = (8u / WIDTH);
constant uint _668 = (_667 * BITS);
constant uint _669 = (_668 % 32u);
constant bool _670 = (_669 == 0u);
constant uint _671 = (8u / WIDTH);
constant uint _672 = (_671 * BITS);
constant uint _673 = (_672 % 16u);
constant bool _674 = (_673 == 0u);
constant uint _675 = (8u / WIDTH);
constant uint _676 = (_675 * BITS);
constant uint _677 = (_676 % 8u);
constant bool _678 = (_677 == 0u);
constant uint _679 = _678 ? 32u : 8u;
constant uint _680 = _674 ? 16u : _679;
constant uint _681 = _670 ? 8u : _680;
constant bool _682 = (_681 == 8u);
constant uint _708 = (8u / WIDTH);
constant uint _709 = (_708 * BITS);
constant uint _713 = (8u / WIDTH);
constant uint _714 = (_713 * BITS);
constant uint _720 = (8u / WIDTH);
constant uint _721 = (_720 * BITS);
constant uint _732 = (8u / WIDTH);
constant uint _733 = (_732 * BITS);
constant uint _763 = (8u / WIDTH);
constant uint _764 = (_763 * BITS);

struct Ids
{
    uint ids[1];
};

constant uint _939_tmp [[function_constant(0)]];
constant uint _939 = is_function_constant_defined(_939_tmp) ? _939_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_939, 1u, 1u);
constant uint ALIGNED_tmp [[function_constant(1)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _944 = (ALIGNED != 0u);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _1018 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _1097 = (Y_HALF != 0u);

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row)
{
    return 0u;
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_303, const device Codes& v_553)
{
    if (_519)
    {
        uint eight = (row * (v_303.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _535) + (((eight & 31u) * _540) >> uint(5));
        uint shift = (eight * _547) & 31u;
        words[0] = v_553.codes[at] >> shift;
        if ((shift + _562) > 32u)
        {
            words[0] |= (v_553.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_303.columns / _598)) + step_) * _622;
        for (uint i = 0u; i < _649; i++)
        {
            words[i] = v_553.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
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
    uint2 out_ = uint2(words[i], _407);
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

static inline __attribute__((always_inline))
uint code_in(thread const uint2& words, thread const uint& bits, thread const uint& j)
{
    uint at = j * bits;
    if ((at + bits) <= 32u)
    {
        return extract_bits(words.x, uint(int(at)), uint(int(bits)));
    }
    if (at >= 32u)
    {
        return extract_bits(words.y, uint(int(at - 32u)), uint(int(bits)));
    }
    return extract_bits((words.x >> at) | (words.y << ((32u - at) & 31u)), uint(0), uint(int(bits)));
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v, const device Table& v_498)
{
    spvUnsafeArray<uint, 8> param;
    param = words;
    uint param_1 = sub * _464;
    uint2 eight = window(param, param_1);
    for (uint j = 0u; j < 4u; j++)
    {
        uint2 param_2 = eight;
        uint param_3 = BITS;
        uint param_4 = (2u * j) / WIDTH;
        uint pair = (code_in(param_2, param_3, param_4) * _488) + (j % _491);
        float2 two = float2(as_type<half2>(v_498.table[pair]));
        v[2u * j] = two.x;
        v[(2u * j) + 1u] = two.y;
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, constant Params& v_303, const device Table& v_498, const device Codes& v_553)
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
    spvUnsafeArray<uint, 8> words;
    if (_683)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        spvUnsafeArray<uint, 8> param_2;
        load_step(param, param_1, param_2, v_303, v_553);
        words = param_2;
    }
    else
    {
        uint eight = (row * (v_303.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _709) + (((eight & 31u) * _714) >> uint(5));
        uint shift = (eight * _721) & 31u;
        words[0] = v_553.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _733) > 32u)
        {
            uint next = v_553.codes[word + 1u];
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
            words[1] |= (v_553.codes[word + 2u] << (32u - shift));
        }
    }
    spvUnsafeArray<uint, 8> param_3;
    param_3 = words;
    uint param_4 = 0u;
    uint param_5 = at;
    spvUnsafeArray<float, 8> param_6;
    numbers(param_3, param_4, param_5, param_6, v_498);
    v = param_6;
}

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
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
float round_half(thread const float& x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return rint(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = as_type<uint>(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _195;
    if (x < 0.0)
    {
        _195 = -as_type<float>(bits);
    }
    else
    {
        _195 = as_type<float>(bits);
    }
    return _195;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column, constant Params& v_303, const device Scales& v_324, const device Supers& v_341)
{
    uint at = row;
    if (_297)
    {
        at = (row * (((v_303.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    float2 both = float2(0.0);
    if (_318)
    {
        uint param = v_324.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = v_341.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _359;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _359 = v_324.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _359 = 0u;
        }
        uint param_4 = v_324.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _359;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    return both;
}

static inline __attribute__((always_inline))
uint place(thread const uint& token, thread const uint& column, constant Params& v_303)
{
    return ((v_303.y_at + (token * v_303.y_token)) + ((column / v_303.y_inner) * v_303.y_outer)) + (column % v_303.y_inner);
}

static inline __attribute__((always_inline))
float weight_of(thread const float2& level_, thread const float& v)
{
    return v * level_.x;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
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

static inline __attribute__((always_inline))
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_303, const device Scales& v_324, const device Supers& v_341, const device Table& v_498, const device Codes& v_553)
{
    uint index = (row * (v_303.columns / WIDTH)) + (column / WIDTH);
    uint _807;
    if ((((index * BITS) & 31u) + BITS) > 32u)
    {
        _807 = v_553.codes[((index * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _807 = 0u;
    }
    uint param = v_553.codes[(index * BITS) >> uint(5)];
    uint param_1 = _807;
    uint param_2 = (index * BITS) & 31u;
    uint param_3 = BITS;
    uint found = (code_of(param, param_1, param_2, param_3) * WIDTH) + (column % WIDTH);
    uint param_4 = row;
    uint param_5 = column;
    uint param_6 = v_498.table[found >> uint(1)];
    uint param_7 = found;
    float2 param_8 = level(param_4, param_5, v_303, v_324, v_341);
    float param_9 = half_in(param_6, param_7);
    return weight_of(param_8, param_9);
}

kernel void embed_vectors(constant Params& v_303 [[buffer(0)]], const device Ids& _885 [[buffer(1)]], device Y& _1024 [[buffer(2)]], const device Codes& v_553 [[buffer(3)]], const device Table& v_498 [[buffer(4)]], const device Scales& v_324 [[buffer(5)]], const device Supers& v_341 [[buffer(6)]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]])
{
    uint token = gl_WorkGroupID.y;
    uint row = _885.ids[2u * (v_303.ids_at + token)];
    bool _901 = _885.ids[(2u * (v_303.ids_at + token)) + 1u] != 0u;
    bool _910;
    if (!_901)
    {
        _910 = row < v_303.row_begin;
    }
    else
    {
        _910 = _901;
    }
    bool _919;
    if (!_910)
    {
        _919 = row >= v_303.row_end;
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
    uint here = row - v_303.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_944)
    {
        spvUnsafeArray<float, 8> param_5;
        for (uint i = gl_GlobalInvocationID.x; i < (v_303.columns >> uint(3)); i += stride)
        {
            uint param_2 = here;
            uint param_3 = 8u * i;
            uint param_4 = at;
            load_eight(param_2, param_3, param_4, param_5, v_303, v_498, v_553);
            spvUnsafeArray<float, 8> v;
            v = param_5;
            uint param_6 = here;
            uint param_7 = 8u * i;
            float2 found = level(param_6, param_7, v_303, v_324, v_341);
            uint param_8 = token;
            uint param_9 = 8u * i;
            uint to = place(param_8, param_9, v_303);
            for (uint j = 0u; j < 8u; j += 2u)
            {
                float2 param_10 = found;
                float param_11 = v[j];
                float2 param_12 = found;
                float param_13 = v[j + 1u];
                float2 two = float2(weight_of(param_10, param_11), weight_of(param_12, param_13));
                uint at_ = to + j;
                float2 two_ = two;
                if (_1018)
                {
                    float2 param_14 = two_;
                    _1024.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _1024.y[at_] = as_type<uint>(two_.x);
                    _1024.y[at_ + 1u] = as_type<uint>(two_.y);
                }
            }
        }
        return;
    }
    uint _1052 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _1052; column < v_303.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17, v_303, v_324, v_341, v_498, v_553);
        if ((column + 1u) == v_303.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _1024.y[place(param_18, param_19, v_303)] = as_type<uint>(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        float2 two_1 = float2(first, load_weight(param_20, param_21, param_22, v_303, v_324, v_341, v_498, v_553));
        if (_1097)
        {
            uint param_23 = token;
            uint param_24 = column;
            float2 param_25 = two_1;
            _1024.y[place(param_23, param_24, v_303) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _1024.y[place(param_26, param_27, v_303)] = as_type<uint>(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _1024.y[place(param_28, param_29, v_303)] = as_type<uint>(two_1.y);
        }
    }
}

