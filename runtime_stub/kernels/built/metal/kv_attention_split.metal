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
    uint parts;
    uint scratch_at;
};

constant uint K_WIDTH_tmp [[function_constant(7)]];
constant uint K_WIDTH = is_function_constant_defined(K_WIDTH_tmp) ? K_WIDTH_tmp : 64u;
constant uint _291 = (K_WIDTH / 2u);

struct KCache
{
    uint k_cache[1];
};

constant uint K_NEW_HALF_tmp [[function_constant(1)]];
constant uint K_NEW_HALF = is_function_constant_defined(K_NEW_HALF_tmp) ? K_NEW_HALF_tmp : 1u;
constant bool _343 = (K_NEW_HALF != 0u);

struct KNew
{
    uint k_new[1];
};

constant uint K_BITS_tmp [[function_constant(3)]];
constant uint K_BITS = is_function_constant_defined(K_BITS_tmp) ? K_BITS_tmp : 4u;
constant uint K_GROUP_tmp [[function_constant(5)]];
constant uint K_GROUP = is_function_constant_defined(K_GROUP_tmp) ? K_GROUP_tmp : 32u;
constant uint _427 = (K_WIDTH / 2u);
constant uint _431 = (2u * K_BITS);
constant uint _444 = (1u << K_BITS);
constant uint _445 = (_444 - 1u);
constant uint _450 = (1u << K_BITS);
constant uint _451 = (_450 - 1u);
constant uint _457 = (K_WIDTH / 2u);
constant uint V_WIDTH_tmp [[function_constant(8)]];
constant uint V_WIDTH = is_function_constant_defined(V_WIDTH_tmp) ? V_WIDTH_tmp : 64u;
constant uint _524 = (V_WIDTH / 2u);

struct VCache
{
    uint v_cache[1];
};

constant uint V_NEW_HALF_tmp [[function_constant(2)]];
constant uint V_NEW_HALF = is_function_constant_defined(V_NEW_HALF_tmp) ? V_NEW_HALF_tmp : 1u;
constant bool _574 = (V_NEW_HALF != 0u);

struct VNew
{
    uint v_new[1];
};

constant uint V_BITS_tmp [[function_constant(4)]];
constant uint V_BITS = is_function_constant_defined(V_BITS_tmp) ? V_BITS_tmp : 4u;
constant uint V_GROUP_tmp [[function_constant(6)]];
constant uint V_GROUP = is_function_constant_defined(V_GROUP_tmp) ? V_GROUP_tmp : 32u;
constant uint _658 = (V_WIDTH / 2u);
constant uint _662 = (2u * V_BITS);
constant uint _674 = (1u << V_BITS);
constant uint _675 = (_674 - 1u);
constant uint _680 = (1u << V_BITS);
constant uint _681 = (_680 - 1u);
constant uint _690 = (V_WIDTH + V_GROUP);
constant uint _691 = (_690 - 1u);
constant uint _692 = (_691 / V_GROUP);
constant uint HEADS_tmp [[function_constant(11)]];
constant uint HEADS = is_function_constant_defined(HEADS_tmp) ? HEADS_tmp : 1u;
constant uint QUERIES_tmp [[function_constant(10)]];
constant uint QUERIES = is_function_constant_defined(QUERIES_tmp) ? QUERIES_tmp : 1u;
constant uint ROWS = (QUERIES * HEADS);
constant uint _815 = (ROWS + 3u);
constant uint FOURS = (_815 / 4u);
constant uint _818 = (FOURS * K_WIDTH);
constant uint Q_HALF_tmp [[function_constant(9)]];
constant uint Q_HALF = is_function_constant_defined(Q_HALF_tmp) ? Q_HALF_tmp : 1u;
constant bool _859 = (Q_HALF != 0u);

struct Q
{
    uint q[1];
};

