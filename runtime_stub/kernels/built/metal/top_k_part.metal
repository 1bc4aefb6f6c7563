#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct X
{
    uint x[1];
};

struct Params
{
    uint size;
    uint k;
    uint x_at;
    uint x_row;
    uint found_at;
};

constant uint _177_tmp [[function_constant(0)]];
constant uint _177 = is_function_constant_defined(_177_tmp) ? _177_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_177, 1u, 1u);
constant uint _258 = gl_WorkGroupSize.x;
constant uint _259 = (_258 >> uint(1));

struct Found
{
    uint found[1];
};

static inline __attribute__((always_inline))
uint key_of(thread uint& bits)
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

static inline __attribute__((always_inline))
bool comes_first(thread const uint& key, thread const uint& place, thread const uint& other, thread const uint& other_place)
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

static inline __attribute__((always_inline))
uint2 next_of(thread const uint& begin, thread const uint& end, thread const uint& row, thread const uint& key, thread const uint& place, thread const bool& _any, thread uint3& gl_LocalInvocationID, const device X& v_117, constant Params& v_122)
{
    uint2 best = uint2(0u, 4294967295u);
    uint _104 = begin + gl_LocalInvocationID.x;
    for (uint i = _104; i < end; i += gl_WorkGroupSize.x)
    {
        uint param = v_117.x[(v_122.x_at + (row * v_122.x_row)) + i];
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
            best = uint2(its_key, its_place);
        }
    }
    return best;
}

static inline __attribute__((always_inline))
uint bits_of(thread const uint& key)
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

kernel void top_k_part(constant Params& v_122 [[buffer(0)]], const device X& v_117 [[buffer(1)]], device Found& _343 [[buffer(2)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup uint keys[256];
    threadgroup uint places[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    uint each = ((v_122.size + gl_NumWorkGroups.x) - 1u) / gl_NumWorkGroups.x;
    uint begin = min(v_122.size, (gl_WorkGroupID.x * each));
    uint end = min(v_122.size, (begin + each));
    uint param = begin;
    uint param_1 = end;
    uint param_2 = row;
    uint param_3 = 0u;
    uint param_4 = 0u;
    bool param_5 = true;
    uint2 mine = next_of(param, param_1, param_2, param_3, param_4, param_5, gl_LocalInvocationID, v_117, v_122);
    for (uint n = 0u; n < v_122.k; n++)
    {
        threadgroup_barrier(mem_flags::mem_threadgroup);
        keys[thread0] = mine.x;
        places[thread0] = mine.y;
        for (uint step_ = _259; step_ > 0u; step_ = step_ >> uint(1))
        {
            threadgroup_barrier(mem_flags::mem_threadgroup);
            bool _269 = thread0 < step_;
            bool _293;
            if (_269)
            {
                uint param_6 = keys[thread0 + step_];
                uint param_7 = places[thread0 + step_];
                uint param_8 = keys[thread0];
                uint param_9 = places[thread0];
                _293 = comes_first(param_6, param_7, param_8, param_9);
            }
            else
            {
                _293 = _269;
            }
            if (_293)
            {
                keys[thread0] = keys[thread0 + step_];
                places[thread0] = places[thread0 + step_];
            }
        }
        threadgroup_barrier(mem_flags::mem_threadgroup);
        uint key = keys[0];
        uint place = places[0];
        if (thread0 == 0u)
        {
            uint to = (v_122.found_at + ((((row * gl_NumWorkGroups.x) + gl_WorkGroupID.x) * 2u) * v_122.k)) + n;
            _343.found[to] = place;
            uint param_10 = key;
            _343.found[to + v_122.k] = bits_of(param_10);
        }
        if ((mine.y == place) && (place != 4294967295u))
        {
            uint param_11 = begin;
            uint param_12 = end;
            uint param_13 = row;
            uint param_14 = key;
            uint param_15 = place;
            bool param_16 = false;
            mine = next_of(param_11, param_12, param_13, param_14, param_15, param_16, gl_LocalInvocationID, v_117, v_122);
        }
    }
}

