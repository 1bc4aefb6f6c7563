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

constant uint GROUP_tmp [[function_constant(4)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _332 = (GROUP != 0u);

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

constant uint SCALE_BITS_tmp [[function_constant(5)]];
constant uint SCALE_BITS = is_function_constant_defined(SCALE_BITS_tmp) ? SCALE_BITS_tmp : 0u;
constant bool _353 = (SCALE_BITS == 0u);

struct Scales
{
    uint scales[1];
};

struct Supers
{
    uint supers[1];
};

constant uint ZEROS_tmp [[function_constant(6)]];
constant uint ZEROS = is_function_constant_defined(ZEROS_tmp) ? ZEROS_tmp : 0u;
constant bool _421 = (ZEROS == 1u);

struct Zeros
{
    uint zeros[1];
};

constant uint ZERO_BITS_tmp [[function_constant(7)]];
constant uint ZERO_BITS = is_function_constant_defined(ZERO_BITS_tmp) ? ZERO_BITS_tmp : 4u;
constant uint BITS_tmp [[function_constant(3)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;
constant uint _460 = (ZERO_BITS - BITS);
constant uint _461 = (1u << _460);
constant bool _466 = (ZEROS == 2u);
constant uint _556 = (8u * BITS);
constant bool _571 = (ZEROS == 0u);
constant uint _594 = (8u * BITS);
constant uint _595 = (_594 % 8u);
constant bool _596 = (_595 != 0u);
constant uint _611 = (8u * BITS);
constant uint _615 = (8u * BITS);
constant uint _621 = (8u * BITS);

struct Codes
{
    uint codes[1];
};

constant uint _635 = (8u * BITS);
constant uint _657 = (8u * BITS);
constant uint _658 = (_657 % 32u);
constant bool _659 = (_658 == 0u);
constant uint _660 = (8u * BITS);
constant uint _661 = (_660 % 16u);
constant bool _662 = (_661 == 0u);
constant uint _663 = (8u * BITS);
constant uint _664 = (_663 % 8u);
constant bool _665 = (_664 == 0u);
constant uint _666 = _665 ? 32u : 8u;
constant uint _667 = _662 ? 16u : _666;
constant uint _668 = _659 ? 8u : _667;
constant uint _673 = (8u * BITS);
constant uint _674 = (_673 % 32u);
constant bool _675 = (_674 == 0u);
constant uint _676 = (8u * BITS);
constant uint _677 = (_676 % 16u);
constant bool _678 = (_677 == 0u);
constant uint _679 = (8u * BITS);
constant uint _680 = (_679 % 8u);
constant bool _681 = (_680 == 0u);
constant uint _682 = _681 ? 32u : 8u;
constant uint _683 = _678 ? 16u : _682;
constant uint _684 = _675 ? 8u : _683;
constant uint _685 = (8u * BITS);
constant uint _686 = (_684 * _685);
constant uint _688 = (_686 / 256u);
constant uint _697 = (8u * BITS);
constant uint _698 = (_697 % 32u);
constant bool _699 = (_698 == 0u);
constant uint _700 = (8u * BITS);
constant uint _701 = (_700 % 16u);
constant bool _702 = (_701 == 0u);
constant uint _703 = (8u * BITS);
constant uint _704 = (_703 % 8u);
constant bool _705 = (_704 == 0u);
constant uint _706 = _705 ? 32u : 8u;
constant uint _707 = _702 ? 16u : _706;
constant uint _708 = _699 ? 8u : _707;
constant uint _709 = (8u * BITS);
constant uint _710 = (_708 * _709);
constant uint _711 = (_710 / 256u);
constant uint _722 = (8u * BITS);
constant uint _723 = (_722 % 8u);
constant bool _724 = (_723 != 0u);
constant bool _725 = (!_724);
constant uint _728 = (8u * BITS);
constant uint _729 = (_728 % 32u);
constant bool _730 = (_729 == 0u);
constant uint _731 = (8u * BITS);
constant uint _732 = (_731 % 16u);
constant bool _733 = (_732 == 0u);
constant uint _734 = (8u * BITS);
constant uint _735 = (_734 % 8u);
constant bool _736 = (_735 == 0u);
constant uint _737 = _736 ? 32u : 8u;
constant uint _738 = _733 ? 16u : _737;
constant uint _739 = _730 ? 8u : _738;
constant bool _740 = (_739 == 8u);
constant uint _766 = (8u * BITS);
constant uint _770 = (8u * BITS);
constant uint _776 = (8u * BITS);
constant uint _787 = (8u * BITS);
constant uint _817 = (8u * BITS);
constant int _896 = int(BITS + 0u);
constant bool _903 = (ZEROS == 0u);

struct Ids
{
    uint ids[1];
};

constant uint _1007_tmp [[function_constant(0)]];
constant uint _1007 = is_function_constant_defined(_1007_tmp) ? _1007_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1007, 1u, 1u);
constant uint ALIGNED_tmp [[function_constant(1)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _1012 = (ALIGNED != 0u);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _1086 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _1165 = (Y_HALF != 0u);

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row)
{
    return 0u;
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_338, const device Codes& v_627)
{
    if (_596)
    {
        uint eight = (row * (v_338.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _611) + (((eight & 31u) * _615) >> uint(5));
        uint shift = (eight * _621) & 31u;
        words[0] = v_627.codes[at] >> shift;
        if ((shift + _635) > 32u)
        {
            words[0] |= (v_627.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_338.columns / _668)) + step_) * _688;
        for (uint i = 0u; i < _711; i++)
        {
            words[i] = v_627.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _503;
    if (i < 7u)
    {
        _503 = words[i + 1u];
    }
    else
    {
        _503 = 0u;
    }
    uint2 out_ = uint2(words[i], _503);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _537;
    if (i < 6u)
    {
        _537 = words[i + 2u];
    }
    else
    {
        _537 = 0u;
    }
    out_.y = (out_.y >> shift) | (_537 << (32u - shift));
    return out_;
}

static inline __attribute__((always_inline))
int signed_in(thread const uint2& words, thread const uint& bits, thread const uint& j)
{
    uint at = j * bits;
    if ((at + bits) <= 32u)
    {
        return extract_bits(int(words.x), uint(int(at)), uint(int(bits)));
    }
    if (at >= 32u)
    {
        return extract_bits(int(words.y), uint(int(at - 32u)), uint(int(bits)));
    }
    return extract_bits(int((words.x >> at) | (words.y << ((32u - at) & 31u))), uint(0), uint(int(bits)));
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
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v)
{
    spvUnsafeArray<uint, 8> param;
    param = words;
    uint param_1 = sub * _556;
    uint2 eight = window(param, param_1);
    float _572;
    for (uint j = 0u; j < 8u; j++)
    {
        if (_571)
        {
            uint2 param_2 = eight;
            uint param_3 = BITS;
            uint param_4 = j;
            _572 = float(signed_in(param_2, param_3, param_4));
        }
        else
        {
            uint2 param_5 = eight;
            uint param_6 = BITS;
            uint param_7 = j;
            _572 = float(code_in(param_5, param_6, param_7));
        }
        v[j] = _572;
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, constant Params& v_338, const device Codes& v_627)
{
    bool _741;
    if (_725)
    {
        _741 = _740;
    }
    else
    {
        _741 = _724;
    }
    spvUnsafeArray<uint, 8> words;
    if (_741)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        spvUnsafeArray<uint, 8> param_2;
        load_step(param, param_1, param_2, v_338, v_627);
        words = param_2;
    }
    else
    {
        uint eight = (row * (v_338.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _766) + (((eight & 31u) * _770) >> uint(5));
        uint shift = (eight * _776) & 31u;
        words[0] = v_627.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _787) > 32u)
        {
            uint next = v_627.codes[word + 1u];
            uint _799;
            if (shift == 0u)
            {
                _799 = 0u;
            }
            else
            {
                _799 = next << (32u - shift);
            }
            words[0] |= _799;
            words[1] = next >> shift;
        }
        if ((shift + _817) > 64u)
        {
            words[1] |= (v_627.codes[word + 2u] << (32u - shift));
        }
    }
    spvUnsafeArray<uint, 8> param_3;
    param_3 = words;
    uint param_4 = 0u;
    uint param_5 = at;
    spvUnsafeArray<float, 8> param_6;
    numbers(param_3, param_4, param_5, param_6);
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
    float _141;
    if ((h & 32768u) != 0u)
    {
        _141 = -size;
    }
    else
    {
        _141 = size;
    }
    return _141;
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
    float _180;
    if (x < 0.0)
    {
        _180 = -as_type<float>(bits);
    }
    else
    {
        _180 = as_type<float>(bits);
    }
    return _180;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column, constant Params& v_338, const device Scales& v_359, const device Supers& v_376, const device Zeros& v_427)
{
    uint at = row;
    if (_332)
    {
        at = (row * (((v_338.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    float2 both = float2(0.0);
    if (_353)
    {
        uint param = v_359.scales[at >> uint(1)];
        uint param_1 = at;
        both.x = exact_half(param, param_1);
    }
    else
    {
        uint param_2 = v_376.supers[row >> uint(1)];
        uint param_3 = row;
        float number = exact_half(param_2, param_3);
        uint _394;
        if ((((at * SCALE_BITS) & 31u) + SCALE_BITS) > 32u)
        {
            _394 = v_359.scales[((at * SCALE_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _394 = 0u;
        }
        uint param_4 = v_359.scales[(at * SCALE_BITS) >> uint(5)];
        uint param_5 = _394;
        uint param_6 = (at * SCALE_BITS) & 31u;
        uint param_7 = SCALE_BITS;
        float param_8 = number * float(code_of(param_4, param_5, param_6, param_7));
        both.x = round_half(param_8);
    }
    if (_421)
    {
        uint _437;
        if ((((at * ZERO_BITS) & 31u) + ZERO_BITS) > 32u)
        {
            _437 = v_427.zeros[((at * ZERO_BITS) >> uint(5)) + 1u];
        }
        else
        {
            _437 = 0u;
        }
        uint param_9 = v_427.zeros[(at * ZERO_BITS) >> uint(5)];
        uint param_10 = _437;
        uint param_11 = (at * ZERO_BITS) & 31u;
        uint param_12 = ZERO_BITS;
        both.y = float(code_of(param_9, param_10, param_11, param_12)) / float(_461);
    }
    if (_466)
    {
        uint param_13 = v_427.zeros[at >> uint(1)];
        uint param_14 = at;
        both.y = exact_half(param_13, param_14);
    }
    return both;
}

static inline __attribute__((always_inline))
uint place(thread const uint& token, thread const uint& column, constant Params& v_338)
{
    return ((v_338.y_at + (token * v_338.y_token)) + ((column / v_338.y_inner) * v_338.y_outer)) + (column % v_338.y_inner);
}

static inline __attribute__((always_inline))
float weight_of(thread const float2& level_, thread const float& v)
{
    return (v - level_.y) * level_.x;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_338, const device Scales& v_359, const device Supers& v_376, const device Zeros& v_427, const device Codes& v_627)
{
    uint _861;
    if ((((((row * v_338.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _861 = v_627.codes[((((row * v_338.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _861 = 0u;
    }
    uint param = v_627.codes[(((row * v_338.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _861;
    uint param_2 = (((row * v_338.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    int number = extract_bits(int(code), uint(0), uint(_896));
    uint param_4 = row;
    uint param_5 = column;
    float _904;
    if (_903)
    {
        _904 = float(number);
    }
    else
    {
        _904 = float(code);
    }
    float2 param_6 = level(param_4, param_5, v_338, v_359, v_376, v_427);
    float param_7 = _904;
    return weight_of(param_6, param_7);
}

kernel void embed_affine(constant Params& v_338 [[buffer(0)]], const device Ids& _953 [[buffer(1)]], device Y& _1092 [[buffer(2)]], const device Codes& v_627 [[buffer(3)]], const device Scales& v_359 [[buffer(4)]], const device Zeros& v_427 [[buffer(5)]], const device Supers& v_376 [[buffer(6)]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]])
{
    uint token = gl_WorkGroupID.y;
    uint row = _953.ids[2u * (v_338.ids_at + token)];
    bool _969 = _953.ids[(2u * (v_338.ids_at + token)) + 1u] != 0u;
    bool _978;
    if (!_969)
    {
        _978 = row < v_338.row_begin;
    }
    else
    {
        _978 = _969;
    }
    bool _987;
    if (!_978)
    {
        _987 = row >= v_338.row_end;
    }
    else
    {
        _987 = _978;
    }
    if (_987)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    uint here = row - v_338.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_1012)
    {
        spvUnsafeArray<float, 8> param_5;
        for (uint i = gl_GlobalInvocationID.x; i < (v_338.columns >> uint(3)); i += stride)
        {
            uint param_2 = here;
            uint param_3 = 8u * i;
            uint param_4 = at;
            load_eight(param_2, param_3, param_4, param_5, v_338, v_627);
            spvUnsafeArray<float, 8> v;
            v = param_5;
            uint param_6 = here;
            uint param_7 = 8u * i;
            float2 found = level(param_6, param_7, v_338, v_359, v_376, v_427);
            uint param_8 = token;
            uint param_9 = 8u * i;
            uint to = place(param_8, param_9, v_338);
            for (uint j = 0u; j < 8u; j += 2u)
            {
                float2 param_10 = found;
                float param_11 = v[j];
                float2 param_12 = found;
                float param_13 = v[j + 1u];
                float2 two = float2(weight_of(param_10, param_11), weight_of(param_12, param_13));
                uint at_ = to + j;
                float2 two_ = two;
                if (_1086)
                {
                    float2 param_14 = two_;
                    _1092.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _1092.y[at_] = as_type<uint>(two_.x);
                    _1092.y[at_ + 1u] = as_type<uint>(two_.y);
                }
            }
        }
        return;
    }
    uint _1120 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _1120; column < v_338.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17, v_338, v_359, v_376, v_427, v_627);
        if ((column + 1u) == v_338.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _1092.y[place(param_18, param_19, v_338)] = as_type<uint>(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        float2 two_1 = float2(first, load_weight(param_20, param_21, param_22, v_338, v_359, v_376, v_427, v_627));
        if (_1165)
        {
            uint param_23 = token;
            uint param_24 = column;
            float2 param_25 = two_1;
            _1092.y[place(param_23, param_24, v_338) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _1092.y[place(param_26, param_27, v_338)] = as_type<uint>(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _1092.y[place(param_28, param_29, v_338)] = as_type<uint>(two_1.y);
        }
    }
}

