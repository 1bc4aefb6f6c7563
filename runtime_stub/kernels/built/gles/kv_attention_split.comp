#version 310 es

struct Place
{
    uint token;
    uint head;
    bool valid;
};

#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 64u
#endif
const uint K_WIDTH = SPIRV_CROSS_CONSTANT_ID_7;
const uint _291 = (K_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint K_NEW_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _343 = (K_NEW_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 4u
#endif
const uint K_BITS = SPIRV_CROSS_CONSTANT_ID_3;
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 32u
#endif
const uint K_GROUP = SPIRV_CROSS_CONSTANT_ID_5;
const uint _427 = (K_WIDTH / 2u);
const uint _431 = (2u * K_BITS);
const uint _444 = (1u << K_BITS);
const uint _445 = (_444 - 1u);
const uint _450 = (1u << K_BITS);
const uint _451 = (_450 - 1u);
const uint _457 = (K_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 64u
#endif
const uint V_WIDTH = SPIRV_CROSS_CONSTANT_ID_8;
const uint _524 = (V_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint V_NEW_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _574 = (V_NEW_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 4u
#endif
const uint V_BITS = SPIRV_CROSS_CONSTANT_ID_4;
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 32u
#endif
const uint V_GROUP = SPIRV_CROSS_CONSTANT_ID_6;
const uint _658 = (V_WIDTH / 2u);
const uint _662 = (2u * V_BITS);
const uint _674 = (1u << V_BITS);
const uint _675 = (_674 - 1u);
const uint _680 = (1u << V_BITS);
const uint _681 = (_680 - 1u);
const uint _690 = (V_WIDTH + V_GROUP);
const uint _691 = (_690 - 1u);
const uint _692 = (_691 / V_GROUP);
#ifndef SPIRV_CROSS_CONSTANT_ID_11
#define SPIRV_CROSS_CONSTANT_ID_11 1u
#endif
const uint HEADS = SPIRV_CROSS_CONSTANT_ID_11;
#ifndef SPIRV_CROSS_CONSTANT_ID_10
#define SPIRV_CROSS_CONSTANT_ID_10 1u
#endif
const uint QUERIES = SPIRV_CROSS_CONSTANT_ID_10;
const uint ROWS = (QUERIES * HEADS);
const uint _815 = (ROWS + 3u);
const uint FOURS = (_815 / 4u);
const uint _818 = (FOURS * K_WIDTH);
#ifndef SPIRV_CROSS_CONSTANT_ID_9
#define SPIRV_CROSS_CONSTANT_ID_9 1u
#endif
const uint Q_HALF = SPIRV_CROSS_CONSTANT_ID_9;
const bool _859 = (Q_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint threads = gl_WorkGroupSize.x;
const bool _982 = (K_WIDTH > V_WIDTH);
const uint _983 = _982 ? K_WIDTH : V_WIDTH;
const uint STRIDE = (_983 + 1u);
const uint _985 = (2112u / STRIDE);
const uint _987 = (64u / FOURS);
const bool _988 = (_985 < _987);
const uint _989 = (2112u / STRIDE);
const uint _990 = (64u / FOURS);
const uint ROOM = _988 ? _989 : _990;
const bool _993 = (ROOM < 32u);
const uint TILE = _993 ? ROOM : 32u;
const uint SCORES = (TILE * FOURS);
const uint _1165 = (K_WIDTH / 2u);
const uint _1170 = (K_WIDTH / 2u);
const uint _1174 = (K_WIDTH / 2u);
const uint _1489 = (V_WIDTH / 2u);
const uint _1494 = (V_WIDTH / 2u);
const uint _1498 = (V_WIDTH / 2u);
const uint ITEMS = (FOURS * V_WIDTH);
const uint _1539 = (ITEMS + threads);
const uint _1540 = (_1539 - 1u);
const uint mine = (_1540 / threads);
const uint _1702 = (V_WIDTH / 2u);
const uint _1703 = (ROWS * _1702);
const uint _1707 = (V_WIDTH / 2u);
const uint _1711 = (V_WIDTH / 2u);
const uint _1768 = (2u + V_WIDTH);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
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
} _254;

layout(binding = 4, std430) readonly buffer KCache
{
    uint k_cache[];
} _308;

layout(binding = 2, std430) readonly buffer KNew
{
    uint k_new[];
} _350;

layout(binding = 5, std430) readonly buffer VCache
{
    uint v_cache[];
} _540;

layout(binding = 3, std430) readonly buffer VNew
{
    uint v_new[];
} _581;

layout(binding = 1, std430) readonly buffer Q
{
    uint q[];
} _866;

layout(binding = 6, std430) buffer Scratch
{
    uint scratch[];
} _1778;

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
    bool _753 = r < ROWS;
    bool _760;
    if (_753)
    {
        _760 = in_share < _254.share;
    }
    else
    {
        _760 = _753;
    }
    bool _768;
    if (_760)
    {
        _768 = token < _254.seq;
    }
    else
    {
        _768 = _760;
    }
    return Place(token, (kv_head * _254.share) + in_share, _768);
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

uint rounded_of(uint bits, uint group, uint window, uint sinks, uint tokens)
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

uint k_rounded(uint tokens)
{
    uint param = K_BITS;
    uint param_1 = K_GROUP;
    uint param_2 = _254.k_window;
    uint param_3 = _254.k_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

uint v_rounded(uint tokens)
{
    uint param = V_BITS;
    uint param_1 = V_GROUP;
    uint param_2 = _254.v_window;
    uint param_3 = _254.v_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

uint k_row(uint token, uint head, uint pair)
{
    uint behind = token - _254.k_sinks;
    uint _265;
    if (token < _254.k_sinks)
    {
        _265 = token;
    }
    else
    {
        _265 = _254.k_sinks + (behind % _254.k_ring);
    }
    uint slot = _265;
    return (_254.k_rows + (((slot * _254.heads) + head) * _291)) + pair;
}

uint half_bits(float x)
{
    uint bits = floatBitsToUint(x);
    uint _sign = (bits >> uint(16)) & 32768u;
    uint magnitude = bits & 2147483647u;
    if (magnitude > 2139095040u)
    {
        return _sign | 32256u;
    }
    if (magnitude < 947912704u)
    {
        return _sign | uint(roundEven(abs(x) * 16777216.0));
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

uint halves_bits(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return half_bits(param) | (half_bits(param_1) << uint(16));
}

uint k_exact(uint token, uint head, uint pair)
{
    if (token < _254.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return _308.k_cache[k_row(param, param_1, param_2)];
    }
    uint from = ((_254.k_at + ((token - _254.past) * _254.k_token)) + (head * _254.k_head)) + (2u * pair);
    uint _344;
    if (_343)
    {
        _344 = _350.k_new[from >> uint(1)];
    }
    else
    {
        vec2 param_3 = vec2(uintBitsToFloat(_350.k_new[from]), uintBitsToFloat(_350.k_new[from + 1u]));
        _344 = halves_bits(param_3);
    }
    return _344;
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
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

vec2 k_read(uint token, uint head, uint pair, uint rounded)
{
    uint behind = token - _254.k_sinks;
    if ((token < _254.k_sinks) || (behind >= rounded))
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return unpackHalf2x16(k_exact(param, param_1, param_2));
    }
    uint block = ((behind / K_GROUP) * _254.heads) + head;
    uint in_run = behind % K_GROUP;
    uint bit = ((((block * K_GROUP) + in_run) * _427) + pair) * _431;
    uint both = _308.k_cache[bit >> uint(5)] >> (bit & 31u);
    vec2 codes = vec2(float(both & _445), float((both >> K_BITS) & _451));
    uint at = (block * _457) + pair;
    uint scales = _308.k_cache[_254.k_scales + at];
    uint param_3 = scales;
    uint param_4 = 0u;
    uint param_5 = scales;
    uint param_6 = 1u;
    return (codes * vec2(exact_half(param_3, param_4), exact_half(param_5, param_6))) + unpackHalf2x16(_308.k_cache[_254.k_lows + at]);
}

uint v_row(uint token, uint head, uint pair)
{
    uint behind = token - _254.v_sinks;
    uint _500;
    if (token < _254.v_sinks)
    {
        _500 = token;
    }
    else
    {
        _500 = _254.v_sinks + (behind % _254.v_ring);
    }
    uint slot = _500;
    return (_254.v_rows + (((slot * _254.heads) + head) * _524)) + pair;
}

uint v_exact(uint token, uint head, uint pair)
{
    if (token < _254.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return _540.v_cache[v_row(param, param_1, param_2)];
    }
    uint from = ((_254.v_at + ((token - _254.past) * _254.v_token)) + (head * _254.v_head)) + (2u * pair);
    uint _575;
    if (_574)
    {
        _575 = _581.v_new[from >> uint(1)];
    }
    else
    {
        vec2 param_3 = vec2(uintBitsToFloat(_581.v_new[from]), uintBitsToFloat(_581.v_new[from + 1u]));
        _575 = halves_bits(param_3);
    }
    return _575;
}

vec2 v_read(uint token, uint head, uint pair, uint rounded)
{
    uint behind = token - _254.v_sinks;
    if ((token < _254.v_sinks) || (behind >= rounded))
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return unpackHalf2x16(v_exact(param, param_1, param_2));
    }
    uint block = ((behind / V_GROUP) * _254.heads) + head;
    uint in_run = behind % V_GROUP;
    uint bit = ((((block * V_GROUP) + in_run) * _658) + pair) * _662;
    uint both = _540.v_cache[bit >> uint(5)] >> (bit & 31u);
    vec2 codes = vec2(float(both & _675), float((both >> V_BITS) & _681));
    uint at = (((block * V_GROUP) + in_run) * _692) + ((2u * pair) / V_GROUP);
    uint param_3 = _540.v_cache[_254.v_scales + (at >> uint(1))];
    uint param_4 = at;
    float scale = exact_half(param_3, param_4);
    uint param_5 = _540.v_cache[_254.v_lows + (at >> uint(1))];
    uint param_6 = at;
    return (codes * scale) + vec2(half_in(param_5, param_6));
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint chunks = ((_254.share + HEADS) - 1u) / HEADS;
    uint kv_head = gl_WorkGroupID.y / chunks;
    uint chunk = gl_WorkGroupID.y % chunks;
    uint first = gl_WorkGroupID.z * QUERIES;
    uint last = min((first + QUERIES), _254.seq);
    float _860;
    for (uint i = thread; i < _818; i += threads)
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
                if (_859)
                {
                    uint param_4 = _866.q[(((_254.q_at + (at.token * _254.q_token)) + (at.head * _254.q_head)) + (i / FOURS)) >> uint(1)];
                    uint param_5 = ((_254.q_at + (at.token * _254.q_token)) + (at.head * _254.q_head)) + (i / FOURS);
                    _860 = half_in(param_4, param_5);
                }
                else
                {
                    _860 = uintBitsToFloat(_866.q[((_254.q_at + (at.token * _254.q_token)) + (at.head * _254.q_head)) + (i / FOURS)]);
                }
                four[n] = _254.scale * _860;
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
    uint _980 = min(threads, 128u);
    uint spare = _980 / SCORES;
    uint slices = clamp(spare, 1u, 8u);
    uint slice_width = ((K_WIDTH + slices) - 1u) / slices;
    uint turn = 0u;
    bool _1011 = _254.window > 0u;
    bool _1022;
    if (_1011)
    {
        _1022 = ((_254.past + first) + 1u) > _254.window;
    }
    else
    {
        _1022 = _1011;
    }
    uint _1023;
    if (_1022)
    {
        _1023 = ((_254.past + first) + 1u) - _254.window;
    }
    else
    {
        _1023 = 0u;
    }
    uint low = _1023;
    uint high = _254.past + last;
    uint each = (((((((high - low) + _254.parts) - 1u) / _254.parts) + TILE) - 1u) / TILE) * TILE;
    low += (gl_WorkGroupID.x * each);
    high = min(high, (low + each));
    for (uint to = first, from = first; from < last; from = to)
    {
        to = last;
        uint k_codes = 0u;
        uint v_codes = 0u;
        uint param_6 = (_254.past + from) + 1u;
        k_codes = k_rounded(param_6);
        uint param_7 = (_254.past + from) + 1u;
        v_codes = v_rounded(param_7);
        to = from + 1u;
        for (;;)
        {
            bool _1106 = to < last;
            bool _1118;
            if (_1106)
            {
                uint param_8 = (_254.past + to) + 1u;
                _1118 = k_rounded(param_8) == k_codes;
            }
            else
            {
                _1118 = _1106;
            }
            bool _1130;
            if (_1118)
            {
                uint param_9 = (_254.past + to) + 1u;
                _1130 = v_rounded(param_9) == v_codes;
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
        uint end = min(high, (_254.past + to));
        for (uint begin = low; begin < end; begin += TILE)
        {
            uint count = min(TILE, (end - begin));
            barrier();
            for (uint i_1 = thread; i_1 < (count * _1165); i_1 += threads)
            {
                uint t = i_1 / _1170;
                uint pair = i_1 % _1174;
                uint param_10 = begin + t;
                uint param_11 = kv_head;
                uint param_12 = pair;
                uint param_13 = k_codes;
                vec2 v = k_read(param_10, param_11, param_12, param_13);
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
                    uint _1247 = slice * slice_width;
                    for (uint c = _1247; c < behind; c++)
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
                    uint position = _254.past + query;
                    bool _1371 = (((t_2 < count) && (query >= from)) && (query < to)) && (token <= position);
                    bool _1387;
                    if (_1371)
                    {
                        bool _1376 = _254.window == 0u;
                        bool _1386;
                        if (!_1376)
                        {
                            _1386 = (token + _254.window) > position;
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
            for (uint i_5 = thread; i_5 < (count * _1489); i_5 += threads)
            {
                uint t_4 = i_5 / _1494;
                uint pair_1 = i_5 % _1498;
                uint param_14 = begin + t_4;
                uint param_15 = kv_head;
                uint param_16 = pair_1;
                uint param_17 = v_codes;
                vec2 v_1 = v_read(param_14, param_15, param_16, param_17);
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
    for (uint i_6 = thread; i_6 < _1703; i_6 += threads)
    {
        uint row = i_6 / _1707;
        uint channel_2 = 2u * (i_6 % _1711);
        uint param_18 = row;
        uint param_19 = first;
        uint param_20 = kv_head;
        uint param_21 = chunk;
        Place at_1 = place_of(param_18, param_19, param_20, param_21);
        if (!at_1.valid)
        {
            continue;
        }
        vec2 v_3 = vec2(tile[(row * V_WIDTH) + channel_2], tile[((row * V_WIDTH) + channel_2) + 1u]);
        uint record = ((((at_1.token * _254.heads) * _254.share) + at_1.head) * _254.parts) + gl_WorkGroupID.x;
        uint to_scratch = _254.scratch_at + (record * _1768);
        if (channel_2 == 0u)
        {
            _1778.scratch[to_scratch] = floatBitsToUint(greatest[(turn * 4u) + (row / 4u)][row % 4u]);
            _1778.scratch[to_scratch + 1u] = floatBitsToUint(row_sums[row / 4u][row % 4u]);
        }
        _1778.scratch[(to_scratch + 2u) + channel_2] = floatBitsToUint(v_3.x);
        _1778.scratch[(to_scratch + 3u) + channel_2] = floatBitsToUint(v_3.y);
    }
}

