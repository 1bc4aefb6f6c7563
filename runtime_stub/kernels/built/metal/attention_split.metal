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
constant bool _403 = (K_WIDTH > V_WIDTH);
constant uint _404 = _403 ? K_WIDTH : V_WIDTH;
constant uint STRIDE = (_404 + 1u);
constant uint _406 = (2112u / STRIDE);
constant uint _408 = (64u / FOURS);
constant bool _409 = (_406 < _408);
constant uint _410 = (2112u / STRIDE);
constant uint _411 = (64u / FOURS);
constant uint ROOM = _409 ? _410 : _411;
constant bool _414 = (ROOM < 32u);
constant uint TILE = _414 ? ROOM : 32u;
constant uint _478 = (K_WIDTH / 2u);
constant uint _483 = (K_WIDTH / 2u);
constant uint _487 = (K_WIDTH / 2u);
constant uint _532 = (TILE * FOURS);
constant uint _651 = (TILE * FOURS);
constant uint _727 = (V_WIDTH / 2u);
constant uint _732 = (V_WIDTH / 2u);
constant uint _736 = (V_WIDTH / 2u);
constant uint ITEMS = (FOURS * V_WIDTH);
constant uint _777 = (ITEMS + threads);
constant uint _778 = (_777 - 1u);
constant uint mine = (_778 / threads);
constant uint _940 = (V_WIDTH / 2u);
constant uint _941 = (ROWS * _940);
constant uint _945 = (V_WIDTH / 2u);
constant uint _949 = (V_WIDTH / 2u);
constant uint _1006 = (2u + V_WIDTH);

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

kernel void attention_split(constant Params& v_67 [[buffer(0)]], const device Q& _242 [[buffer(1)]], const device KCache& v_61 [[buffer(2)]], const device VCache& v_89 [[buffer(3)]], device Scratch& _1016 [[buffer(4)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]])
{
    threadgroup float4 queries[256];
    threadgroup float4 greatest[8];
    threadgroup float tile[2112];
    threadgroup float4 scores[64];
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
    uint turn = 0u;
    bool _360 = v_67.window > 0u;
    bool _371;
    if (_360)
    {
        _371 = ((v_67.past + first) + 1u) > v_67.window;
    }
    else
    {
        _371 = _360;
    }
    uint _372;
    if (_371)
    {
        _372 = ((v_67.past + first) + 1u) - v_67.window;
    }
    else
    {
        _372 = 0u;
    }
    uint low = _372;
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
            for (uint i_1 = thread0; i_1 < (count * _478); i_1 += threads)
            {
                uint t = i_1 / _483;
                uint pair = i_1 % _487;
                uint param_6 = begin + t;
                uint param_7 = kv_head;
                uint param_8 = pair;
                uint param_9 = k_codes;
                float2 v = k_read(param_6, param_7, param_8, param_9, v_61, v_67);
                tile[(t * STRIDE) + (2u * pair)] = v.x;
                tile[((t * STRIDE) + (2u * pair)) + 1u] = v.y;
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint i_2 = thread0; i_2 < _532; i_2 += threads)
            {
                uint t_1 = i_2 % TILE;
                uint four_1 = i_2 / TILE;
                uint token = begin + t_1;
                float4 sum = float4(-3.4028234663852885981170418348452e+38);
                if (t_1 < count)
                {
                    sum = float4(0.0);
                    for (uint c = 0u; c < K_WIDTH; c++)
                    {
                        sum += (queries[(c * FOURS) + four_1] * tile[(t_1 * STRIDE) + c]);
                    }
                    for (uint n_1 = 0u; n_1 < 4u; n_1++)
                    {
                        uint query = first + (((four_1 * 4u) + n_1) / HEADS);
                        uint position = v_67.past + query;
                        bool _607 = ((query >= from) && (query < to)) && (token <= position);
                        bool _623;
                        if (_607)
                        {
                            bool _612 = v_67.window == 0u;
                            bool _622;
                            if (!_612)
                            {
                                _622 = (token + v_67.window) > position;
                            }
                            else
                            {
                                _622 = _612;
                            }
                            _623 = _622;
                        }
                        else
                        {
                            _623 = _607;
                        }
                        bool seen = _623;
                        if (!seen)
                        {
                            sum[n_1] = -3.4028234663852885981170418348452e+38;
                        }
                    }
                }
                scores[(t_1 * FOURS) + four_1] = sum;
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint i_3 = thread0; i_3 < _651; i_3 += threads)
            {
                uint t_2 = i_3 % TILE;
                uint four_2 = i_3 / TILE;
                float4 most = greatest[(turn * 4u) + four_2];
                for (uint n_2 = 0u; n_2 < TILE; n_2++)
                {
                    most = fast::max(most, scores[(n_2 * FOURS) + four_2]);
                }
                float4 score = scores[(t_2 * FOURS) + four_2];
                weights[(t_2 * FOURS) + four_2] = select(exp(score - most), float4(0.0), score <= float4(-3.4028234663852885981170418348452e+38));
                if (t_2 == 0u)
                {
                    greatest[((turn ^ 1u) * 4u) + four_2] = most;
                }
            }
            for (uint i_4 = thread0; i_4 < (count * _727); i_4 += threads)
            {
                uint t_3 = i_4 / _732;
                uint pair_1 = i_4 % _736;
                uint param_10 = begin + t_3;
                uint param_11 = kv_head;
                uint param_12 = pair_1;
                uint param_13 = v_codes;
                float2 v_1 = v_read(param_10, param_11, param_12, param_13, v_67, v_89);
                tile[(t_3 * STRIDE) + (2u * pair_1)] = v_1.x;
                tile[((t_3 * STRIDE) + (2u * pair_1)) + 1u] = v_1.y;
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
                uint four_3 = item / V_WIDTH;
                float4 kept = exp(greatest[(turn * 4u) + four_3] - greatest[((turn ^ 1u) * 4u) + four_3]);
                float4 total = outs[k_1] * kept;
                float4 sum_1 = sums[k_1] * kept;
                for (uint t_4 = 0u; t_4 < count; t_4++)
                {
                    float4 weight = weights[(t_4 * FOURS) + four_3];
                    total += (weight * tile[(t_4 * STRIDE) + channel]);
                    sum_1 += weight;
                }
                outs[k_1] = total;
                sums[k_1] = sum_1;
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
        uint four_4 = item_1 / V_WIDTH;
        if (channel_1 == 0u)
        {
            row_sums[four_4] = sums[k_2];
        }
        float4 v_2 = outs[k_2];
        for (uint n_3 = 0u; n_3 < 4u; n_3++)
        {
            tile[(((four_4 * 4u) + n_3) * V_WIDTH) + channel_1] = v_2[n_3];
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i_5 = thread0; i_5 < _941; i_5 += threads)
    {
        uint row = i_5 / _945;
        uint channel_2 = 2u * (i_5 % _949);
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
        uint to_scratch = v_67.scratch_at + (record * _1006);
        if (channel_2 == 0u)
        {
            _1016.scratch[to_scratch] = as_type<uint>(((threadgroup float*)&greatest[(turn * 4u) + (row / 4u)])[row % 4u]);
            _1016.scratch[to_scratch + 1u] = as_type<uint>(((threadgroup float*)&row_sums[row / 4u])[row % 4u]);
        }
        _1016.scratch[(to_scratch + 2u) + channel_2] = as_type<uint>(v_3.x);
        _1016.scratch[(to_scratch + 3u) + channel_2] = as_type<uint>(v_3.y);
    }
}

