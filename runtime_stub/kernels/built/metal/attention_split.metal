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
    uint parts;
    uint scratch_at;
};

constant uint K_WIDTH_tmp [[function_constant(1)]];
constant uint K_WIDTH = is_function_constant_defined(K_WIDTH_tmp) ? K_WIDTH_tmp : 64u;
constant uint _76 = (K_WIDTH / 2u);

struct VCache
{
    uint v_cache[1];
};

constant uint V_WIDTH_tmp [[function_constant(2)]];
constant uint V_WIDTH = is_function_constant_defined(V_WIDTH_tmp) ? V_WIDTH_tmp : 64u;
constant uint _97 = (V_WIDTH / 2u);
constant uint HEADS_tmp [[function_constant(5)]];
constant uint HEADS = is_function_constant_defined(HEADS_tmp) ? HEADS_tmp : 1u;
constant uint QUERIES_tmp [[function_constant(4)]];
constant uint QUERIES = is_function_constant_defined(QUERIES_tmp) ? QUERIES_tmp : 1u;
constant uint ROWS = (QUERIES * HEADS);
constant uint _191 = (ROWS + 3u);
constant uint FOURS = (_191 / 4u);
constant uint _194 = (FOURS * K_WIDTH);
constant uint Q_HALF_tmp [[function_constant(3)]];
constant uint Q_HALF = is_function_constant_defined(Q_HALF_tmp) ? Q_HALF_tmp : 1u;
constant bool _235 = (Q_HALF != 0u);

struct Q
{
    uint q[1];
};

constant uint _321_tmp [[function_constant(0)]];
constant uint _321 = is_function_constant_defined(_321_tmp) ? _321_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_321, 1u, 1u);
constant uint threads = gl_WorkGroupSize.x;
constant bool _359 = (K_WIDTH > V_WIDTH);
constant uint _360 = _359 ? K_WIDTH : V_WIDTH;
constant uint STRIDE = (_360 + 1u);
constant uint _362 = (2112u / STRIDE);
constant uint _364 = (64u / FOURS);
constant bool _365 = (_362 < _364);
constant uint _366 = (2112u / STRIDE);
constant uint _367 = (64u / FOURS);
constant uint ROOM = _365 ? _366 : _367;
constant bool _370 = (ROOM < 32u);
constant uint TILE = _370 ? ROOM : 32u;
constant uint SCORES = (TILE * FOURS);
constant uint _492 = (K_WIDTH / 2u);
constant uint _497 = (K_WIDTH / 2u);
constant uint _501 = (K_WIDTH / 2u);
constant uint _816 = (V_WIDTH / 2u);
constant uint _821 = (V_WIDTH / 2u);
constant uint _825 = (V_WIDTH / 2u);
constant uint ITEMS = (FOURS * V_WIDTH);
constant uint _866 = (ITEMS + threads);
constant uint _867 = (_866 - 1u);
constant uint mine = (_867 / threads);
constant uint _1029 = (V_WIDTH / 2u);
constant uint _1030 = (ROWS * _1029);
constant uint _1034 = (V_WIDTH / 2u);
constant uint _1038 = (V_WIDTH / 2u);
constant uint _1095 = (2u + V_WIDTH);

struct Scratch
{
    uint scratch[1];
};

static inline __attribute__((always_inline))
Place place_of(thread const uint& r, thread const uint& first, thread const uint& kv_head, thread const uint& chunk, constant Params& v_67)
{
    uint in_share = (chunk * HEADS) + (r % HEADS);
    uint token = first + (r / HEADS);
    bool _129 = r < ROWS;
    bool _136;
    if (_129)
    {
        _136 = in_share < v_67.share;
    }
    else
    {
        _136 = _129;
    }
    bool _144;
    if (_136)
    {
        _144 = token < v_67.seq;
    }
    else
    {
        _144 = _136;
    }
    return Place{ token, (kv_head * v_67.share) + in_share, _144 };
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
    float _47;
    if ((index & 1u) == 0u)
    {
        _47 = both.x;
    }
    else
    {
        _47 = both.y;
    }
    return _47;
}

static inline __attribute__((always_inline))
float2 k_read(thread const uint& token, thread const uint& head, thread const uint& pair, thread const uint& rounded, const device KCache& v_61, constant Params& v_67)
{
    return float2(as_type<half2>(v_61.k_cache[(((token * v_67.heads) + head) * _76) + pair]));
}

static inline __attribute__((always_inline))
float2 v_read(thread const uint& token, thread const uint& head, thread const uint& pair, thread const uint& rounded, constant Params& v_67, const device VCache& v_89)
{
    return float2(as_type<half2>(v_89.v_cache[(((token * v_67.heads) + head) * _97) + pair]));
}

