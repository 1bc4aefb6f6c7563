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
const uint _349 = (K_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint K_NEW_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _401 = (K_NEW_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 4u
#endif
const uint K_BITS = SPIRV_CROSS_CONSTANT_ID_3;
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 32u
#endif
const uint K_GROUP = SPIRV_CROSS_CONSTANT_ID_5;
const uint _485 = (K_WIDTH / 2u);
const uint _489 = (2u * K_BITS);
const uint _502 = (1u << K_BITS);
const uint _503 = (_502 - 1u);
const uint _508 = (1u << K_BITS);
const uint _509 = (_508 - 1u);
const uint _515 = (K_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 64u
#endif
const uint V_WIDTH = SPIRV_CROSS_CONSTANT_ID_8;
const uint _582 = (V_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint V_NEW_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _632 = (V_NEW_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 4u
#endif
const uint V_BITS = SPIRV_CROSS_CONSTANT_ID_4;
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 32u
#endif
const uint V_GROUP = SPIRV_CROSS_CONSTANT_ID_6;
const uint _716 = (V_WIDTH / 2u);
const uint _720 = (2u * V_BITS);
const uint _732 = (1u << V_BITS);
const uint _733 = (_732 - 1u);
const uint _738 = (1u << V_BITS);
const uint _739 = (_738 - 1u);
const uint _748 = (V_WIDTH + V_GROUP);
const uint _749 = (_748 - 1u);
const uint _750 = (_749 / V_GROUP);
#ifndef SPIRV_CROSS_CONSTANT_ID_11
#define SPIRV_CROSS_CONSTANT_ID_11 1u
#endif
const uint HEADS = SPIRV_CROSS_CONSTANT_ID_11;
#ifndef SPIRV_CROSS_CONSTANT_ID_10
#define SPIRV_CROSS_CONSTANT_ID_10 1u
#endif
const uint QUERIES = SPIRV_CROSS_CONSTANT_ID_10;
const uint ROWS = (QUERIES * HEADS);
const uint _873 = (ROWS + 3u);
const uint FOURS = (_873 / 4u);
const uint _876 = (FOURS * K_WIDTH);
#ifndef SPIRV_CROSS_CONSTANT_ID_9
#define SPIRV_CROSS_CONSTANT_ID_9 1u
#endif
const uint Q_HALF = SPIRV_CROSS_CONSTANT_ID_9;
const bool _916 = (Q_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint threads = gl_WorkGroupSize.x;
const bool _1039 = (K_WIDTH > V_WIDTH);
const uint _1040 = _1039 ? K_WIDTH : V_WIDTH;
const uint STRIDE = (_1040 + 1u);
const uint _1042 = (2112u / STRIDE);
const uint _1044 = (64u / FOURS);
const bool _1045 = (_1042 < _1044);
const uint _1046 = (2112u / STRIDE);
const uint _1047 = (64u / FOURS);
const uint ROOM = _1045 ? _1046 : _1047;
const bool _1050 = (ROOM < 32u);
const uint TILE = _1050 ? ROOM : 32u;
const uint SCORES = (TILE * FOURS);
const uint _1195 = (K_WIDTH / 2u);
const uint _1200 = (K_WIDTH / 2u);
const uint _1204 = (K_WIDTH / 2u);
const uint _1519 = (V_WIDTH / 2u);
const uint _1524 = (V_WIDTH / 2u);
const uint _1528 = (V_WIDTH / 2u);
const uint ITEMS = (FOURS * V_WIDTH);
const uint _1569 = (ITEMS + threads);
const uint _1570 = (_1569 - 1u);
const uint mine = (_1570 / threads);
const uint _1736 = (V_WIDTH / 2u);
const uint _1737 = (ROWS * _1736);
const uint _1741 = (V_WIDTH / 2u);
const uint _1745 = (V_WIDTH / 2u);
#ifndef SPIRV_CROSS_CONSTANT_ID_12
#define SPIRV_CROSS_CONSTANT_ID_12 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_12;
const bool _1802 = (Y_HALF != 0u);

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
    uint y_at;
    uint y_token;
    uint y_head;
} _312;

layout(binding = 4, std430) readonly buffer KCache
{
    uint k_cache[];
} _366;

layout(binding = 2, std430) readonly buffer KNew
{
    uint k_new[];
} _408;

layout(binding = 5, std430) readonly buffer VCache
{
    uint v_cache[];
} _598;

layout(binding = 3, std430) readonly buffer VNew
{
    uint v_new[];
} _639;

layout(binding = 1, std430) readonly buffer Q
{
    uint q[];
} _923;

layout(binding = 6, std430) buffer Y
{
    uint y[];
} _1808;

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
    bool _811 = r < ROWS;
    bool _818;
    if (_811)
    {
        _818 = in_share < _312.share;
    }
    else
    {
        _818 = _811;
    }
    bool _826;
    if (_818)
    {
        _826 = token < _312.seq;
    }
    else
    {
        _826 = _818;
    }
    return Place(token, (kv_head * _312.share) + in_share, _826);
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
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

uint rounded_of(uint bits, uint group, uint window, uint sinks, uint tokens)
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

uint k_rounded(uint tokens)
{
    uint param = K_BITS;
    uint param_1 = K_GROUP;
    uint param_2 = _312.k_window;
    uint param_3 = _312.k_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

uint v_rounded(uint tokens)
{
    uint param = V_BITS;
    uint param_1 = V_GROUP;
    uint param_2 = _312.v_window;
    uint param_3 = _312.v_sinks;
    uint param_4 = tokens;
    return rounded_of(param, param_1, param_2, param_3, param_4);
}

uint k_row(uint token, uint head, uint pair)
{
    uint behind = token - _312.k_sinks;
    uint _323;
    if (token < _312.k_sinks)
    {
        _323 = token;
    }
    else
    {
        _323 = _312.k_sinks + (behind % _312.k_ring);
    }
    uint slot = _323;
    return (_312.k_rows + (((slot * _312.heads) + head) * _349)) + pair;
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

uint halves_bits(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return half_bits(param) | (half_bits(param_1) << uint(16));
}

uint k_exact(uint token, uint head, uint pair)
{
    if (token < _312.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return _366.k_cache[k_row(param, param_1, param_2)];
    }
    uint from = ((_312.k_at + ((token - _312.past) * _312.k_token)) + (head * _312.k_head)) + (2u * pair);
    uint _402;
    if (_401)
    {
        _402 = _408.k_new[from >> uint(1)];
    }
    else
    {
        vec2 param_3 = vec2(uintBitsToFloat(_408.k_new[from]), uintBitsToFloat(_408.k_new[from + 1u]));
        _402 = halves_bits(param_3);
    }
    return _402;
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
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

vec2 k_read(uint token, uint head, uint pair, uint rounded)
{
    uint behind = token - _312.k_sinks;
    if ((token < _312.k_sinks) || (behind >= rounded))
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return unpackHalf2x16(k_exact(param, param_1, param_2));
    }
    uint block = ((behind / K_GROUP) * _312.heads) + head;
    uint in_run = behind % K_GROUP;
    uint bit = ((((block * K_GROUP) + in_run) * _485) + pair) * _489;
    uint both = _366.k_cache[bit >> uint(5)] >> (bit & 31u);
    vec2 codes = vec2(float(both & _503), float((both >> K_BITS) & _509));
    uint at = (block * _515) + pair;
    uint scales = _366.k_cache[_312.k_scales + at];
    uint param_3 = scales;
    uint param_4 = 0u;
    uint param_5 = scales;
    uint param_6 = 1u;
    return (codes * vec2(exact_half(param_3, param_4), exact_half(param_5, param_6))) + unpackHalf2x16(_366.k_cache[_312.k_lows + at]);
}

uint v_row(uint token, uint head, uint pair)
{
    uint behind = token - _312.v_sinks;
    uint _558;
    if (token < _312.v_sinks)
    {
        _558 = token;
    }
    else
    {
        _558 = _312.v_sinks + (behind % _312.v_ring);
    }
    uint slot = _558;
    return (_312.v_rows + (((slot * _312.heads) + head) * _582)) + pair;
}

uint v_exact(uint token, uint head, uint pair)
{
    if (token < _312.past)
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return _598.v_cache[v_row(param, param_1, param_2)];
    }
    uint from = ((_312.v_at + ((token - _312.past) * _312.v_token)) + (head * _312.v_head)) + (2u * pair);
    uint _633;
    if (_632)
    {
        _633 = _639.v_new[from >> uint(1)];
    }
    else
    {
        vec2 param_3 = vec2(uintBitsToFloat(_639.v_new[from]), uintBitsToFloat(_639.v_new[from + 1u]));
        _633 = halves_bits(param_3);
    }
    return _633;
}

vec2 v_read(uint token, uint head, uint pair, uint rounded)
{
    uint behind = token - _312.v_sinks;
    if ((token < _312.v_sinks) || (behind >= rounded))
    {
        uint param = token;
        uint param_1 = head;
        uint param_2 = pair;
        return unpackHalf2x16(v_exact(param, param_1, param_2));
    }
    uint block = ((behind / V_GROUP) * _312.heads) + head;
    uint in_run = behind % V_GROUP;
    uint bit = ((((block * V_GROUP) + in_run) * _716) + pair) * _720;
    uint both = _598.v_cache[bit >> uint(5)] >> (bit & 31u);
    vec2 codes = vec2(float(both & _733), float((both >> V_BITS) & _739));
    uint at = (((block * V_GROUP) + in_run) * _750) + ((2u * pair) / V_GROUP);
    uint param_3 = _598.v_cache[_312.v_scales + (at >> uint(1))];
    uint param_4 = at;
    float scale = exact_half(param_3, param_4);
    uint param_5 = _598.v_cache[_312.v_lows + (at >> uint(1))];
    uint param_6 = at;
    return (codes * scale) + vec2(half_in(param_5, param_6));
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
    float _189;
    if (x < 0.0)
    {
        _189 = -uintBitsToFloat(bits);
    }
    else
    {
        _189 = uintBitsToFloat(bits);
    }
    return _189;
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
    uint chunks = ((_312.share + HEADS) - 1u) / HEADS;
    uint kv_head = gl_WorkGroupID.y / chunks;
    uint chunk = gl_WorkGroupID.y % chunks;
    uint first = gl_WorkGroupID.x * QUERIES;
    uint last = min((first + QUERIES), _312.seq);
    float _917;
    for (uint i = thread; i < _876; i += threads)
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
                if (_916)
                {
                    uint param_4 = _923.q[(((_312.q_at + (at.token * _312.q_token)) + (at.head * _312.q_head)) + (i / FOURS)) >> uint(1)];
                    uint param_5 = ((_312.q_at + (at.token * _312.q_token)) + (at.head * _312.q_head)) + (i / FOURS);
                    _917 = half_in(param_4, param_5);
                }
                else
                {
                    _917 = uintBitsToFloat(_923.q[((_312.q_at + (at.token * _312.q_token)) + (at.head * _312.q_head)) + (i / FOURS)]);
                }
                four[n] = _312.scale * _917;
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
    uint _1037 = min(threads, 128u);
    uint spare = _1037 / SCORES;
    uint slices = clamp(spare, 1u, 8u);
    uint slice_width = ((K_WIDTH + slices) - 1u) / slices;
    uint turn = 0u;
    bool _1068 = _312.window > 0u;
    bool _1079;
    if (_1068)
    {
        _1079 = ((_312.past + first) + 1u) > _312.window;
    }
    else
    {
        _1079 = _1068;
    }
    uint _1080;
    if (_1079)
    {
        _1080 = ((_312.past + first) + 1u) - _312.window;
    }
    else
    {
        _1080 = 0u;
    }
    uint low = _1080;
    uint high = _312.past + last;
    for (uint to = first, from = first; from < last; from = to)
    {
        to = last;
        uint k_codes = 0u;
        uint v_codes = 0u;
        uint param_6 = (_312.past + from) + 1u;
        k_codes = k_rounded(param_6);
        uint param_7 = (_312.past + from) + 1u;
        v_codes = v_rounded(param_7);
        to = from + 1u;
        for (;;)
        {
            bool _1136 = to < last;
            bool _1148;
            if (_1136)
            {
                uint param_8 = (_312.past + to) + 1u;
                _1148 = k_rounded(param_8) == k_codes;
            }
            else
            {
                _1148 = _1136;
            }
            bool _1160;
            if (_1148)
            {
                uint param_9 = (_312.past + to) + 1u;
                _1160 = v_rounded(param_9) == v_codes;
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
        uint end = min(high, (_312.past + to));
        for (uint begin = low; begin < end; begin += TILE)
        {
            uint count = min(TILE, (end - begin));
            barrier();
            for (uint i_1 = thread; i_1 < (count * _1195); i_1 += threads)
            {
                uint t = i_1 / _1200;
                uint pair = i_1 % _1204;
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
                    uint _1277 = slice * slice_width;
                    for (uint c = _1277; c < behind; c++)
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
                    uint position = _312.past + query;
                    bool _1401 = (((t_2 < count) && (query >= from)) && (query < to)) && (token <= position);
                    bool _1417;
                    if (_1401)
                    {
                        bool _1406 = _312.window == 0u;
                        bool _1416;
                        if (!_1406)
                        {
                            _1416 = (token + _312.window) > position;
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
            for (uint i_5 = thread; i_5 < (count * _1519); i_5 += threads)
            {
                uint t_4 = i_5 / _1524;
                uint pair_1 = i_5 % _1528;
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
        vec4 v_2 = outs[k_2] / sums[k_2];
        for (uint n_4 = 0u; n_4 < 4u; n_4++)
        {
            tile[(((four_5 * 4u) + n_4) * V_WIDTH) + channel_1] = v_2[n_4];
        }
    }
    barrier();
    for (uint i_6 = thread; i_6 < _1737; i_6 += threads)
    {
        uint row = i_6 / _1741;
        uint channel_2 = 2u * (i_6 % _1745);
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
        uint at_ = ((_312.y_at + (at_1.token * _312.y_token)) + (at_1.head * _312.y_head)) + channel_2;
        vec2 two_ = v_3;
        if (_1802)
        {
            vec2 param_22 = two_;
            _1808.y[at_ >> uint(1)] = pack_halves(param_22);
        }
        else
        {
            _1808.y[at_] = floatBitsToUint(two_.x);
            _1808.y[at_ + 1u] = floatBitsToUint(two_.y);
        }
    }
}

