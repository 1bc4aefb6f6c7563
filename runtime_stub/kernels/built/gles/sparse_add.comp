#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 128u
#endif
const uint RUN = SPIRV_CROSS_CONSTANT_ID_5;
const bool _152 = (RUN == 128u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_2;
const bool _230 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _253 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _314 = gl_WorkGroupSize.x;
const uint rows_at_once = (_314 / 8u);
const bool _371 = (RUN == 128u);
const bool _401 = (RUN == 128u);
const bool _437 = (RUN == 128u);
const uint step_ = _437 ? 1u : 8u;
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_3;
const bool _485 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _513 = (RESIDUAL_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 7, std430) readonly buffer Values
{
    uint values[];
} _135;

layout(binding = 6, std430) readonly buffer Places
{
    uint places[];
} _159;

layout(binding = 0, std140) uniform Params
{
    uint x_at;
    uint x_token;
    uint x_inner;
    uint x_outer;
    uint residual_at;
    uint residual_token;
    uint residual_inner;
    uint residual_outer;
    uint y_at;
    uint y_token;
    uint columns;
    uint row_begin;
    uint row_end;
} _211;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _260;

layout(binding = 4, std430) readonly buffer Starts
{
    uint starts[];
} _346;

layout(binding = 5, std430) readonly buffer Counts
{
    uint counts[];
} _378;

layout(binding = 2, std430) readonly buffer Residual
{
    uint residual[];
} _520;

layout(binding = 3, std430) buffer Y
{
    uint y[];
} _540;

shared float sums[256];

uint code_of(uint low, uint high, uint at, uint bits)
{
    uint code = low >> at;
    if ((at + bits) > 32u)
    {
        code |= (high << (32u - at));
    }
    return code & ((1u << bits) - 1u);
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _50;
    if ((index & 1u) == 0u)
    {
        _50 = both.x;
    }
    else
    {
        _50 = both.y;
    }
    return _50;
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _98;
    if ((h & 32768u) != 0u)
    {
        _98 = -size;
    }
    else
    {
        _98 = size;
    }
    return _98;
}

float value_of(uint at, uint row, uint column)
{
    uint param = _135.values[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
}

float product_of(uint at, uint token, uint row, uint run)
{
    uint _153;
    if (_152)
    {
        uint _171;
        if ((((at * 7u) & 31u) + 7u) > 32u)
        {
            _171 = _159.places[((at * 7u) >> uint(5)) + 1u];
        }
        else
        {
            _171 = 0u;
        }
        uint param = _159.places[(at * 7u) >> uint(5)];
        uint param_1 = _171;
        uint param_2 = (at * 7u) & 31u;
        uint param_3 = 7u;
        _153 = code_of(param, param_1, param_2, param_3);
    }
    else
    {
        _153 = (_159.places[at >> uint(1)] >> (16u * (at & 1u))) & 65535u;
    }
    uint place = _153;
    uint column = (run * RUN) + place;
    if (column >= _211.columns)
    {
        return 0.0;
    }
    uint _231;
    if (_230)
    {
        _231 = column;
    }
    else
    {
        _231 = ((column / _211.x_inner) * _211.x_outer) + (column % _211.x_inner);
    }
    uint from = (_211.x_at + (token * _211.x_token)) + _231;
    float _254;
    if (_253)
    {
        uint param_4 = _260.x[from >> uint(1)];
        uint param_5 = from;
        _254 = half_in(param_4, param_5);
    }
    else
    {
        _254 = uintBitsToFloat(_260.x[from]);
    }
    uint param_6 = at;
    uint param_7 = row;
    uint param_8 = column;
    return _254 * value_of(param_6, param_7, param_8);
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint lane = thread % 8u;
    uint token = gl_WorkGroupID.y;
    uint runs = ((_211.columns + RUN) - 1u) / RUN;
    uint _317 = _211.row_begin + (gl_WorkGroupID.x * rows_at_once);
    uint _372;
    uint _402;
    float _514;
    for (uint row0 = _317; row0 < _211.row_end; row0 += (gl_NumWorkGroups.x * rows_at_once))
    {
        uint row = row0 + (thread / 8u);
        float sum = 0.0;
        if (row < _211.row_end)
        {
            uint here = row;
            uint at = _346.starts[row];
            uint end = _346.starts[row + 1u];
            for (uint run = 0u; run < runs; run++)
            {
                uint index = (row * runs) + run;
                if (_371)
                {
                    _372 = (_378.counts[index >> uint(2)] >> (8u * (index & 3u))) & 255u;
                }
                else
                {
                    _372 = _378.counts[index];
                }
                uint count = _372;
                count = min(count, (end - at));
                if (_401)
                {
                    _402 = ((run % 8u) == lane) ? 0u : count;
                }
                else
                {
                    _402 = lane;
                }
                uint first = _402;
                for (uint i = first; i < count; i += step_)
                {
                    uint param = at + i;
                    uint param_1 = token;
                    uint param_2 = here;
                    uint param_3 = run;
                    sum += product_of(param, param_1, param_2, param_3);
                }
                at += count;
            }
        }
        sums[thread] = sum;
        barrier();
        bool _457 = lane == 0u;
        bool _464;
        if (_457)
        {
            _464 = row < _211.row_end;
        }
        else
        {
            _464 = _457;
        }
        if (_464)
        {
            for (uint i_1 = 1u; i_1 < 8u; i_1++)
            {
                sum += sums[thread + i_1];
            }
            if (_485)
            {
                uint from = ((_211.residual_at + (token * _211.residual_token)) + ((row / _211.residual_inner) * _211.residual_outer)) + (row % _211.residual_inner);
                if (_513)
                {
                    uint param_4 = _520.residual[from >> uint(1)];
                    uint param_5 = from;
                    _514 = half_in(param_4, param_5);
                }
                else
                {
                    _514 = uintBitsToFloat(_520.residual[from]);
                }
                sum += _514;
            }
            _540.y[(_211.y_at + (token * _211.y_token)) + row] = floatBitsToUint(sum);
        }
        barrier();
    }
}

