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
};

constant uint BITS_tmp [[function_constant(3)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;

struct Table
{
    uint table[1];
};

constant uint _380 = (8u * BITS);
constant uint _408 = (8u * BITS);
constant uint _409 = (_408 % 8u);
constant bool _410 = (_409 != 0u);
constant uint _425 = (8u * BITS);
constant uint _429 = (8u * BITS);
constant uint _435 = (8u * BITS);

struct Codes
{
    uint codes[1];
};

constant uint _449 = (8u * BITS);
constant uint _471 = (8u * BITS);
constant uint _472 = (_471 % 32u);
constant bool _473 = (_472 == 0u);
constant uint _474 = (8u * BITS);
constant uint _475 = (_474 % 16u);
constant bool _476 = (_475 == 0u);
constant uint _477 = (8u * BITS);
constant uint _478 = (_477 % 8u);
constant bool _479 = (_478 == 0u);
constant uint _480 = _479 ? 32u : 8u;
constant uint _481 = _476 ? 16u : _480;
constant uint _482 = _473 ? 8u : _481;
constant uint _487 = (8u * BITS);
constant uint _488 = (_487 % 32u);
constant bool _489 = (_488 == 0u);
constant uint _490 = (8u * BITS);
constant uint _491 = (_490 % 16u);
constant bool _492 = (_491 == 0u);
constant uint _493 = (8u * BITS);
constant uint _494 = (_493 % 8u);
constant bool _495 = (_494 == 0u);
constant uint _496 = _495 ? 32u : 8u;
constant uint _497 = _492 ? 16u : _496;
constant uint _498 = _489 ? 8u : _497;
constant uint _499 = (8u * BITS);
constant uint _500 = (_498 * _499);
constant uint _502 = (_500 / 256u);
constant uint _511 = (8u * BITS);
constant uint _512 = (_511 % 32u);
constant bool _513 = (_512 == 0u);
constant uint _514 = (8u * BITS);
constant uint _515 = (_514 % 16u);
constant bool _516 = (_515 == 0u);
constant uint _517 = (8u * BITS);
constant uint _518 = (_517 % 8u);
constant bool _519 = (_518 == 0u);
constant uint _520 = _519 ? 32u : 8u;
constant uint _521 = _516 ? 16u : _520;
constant uint _522 = _513 ? 8u : _521;
constant uint _523 = (8u * BITS);
constant uint _524 = (_522 * _523);
constant uint _525 = (_524 / 256u);
constant uint _536 = (8u * BITS);
constant uint _537 = (_536 % 8u);
constant bool _538 = (_537 != 0u);
constant bool _539 = (!_538);
constant uint _542 = (8u * BITS);
constant uint _543 = (_542 % 32u);
constant bool _544 = (_543 == 0u);
constant uint _545 = (8u * BITS);
constant uint _546 = (_545 % 16u);
constant bool _547 = (_546 == 0u);
constant uint _548 = (8u * BITS);
constant uint _549 = (_548 % 8u);
constant bool _550 = (_549 == 0u);
constant uint _551 = _550 ? 32u : 8u;
constant uint _552 = _547 ? 16u : _551;
constant uint _553 = _544 ? 8u : _552;
constant bool _554 = (_553 == 8u);
constant uint _580 = (8u * BITS);
constant uint _584 = (8u * BITS);
constant uint _590 = (8u * BITS);
constant uint _601 = (8u * BITS);
constant uint _631 = (8u * BITS);

struct Ids
{
    uint ids[1];
};

constant uint _802_tmp [[function_constant(0)]];
constant uint _802 = is_function_constant_defined(_802_tmp) ? _802_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_802, 1u, 1u);
constant uint ALIGNED_tmp [[function_constant(1)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _807 = (ALIGNED != 0u);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _881 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _960 = (Y_HALF != 0u);

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row, constant Params& v_278)
{
    return 0u + ((row / v_278.rows_per_table) << BITS);
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_278, const device Codes& v_441)
{
    if (_410)
    {
        uint eight = (row * (v_278.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _425) + (((eight & 31u) * _429) >> uint(5));
        uint shift = (eight * _435) & 31u;
        words[0] = v_441.codes[at] >> shift;
        if ((shift + _449) > 32u)
        {
            words[0] |= (v_441.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_278.columns / _482)) + step_) * _502;
        for (uint i = 0u; i < _525; i++)
        {
            words[i] = v_441.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
{
    uint i = at >> uint(5);
    uint shift = at & 31u;
    uint _326;
    if (i < 7u)
    {
        _326 = words[i + 1u];
    }
    else
    {
        _326 = 0u;
    }
    uint2 out_ = uint2(words[i], _326);
    if (shift == 0u)
    {
        return out_;
    }
    out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
    uint _360;
    if (i < 6u)
    {
        _360 = words[i + 2u];
    }
    else
    {
        _360 = 0u;
    }
    out_.y = (out_.y >> shift) | (_360 << (32u - shift));
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
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _139;
    if ((h & 32768u) != 0u)
    {
        _139 = -size;
    }
    else
    {
        _139 = size;
    }
    return _139;
}

static inline __attribute__((always_inline))
float entry(thread const uint& at, const device Table& v_292)
{
    uint param = v_292.table[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v, const device Table& v_292)
{
    spvUnsafeArray<uint, 8> param;
    param = words;
    uint param_1 = sub * _380;
    uint2 eight = window(param, param_1);
    for (uint j = 0u; j < 8u; j++)
    {
        uint2 param_2 = eight;
        uint param_3 = BITS;
        uint param_4 = j;
        uint param_5 = at + code_in(param_2, param_3, param_4);
        v[j] = entry(param_5, v_292);
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, constant Params& v_278, const device Table& v_292, const device Codes& v_441)
{
    bool _555;
    if (_539)
    {
        _555 = _554;
    }
    else
    {
        _555 = _538;
    }
    spvUnsafeArray<uint, 8> words;
    if (_555)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        spvUnsafeArray<uint, 8> param_2;
        load_step(param, param_1, param_2, v_278, v_441);
        words = param_2;
    }
    else
    {
        uint eight = (row * (v_278.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _580) + (((eight & 31u) * _584) >> uint(5));
        uint shift = (eight * _590) & 31u;
        words[0] = v_441.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _601) > 32u)
        {
            uint next = v_441.codes[word + 1u];
            uint _613;
            if (shift == 0u)
            {
                _613 = 0u;
            }
            else
            {
                _613 = next << (32u - shift);
            }
            words[0] |= _613;
            words[1] = next >> shift;
        }
        if ((shift + _631) > 64u)
        {
            words[1] |= (v_441.codes[word + 2u] << (32u - shift));
        }
    }
    spvUnsafeArray<uint, 8> param_3;
    param_3 = words;
    uint param_4 = 0u;
    uint param_5 = at;
    spvUnsafeArray<float, 8> param_6;
    numbers(param_3, param_4, param_5, param_6, v_292);
    v = param_6;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column)
{
    return float2(1.0, 0.0);
}

static inline __attribute__((always_inline))
uint place(thread const uint& token, thread const uint& column, constant Params& v_278)
{
    return ((v_278.y_at + (token * v_278.y_token)) + ((column / v_278.y_inner) * v_278.y_outer)) + (column % v_278.y_inner);
}

static inline __attribute__((always_inline))
float weight_of(thread const float2& level_, thread const float& v)
{
    return v;
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
    float _178;
    if (x < 0.0)
    {
        _178 = -as_type<float>(bits);
    }
    else
    {
        _178 = as_type<float>(bits);
    }
    return _178;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
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
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_278, const device Table& v_292, const device Codes& v_441)
{
    uint _675;
    if ((((((row * v_278.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _675 = v_441.codes[((((row * v_278.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _675 = 0u;
    }
    uint param = v_441.codes[(((row * v_278.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _675;
    uint param_2 = (((row * v_278.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = at + code;
    return entry(param_4, v_292);
}

kernel void embed_lut(constant Params& v_278 [[buffer(0)]], const device Ids& _748 [[buffer(1)]], device Y& _887 [[buffer(2)]], const device Codes& v_441 [[buffer(3)]], const device Table& v_292 [[buffer(4)]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]])
{
    uint token = gl_WorkGroupID.y;
    uint row = _748.ids[2u * (v_278.ids_at + token)];
    bool _764 = _748.ids[(2u * (v_278.ids_at + token)) + 1u] != 0u;
    bool _773;
    if (!_764)
    {
        _773 = row < v_278.row_begin;
    }
    else
    {
        _773 = _764;
    }
    bool _782;
    if (!_773)
    {
        _782 = row >= v_278.row_end;
    }
    else
    {
        _782 = _773;
    }
    if (_782)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1, v_278);
    uint here = row - v_278.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_807)
    {
        spvUnsafeArray<float, 8> param_5;
        for (uint i = gl_GlobalInvocationID.x; i < (v_278.columns >> uint(3)); i += stride)
        {
            uint param_2 = here;
            uint param_3 = 8u * i;
            uint param_4 = at;
            load_eight(param_2, param_3, param_4, param_5, v_278, v_292, v_441);
            spvUnsafeArray<float, 8> v;
            v = param_5;
            uint param_6 = here;
            uint param_7 = 8u * i;
            float2 found = level(param_6, param_7);
            uint param_8 = token;
            uint param_9 = 8u * i;
            uint to = place(param_8, param_9, v_278);
            for (uint j = 0u; j < 8u; j += 2u)
            {
                float2 param_10 = found;
                float param_11 = v[j];
                float2 param_12 = found;
                float param_13 = v[j + 1u];
                float2 two = float2(weight_of(param_10, param_11), weight_of(param_12, param_13));
                uint at_ = to + j;
                float2 two_ = two;
                if (_881)
                {
                    float2 param_14 = two_;
                    _887.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _887.y[at_] = as_type<uint>(two_.x);
                    _887.y[at_ + 1u] = as_type<uint>(two_.y);
                }
            }
        }
        return;
    }
    uint _915 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _915; column < v_278.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17, v_278, v_292, v_441);
        if ((column + 1u) == v_278.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _887.y[place(param_18, param_19, v_278)] = as_type<uint>(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        float2 two_1 = float2(first, load_weight(param_20, param_21, param_22, v_278, v_292, v_441));
        if (_960)
        {
            uint param_23 = token;
            uint param_24 = column;
            float2 param_25 = two_1;
            _887.y[place(param_23, param_24, v_278) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _887.y[place(param_26, param_27, v_278)] = as_type<uint>(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _887.y[place(param_28, param_29, v_278)] = as_type<uint>(two_1.y);
        }
    }
}