constant uint _944_tmp [[function_constant(0)]];
constant uint _944 = is_function_constant_defined(_944_tmp) ? _944_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_944, 1u, 1u);
constant uint threads = gl_WorkGroupSize.x;
constant bool _982 = (K_WIDTH > V_WIDTH);
constant uint _983 = _982 ? K_WIDTH : V_WIDTH;
constant uint STRIDE = (_983 + 1u);
constant uint _985 = (2112u / STRIDE);
constant uint _987 = (64u / FOURS);
constant bool _988 = (_985 < _987);
constant uint _989 = (2112u / STRIDE);
constant uint _990 = (64u / FOURS);
constant uint ROOM = _988 ? _989 : _990;
constant bool _993 = (ROOM < 32u);
constant uint TILE = _993 ? ROOM : 32u;
constant uint SCORES = (TILE * FOURS);
constant uint _1165 = (K_WIDTH / 2u);
constant uint _1170 = (K_WIDTH / 2u);
constant uint _1174 = (K_WIDTH / 2u);
constant uint _1489 = (V_WIDTH / 2u);
constant uint _1494 = (V_WIDTH / 2u);
constant uint _1498 = (V_WIDTH / 2u);
constant uint ITEMS = (FOURS * V_WIDTH);
constant uint _1539 = (ITEMS + threads);
constant uint _1540 = (_1539 - 1u);
constant uint mine = (_1540 / threads);
constant uint _1702 = (V_WIDTH / 2u);
constant uint _1703 = (ROWS * _1702);
constant uint _1707 = (V_WIDTH / 2u);
constant uint _1711 = (V_WIDTH / 2u);
constant uint _1768 = (2u + V_WIDTH);

struct Scratch
{
    uint scratch[1];
};

static inline __attribute__((always_inline))
Place place_of(thread const uint& r, thread const uint& first, thread const uint& kv_head, thread const uint& chunk, constant Params& v_254)
{
    uint in_share = (chunk * HEADS) + (r % HEADS);
    uint token = first + (r / HEADS);
    bool _753 = r < ROWS;
    bool _760;
    if (_753)
    {
        _760 = in_share < v_254.share;
    }
    else
    {
        _760 = _753;
    }
    bool _768;
    if (_760)
    {
        _768 = token < v_254.seq;
    }
    else
    {
        _768 = _760;
    }
    return Place{ token, (kv_head * v_254.share) + in_share, _768 };
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _95;
    if ((index & 1u) == 0u)
    {
        _95 = both.x;
    }
    else
    {
        _95 = both.y;
    }
    return _95;
}

static inline __attribute__((always_inline))
uint rounded_of(thread const uint& bits, thread const uint& group, thread const uint& window, thread const uint& sinks, thread const uint& tokens)
{
    uint kept = window + sinks;
    uint _236;
    if ((bits == 16u) || (tokens <= kept))
    {
        _236 = 0u;
    }
    else
    {
        _236 = ((tokens - kept) / group) * group;
    }
    return _236;
}

