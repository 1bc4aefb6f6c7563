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

template<typename T>
[[clang::optnone]] T spvFMul(T l, T r)
{
    return fma(l, r, T(0));
}

template<typename T, int Cols, int Rows>
[[clang::optnone]] vec<T, Cols> spvFMulVectorMatrix(vec<T, Rows> v, matrix<T, Cols, Rows> m)
{
    vec<T, Cols> res = vec<T, Cols>(0);
    for (uint i = Rows; i > 0; --i)
    {
        vec<T, Cols> tmp(0);
        for (uint j = 0; j < Cols; ++j)
        {
            tmp[j] = m[j][i - 1];
        }
        res = fma(tmp, vec<T, Cols>(v[i - 1]), res);
    }
    return res;
}

template<typename T, int Cols, int Rows>
[[clang::optnone]] vec<T, Rows> spvFMulMatrixVector(matrix<T, Cols, Rows> m, vec<T, Cols> v)
{
    vec<T, Rows> res = vec<T, Rows>(0);
    for (uint i = Cols; i > 0; --i)
    {
        res = fma(m[i - 1], vec<T, Rows>(v[i - 1]), res);
    }
    return res;
}

template<typename T, int LCols, int LRows, int RCols, int RRows>
[[clang::optnone]] matrix<T, RCols, LRows> spvFMulMatrixMatrix(matrix<T, LCols, LRows> l, matrix<T, RCols, RRows> r)
{
    matrix<T, RCols, LRows> res;
    for (uint i = 0; i < RCols; i++)
    {
        vec<T, RCols> tmp(0);
        for (uint j = 0; j < LCols; j++)
        {
            tmp = fma(vec<T, RCols>(r[i][j]), l[j], tmp);
        }
        res[i] = tmp;
    }
    return res;
}

