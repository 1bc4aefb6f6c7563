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

constant uint WEIGHT_HALF_tmp [[function_constant(3)]];
constant uint WEIGHT_HALF = is_function_constant_defined(WEIGHT_HALF_tmp) ? WEIGHT_HALF_tmp : 1u;
constant bool _170 = (WEIGHT_HALF != 0u);
constant bool _192 = (WEIGHT_HALF != 0u);
constant uint _195 = _192 ? 128u : 256u;
constant uint _196 = (_195 % 8u);
constant bool _197 = (_196 != 0u);

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

constant bool _217 = (WEIGHT_HALF != 0u);
constant uint _218 = _217 ? 128u : 256u;
constant bool _223 = (WEIGHT_HALF != 0u);
constant uint _224 = _223 ? 128u : 256u;
constant bool _230 = (WEIGHT_HALF != 0u);
constant uint _231 = _230 ? 128u : 256u;

struct Codes
{
    uint codes[1];
};

constant bool _247 = (WEIGHT_HALF != 0u);
constant uint _248 = _247 ? 128u : 256u;
constant bool _271 = (WEIGHT_HALF != 0u);
constant uint _272 = _271 ? 128u : 256u;
constant uint _273 = (_272 % 32u);
constant bool _274 = (_273 == 0u);
constant bool _275 = (WEIGHT_HALF != 0u);
constant uint _276 = _275 ? 128u : 256u;
constant uint _278 = (_276 % 16u);
constant bool _279 = (_278 == 0u);
constant bool _280 = (WEIGHT_HALF != 0u);
constant uint _281 = _280 ? 128u : 256u;
constant uint _282 = (_281 % 8u);
constant bool _283 = (_282 == 0u);
constant uint _284 = _283 ? 32u : 8u;
constant uint _285 = _279 ? 16u : _284;
constant uint _286 = _274 ? 8u : _285;
constant bool _291 = (WEIGHT_HALF != 0u);
constant uint _292 = _291 ? 128u : 256u;
constant uint _293 = (_292 % 32u);
constant bool _294 = (_293 == 0u);
constant bool _295 = (WEIGHT_HALF != 0u);
constant uint _296 = _295 ? 128u : 256u;
constant uint _297 = (_296 % 16u);
constant bool _298 = (_297 == 0u);
constant bool _299 = (WEIGHT_HALF != 0u);
constant uint _300 = _299 ? 128u : 256u;
constant uint _301 = (_300 % 8u);
constant bool _302 = (_301 == 0u);
constant uint _303 = _302 ? 32u : 8u;
constant uint _304 = _298 ? 16u : _303;
constant uint _305 = _294 ? 8u : _304;
constant bool _306 = (WEIGHT_HALF != 0u);
constant uint _307 = _306 ? 128u : 256u;
constant uint _308 = (_305 * _307);
constant uint _309 = (_308 / 256u);
constant bool _318 = (WEIGHT_HALF != 0u);
constant uint _319 = _318 ? 128u : 256u;
constant uint _320 = (_319 % 32u);
constant bool _321 = (_320 == 0u);
constant bool _322 = (WEIGHT_HALF != 0u);
constant uint _323 = _322 ? 128u : 256u;
constant uint _324 = (_323 % 16u);
constant bool _325 = (_324 == 0u);
constant bool _326 = (WEIGHT_HALF != 0u);
constant uint _327 = _326 ? 128u : 256u;
constant uint _328 = (_327 % 8u);
constant bool _329 = (_328 == 0u);
constant uint _330 = _329 ? 32u : 8u;
constant uint _331 = _325 ? 16u : _330;
constant uint _332 = _321 ? 8u : _331;
constant bool _333 = (WEIGHT_HALF != 0u);
constant uint _334 = _333 ? 128u : 256u;
constant uint _335 = (_332 * _334);
constant uint _336 = (_335 / 256u);
constant bool _347 = (WEIGHT_HALF != 0u);
constant uint _348 = _347 ? 128u : 256u;
constant uint _349 = (_348 % 8u);
constant bool _350 = (_349 != 0u);
constant bool _351 = (!_350);
constant bool _354 = (WEIGHT_HALF != 0u);
constant uint _355 = _354 ? 128u : 256u;
constant uint _356 = (_355 % 32u);
constant bool _357 = (_356 == 0u);
constant bool _358 = (WEIGHT_HALF != 0u);
constant uint _359 = _358 ? 128u : 256u;
constant uint _360 = (_359 % 16u);
constant bool _361 = (_360 == 0u);
constant bool _362 = (WEIGHT_HALF != 0u);
constant uint _363 = _362 ? 128u : 256u;
constant uint _364 = (_363 % 8u);
constant bool _365 = (_364 == 0u);
constant uint _366 = _365 ? 32u : 8u;
constant uint _367 = _361 ? 16u : _366;
constant uint _368 = _357 ? 8u : _367;
constant bool _369 = (_368 == 8u);
constant bool _395 = (WEIGHT_HALF != 0u);
constant uint _396 = _395 ? 128u : 256u;
constant bool _400 = (WEIGHT_HALF != 0u);
constant uint _401 = _400 ? 128u : 256u;
constant bool _407 = (WEIGHT_HALF != 0u);
constant uint _408 = _407 ? 128u : 256u;
constant bool _419 = (WEIGHT_HALF != 0u);
constant uint _420 = _419 ? 128u : 256u;
constant bool _450 = (WEIGHT_HALF != 0u);
constant uint _451 = _450 ? 128u : 256u;
constant bool _477 = (WEIGHT_HALF != 0u);

