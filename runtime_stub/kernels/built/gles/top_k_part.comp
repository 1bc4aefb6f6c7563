#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _258 = gl_WorkGroupSize.x;
const uint _259 = (_258 >> uint(1));

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _117;

layout(binding = 0, std140) uniform Params
{
    uint size;
    uint k;
    uint x_at;
    uint x_row;
    uint found_at;
} _122;

layout(binding = 2, std430) buffer Found
{
    uint found[];
} _343;

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
    for (uint i = _104; i < end; i += gl_WorkGroupSize.x)
    {
        uint param = _117.x[(_122.x_at + (row * _122.x_row)) + i];
        uint _139 = key_of(param);
        uint its_key = _139;
        uint its_place = i;
        uint param_1 = its_key;
        uint param_2 = its_place;
        uint param_3 = best.x;
        uint param_4 = best.y;
        if (!comes_first(param_1, param_2, param_3, param_4))
        {
            continue;
        }
        bool _171;
        if (!_any)
        {
            uint param_5 = key;
            uint param_6 = place;
            uint param_7 = its_key;
            uint param_8 = its_place;
            _171 = comes_first(param_5, param_6, param_7, param_8);
        }
        else
        {
            _171 = _any;
        }
        if (_171)
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
    uint each = ((_122.size + gl_NumWorkGroups.x) - 1u) / gl_NumWorkGroups.x;
    uint begin = min(_122.size, (gl_WorkGroupID.x * each));
    uint end = min(_122.size, (begin + each));
    uint param = begin;
    uint param_1 = end;
    uint param_2 = row;
    uint param_3 = 0u;
    uint param_4 = 0u;
    bool param_5 = true;
    uvec2 mine = next_of(param, param_1, param_2, param_3, param_4, param_5);
    for (uint n = 0u; n < _122.k; n++)
    {
        barrier();
        keys[thread] = mine.x;
        places[thread] = mine.y;
        for (uint step_ = _259; step_ > 0u; step_ = step_ >> uint(1))
        {
            barrier();
            bool _269 = thread < step_;
            bool _293;
            if (_269)
            {
                uint param_6 = keys[thread + step_];
                uint param_7 = places[thread + step_];
                uint param_8 = keys[thread];
                uint param_9 = places[thread];
                _293 = comes_first(param_6, param_7, param_8, param_9);
            }
            else
            {
                _293 = _269;
            }
            if (_293)
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
            uint to = (_122.found_at + ((((row * gl_NumWorkGroups.x) + gl_WorkGroupID.x) * 2u) * _122.k)) + n;
            _343.found[to] = place;
            uint param_10 = key;
            _343.found[to + _122.k] = bits_of(param_10);
        }
        if ((mine.y == place) && (place != 4294967295u))
        {
            uint param_11 = begin;
            uint param_12 = end;
            uint param_13 = row;
            uint param_14 = key;
            uint param_15 = place;
            bool param_16 = false;
            mine = next_of(param_11, param_12, param_13, param_14, param_15, param_16);
        }
    }
}

