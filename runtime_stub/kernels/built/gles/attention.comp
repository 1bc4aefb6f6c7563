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
const uint _139 = (K_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 64u
#endif
const uint V_WIDTH = SPIRV_CROSS_CONSTANT_ID_2;
const uint _160 = (V_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 1u
#endif
const uint HEADS = SPIRV_CROSS_CONSTANT_ID_5;
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 1u
#endif
const uint QUERIES = SPIRV_CROSS_CONSTANT_ID_4;
const uint ROWS = (QUERIES * HEADS);
const uint _254 = (ROWS + 3u);
const uint FOURS = (_254 / 4u);
const uint _257 = (FOURS * K_WIDTH);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 1u
#endif
const uint Q_HALF = SPIRV_CROSS_CONSTANT_ID_3;
const bool _297 = (Q_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint threads = gl_WorkGroupSize.x;
const bool _421 = (K_WIDTH > V_WIDTH);
const uint _422 = _421 ? K_WIDTH : V_WIDTH;
const uint STRIDE = (_422 + 1u);
const uint _424 = (2112u / STRIDE);
const uint _426 = (64u / FOURS);
const bool _427 = (_424 < _426);
const uint _428 = (2112u / STRIDE);
const uint _429 = (64u / FOURS);
const uint ROOM = _427 ? _428 : _429;
const bool _432 = (ROOM < 32u);
const uint TILE = _432 ? ROOM : 32u;
const uint SCORES = (TILE * FOURS);
const uint _527 = (K_WIDTH / 2u);
const uint _532 = (K_WIDTH / 2u);
const uint _536 = (K_WIDTH / 2u);
const uint _851 = (V_WIDTH / 2u);
const uint _856 = (V_WIDTH / 2u);
const uint _860 = (V_WIDTH / 2u);
const uint ITEMS = (FOURS * V_WIDTH);
const uint _901 = (ITEMS + threads);
const uint _902 = (_901 - 1u);
const uint mine = (_902 / threads);
const uint _1068 = (V_WIDTH / 2u);
const uint _1069 = (ROWS * _1068);
const uint _1073 = (V_WIDTH / 2u);
const uint _1077 = (V_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_6;
const bool _1134 = (Y_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 2, std430) readonly buffer KCache
{
    uint k_cache[];
} _125;

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
    uint y_at;
    uint y_token;
    uint y_head;
} _130;

layout(binding = 3, std430) readonly buffer VCache
{
    uint v_cache[];
} _152;

layout(binding = 1, std430) readonly buffer Q
{
    uint q[];
} _304;

layout(binding = 4, std430) buffer Y
{
    uint y[];
} _1140;

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
    bool _192 = r < ROWS;
    bool _199;
    if (_192)
    {
        _199 = in_share < _130.share;
    }
    else
    {
        _199 = _192;
    }
    bool _207;
    if (_199)
    {
        _207 = token < _130.seq;
    }
    else
    {
        _207 = _199;
    }
    return Place(token, (kv_head * _130.share) + in_share, _207);
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

vec2 k_read(uint token, uint head, uint pair, uint rounded)
{
    return unpackHalf2x16(_125.k_cache[(((token * _130.heads) + head) * _139) + pair]);
}

vec2 v_read(uint token, uint head, uint pair, uint rounded)
{
    return unpackHalf2x16(_152.v_cache[(((token * _130.heads) + head) * _160) + pair]);
}

float round_half(float x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return roundEven(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = floatBitsToUint(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _98;
    if (x < 0.0)
    {
        _98 = -uintBitsToFloat(bits);
    }
    else
    {
        _98 = uintBitsToFloat(bits);
    }
    return _98;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint chunks = ((_130.share + HEADS) - 1u) / HEADS;
    uint kv_head = gl_WorkGroupID.y / chunks;
    uint chunk = gl_WorkGroupID.y % chunks;
    uint first = gl_WorkGroupID.x * QUERIES;
    uint last = min((first + QUERIES), _130.seq);
    float _298;
    for (uint i = thread; i < _257; i += threads)
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
                if (_297)
                {
                    uint param_4 = _304.q[(((_130.q_at + (at.token * _130.q_token)) + (at.head * _130.q_head)) + (i / FOURS)) >> uint(1)];
                    uint param_5 = ((_130.q_at + (at.token * _130.q_token)) + (at.head * _130.q_head)) + (i / FOURS);
                    _298 = half_in(param_4, param_5);
                }
                else
                {
                    _298 = uintBitsToFloat(_304.q[((_130.q_at + (at.token * _130.q_token)) + (at.head * _130.q_head)) + (i / FOURS)]);
                }
                four[n] = _130.scale * _298;
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
    uint _419 = min(threads, 128u);
    uint spare = _419 / SCORES;
    uint slices = clamp(spare, 1u, 8u);
    uint slice_width = ((K_WIDTH + slices) - 1u) / slices;
    uint turn = 0u;
    bool _450 = _130.window > 0u;
    bool _461;
    if (_450)
    {
        _461 = ((_130.past + first) + 1u) > _130.window;
    }
    else
    {
        _461 = _450;
    }
    uint _462;
    if (_461)
    {
        _462 = ((_130.past + first) + 1u) - _130.window;
    }
    else
    {
        _462 = 0u;
    }
    uint low = _462;
    uint high = _130.past + last;
    for (uint to = first, from = first; from < last; from = to)
    {
        to = last;
        uint k_codes = 0u;
        uint v_codes = 0u;
        uint end = min(high, (_130.past + to));
        for (uint begin = low; begin < end; begin += TILE)
        {
            uint count = min(TILE, (end - begin));
            barrier();
            for (uint i_1 = thread; i_1 < (count * _527); i_1 += threads)
            {
                uint t = i_1 / _532;
                uint pair = i_1 % _536;
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
                    uint _609 = slice * slice_width;
                    for (uint c = _609; c < behind; c++)
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
                    uint position = _130.past + query;
                    bool _733 = (((t_2 < count) && (query >= from)) && (query < to)) && (token <= position);
                    bool _749;
                    if (_733)
                    {
                        bool _738 = _130.window == 0u;
                        bool _748;
                        if (!_738)
                        {
                            _748 = (token + _130.window) > position;
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
            for (uint i_5 = thread; i_5 < (count * _851); i_5 += threads)
            {
                uint t_4 = i_5 / _856;
                uint pair_1 = i_5 % _860;
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
        vec4 v_2 = outs[k_2] / sums[k_2];
        for (uint n_4 = 0u; n_4 < 4u; n_4++)
        {
            tile[(((four_5 * 4u) + n_4) * V_WIDTH) + channel_1] = v_2[n_4];
        }
    }
    barrier();
    for (uint i_6 = thread; i_6 < _1069; i_6 += threads)
    {
        uint row = i_6 / _1073;
        uint channel_2 = 2u * (i_6 % _1077);
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
        uint at_ = ((_130.y_at + (at_1.token * _130.y_token)) + (at_1.head * _130.y_head)) + channel_2;
        vec2 two_ = v_3;
        if (_1134)
        {
            vec2 param_18 = two_;
            _1140.y[at_ >> uint(1)] = pack_halves(param_18);
        }
        else
        {
            _1140.y[at_] = floatBitsToUint(two_.x);
            _1140.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
    }
}

