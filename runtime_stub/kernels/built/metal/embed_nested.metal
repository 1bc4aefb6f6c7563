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
    uint table_at;
    uint plane_bytes;
};

constant uint BITS_tmp [[function_constant(3)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;

struct Table
{
    uint table[1];
};

struct Planes
{
    uint planes[1];
};

struct Ids
{
    uint ids[1];
};

constant uint _506_tmp [[function_constant(0)]];
constant uint _506 = is_function_constant_defined(_506_tmp) ? _506_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_506, 1u, 1u);
constant uint ALIGNED_tmp [[function_constant(1)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _511 = (ALIGNED != 0u);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _585 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _664 = (Y_HALF != 0u);

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row, constant Params& v_188)
{
    return v_188.table_at + ((row / v_188.rows_per_table) << BITS);
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_188, const device Planes& v_336)
{
    uint at = (row * (v_188.columns >> uint(5))) + step_;
    uint plane = v_188.plane_bytes >> uint(2);
    for (uint p = 0u; p < BITS; p++)
    {
        words[p] = v_336.planes[(p * plane) + at];
    }
}

static inline __attribute__((always_inline))
uint spread(thread const uint& four)
{
    return (four * 2113665u) & 16843009u;
}

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
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

static inline __attribute__((always_inline))
float entry(thread const uint& at, const device Table& v_206)
{
    uint param = v_206.table[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v, const device Table& v_206)
{
    uint2 eight = uint2(0u);
    for (uint p = 0u; p < BITS; p++)
    {
        uint bits = words[p] >> (8u * sub);
        uint param = bits & 15u;
        uint param_1 = (bits >> uint(4)) & 15u;
        eight = (eight << uint2(int2(1))) | uint2(spread(param), spread(param_1));
    }
    for (uint j = 0u; j < 4u; j++)
    {
        uint param_2 = at + ((eight.x >> (8u * j)) & 255u);
        v[j] = entry(param_2, v_206);
        uint param_3 = at + ((eight.y >> (8u * j)) & 255u);
        v[j + 4u] = entry(param_3, v_206);
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, constant Params& v_188, const device Table& v_206, const device Planes& v_336)
{
    uint param = row;
    uint param_1 = column >> uint(5);
    spvUnsafeArray<uint, 8> param_2;
    load_step(param, param_1, param_2, v_188, v_336);
    spvUnsafeArray<uint, 8> words;
    words = param_2;
    spvUnsafeArray<uint, 8> param_3;
    param_3 = words;
    uint param_4 = (column >> uint(3)) & 3u;
    uint param_5 = at;
    spvUnsafeArray<float, 8> param_6;
    numbers(param_3, param_4, param_5, param_6, v_206);
    v = param_6;
}

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column)
{
    return float2(1.0, 0.0);
}

static inline __attribute__((always_inline))
uint place(thread const uint& token, thread const uint& column, constant Params& v_188)
{
    return ((v_188.y_at + (token * v_188.y_token)) + ((column / v_188.y_inner) * v_188.y_outer)) + (column % v_188.y_inner);
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
    float _162;
    if (x < 0.0)
    {
        _162 = -as_type<float>(bits);
    }
    else
    {
        _162 = as_type<float>(bits);
    }
    return _162;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_188, const device Table& v_206, const device Planes& v_336)
{
    uint code = 0u;
    uint bit = (row * v_188.columns) + column;
    for (uint p = 0u; p < BITS; p++)
    {
        uint found = (p * v_188.plane_bytes) + (bit >> uint(3));
        code = (code << uint(1)) | ((v_336.planes[found >> uint(2)] >> ((8u * (found & 3u)) + (bit & 7u))) & 1u);
    }
    uint param = at + code;
    return entry(param, v_206);
}

kernel void embed_nested(constant Params& v_188 [[buffer(0)]], const device Ids& _451 [[buffer(1)]], device Y& _591 [[buffer(2)]], const device Planes& v_336 [[buffer(3)]], const device Table& v_206 [[buffer(4)]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]])
{
    uint token = gl_WorkGroupID.y;
    uint row = _451.ids[2u * (v_188.ids_at + token)];
    bool _468 = _451.ids[(2u * (v_188.ids_at + token)) + 1u] != 0u;
    bool _477;
    if (!_468)
    {
        _477 = row < v_188.row_begin;
    }
    else
    {
        _477 = _468;
    }
    bool _486;
    if (!_477)
    {
        _486 = row >= v_188.row_end;
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
    uint at = table_of(param, param_1, v_188);
    uint here = row - v_188.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_511)
    {
        spvUnsafeArray<float, 8> param_5;
        for (uint i = gl_GlobalInvocationID.x; i < (v_188.columns >> uint(3)); i += stride)
        {
            uint param_2 = here;
            uint param_3 = 8u * i;
            uint param_4 = at;
            load_eight(param_2, param_3, param_4, param_5, v_188, v_206, v_336);
            spvUnsafeArray<float, 8> v;
            v = param_5;
            uint param_6 = here;
            uint param_7 = 8u * i;
            float2 found = level(param_6, param_7);
            uint param_8 = token;
            uint param_9 = 8u * i;
            uint to = place(param_8, param_9, v_188);
            for (uint j = 0u; j < 8u; j += 2u)
            {
                float2 param_10 = found;
                float param_11 = v[j];
                float2 param_12 = found;
                float param_13 = v[j + 1u];
                float2 two = float2(weight_of(param_10, param_11), weight_of(param_12, param_13));
                uint at_ = to + j;
                float2 two_ = two;
                if (_585)
                {
                    float2 param_14 = two_;
                    _591.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _591.y[at_] = as_type<uint>(two_.x);
                    _591.y[at_ + 1u] = as_type<uint>(two_.y);
                }
            }
        }
        return;
    }
    uint _619 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _619; column < v_188.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17, v_188, v_206, v_336);
        if ((column + 1u) == v_188.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _591.y[place(param_18, param_19, v_188)] = as_type<uint>(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        float2 two_1 = float2(first, load_weight(param_20, param_21, param_22, v_188, v_206, v_336));
        if (_664)
        {
            uint param_23 = token;
            uint param_24 = column;
            float2 param_25 = two_1;
            _591.y[place(param_23, param_24, v_188) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _591.y[place(param_26, param_27, v_188)] = as_type<uint>(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _591.y[place(param_28, param_29, v_188)] = as_type<uint>(two_1.y);
        }
    }
}