kernel void attention_split(constant Params& v_67 [[buffer(0)]], const device Q& _242 [[buffer(1)]], const device KCache& v_61 [[buffer(2)]], const device VCache& v_89 [[buffer(3)]], device Scratch& _1105 [[buffer(4)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup float4 queries[256];
    threadgroup float4 greatest[8];
    threadgroup float tile[2112];
    threadgroup float4 scores[128];
    threadgroup float4 weights[64];
    threadgroup float4 row_sums[4];
    uint thread0 = gl_LocalInvocationID.x;
    uint chunks = ((v_67.share + HEADS) - 1u) / HEADS;
    uint kv_head = gl_WorkGroupID.y / chunks;
    uint chunk = gl_WorkGroupID.y % chunks;
    uint first = gl_WorkGroupID.z * QUERIES;
    uint last = min((first + QUERIES), v_67.seq);
    float _236;
    for (uint i = thread0; i < _194; i += threads)
    {
        float4 four = float4(0.0);
        for (uint n = 0u; n < 4u; n++)
        {
            uint param = ((i % FOURS) * 4u) + n;
            uint param_1 = first;
            uint param_2 = kv_head;
            uint param_3 = chunk;
            Place at = place_of(param, param_1, param_2, param_3, v_67);
            if (bool(at.valid))
            {
                if (_235)
                {
                    uint param_4 = _242.q[(((v_67.q_at + (at.token * v_67.q_token)) + (at.head * v_67.q_head)) + (i / FOURS)) >> uint(1)];
                    uint param_5 = ((v_67.q_at + (at.token * v_67.q_token)) + (at.head * v_67.q_head)) + (i / FOURS);
                    _236 = half_in(param_4, param_5);
                }
                else
                {
                    _236 = as_type<float>(_242.q[((v_67.q_at + (at.token * v_67.q_token)) + (at.head * v_67.q_head)) + (i / FOURS)]);
                }
                four[n] = v_67.scale * _236;
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
    bool _388 = v_67.window > 0u;
    bool _399;
    if (_388)
    {
        _399 = ((v_67.past + first) + 1u) > v_67.window;
    }
    else
    {
        _399 = _388;
    }
    uint _400;
    if (_399)
    {
        _400 = ((v_67.past + first) + 1u) - v_67.window;
    }
    else
    {
        _400 = 0u;
    }
    uint low = _400;
    uint high = v_67.past + last;
    uint each = (((((((high - low) + v_67.parts) - 1u) / v_67.parts) + TILE) - 1u) / TILE) * TILE;
    low += (gl_WorkGroupID.x * each);
    high = min(high, (low + each));
    for (uint to = first, from = first; from < last; from = to)
    {
        to = last;
        uint k_codes = 0u;
        uint v_codes = 0u;
        uint end = min(high, (v_67.past + to));
        for (uint begin = low; begin < end; begin += TILE)
        {
            uint count = min(TILE, (end - begin));
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint i_1 = thread0; i_1 < (count * _492); i_1 += threads)
            {
                uint t = i_1 / _497;
                uint pair = i_1 % _501;
                uint param_6 = begin + t;
                uint param_7 = kv_head;
                uint param_8 = pair;
                uint param_9 = k_codes;
                float2 v = k_read(param_6, param_7, param_8, param_9, v_61, v_67);
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
                    uint _574 = slice * slice_width;
                    for (uint c = _574; c < behind; c++)
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
                    uint position = v_67.past + query;
                    bool _698 = (((t_2 < count) && (query >= from)) && (query < to)) && (token <= position);
                    bool _714;
                    if (_698)
                    {
                        bool _703 = v_67.window == 0u;
                        bool _713;
                        if (!_703)
                        {
                            _713 = (token + v_67.window) > position;
                        }
                        else
                        {
                            _713 = _703;
                        }
                        _714 = _713;
                    }
                    else
                    {
                        _714 = _698;
                    }
                    bool seen = _714;
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
            for (uint i_5 = thread0; i_5 < (count * _816); i_5 += threads)
            {
                uint t_4 = i_5 / _821;
                uint pair_1 = i_5 % _825;
                uint param_10 = begin + t_4;
                uint param_11 = kv_head;
                uint param_12 = pair_1;
                uint param_13 = v_codes;
                float2 v_1 = v_read(param_10, param_11, param_12, param_13, v_67, v_89);
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
    for (uint i_6 = thread0; i_6 < _1030; i_6 += threads)
    {
        uint row = i_6 / _1034;
        uint channel_2 = 2u * (i_6 % _1038);
        uint param_14 = row;
        uint param_15 = first;
        uint param_16 = kv_head;
        uint param_17 = chunk;
        Place at_1 = place_of(param_14, param_15, param_16, param_17, v_67);
        if (!bool(at_1.valid))
        {
            continue;
        }
        float2 v_3 = float2(tile[(row * V_WIDTH) + channel_2], tile[((row * V_WIDTH) + channel_2) + 1u]);
        uint record = ((((at_1.token * v_67.heads) * v_67.share) + at_1.head) * v_67.parts) + gl_WorkGroupID.x;
        uint to_scratch = v_67.scratch_at + (record * _1095);
        if (channel_2 == 0u)
        {
            _1105.scratch[to_scratch] = as_type<uint>(((threadgroup float*)&greatest[(turn * 4u) + (row / 4u)])[row % 4u]);
            _1105.scratch[to_scratch + 1u] = as_type<uint>(((threadgroup float*)&row_sums[row / 4u])[row % 4u]);
        }
        _1105.scratch[(to_scratch + 2u) + channel_2] = as_type<uint>(v_3.x);
        _1105.scratch[(to_scratch + 3u) + channel_2] = as_type<uint>(v_3.y);
    }
}