static inline __attribute__((always_inline))
uint k_rounded(thread const uint& tokens, constant Params& v_254)
{
    uint param = K_BITS;
    uint param_1 = K_GROUP;
    uint param_2 = v_254.k_window;
    uint param_3 = v_254.k_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

static inline __attribute__((always_inline))
uint v_rounded(thread const uint& tokens, constant Params& v_254)
{
    uint param = V_BITS;
    uint param_1 = V_GROUP;
    uint param_2 = v_254.v_window;
    uint param_3 = v_254.v_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

static inline __attribute__((always_inline))
uint k_row(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_254)
{
    uint behind = token - v_254.k_sinks;
    uint _265;
    if (token < v_254.k_sinks)
    {
        _265 = token;
    }
    else
    {
        _265 = v_254.k_sinks + (behind % v_254.k_ring);
    }
    uint slot = _265;
    return (v_254.k_rows + (((slot * v_254.heads) + head) * _291)) + pair;
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
    uint _199;
    if (near >= 1199570944u)
    {
        _199 = _sign | 31744u;
    }
    else
    {
        _199 = _sign | ((near - 939524096u) >> uint(13));
    }
    return _199;
}

static inline __attribute__((always_inline))
uint halves_bits(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return half_bits(param) | (half_bits(param_1) << uint(16));
}

static inline __attribute__((always_inline))
uint k_exact(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_254, const device KCache& v_308, const device KNew& v_350)
{
    if (token < v_254.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return v_308.k_cache[k_row(param, param_1, param_2, v_254)];
    }
    uint from = ((v_254.k_at + ((token - v_254.past) * v_254.k_token)) + (head * v_254.k_head)) + (2u * pair);
    uint _344;
    if (_343)
    {
        _344 = v_350.k_new[from >> uint(1)];
    }
    else
    {
        float2 param_3 = float2(as_type<float>(v_350.k_new[from]), as_type<float>(v_350.k_new[from + 1u]));
        _344 = halves_bits(param_3);
    }
    return _344;
}

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _143;
    if ((h & 32768u) != 0u)
    {
        _143 = -size;
    }
    else
    {
        _143 = size;
    }
    return _143;
}

static inline __attribute__((always_inline))
float2 k_read(thread const uint& token, thread const uint& head, thread const uint& pair, thread const uint& rounded, constant Params& v_254, const device KCache& v_308, const device KNew& v_350)
{
    uint behind = token - v_254.k_sinks;
    if ((token < v_254.k_sinks) || (behind >= rounded))
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return float2(as_type<half2>(k_exact(param, param_1, param_2, v_254, v_308, v_350)));
    }
    uint block = ((behind / K_GROUP) * v_254.heads) + head;
    uint in_run = behind % K_GROUP;
    uint bit = ((((block * K_GROUP) + in_run) * _427) + pair) * _431;
    uint both = v_308.k_cache[bit >> uint(5)] >> (bit & 31u);
    float2 codes = float2(float(both & _445), float((both >> K_BITS) & _451));
    uint at = (block * _457) + pair;
    uint scales = v_308.k_cache[v_254.k_scales + at];
    uint param_3 = scales;
    uint param_4 = 0u;
    uint param_5 = scales;
    uint param_6 = 1u;
    return (codes * float2(exact_half(param_3, param_4), exact_half(param_5, param_6))) + float2(as_type<half2>(v_308.k_cache[v_254.k_lows + at]));
}

static inline __attribute__((always_inline))
uint v_row(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_254)
{
    uint behind = token - v_254.v_sinks;
    uint _500;
    if (token < v_254.v_sinks)
    {
        _500 = token;
    }
    else
    {
        _500 = v_254.v_sinks + (behind % v_254.v_ring);
    }
    uint slot = _500;
    return (v_254.v_rows + (((slot * v_254.heads) + head) * _524)) + pair;
}

static inline __attribute__((always_inline))
uint v_exact(thread const uint& token, thread const uint& head, thread const uint& pair, constant Params& v_254, const device VCache& v_540, const device VNew& v_581)
{
    if (token < v_254.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return v_540.v_cache[v_row(param, param_1, param_2, v_254)];
    }
    uint from = ((v_254.v_at + ((token - v_254.past) * v_254.v_token)) + (head * v_254.v_head)) + (2u * pair);
    uint _575;
    if (_574)
    {
        _575 = v_581.v_new[from >> uint(1)];
    }
    else
    {
        float2 param_3 = float2(as_type<float>(v_581.v_new[from]), as_type<float>(v_581.v_new[from + 1u]));
        _575 = halves_bits(param_3);
    }
    return _575;
}

