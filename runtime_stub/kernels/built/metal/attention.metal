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

struct KCache
{
    uint k_cache[1];
};

struct Params
{
    uint heads;
    uint past;
    uint seq;
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

constant uint K_WIDTH_tmp [[function_constant(1)]];
constant uint K_WIDTH = is_function_constant_defined(K_WIDTH_tmp) ? K_WIDTH_tmp : 64u;
constant uint _139 = (K_WIDTH / 2u);

struct VCache
{
    uint v_cache[1];
};

constant uint V_WIDTH_tmp [[function_constant(2)]];
constant uint V_WIDTH = is_function_constant_defined(V_WIDTH_tmp) ? V_WIDTH_tmp : 64u;
constant uint _160 = (V_WIDTH / 2u);
constant uint HEADS_tmp [[function_constant(5)]];
constant uint HEADS = is_function_constant_defined(HEADS_tmp) ? HEADS_tmp : 1u;
constant uint QUERIES_tmp [[function_constant(4)]];
constant uint QUERIES = is_function_constant_defined(QUERIES_tmp) ? QUERIES_tmp : 1u;
constant uint ROWS = (QUERIES * HEADS);
constant uint _254 = (ROWS + 3u);
constant uint FOURS = (_254 / 4u);
constant uint _257 = (FOURS * K_WIDTH);
constant uint Q_HALF_tmp [[function_constant(3)]];
constant uint Q_HALF = is_function_constant_defined(Q_HALF_tmp) ? Q_HALF_tmp : 1u;
constant bool _297 = (Q_HALF != 0u);

struct Q
{
    uint q[1];
};

constant uint _383_tmp [[function_constant(0)]];
constant uint _383 = is_function_constant_defined(_383_tmp) ? _383_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_383, 1u, 1u);
constant uint threads = gl_WorkGroupSize.x;
constant bool _421 = (K_WIDTH > V_WIDTH);
constant uint _422 = _421 ? K_WIDTH : V_WIDTH;
constant uint STRIDE = (_422 + 1u);
constant uint _424 = (2112u / STRIDE);
constant uint _426 = (64u / FOURS);
constant bool _427 = (_424 < _426);
constant uint _428 = (2112u / STRIDE);
constant uint _429 = (64u / FOURS);
constant uint ROOM = _427 ? _428 : _429;
constant bool _432 = (ROOM < 32u);
constant uint TILE = _432 ? ROOM : 32u;
constant uint SCORES = (TILE * FOURS);
constant uint _527 = (K_WIDTH / 2u);
constant uint _532 = (K_WIDTH / 2u);
constant uint _536 = (K_WIDTH / 2u);
constant uint _851 = (V_WIDTH / 2u);
constant uint _856 = (V_WIDTH / 2u);
constant uint _860 = (V_WIDTH / 2u);
constant uint ITEMS = (FOURS * V_WIDTH);
constant uint _901 = (ITEMS + threads);
constant uint _902 = (_901 - 1u);
constant uint mine = (_902 / threads);
constant uint _1068 = (V_WIDTH / 2u);
constant uint _1069 = (ROWS * _1068);
constant uint _1073 = (V_WIDTH / 2u);
constant uint _1077 = (V_WIDTH / 2u);
constant uint Y_HALF_tmp [[function_constant(6)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _1134 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

static inline __attribute__((always_inline))
Place place_of(thread const uint& r, thread const uint& first, thread const uint& kv_head, thread const uint& chunk, constant Params& v_130)
{
    uint in_share = (chunk * HEADS) + (r % HEADS);
    uint token = first + (r / HEADS);
    bool _192 = r < ROWS;
    bool _199;
    if (_192)
    {
        _199 = in_share < v_130.share;
    }
    else
    {
        _199 = _192;
    }
    bool _207;
    if (_199)
    {
        _207 = token < v_130.seq;
    }
    else
    {
        _207 = _199;
    }
    return Place{ token, (kv_head * v_130.share) + in_share, _207 };
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _55;
    if ((index & 1u) == 0u)
    {
        _55 = both.x;
    }
    else
    {
        _55 = both.y;
    }
    return _55;
}

static inline __attribute__((always_inline))
float2 k_read(thread const uint& token, thread const uint& head, thread const uint& pair, thread const uint& rounded, const device KCache& v_125, constant Params& v_130)
{
    return float2(as_type<half2>(v_125.k_cache[(((token * v_130.heads) + head) * _139) + pair]));
}

static inline __attribute__((always_inline))
float2 v_read(thread const uint& token, thread const uint& head, thread const uint& pair, thread const uint& rounded, constant Params& v_130, const device VCache& v_152)
{
    return float2(as_type<half2>(v_152.v_cache[(((token * v_130.heads) + head) * _160) + pair]));
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
    float _98;
    if (x < 0.0)
    {
        _98 = -as_type<float>(bits);
    }
    else
    {
        _98 = as_type<float>(bits);
    }
    return _98;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void attention(constant Params& v_130 [[buffer(0)]], const device Q& _304 [[buffer(1)]], const device KCache& v_125 [[buffer(2)]], const device VCache& v_152 [[buffer(3)]], device Y& _1140 [[buffer(4)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup float4 queries[256];
    threadgroup float4 greatest[8];
    threadgroup float tile[2112];
    threadgroup float4 scores[128];
    threadgroup float4 weights[64];
    threadgroup float4 row_sums[4];
    uint thread0 = gl_LocalInvocationID.x;
    uint chunks = ((v_130.share + HEADS) - 1u) / HEADS;
    uint kv_head = gl_WorkGroupID.y / chunks;
    uint chunk = gl_WorkGroupID.y % chunks;
    uint first = gl_WorkGroupID.x * QUERIES;
    uint last = min((first + QUERIES), v_130.seq);
    float _298;
    for (uint i = thread0; i < _257; i += threads)
    {
        float4 four = float4(0.0);
        for (uint n = 0u; n < 4u; n++)
        {
            uint param = ((i % FOURS) * 4u) + n;
            uint param_1 = first;
            uint param_2 = kv_head;
            uint param_3 = chunk;
            Place at = place_of(param, param_1, param_2, param_3, v_130);
            if (bool(at.valid))
            {
                if (_297)
                {
                    uint param_4 = _304.q[(((v_130.q_at + (at.token * v_130.q_token)) + (at.head * v_130.q_head)) + (i / FOURS)) >> uint(1)];
                    uint param_5 = ((v_130.q_at + (at.token * v_130.q_token)) + (at.head * v_130.q_head)) + (i / FOURS);
                    _298 = half_in(param_4, param_5);
                }
                else
                {
                    _298 = as_type<float>(_304.q[((v_130.q_at + (at.token * v_130.q_token)) + (at.head * v_130.q_head)) + (i / FOURS)]);
                }
                four[n] = v_130.scale * _298;
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
    bool _450 = v_130.window > 0u;
    bool _461;
    if (_450)
    {
        _461 = ((v_130.past + first) + 1u) > v_130.window;
    }
    else
    {
        _461 = _450;
    }
    uint _462;
    if (_461)
    {
        _462 = ((v_130.past + first) + 1u) - v_130.window;
    }
    else
    {
        _462 = 0u;
    }
    uint low = _462;
    uint high = v_130.past + last;
    for (uint to = first, from = first; from < last; from = to)
    {
        to = last;
        uint k_codes = 0u;
        uint v_codes = 0u;
        uint end = min(high, (v_130.past + to));
        for (uint begin = low; begin < end; begin += TILE)
        {
            uint count = min(TILE, (end - begin));
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint i_1 = thread0; i_1 < (count * _527); i_1 += threads)
            {
                uint t = i_1 / _532;
                uint pair = i_1 % _536;
                uint param_6 = begin + t;
                uint param_7 = kv_head;
                uint param_8 = pair;
                uint param_9 = k_codes;
                float2 v = k_read(param_6, param_7, param_8, param_9, v_125, v_130);
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
                    uint _609 = slice * slice_width;
                    for (uint c = _609; c < behind; c++)
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
                    uint position = v_130.past + query;
                    bool _733 = (((t_2 < count) && (query >= from)) && (query < to)) && (token <= position);
                    bool _749;
                    if (_733)
                    {
                        bool _738 = v_130.window == 0u;
                        bool _748;
                        if (!_738)
                        {
                            _748 = (token + v_130.window) > position;
                        }
                        else
                        {
                            _748 = _738;
                        }
                        _749 = _748;
                    }
                    else
                    {
                        _749 = _733;
                    }
                    bool seen = _749;
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
            for (uint i_5 = thread0; i_5 < (count * _851); i_5 += threads)
            {
                uint t_4 = i_5 / _856;
                uint pair_1 = i_5 % _860;
                uint param_10 = begin + t_4;
                uint param_11 = kv_head;
                uint param_12 = pair_1;
                uint param_13 = v_codes;
                float2 v_1 = v_read(param_10, param_11, param_12, param_13, v_130, v_152);
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
    for (uint i_6 = thread0; i_6 < _1069; i_6 += threads)
    {
        uint row = i_6 / _1073;
        uint channel_2 = 2u * (i_6 % _1077);
        uint param_14 = row;
        uint param_15 = first;
        uint param_16 = kv_head;
        uint param_17 = chunk;
        Place at_1 = place_of(param_14, param_15, param_16, param_17, v_130);
        if (!bool(at_1.valid))
        {
            continue;
        }
        float2 v_3 = float2(tile[(row * V_WIDTH) + channel_2], tile[((row * V_WIDTH) + channel_2) + 1u]);
        uint at_ = ((v_130.y_at + (at_1.token * v_130.y_token)) + (at_1.head * v_130.y_head)) + channel_2;
        float2 two_ = v_3;
        if (_1134)
        {
            float2 param_18 = two_;
            _1140.y[at_ >> uint(1)] = pack_halves(param_18);
        }
        else
        {
            _1140.y[at_] = as_type<uint>(two_.x);
            _1140.y[at_ + 1u] = as_type<uint>(two_.y);
        }
    }
}

