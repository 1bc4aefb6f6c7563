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

struct Place
{
    uint token;
    uint head;
    short valid;
};

struct Params
{
    uint heads;
    uint past;
    uint seq;
    uint k_at;
    uint k_token;
    uint k_head;
    uint v_at;
    uint v_token;
    uint v_head;
    uint k_window;
    uint k_sinks;
    uint k_ring;
    uint k_scales;
    uint k_lows;
    uint k_rows;
    uint v_window;
    uint v_sinks;
    uint v_ring;
    uint v_scales;
    uint v_lows;
    uint v_rows;
    uint share;
    uint window;
    float scale;
    uint q_at;
    uint q_token;
    uint q_head;
    uint y_at;
    uint y_token;
    uint y_head;
};

constant uint K_WIDTH_tmp [[function_constant(7)]];
constant uint K_WIDTH = is_function_constant_defined(K_WIDTH_tmp) ? K_WIDTH_tmp : 64u;
constant uint _349 = (K_WIDTH / 2u);

struct KCache
{
    uint k_cache[1];
};

constant uint K_NEW_HALF_tmp [[function_constant(1)]];
constant uint K_NEW_HALF = is_function_constant_defined(K_NEW_HALF_tmp) ? K_NEW_HALF_tmp : 1u;
constant bool _401 = (K_NEW_HALF != 0u);

struct KNew
{
    uint k_new[1];
};

constant uint K_BITS_tmp [[function_constant(3)]];
constant uint K_BITS = is_function_constant_defined(K_BITS_tmp) ? K_BITS_tmp : 4u;
constant uint K_GROUP_tmp [[function_constant(5)]];
constant uint K_GROUP = is_function_constant_defined(K_GROUP_tmp) ? K_GROUP_tmp : 32u;
constant uint _485 = (K_WIDTH / 2u);
constant uint _489 = (2u * K_BITS);
constant uint _502 = (1u << K_BITS);
constant uint _503 = (_502 - 1u);
constant uint _508 = (1u << K_BITS);
constant uint _509 = (_508 - 1u);
constant uint _515 = (K_WIDTH / 2u);
constant uint V_WIDTH_tmp [[function_constant(8)]];
constant uint V_WIDTH = is_function_constant_defined(V_WIDTH_tmp) ? V_WIDTH_tmp : 64u;
constant uint _582 = (V_WIDTH / 2u);

struct VCache
{
    uint v_cache[1];
};

constant uint V_NEW_HALF_tmp [[function_constant(2)]];
constant uint V_NEW_HALF = is_function_constant_defined(V_NEW_HALF_tmp) ? V_NEW_HALF_tmp : 1u;
constant bool _632 = (V_NEW_HALF != 0u);

struct VNew
{
    uint v_new[1];
};

constant uint V_BITS_tmp [[function_constant(4)]];
constant uint V_BITS = is_function_constant_defined(V_BITS_tmp) ? V_BITS_tmp : 4u;
constant uint V_GROUP_tmp [[function_constant(6)]];
constant uint V_GROUP = is_function_constant_defined(V_GROUP_tmp) ? V_GROUP_tmp : 32u;
constant uint _716 = (V_WIDTH / 2u);
constant uint _720 = (2u * V_BITS);
constant uint _732 = (1u << V_BITS);
constant uint _733 = (_732 - 1u);
constant uint _738 = (1u << V_BITS);
constant uint _739 = (_738 - 1u);
constant uint _748 = (V_WIDTH + V_GROUP);
constant uint _749 = (_748 - 1u);
constant uint _750 = (_749 / V_GROUP);
constant uint HEADS_tmp [[function_constant(11)]];
constant uint HEADS = is_function_constant_defined(HEADS_tmp) ? HEADS_tmp : 1u;
constant uint QUERIES_tmp [[function_constant(10)]];
constant uint QUERIES = is_function_constant_defined(QUERIES_tmp) ? QUERIES_tmp : 1u;
constant uint ROWS = (QUERIES * HEADS);
constant uint _873 = (ROWS + 3u);
constant uint FOURS = (_873 / 4u);
constant uint _876 = (FOURS * K_WIDTH);
constant uint Q_HALF_tmp [[function_constant(9)]];
constant uint Q_HALF = is_function_constant_defined(Q_HALF_tmp) ? Q_HALF_tmp : 1u;
constant bool _916 = (Q_HALF != 0u);

