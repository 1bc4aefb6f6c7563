#version 310 es

struct Place
{
    uint token;
    uint head;
    bool valid;
};

#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 64u
#endif
const uint K_WIDTH = SPIRV_CROSS_CONSTANT_ID_1;
const uint _76 = (K_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 64u
#endif
const uint V_WIDTH = SPIRV_CROSS_CONSTANT_ID_2;
const uint _97 = (V_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 1u
#endif
const uint HEADS = SPIRV_CROSS_CONSTANT_ID_5;
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint QUERIES = SPIRV_CROSS_CONSTANT_ID_4;
const uint ROWS = (QUERIES * HEADS);
const uint _191 = (ROWS + 3u);
const uint FOURS = (_191 / 4u);
const uint _194 = (FOURS * K_WIDTH);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 1u
#endif
const uint Q_HALF = SPIRV_CROSS_CONSTANT_ID_3;
const bool _235 = (Q_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint threads = gl_WorkGroupSize.x;
const bool _359 = (K_WIDTH > V_WIDTH);
const uint _360 = _359 ? K_WIDTH : V_WIDTH;
const uint STRIDE = (_360 + 1u);
const uint _362 = (2112u / STRIDE);
const uint _364 = (64u / FOURS);
const bool _365 = (_362 < _364);
const uint _366 = (2112u / STRIDE);
const uint _367 = (64u / FOURS);
const uint ROOM = _365 ? _366 : _367;
const bool _370 = (ROOM < 32u);
const uint TILE = _370 ? ROOM : 32u;
const uint SCORES = (TILE * FOURS);
const uint _492 = (K_WIDTH / 2u);
const uint _497 = (K_WIDTH / 2u);
const uint _501 = (K_WIDTH / 2u);
const uint _816 = (V_WIDTH / 2u);
const uint _821 = (V_WIDTH / 2u);
const uint _825 = (V_WIDTH / 2u);
const uint ITEMS = (FOURS * V_WIDTH);
const uint _866 = (ITEMS + threads);
const uint _867 = (_866 - 1u);
const uint mine = (_867 / threads);
const uint _1029 = (V_WIDTH / 2u);
const uint _1030 = (ROWS * _1029);
const uint _1034 = (V_WIDTH / 2u);
const uint _1038 = (V_WIDTH / 2u);
const uint _1095 = (2u + V_WIDTH);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 2, std430) readonly buffer KCache
{
    uint k_cache[];
} _61;

layout(binding = 0, std140) uniform Params
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
} _67;

layout(binding = 3, std430) readonly buffer VCache
{
    uint v_cache[];
} _89;

layout(binding = 1, std430) readonly buffer Q
{
    uint q[];
} _242;

layout(binding = 4, std430) buffer Scratch
{
    uint scratch[];
} _1105;

shared vec4 queries[256];
shared vec4 greatest[8];
shared float tile[2112];
shared vec4 scores[128];
shared vec4 weights[64];
shared vec4 row_sums[4];

Place place_of(uint r, uint first, uint kv_head, uint chunk)
{
    uint in_share = (chunk * HEADS) + (r % HEADS);
    uint token = first + (r / HEADS);
    bool _129 = r < ROWS;
    bool _136;
    if (_129)
    {
        _136 = in_share < _67.share;
    }
    else
    {
        _136 = _129;
    }
    bool _144;
    if (_136)
    {
        _144 = token < _67.seq;
    }
    else
    {
        _144 = _136;
    }
    return Place(token, (kv_head * _67.share) + in_share, _144);
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

vec2 k_read(uint token, uint head, uint pair, uint rounded)
{
    return unpackHalf2x16(_61.k_cache[(((token * _67.heads) + head) * _76) + pair]);
}

vec2 v_read(uint token, uint head, uint pair, uint rounded)
{
    return unpackHalf2x16(_89.v_cache[(((token * _67.heads) + head) * _97) + pair]);
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint chunks = ((_67.share + HEADS) - 1u) / HEADS;
    uint kv_head = gl_WorkGroupID.y / chunks;
    uint chunk = gl_WorkGroupID.y % chunks;
    uint first = gl_WorkGroupID.z * QUERIES;
    uint last = min((first + QUERIES), _67.seq);
    float _236;
    for (uint i = thread; i < _194; i += threads)
    {
        vec4 four = vec4(0.0);
        for (uint n = 0u; n < 4u; n++)
        {
            uint param = ((i % FOURS) * 4u) + n;
            uint param_1 = first;
            uint param_2 = kv_head;
            uint param_3 = chunk;
            Place at = place_of(param, param_1, param_2, param_3);
            if (at.valid)
            {
                if (_235)
                {
                    uint param_4 = _242.q[(((_67.q_at + (at.token * _67.q_token)) + (at.head * _67.q_head)) + (i / FOURS)) >> uint(1)];
                    uint param_5 = ((_67.q_at + (at.token * _67.q_token)) + (at.head * _67.q_head)) + (i / FOURS);
                    _236 = half_in(param_4, param_5);
                }
                else
                {
                    _236 = uintBitsToFloat(_242.q[((_67.q_at + (at.token * _67.q_token)) + (at.head * _67.q_head)) + (i / FOURS)]);
                }
                four[n] = _67.scale * _236;
            }
        }
        queries[i] = four;
    }
    if (thread < 4u)
    {
        greatest[thread] = vec4(-3.4028234663852885981170418348452e+38);
    }
    vec4 outs[8];
    vec4 sums[8];
    for (uint k = 0u; k < 8u; k++)
    {
        outs[k] = vec4(0.0);
        sums[k] = vec4(0.0);
    }
    uint _357 = min(threads, 128u);
    uint spare = _357 / SCORES;
    uint slices = clamp(spare, 1u, 8u);
    uint slice_width = ((K_WIDTH + slices) - 1u) / slices;
    uint turn = 0u;
    bool _388 = _67.window > 0u;
    bool _399;
    if (_388)
    {
        _399 = ((_67.past + first) + 1u) > _67.window;
    }
    else
    {
        _399 = _388;
    }
    uint _400;
    if (_399)
    {
        _400 = ((_67.past + first) + 1u) - _67.window;
    }
    else
    {
        _400 = 0u;
    }
    uint low = _400;
    uint high = _67.past + last;
    uint each = (((((((high - low) + _67.parts) - 1u) / _67.parts) + TILE) - 1u) / TILE) * TILE;
    low += (gl_WorkGroupID.x * each);
    high = min(high, (low + each));
    for (uint to = first, from = first; from < last; from = to)
    {
        to = last;
        uint k_codes = 0u;
        uint v_codes = 0u;
        uint end = min(high, (_67.past + to));
        for (uint begin = low; begin < end; begin += TILE)
        {
            uint count = min(TILE, (end - begin));
            barrier();
            for (uint i_1 = thread; i_1 < (count * _492); i_1 += threads)
            {
                uint t = i_1 / _497;
                uint pair = i_1 % _501;
                uint param_6 = begin + t;
                uint param_7 = kv_head;
                uint param_8 = pair;
                uint param_9 = k_codes;
                vec2 v = k_read(param_6, param_7, param_8, param_9);
                tile[(t * STRIDE) + (2u * pair)] = v.x;
                tile[((t * STRIDE) + (2u * pair)) + 1u] = v.y;
            }
            barrier();
            for (uint i_2 = thread; i_2 < (SCORES * slices); i_2 += threads)
            {
                uint t_1 = i_2 % TILE;
                uint four_1 = (i_2 % SCORES) / TILE;
                uint slice = i_2 / SCORES;
                uint behind = min(((slice + 1u) * slice_width), K_WIDTH);
                vec4 sum = vec4(0.0);
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
            barrier();
            for (uint i_3 = thread; i_3 < SCORES; i_3 += threads)
            {
                uint t_2 = i_3 % TILE;
                uint four_2 = i_3 / TILE;
                uint token = begin + t_2;
                vec4 sum_1 = scores[(t_2 * FOURS) + four_2];
                for (uint n_1 = 1u; n_1 < slices; n_1++)
                {
                    sum_1 += scores[((n_1 * SCORES) + (t_2 * FOURS)) + four_2];
                }
                for (uint n_2 = 0u; n_2 < 4u; n_2++)
                {
                    uint query = first + (((four_2 * 4u) + n_2) / HEADS);
                    uint position = _67.past + query;
                    bool _698 = (((t_2 < count) && (query >= from)) && (query < to)) && (token <= position);
                    bool _714;
                    if (_698)
                    {
                        bool _703 = _67.window == 0u;
                        bool _713;
                        if (!_703)
                        {
                            _713 = (token + _67.window) > position;
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
            barrier();
            for (uint i_4 = thread; i_4 < SCORES; i_4 += threads)
            {
                uint t_3 = i_4 % TILE;
                uint four_3 = i_4 / TILE;
                vec4 most = greatest[(turn * 4u) + four_3];
                for (uint n_3 = 0u; n_3 < TILE; n_3++)
                {
                    most = max(most, scores[(n_3 * FOURS) + four_3]);
                }
                vec4 score = scores[(t_3 * FOURS) + four_3];
                weights[(t_3 * FOURS) + four_3] = mix(exp(score - most), vec4(0.0), lessThanEqual(score, vec4(-3.4028234663852885981170418348452e+38)));
                if (t_3 == 0u)
                {
                    greatest[((turn ^ 1u) * 4u) + four_3] = most;
                }
            }
            for (uint i_5 = thread; i_5 < (count * _816); i_5 += threads)
            {
                uint t_4 = i_5 / _821;
                uint pair_1 = i_5 % _825;
                uint param_10 = begin + t_4;
                uint param_11 = kv_head;
                uint param_12 = pair_1;
                uint param_13 = v_codes;
                vec2 v_1 = v_read(param_10, param_11, param_12, param_13);
                tile[(t_4 * STRIDE) + (2u * pair_1)] = v_1.x;
                tile[((t_4 * STRIDE) + (2u * pair_1)) + 1u] = v_1.y;
            }
            barrier();
            for (uint k_1 = 0u; k_1 < mine; k_1++)
            {
                uint item = thread + (k_1 * threads);
                if (item >= ITEMS)
                {
                    break;
                }
                uint channel = item % V_WIDTH;
                uint four_4 = item / V_WIDTH;
                vec4 kept = exp(greatest[(turn * 4u) + four_4] - greatest[((turn ^ 1u) * 4u) + four_4]);
                vec4 total = outs[k_1] * kept;
                vec4 sum_2 = sums[k_1] * kept;
                for (uint t_5 = 0u; t_5 < count; t_5++)
                {
                    vec4 weight = weights[(t_5 * FOURS) + four_4];
                    total += (weight * tile[(t_5 * STRIDE) + channel]);
                    sum_2 += weight;
                }
                outs[k_1] = total;
                sums[k_1] = sum_2;
            }
            turn ^= 1u;
        }
    }
    barrier();
    for (uint k_2 = 0u; k_2 < mine; k_2++)
    {
        uint item_1 = thread + (k_2 * threads);
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
        vec4 v_2 = outs[k_2];
        for (uint n_4 = 0u; n_4 < 4u; n_4++)
        {
            tile[(((four_5 * 4u) + n_4) * V_WIDTH) + channel_1] = v_2[n_4];
        }
    }
    barrier();
    for (uint i_6 = thread; i_6 < _1030; i_6 += threads)
    {
        uint row = i_6 / _1034;
        uint channel_2 = 2u * (i_6 % _1038);
        uint param_14 = row;
        uint param_15 = first;
        uint param_16 = kv_head;
        uint param_17 = chunk;
        Place at_1 = place_of(param_14, param_15, param_16, param_17);
        if (!at_1.valid)
        {
            continue;
        }
        vec2 v_3 = vec2(tile[(row * V_WIDTH) + channel_2], tile[((row * V_WIDTH) + channel_2) + 1u]);
        uint record = ((((at_1.token * _67.heads) * _67.share) + at_1.head) * _67.parts) + gl_WorkGroupID.x;
        uint to_scratch = _67.scratch_at + (record * _1095);
        if (channel_2 == 0u)
        {
            _1105.scratch[to_scratch] = floatBitsToUint(greatest[(turn * 4u) + (row / 4u)][row % 4u]);
            _1105.scratch[to_scratch + 1u] = floatBitsToUint(row_sums[row / 4u][row % 4u]);
        }
        _1105.scratch[(to_scratch + 2u) + channel_2] = floatBitsToUint(v_3.x);
        _1105.scratch[(to_scratch + 3u) + channel_2] = floatBitsToUint(v_3.y);
    }
}

