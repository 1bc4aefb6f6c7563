#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Tokens
{
    uint tokens[1];
};

struct Params
{
    uint found_at;
    uint tokens_at;
};

struct Found
{
    uint found[1];
};

constant uint _47_tmp [[function_constant(0)]];
constant uint _47 = is_function_constant_defined(_47_tmp) ? _47_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_47, 1u, 1u);

kernel void feed_token(constant Params& _27 [[buffer(0)]], const device Found& _35 [[buffer(1)]], device Tokens& _22 [[buffer(2)]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]])
{
    if (gl_GlobalInvocationID.x != 0u)
    {
        return;
    }
    _22.tokens[_27.tokens_at] = _35.found[_27.found_at];
    _22.tokens[_27.tokens_at + 1u] = 0u;
}