static inline __attribute__((always_inline))
float2 v_read(thread const uint& token, thread const uint& head, thread const uint& pair, thread const uint& rounded, constant Params& v_254, const device VCache& v_540, const device VNew& v_581)
{
    uint behind = token - v_254.v_sinks;
    if ((token < v_254.v_sinks) || (behind >= rounded))
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return float2(as_type<half2>(v_exact(param, param_1, param_2, v_254, v_540, v_581)));
    }
    uint block = ((behind / V_GROUP) * v_254.heads) + head;
    uint in_run = behind % V_GROUP;
    uint bit = ((((block * V_GROUP) + in_run) * _658) + pair) * _662;
    uint both = v_540.v_cache[bit >> uint(5)] >> (bit & 31u);
    float2 codes = float2(float(both & _675), float((both >> V_BITS) & _681));
    uint at = (((block * V_GROUP) + in_run) * _692) + ((2u * pair) / V_GROUP);
    uint param_3 = v_540.v_cache[v_254.v_scales + (at >> uint(1))];
    uint param_4 = at;
    float scale = exact_half(param_3, param_4);
    uint param_5 = v_540.v_cache[v_254.v_lows + (at >> uint(1))];
    uint param_6 = at;
    return (codes * scale) + float2(half_in(param_5, param_6));
}