struct Ids
{
    uint ids[1];
};

constant uint _601_tmp [[function_constant(0)]];
constant uint _601 = is_function_constant_defined(_601_tmp) ? _601_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_601, 1u, 1u);
constant uint ALIGNED_tmp [[function_constant(1)]];
constant uint ALIGNED = is_function_constant_defined(ALIGNED_tmp) ? ALIGNED_tmp : 0u;
constant bool _606 = (ALIGNED != 0u);
constant uint Y_HALF_tmp [[function_constant(2)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _680 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant bool _759 = (Y_HALF != 0u);

static inline __attribute__((always_inline))
uint table_of(thread const uint& first, thread const uint& row)
{
    return 0u;
}

static inline __attribute__((always_inline))
void load_step(thread const uint& row, thread const uint& step_, thread spvUnsafeArray<uint, 8>& words, constant Params& v_204, const device Codes& v_238)
{
    if (_197)
    {
        uint eight = (row * (v_204.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _218) + (((eight & 31u) * _224) >> uint(5));
        uint shift = (eight * _231) & 31u;
        words[0] = v_238.codes[at] >> shift;
        if ((shift + _248) > 32u)
        {
            words[0] |= (v_238.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (v_204.columns / _286)) + step_) * _309;
        for (uint i = 0u; i < _336; i++)
        {
            words[i] = v_238.codes[at_1 + i];
        }
    }
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _84;
    if ((index & 1u) == 0u)
    {
        _84 = both.x;
    }
    else
    {
        _84 = both.y;
    }
    return _84;
}

static inline __attribute__((always_inline))
void numbers(thread const spvUnsafeArray<uint, 8>& words, thread const uint& sub, thread const uint& at, thread spvUnsafeArray<float, 8>& v)
{
    float _171;
    for (uint j = 0u; j < 8u; j++)
    {
        if (_170)
        {
            uint param = words[j >> uint(1)];
            uint param_1 = j;
            _171 = half_in(param, param_1);
        }
        else
        {
            _171 = as_type<float>(words[j]);
        }
        v[j] = _171;
    }
}

static inline __attribute__((always_inline))
void load_eight(thread const uint& row, thread const uint& column, thread const uint& at, thread spvUnsafeArray<float, 8>& v, constant Params& v_204, const device Codes& v_238)
{
    bool _370;
    if (_351)
    {
        _370 = _369;
    }
    else
    {
        _370 = _350;
    }
    spvUnsafeArray<uint, 8> words;
    if (_370)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        spvUnsafeArray<uint, 8> param_2;
        load_step(param, param_1, param_2, v_204, v_238);
        words = param_2;
    }
    else
    {
        uint eight = (row * (v_204.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _396) + (((eight & 31u) * _401) >> uint(5));
        uint shift = (eight * _408) & 31u;
        words[0] = v_238.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _420) > 32u)
        {
            uint next = v_238.codes[word + 1u];
            uint _432;
            if (shift == 0u)
            {
                _432 = 0u;
            }
            else
            {
                _432 = next << (32u - shift);
            }
            words[0] |= _432;
            words[1] = next >> shift;
        }
        if ((shift + _451) > 64u)
        {
            words[1] |= (v_238.codes[word + 2u] << (32u - shift));
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
float2 level(thread const uint& row, thread const uint& column)
{
    return float2(1.0, 0.0);
}

static inline __attribute__((always_inline))
uint place(thread const uint& token, thread const uint& column, constant Params& v_204)
{
    return ((v_204.y_at + (token * v_204.y_token)) + ((column / v_204.y_inner) * v_204.y_outer)) + (column % v_204.y_inner);
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
    float _127;
    if (x < 0.0)
    {
        _127 = -as_type<float>(bits);
    }
    else
    {
        _127 = as_type<float>(bits);
    }
    return _127;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

static inline __attribute__((always_inline))
float load_weight(thread const uint& row, thread const uint& column, thread const uint& at, constant Params& v_204, const device Codes& v_238)
{
    float _478;
    if (_477)
    {
        uint param = v_238.codes[((row * v_204.columns) + column) >> uint(1)];
        uint param_1 = (row * v_204.columns) + column;
        _478 = half_in(param, param_1);
    }
    else
    {
        _478 = as_type<float>(v_238.codes[(row * v_204.columns) + column]);
    }
    return _478;
}

kernel void embed_float(constant Params& v_204 [[buffer(0)]], const device Ids& _547 [[buffer(1)]], device Y& _686 [[buffer(2)]], const device Codes& v_238 [[buffer(3)]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]])
{
    uint token = gl_WorkGroupID.y;
    uint row = _547.ids[2u * (v_204.ids_at + token)];
    bool _563 = _547.ids[(2u * (v_204.ids_at + token)) + 1u] != 0u;
    bool _572;
    if (!_563)
    {
        _572 = row < v_204.row_begin;
    }
    else
    {
        _572 = _563;
    }
    bool _581;
    if (!_572)
    {
        _581 = row >= v_204.row_end;
    }
    else
    {
        _581 = _572;
    }
    if (_581)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    uint here = row - v_204.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_606)
    {
        spvUnsafeArray<float, 8> param_5;
        for (uint i = gl_GlobalInvocationID.x; i < (v_204.columns >> uint(3)); i += stride)
        {
            uint param_2 = here;
            uint param_3 = 8u * i;
            uint param_4 = at;
            load_eight(param_2, param_3, param_4, param_5, v_204, v_238);
            spvUnsafeArray<float, 8> v;
            v = param_5;
            uint param_6 = here;
            uint param_7 = 8u * i;
            float2 found = level(param_6, param_7);
            uint param_8 = token;
            uint param_9 = 8u * i;
            uint to = place(param_8, param_9, v_204);
            for (uint j = 0u; j < 8u; j += 2u)
            {
                float2 param_10 = found;
                float param_11 = v[j];
                float2 param_12 = found;
                float param_13 = v[j + 1u];
                float2 two = float2(weight_of(param_10, param_11), weight_of(param_12, param_13));
                uint at_ = to + j;
                float2 two_ = two;
                if (_680)
                {
                    float2 param_14 = two_;
                    _686.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _686.y[at_] = as_type<uint>(two_.x);
                    _686.y[at_ + 1u] = as_type<uint>(two_.y);
                }
            }
        }
        return;
    }
    uint _714 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _714; column < v_204.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17, v_204, v_238);
        if ((column + 1u) == v_204.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _686.y[place(param_18, param_19, v_204)] = as_type<uint>(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        float2 two_1 = float2(first, load_weight(param_20, param_21, param_22, v_204, v_238));
        if (_759)
        {
            uint param_23 = token;
            uint param_24 = column;
            float2 param_25 = two_1;
            _686.y[place(param_23, param_24, v_204) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _686.y[place(param_26, param_27, v_204)] = as_type<uint>(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _686.y[place(param_28, param_29, v_204)] = as_type<uint>(two_1.y);
        }
    }
}