struct Q
{
    uint q[1];
};

constant uint _1001_tmp [[function_constant(0)]];
constant uint _1001 = is_function_constant_defined(_1001_tmp) ? _1001_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_1001, 1u, 1u);
constant uint threads = gl_WorkGroupSize.x;
constant bool _1039 = (K_WIDTH > V_WIDTH);
constant uint _1040 = _1039 ? K_WIDTH : V_WIDTH;
constant uint STRIDE = (_1040 + 1u);
constant uint _1042 = (2112u / STRIDE);
constant uint _1044 = (64u / FOURS);
constant bool _1045 = (_1042 < _1044);
constant uint _1046 = (2112u / STRIDE);
constant uint _1047 = (64u / FOURS);
constant uint ROOM = _1045 ? _1046 : _1047;
constant bool _1050 = (ROOM < 32u);
constant uint TILE = _1050 ? ROOM : 32u;
constant uint SCORES = (TILE * FOURS);
constant uint _1195 = (K_WIDTH / 2u);
constant uint _1200 = (K_WIDTH / 2u);
constant uint _1204 = (K_WIDTH / 2u);
constant uint _1519 = (V_WIDTH / 2u);
constant uint _1524 = (V_WIDTH / 2u);
constant uint _1528 = (V_WIDTH / 2u);
constant uint ITEMS = (FOURS * V_WIDTH);
constant uint _1569 = (ITEMS + threads);
constant uint _1570 = (_1569 - 1u);
constant uint mine = (_1570 / threads);
constant uint _1736 = (V_WIDTH / 2u);
constant uint _1737 = (ROWS * _1736);
constant uint _1741 = (V_WIDTH / 2u);
constant uint _1745 = (V_WIDTH / 2u);
constant uint Y_HALF_tmp [[function_constant(12)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _1802 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

static inline __attribute__((always_inline))
Place place_of(thread const uint& r, thread const uint& first, thread const uint& kv_head, thread const uint& chunk, constant Params& v_312)
{
    uint in_share = (chunk * HEADS) + (r % HEADS);
    uint token = first + (r / HEADS);
    bool _811 = r < ROWS;
    bool _818;
    if (_811)
    {
        _818 = in_share < v_312.share;
    }
    else
    {
        _818 = _811;
    }
    bool _826;
    if (_818)
    {
        _826 = token < v_312.seq;
    }
    else
    {
        _826 = _818;
    }
    return Place{ token, (kv_head * v_312.share) + in_share, _826 };
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _102;
    if ((index & 1u) == 0u)
    {
        _102 = both.x;
    }
    else
    {
        _102 = both.y;
    }
    return _102;
}

static inline __attribute__((always_inline))
uint rounded_of(thread const uint& bits, thread const uint& group, thread const uint& window, thread const uint& sinks, thread const uint& tokens)
{
    uint kept = window + sinks;
    uint _294;
    if ((bits == 16u) || (tokens <= kept))
    {
        _294 = 0u;
    }
    else
    {
        _294 = ((tokens - kept) / group) * group;
    }
    return _294;
}

static inline __attribute__((always_inline))
uint k_rounded(thread const uint& tokens, constant Params& v_312)
{
    uint param = K_BITS;
    uint param_1 = K_GROUP;
    uint param_2 = v_312.k_window;
    uint param_3 = v_312.k_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

static inline __attribute__((always_inline))
uint v_rounded(thread const uint& tokens, constant Params& v_312)
{
    uint param = V_BITS;
    uint param_1 = V_GROUP;
    uint param_2 = v_312.v_window;
    uint param_3 = v_312.v_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

static inline __attribute__((always_inline))
uint k_row(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_312)
{
    uint behind = token - v_312.k_sinks;
    uint _323;
    if (token < v_312.k_sinks)
    {
        _323 = token;
    }
    else
    {
        _323 = v_312.k_sinks + (behind % v_312.k_ring);
    }
    uint slot = _323;
    return (v_312.k_rows + (((slot * v_312.heads) + head) * _349)) + pair;
}

static inline __attribute__((always_inline))
uint half_bits(thread const float& x)
{
    uint bits = as_type<uint>(x);
    uint _sign = (bits >> uint(16)) & 32768u;
    uint magnitude = bits & 2147483647u;
    if (magnitude > 2139095040u)
    {
        return _sign | 32256u;
    }
    if (magnitude < 947912704u)
    {
        return _sign | uint(rint(abs(x) * 16777216.0));
    }
    uint near = (magnitude + 4095u) + ((magnitude >> uint(13)) & 1u);
    uint _257;
    if (near >= 1199570944u)
    {
        _257 = _sign | 31744u;
    }
    else
    {
        _257 = _sign | ((near - 939524096u) >> uint(13));
    }
    return _257;
}

static inline __attribute__((always_inline))
uint halves_bits(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return half_bits(param) | (half_bits(param_1) << uint(16));
}

static inline __attribute__((always_inline))
uint k_exact(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_312, const device KCache& v_366, const device KNew& v_408)
{
    if (token < v_312.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return v_366.k_cache[k_row(param, param_1, param_2, v_312)];
    }
    uint from = ((v_312.k_at + ((token - v_312.past) * v_312.k_token)) + (head * v_312.k_head)) + (2u * pair);
    uint _402;
    if (_401)
    {
        _402 = v_408.k_new[from >> uint(1)];
    }
    else
    {
        float2 param_3 = float2(as_type<float>(v_408.k_new[from]), as_type<float>(v_408.k_new[from + 1u]));
        _402 = halves_bits(param_3);
    }
    return _402;
}

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _150;
    if ((h & 32768u) != 0u)
    {
        _150 = -size;
    }
    else
    {
        _150 = size;
    }
    return _150;
}

static inline __attribute__((always_inline))
float2 k_read(thread const uint& token, thread const uint& head, thread const uint& pair, thread const uint& rounded, constant Params& v_312, const device KCache& v_366, const device KNew& v_408)
{
    uint behind = token - v_312.k_sinks;
    if ((token < v_312.k_sinks) || (behind >= rounded))
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return float2(as_type<half2>(k_exact(param, param_1, param_2, v_312, v_366, v_408)));
    }
    uint block = ((behind / K_GROUP) * v_312.heads) + head;
    uint in_run = behind % K_GROUP;
    uint bit = ((((block * K_GROUP) + in_run) * _485) + pair) * _489;
    uint both = v_366.k_cache[bit >> uint(5)] >> (bit & 31u);
    float2 codes = float2(float(both & _503), float((both >> K_BITS) & _509));
    uint at = (block * _515) + pair;
    uint scales = v_366.k_cache[v_312.k_scales + at];
    uint param_3 = scales;
    uint param_4 = 0u;
    uint param_5 = scales;
    uint param_6 = 1u;
    return (codes * float2(exact_half(param_3, param_4), exact_half(param_5, param_6))) + float2(as_type<half2>(v_366.k_cache[v_312.k_lows + at]));
}

static inline __attribute__((always_inline))
uint v_row(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_312)
{
    uint behind = token - v_312.v_sinks;
    uint _558;
    if (token < v_312.v_sinks)
    {
        _558 = token;
    }
    else
    {
        _558 = v_312.v_sinks + (behind % v_312.v_ring);
    }
    uint slot = _558;
    return (v_312.v_rows + (((slot * v_312.heads) + head) * _582)) + pair;
}

static inline __attribute__((always_inline))
uint v_exact(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_312, const device VCache& v_598, const device VNew& v_639)
{
    if (token < v_312.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return v_598.v_cache[v_row(param, param_1, param_2, v_312)];
    }
    uint from = ((v_312.v_at + ((token - v_312.past) * v_312.v_token)) + (head * v_312.v_head)) + (2u * pair);
    uint _633;
    if (_632)
    {
        _633 = v_639.v_new[from >> uint(1)];
    }
    else
    {
        float2 param_3 = float2(as_type<float>(v_639.v_new[from]), as_type<float>(v_639.v_new[from + 1u]));
        _633 = halves_bits(param_3);
    }
    return _633;
}

static inline __attribute__((always_inline))
float2 v_read(thread const uint& token, thread const uint& head, thread const uint& pair, thread const uint& rounded, constant Params& v_312, const device VCache& v_598, const device VNew& v_639)
{
    uint behind = token - v_312.v_sinks;
    if ((token < v_312.v_sinks) || (behind >= rounded))
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return float2(as_type<half2>(v_exact(param, param_1, param_2, v_312, v_598, v_639)));
    }
    uint block = ((behind / V_GROUP) * v_312.heads) + head;
    uint in_run = behind % V_GROUP;
    uint bit = ((((block * V_GROUP) + in_run) * _716) + pair) * _720;
    uint both = v_598.v_cache[bit >> uint(5)] >> (bit & 31u);
    float2 codes = float2(float(both & _733), float((both >> V_BITS) & _739));
    uint at = (((block * V_GROUP) + in_run) * _750) + ((2u * pair) / V_GROUP);
    uint param_3 = v_598.v_cache[v_312.v_scales + (at >> uint(1))];
    uint param_4 = at;
    float scale = exact_half(param_3, param_4);
    uint param_5 = v_598.v_cache[v_312.v_lows + (at >> uint(1))];
    uint param_6 = at;
    return (codes * scale) + float2(half_in(param_5, param_6));
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
    float _189;
    if (x < 0.0)
    {
        _189 = -as_type<float>(bits);
    }
    else
    {
        _189 = as_type<float>(bits);
    }
    return _189;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void kv_attention(constant Params& v_312 [[buffer(0)]], const device Q& _923 [[buffer(1)]], const device KNew& v_408 [[buffer(2)]], const device VNew& v_639 [[buffer(3)]], const device KCache& v_366 [[buffer(4)]], const device VCache& v_598 [[buffer(5)]], device Y& _1808 [[buffer(6)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup float4 queries[256];
    threadgroup float4 greatest[8];
    threadgroup float tile[2112];
    threadgroup float4 scores[128];
    threadgroup float4 weights[64];
    threadgroup float4 row_sums[4];
    uint thread0 = gl_LocalInvocationID.x;
    uint chunks = ((v_312.share + HEADS) - 1u) / HEADS;
    uint kv_head = gl_WorkGroupID.y / chunks;
    uint chunk = gl_WorkGroupID.y % chunks;
    uint first = gl_WorkGroupID.x * QUERIES;
    uint last = min((first + QUERIES), v_312.seq);
    float _917;
    for (uint i = thread0; i < _876; i += threads)
    {
        float4 four = float4(0.0);
        for (uint n = 0u; n < 4u; n++)
        {
            uint param = ((i % FOURS) * 4u) + n;
            uint param_1 = first;
            uint param_2 = kv_head;
            uint param_3 = chunk;
            Place at = place_of(param, param_1, param_2, param_3, v_312);
            if (bool(at.valid))
            {
                if (_916)
                {
                    uint param_4 = _923.q[(((v_312.q_at + (at.token * v_312.q_token)) + (at.head * v_312.q_head)) + (i / FOURS)) >> uint(1)];
                    uint param_5 = ((v_312.q_at + (at.token * v_312.q_token)) + (at.head * v_312.q_head)) + (i / FOURS);
                    _917 = half_in(param_4, param_5);
                }
                else
                {
                    _917 = as_type<float>(_923.q[((v_312.q_at + (at.token * v_312.q_token)) + (at.head * v_312.q_head)) + (i / FOURS)]);
                }
                four[n] = v_312.scale * _917;
            }
        }
        queries[i] = four;
    }
    if (thread0 < 4u)
    {
        greatest[thread0] = float4(-3.4028234663852885981170418348452e+38);
    }
    spvUnsafeArray<float4, 8> outs;
    spvUnsafeArray<float4, 8> sums;
    for (uint k = 0u; k < 8u; k++)
    {
        outs[k] = float4(0.0);
        sums[k] = float4(0.0);
    }
    uint spare = min(threads, 128u) / SCORES;
    uint slices = clamp(spare, 1u, 8u);
    uint slice_width = ((K_WIDTH + slices) - 1u) / slices;
    uint turn = 0u;
    bool _1068 = v_312.window > 0u;
    bool _1079;
    if (_1068)
    {
        _1079 = ((v_312.past + first) + 1u) > v_312.window;
    }
    else
    {
        _1079 = _1068;
    }
    uint _1080;
    if (_1079)
    {
        _1080 = ((v_312.past + first) + 1u) - v_312.window;
    }
    else
    {
        _1080 = 0u;
    }
    uint low = _1080;
    uint high = v_312.past + last;
    for (uint to = first, from = first; from < last; from = to)
    {
        to = last;
        uint k_codes = 0u;
        uint v_codes = 0u;
        uint param_6 = (v_312.past + from) + 1u;
        k_codes = k_rounded(param_6, v_312);
        uint param_7 = (v_312.past + from) + 1u;
        v_codes = v_rounded(param_7, v_312);
        to = from + 1u;
        for (;;)
        {
            bool _1136 = to < last;
            bool _1148;
            if (_1136)
            {
                uint param_8 = (v_312.past + to) + 1u;
                _1148 = k_rounded(param_8, v_312) == k_codes;
            }
            else
            {
                _1148 = _1136;
            }
            bool _1160;
            if (_1148)
            {
                uint param_9 = (v_312.past + to) + 1u;
                _1160 = v_rounded(param_9, v_312) == v_codes;
            }
            else
            {
                _1160 = _1148;
            }
            if (_1160)
            {
                to++;
                continue;
            }
            else
            {
                break;
            }
        }
        uint end = min(high, (v_312.past + to));
        for (uint begin = low; begin < end; begin += TILE)
        {
            uint count = min(TILE, (end - begin));
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint i_1 = thread0; i_1 < (count * _1195); i_1 += threads)
            {
                uint t = i_1 / _1200;
                uint pair = i_1 % _1204;
                uint param_10 = begin + t;
                uint param_11 = kv_head;
                uint param_12 = pair;
                uint param_13 = k_codes;
                float2 v = k_read(param_10, param_11, param_12, param_13, v_312, v_366, v_408);
                tile[(t * STRIDE) + (2u * pair)] = v.x;
                tile[((t * STRIDE) + (2u * pair)) + 1u] = v.y;
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint i_2 = thread0; i_2 < (SCORES * slices); i_2 += threads)
            {
                uint t_1 = i_2 % TILE;
                uint four_1 = (i_2 % SCORES) / TILE;
                uint slice = i_2 / SCORES;
                uint behind = min(((slice + 1u) * slice_width), K_WIDTH);
                float4 sum = float4(0.0);
                if (t_1 < count)
                {
                    uint _1277 = slice * slice_width;
                    for (uint c = _1277; c < behind; c++)
                    {
                        sum += (queries[(c * FOURS) + four_1] * tile[(t_1 * STRIDE) + c]);
                    }
                }
                scores[((slice * SCORES) + (t_1 * FOURS)) + four_1] = sum;
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint i_3 = thread0; i_3 < SCORES; i_3 += threads)
            {
                uint t_2 = i_3 % TILE;
                uint four_2 = i_3 / TILE;
                uint token = begin + t_2;
                float4 sum_1 = scores[(t_2 * FOURS) + four_2];
                for (uint n_1 = 1u; n_1 < slices; n_1++)
                {
                    sum_1 += scores[((n_1 * SCORES) + (t_2 * FOURS)) + four_2];
                }
                for (uint n_2 = 0u; n_2 < 4u; n_2++)
                {
                    uint query = first + (((four_2 * 4u) + n_2) / HEADS);
                    uint position = v_312.past + query;
                    bool _1401 = (((t_2 < count) && (query >= from)) && (query < to)) && (token <= position);
                    bool _1417;
                    if (_1401)
                    {
                        bool _1406 = v_312.window == 0u;
                        bool _1416;
                        if (!_1406)
                        {
                            _1416 = (token + v_312.window) > position;
                        }
                        else
                        {
                            _1416 = _1406;
                        }
                        _1417 = _1416;
                    }
                    else
                    {
                        _1417 = _1401;
                    }
                    bool seen = _1417;
                    if (!seen)
                    {
                        sum_1[n_2] = -3.4028234663852885981170418348452e+38;
                    }
                }
                scores[(t_2 * FOURS) + four_2] = sum_1;
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint i_4 = thread0; i_4 < SCORES; i_4 += threads)
            {
                uint t_3 = i_4 % TILE;
                uint four_3 = i_4 / TILE;
                float4 most = greatest[(turn * 4u) + four_3];
                for (uint n_3 = 0u; n_3 < TILE; n_3++)
                {
                    most = fast::max(most, scores[(n_3 * FOURS) + four_3]);
                }
                float4 score = scores[(t_3 * FOURS) + four_3];
                weights[(t_3 * FOURS) + four_3] = select(exp(score - most), float4(0.0), score <= float4(-3.4028234663852885981170418348452e+38));
                if (t_3 == 0u)
                {
                    greatest[((turn ^ 1u) * 4u) + four_3] = most;
                }
            }
            for (uint i_5 = thread0; i_5 < (count * _1519); i_5 += threads)
            {
                uint t_4 = i_5 / _1524;
                uint pair_1 = i_5 % _1528;
                uint param_14 = begin + t_4;
                uint param_15 = kv_head;
                uint param_16 = pair_1;
                uint param_17 = v_codes;
                float2 v_1 = v_read(param_14, param_15, param_16, param_17, v_312, v_598, v_639);
                tile[(t_4 * STRIDE) + (2u * pair_1)] = v_1.x;
                tile[((t_4 * STRIDE) + (2u * pair_1)) + 1u] = v_1.y;
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint k_1 = 0u; k_1 < mine; k_1++)
            {
                uint item = thread0 + (k_1 * threads);
                if (item >= ITEMS)
                {
                    break;
                }
                uint channel = item % V_WIDTH;
                uint four_4 = item / V_WIDTH;
                float4 kept = exp(greatest[(turn * 4u) + four_4] - greatest[((turn ^ 1u) * 4u) + four_4]);
                float4 total = outs[k_1] * kept;
                float4 sum_2 = sums[k_1] * kept;
                for (uint t_5 = 0u; t_5 < count; t_5++)
                {
                    float4 weight = weights[(t_5 * FOURS) + four_4];
                    total += (weight * tile[(t_5 * STRIDE) + channel]);
                    sum_2 += weight;
                }
                outs[k_1] = total;
                sums[k_1] = sum_2;
            }
            turn ^= 1u;
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint k_2 = 0u; k_2 < mine; k_2++)
    {
        uint item_1 = thread0 + (k_2 * threads);
        if (item_1 >= ITEMS)
        {
            break;
        }
        uint channel_1 = item_1 % V_WIDTH;
        uint four_5 = item_1 / V_WIDTH;
        if (channel_1 == 0u)
        {
            row_sums[four_5] = sums[k_2];
        }
        float4 v_2 = outs[k_2] / sums[k_2];
        for (uint n_4 = 0u; n_4 < 4u; n_4++)
        {
            tile[(((four_5 * 4u) + n_4) * V_WIDTH) + channel_1] = v_2[n_4];
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i_6 = thread0; i_6 < _1737; i_6 += threads)
    {
        uint row = i_6 / _1741;
        uint channel_2 = 2u * (i_6 % _1745);
        uint param_18 = row;
        uint param_19 = first;
        uint param_20 = kv_head;
        uint param_21 = chunk;
        Place at_1 = place_of(param_18, param_19, param_20, param_21, v_312);
        if (!bool(at_1.valid))
        {
            continue;
        }
        float2 v_3 = float2(tile[(row * V_WIDTH) + channel_2], tile[((row * V_WIDTH) + channel_2) + 1u]);
        uint at_ = ((v_312.y_at + (at_1.token * v_312.y_token)) + (at_1.head * v_312.y_head)) + channel_2;
        float2 two_ = v_3;
        if (_1802)
        {
            float2 param_22 = two_;
            _1808.y[at_ >> uint(1)] = pack_halves(param_22);
        }
        else
        {
            _1808.y[at_] = as_type<uint>(two_.x);
            _1808.y[at_ + 1u] = as_type<uint>(two_.y);
        }
    }
}

