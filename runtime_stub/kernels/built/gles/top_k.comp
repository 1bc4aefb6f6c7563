#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _262 = gl_WorkGroupSize.x;
const uint _263 = (_262 >> uint(1));

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint parts;
    uint k;
    uint found_at;
    uint out_at;
} _116;

layout(binding = 1, std430) readonly buffer Found
{
    uint found[];
} _148;

layout(binding = 2, std430) buffer Out
{
    uint out_words[];
} _341;

shared uint keys[256];
shared uint places[256];

uint key_of(inout uint bits)
{
    if (bits == 2147483648u)
    {
        bits = 0u;
    }
    if ((bits & 2147483647u) > 2139095040u)
    {
        return 0u;
    }
    uint _51;
    if ((bits & 2147483648u) != 0u)
    {
        _51 = ~bits;
    }
    else
    {
        _51 = bits | 2147483648u;
    }
    return _51;
}

bool comes_first(uint key, uint place, uint other, uint other_place)
{
    bool _78 = key > other;
    bool _89;
    if (!_78)
    {
        _89 = (key == other) && (place < other_place);
    }
    else
    {
        _89 = _78;
    }
    return _89;
}

uvec2 next_of(uint begin, uint end, uint row, uint key, uint place, bool _any)
{
    uvec2 best = uvec2(0u, 4294967295u);
    uint _104 = begin + gl_LocalInvocationID.x;
    uint _156;
    for (uint i = _104; i < end; i += gl_WorkGroupSize.x)
    {
        uint record = (_116.found_at + ((((row * _116.parts) + (i / _116.k)) * 2u) * _116.k)) + (i % _116.k);
        uint its_place = _148.found[record];
        if (its_place == 4294967295u)
        {
            _156 = 0u;
        }
        else
        {
            uint param = _148.found[record + _116.k];
            uint _167 = key_of(param);
            _156 = _167;
        }
        uint its_key = _156;
        uint param_1 = its_key;
        uint param_2 = its_place;
        uint param_3 = best.x;
        uint param_4 = best.y;
        if (!comes_first(param_1, param_2, param_3, param_4))
        {
            continue;
        }
        bool _198;
        if (!_any)
        {
            uint param_5 = key;
            uint param_6 = place;
            uint param_7 = its_key;
            uint param_8 = its_place;
            _198 = comes_first(param_5, param_6, param_7, param_8);
        }
        else
        {
            _198 = _any;
        }
        if (_198)
        {
            best = uvec2(its_key, its_place);
        }
    }
    return best;
}

uint bits_of(uint key)
{
    uint _65;
    if ((key & 2147483648u) != 0u)
    {
        _65 = key & 2147483647u;
    }
    else
    {
        _65 = ~key;
    }
    return _65;
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    uint end = _116.parts * _116.k;
    uint param = 0u;
    uint param_1 = end;
    uint param_2 = row;
    uint param_3 = 0u;
    uint param_4 = 0u;
    bool param_5 = true;
    uvec2 mine = next_of(param, param_1, param_2, param_3, param_4, param_5);
    for (uint n = 0u; n < _116.k; n++)
    {
        barrier();
        keys[thread] = mine.x;
        places[thread] = mine.y;
        for (uint step_ = _263; step_ > 0u; step_ = step_ >> uint(1))
        {
            barrier();
            bool _273 = thread < step_;
            bool _297;
            if (_273)
            {
                uint param_6 = keys[thread + step_];
                uint param_7 = places[thread + step_];
                uint param_8 = keys[thread];
                uint param_9 = places[thread];
                _297 = comes_first(param_6, param_7, param_8, param_9);
            }
            else
            {
                _297 = _273;
            }
            if (_297)
            {
                keys[thread] = keys[thread + step_];
                places[thread] = places[thread + step_];
            }
        }
        barrier();
        uint key = keys[0];
        uint place = places[0];
        if (thread == 0u)
        {
            uint to = (_116.out_at + ((row * 2u) * _116.k)) + n;
            _341.out_words[to] = place;
            uint param_10 = key;
            _341.out_words[to + _116.k] = bits_of(param_10);
        }
        if ((mine.y == place) && (place != 4294967295u))
        {
            uint param_11 = 0u;
            uint param_12 = end;
            uint param_13 = row;
            uint param_14 = key;
            uint param_15 = place;
            bool param_16 = false;
            mine = next_of(param_11, param_12, param_13, param_14, param_15, param_16);
        }
    }
}