kernel void kv_attention_split(constant Params& v_254 [[buffer(0)]], const device Q& _866 [[buffer(1)]], const device KNew& v_350 [[buffer(2)]], const device VNew& v_581 [[buffer(3)]], const device KCache& v_308 [[buffer(4)]], const device VCache& v_540 [[buffer(5)]], device Scratch& _1778 [[buffer(6)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup float4 queries[256];
    threadgroup float4 greatest[8];
    threadgroup float tile[2112];
    threadgroup float4 scores[128];
    threadgroup float4 weights[64];
    threadgroup float4 row_sums[4];
    uint thread0 = gl_LocalInvocationID.x;
    uint chunks = ((v_254.share + HEADS) - 1u) / HEADS;
    uint kv_head = gl_WorkGroupID.y / chunks;
    uint chunk = gl_WorkGroupID.y % chunks;
    uint first = gl_WorkGroupID.z * QUERIES;
    uint last = min((first + QUERIES), v_254.seq);
    float _860;
    for (uint i = thread0; i < _818; i += threads)
    {
        float4 four = float4(0.0);
        for (uint n = 0u; n < 4u; n++)
        {
            uint param = ((i % FOURS) * 4u) + n;
            uint param_1 = first;
            uint param_2 = kv_head;
            uint param_3 = chunk;
            Place at = place_of(param, param_1, param_2, param_3, v_254);
            if (bool(at.valid))
            {
                if (_859)
                {
                    uint param_4 = _866.q[(((v_254.q_at + (at.token * v_254.q_token)) + (at.head * v_254.q_head)) + (i / FOURS)) >> uint(1)];
                    uint param_5 = ((v_254.q_at + (at.token * v_254.q_token)) + (at.head * v_254.q_head)) + (i / FOURS);
                    _860 = half_in(param_4, param_5);
                }
                else
                {
                    _860 = as_type<float>(_866.q[((v_254.q_at + (at.token * v_254.q_token)) + (at.head * v_254.q_head)) + (i / FOURS)]);
                }
                four[n] = v_254.scale * _860;
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
    bool _1011 = v_254.window > 0u;
    bool _1022;
    if (_1011)
    {
        _1022 = ((v_254.past + first) + 1u) > v_254.window;
    }
    else
    {
        _1022 = _1011;
    }
    uint _1023;
    if (_1022)
    {
        _1023 = ((v_254.past + first) + 1u) - v_254.window;
    }
    else
    {
        _1023 = 0u;
    }
    uint low = _1023;
    uint high = v_254.past + last;
    uint each = (((((((high - low) + v_254.parts) - 1u) / v_254.parts) + TILE) - 1u) / TILE) * TILE;
    low += (gl_WorkGroupID.x * each);
    high = min(high, (low + each));
    for (uint to = first, from = first; from < last; from = to)
    {
        to = last;
        uint k_codes = 0u;
        uint v_codes = 0u;
        uint param_6 = (v_254.past + from) + 1u;
        k_codes = k_rounded(param_6, v_254);
        uint param_7 = (v_254.past + from) + 1u;
        v_codes = v_rounded(param_7, v_254);
        to = from + 1u;
        for (;;)
        {
            bool _1106 = to < last;
            bool _1118;
            if (_1106)
            {
                uint param_8 = (v_254.past + to) + 1u;
                _1118 = k_rounded(param_8, v_254) == k_codes;
            }
            else
            {
                _1118 = _1106;
            }
            bool _1130;
            if (_1118)
            {
                uint param_9 = (v_254.past + to) + 1u;
                _1130 = v_rounded(param_9, v_254) == v_codes;
            }
            else
            {
                _1130 = _1118;
            }
            if (_1130)
            {
                to++;
                continue;
            }
            else
            {
                break;
            }
        }
        uint end = min(high, (v_254.past + to));
        for (uint begin = low; begin < end; begin += TILE)
        {
            uint count = min(TILE, (end - begin));
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint i_1 = thread0; i_1 < (count * _1165); i_1 += threads)
            {
                uint t = i_1 / _1170;
                uint pair = i_1 % _1174;
                uint param_10 = begin + t;
                uint param_11 = kv_head;
                uint param_12 = pair;
                uint param_13 = k_codes;
                float2 v = k_read(param_10, param_11, param_12, param_13, v_254, v_308, v_350);
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
                    uint _1247 = slice * slice_width;
                    for (uint c = _1247; c < behind; c++)
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
                    uint position = v_254.past + query;
                    bool _1371 = (((t_2 < count) && (query >= from)) && (query < to)) && (token <= position);
                    bool _1387;
                    if (_1371)
                    {
                        bool _1376 = v_254.window == 0u;
                        bool _1386;
                        if (!_1376)
                        {
                            _1386 = (token + v_254.window) > position;
                        }
                        else
                        {
                            _1386 = _1376;
                        }
                        _1387 = _1386;
                    }
                    else
                    {
                        _1387 = _1371;
                    }
                    bool seen = _1387;
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
            for (uint i_5 = thread0; i_5 < (count * _1489); i_5 += threads)
            {
                uint t_4 = i_5 / _1494;
                uint pair_1 = i_5 % _1498;
                uint param_14 = begin + t_4;
                uint param_15 = kv_head;
                uint param_16 = pair_1;
                uint param_17 = v_codes;
                float2 v_1 = v_read(param_14, param_15, param_16, param_17, v_254, v_540, v_581);
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
        float4 v_2 = outs[k_2];
        for (uint n_4 = 0u; n_4 < 4u; n_4++)
        {
            tile[(((four_5 * 4u) + n_4) * V_WIDTH) + channel_1] = v_2[n_4];
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i_6 = thread0; i_6 < _1703; i_6 += threads)
    {
        uint row = i_6 / _1707;
        uint channel_2 = 2u * (i_6 % _1711);
        uint param_18 = row;
        uint param_19 = first;
        uint param_20 = kv_head;
        uint param_21 = chunk;
        Place at_1 = place_of(param_18, param_19, param_20, param_21, v_254);
        if (!bool(at_1.valid))
        {
            continue;
        }
        float2 v_3 = float2(tile[(row * V_WIDTH) + channel_2], tile[((row * V_WIDTH) + channel_2) + 1u]);
        uint record = ((((at_1.token * v_254.heads) * v_254.share) + at_1.head) * v_254.parts) + gl_WorkGroupID.x;
        uint to_scratch = v_254.scratch_at + (record * _1768);
        if (channel_2 == 0u)
        {
            _1778.scratch[to_scratch] = as_type<uint>(((threadgroup float*)&greatest[(turn * 4u) + (row / 4u)])[row % 4u]);
            _1778.scratch[to_scratch + 1u] = as_type<uint>(((threadgroup float*)&row_sums[row / 4u])[row % 4u]);
        }
        _1778.scratch[(to_scratch + 2u) + channel_2] = as_type<uint>(v_3.x);
        _1778.scratch[(to_scratch + 3u) + channel_2] = as_type<uint>(v_3.y);
    }
}