constant uint GROUP_tmp [[function_constant(3)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _220 = (GROUP != 0u);

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

struct Scales
{
    uint scales[1];
};

struct Offsets
{
    uint offsets[1];
};

struct Codes
{
    uint codes[1];
};

struct Ids
{
    uint ids[1];
};

constant uint _706_tmp [[function_constant(0)]];
constant uint _706 = is_function_constant_defined(_706_tmp) ? _706_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_706, 1u, 1u);
constant uint ALIGNED_tmp [[function_constant(1)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _711 = (ALIGNED != 0u);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _785 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _864 = (Y_HALF != 0u);

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row)
{
    return 0u;
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_226, const device Codes& v_406)
{
    if (false)
    {
        uint eight = (row * (v_226.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * 32u) + (((eight & 31u) * 32u) >> uint(5));
        uint shift = (eight * 32u) & 31u;
        words[0] = v_406.codes[at] >> shift;
        if ((shift + 32u) > 32u)
        {
            words[0] |= (v_406.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_226.columns / 8u)) + step_) * 1u;
        for (uint i = 0u; i < 1u; i++)
        {
            words[i] = v_406.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
uint2 window(thread const spvUnsafeArray<uint, 8>& words, thread const uint& at)
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
    uint2 out_ = uint2(words[i], _294);
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

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v)
{
    spvUnsafeArray<uint, 8> param;
    param = words;
    uint param_1 = sub * 32u;
    uint2 eight = window(param, param_1);
    for (uint j = 0u; j < 8u; j++)
    {
        v[j] = as_type<float>(1065353216u | (((eight.x >> (4u * j)) & 15u) << uint(19)));
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, constant Params& v_226, const device Codes& v_406)
{
    spvUnsafeArray<uint, 8> words;
    if (true)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        spvUnsafeArray<uint, 8> param_2;
        load_step(param, param_1, param_2, v_226, v_406);
        words = param_2;
    }
    else
    {
        uint eight = (row * (v_226.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * 32u) + (((eight & 31u) * 32u) >> uint(5));
        uint shift = (eight * 32u) & 31u;
        words[0] = v_406.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + 32u) > 32u)
        {
            uint next = v_406.codes[word + 1u];
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
            words[1] |= (v_406.codes[word + 2u] << (32u - shift));
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

static inline __attribute__((always_inline))
float2 level(thread const uint& row, thread const uint& column, constant Params& v_226, const device Scales& v_241, const device Offsets& v_256)
{
    uint at = row;
    if (_220)
    {
        at = (row * (((v_226.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    uint param = v_241.scales[at >> uint(1)];
    uint param_1 = at;
    uint param_2 = v_256.offsets[at >> uint(1)];
    uint param_3 = at;
    return float2(exact_half(param, param_1), exact_half(param_2, param_3));
}

static inline __attribute__((always_inline))
uint place(thread const uint& token, thread const uint& column, constant Params& v_226)
{
    return ((v_226.y_at + (token * v_226.y_token)) + ((column / v_226.y_inner) * v_226.y_outer)) + (column % v_226.y_inner);
}

static inline __attribute__((always_inline))
float weight_of(thread const float2& level_, thread const float& v)
{
    float product = spvFMul(v, level_.x);
    return product + level_.y;
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
    float _167;
    if (x < 0.0)
    {
        _167 = -as_type<float>(bits);
    }
    else
    {
        _167 = as_type<float>(bits);
    }
    return _167;
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
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_226, const device Scales& v_241, const device Offsets& v_256, const device Codes& v_406)
{
    uint _572;
    if ((((((row * v_226.columns) + column) * 4u) & 31u) + 4u) > 32u)
    {
        _572 = v_406.codes[((((row * v_226.columns) + column) * 4u) >> uint(5)) + 1u];
    }
    else
    {
        _572 = 0u;
    }
    uint param = v_406.codes[(((row * v_226.columns) + column) * 4u) >> uint(5)];
    uint param_1 = _572;
    uint param_2 = (((row * v_226.columns) + column) * 4u) & 31u;
    uint param_3 = 4u;
    uint code = code_of(param, param_1, param_2, param_3);
    uint param_4 = row;
    uint param_5 = column;
    float2 param_6 = level(param_4, param_5, v_226, v_241, v_256);
    float param_7 = as_type<float>(1065353216u | (code << uint(19)));
    return weight_of(param_6, param_7);
}

kernel void embed_e0m4(constant Params& v_226 [[buffer(0)]], const device Ids& _652 [[buffer(1)]], device Y& _791 [[buffer(2)]], const device Codes& v_406 [[buffer(3)]], const device Scales& v_241 [[buffer(4)]], const device Offsets& v_256 [[buffer(5)]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]])
{
    uint token = gl_WorkGroupID.y;
    uint row = _652.ids[2u * (v_226.ids_at + token)];
    bool _668 = _652.ids[(2u * (v_226.ids_at + token)) + 1u] != 0u;
    bool _677;
    if (!_668)
    {
        _677 = row < v_226.row_begin;
    }
    else
    {
        _677 = _668;
    }
    bool _686;
    if (!_677)
    {
        _686 = row >= v_226.row_end;
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
    uint here = row - v_226.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_711)
    {
        spvUnsafeArray<float, 8> param_5;
        for (uint i = gl_GlobalInvocationID.x; i < (v_226.columns >> uint(3)); i += stride)
        {
            uint param_2 = here;
            uint param_3 = 8u * i;
            uint param_4 = at;
            load_eight(param_2, param_3, param_4, param_5, v_226, v_406);
            spvUnsafeArray<float, 8> v;
            v = param_5;
            uint param_6 = here;
            uint param_7 = 8u * i;
            float2 found = level(param_6, param_7, v_226, v_241, v_256);
            uint param_8 = token;
            uint param_9 = 8u * i;
            uint to = place(param_8, param_9, v_226);
            for (uint j = 0u; j < 8u; j += 2u)
            {
                float2 param_10 = found;
                float param_11 = v[j];
                float2 param_12 = found;
                float param_13 = v[j + 1u];
                float2 two = float2(weight_of(param_10, param_11), weight_of(param_12, param_13));
                uint at_ = to + j;
                float2 two_ = two;
                if (_785)
                {
                    float2 param_14 = two_;
                    _791.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _791.y[at_] = as_type<uint>(two_.x);
                    _791.y[at_ + 1u] = as_type<uint>(two_.y);
                }
            }
        }
        return;
    }
    uint _819 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _819; column < v_226.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17, v_226, v_241, v_256, v_406);
        if ((column + 1u) == v_226.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _791.y[place(param_18, param_19, v_226)] = as_type<uint>(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        float2 two_1 = float2(first, load_weight(param_20, param_21, param_22, v_226, v_241, v_256, v_406));
        if (_864)
        {
            uint param_23 = token;
            uint param_24 = column;
            float2 param_25 = two_1;
            _791.y[place(param_23, param_24, v_226) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _791.y[place(param_26, param_27, v_226)] = as_type<uint>(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _791.y[place(param_28, param_29, v_226)] = as_type<uint>(two_1.y);
        }
    }
}

