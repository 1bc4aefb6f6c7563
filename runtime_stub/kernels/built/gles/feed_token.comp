#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 2, std430) buffer Tokens
{
    uint tokens[];
} _22;

layout(binding = 0, std140) uniform Params
{
    uint found_at;
    uint tokens_at;
} _27;

layout(binding = 1, std430) readonly buffer Found
{
    uint found[];
} _35;

void main()
{
    if (gl_GlobalInvocationID.x != 0u)
    {
        return;
    }
    _22.tokens[_27.tokens_at] = _35.found[_27.found_at];
    _22.tokens[_27.tokens_at + 1u] = 0u;
}

