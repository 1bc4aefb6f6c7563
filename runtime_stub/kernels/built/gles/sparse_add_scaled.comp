#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_6;
#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_7;
const bool _199 = (GROUP != 0u);
const int _228 = int(BITS + 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 128u
#endif
const uint RUN = SPIRV_CROSS_CONSTANT_ID_5;
const bool _251 = (RUN == 128u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_2;
const bool _322 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _345 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _406 = gl_WorkGroupSize.x;
const uint rows_at_once = (_406 / 8u);
const bool _466 = (RUN == 128u);
const bool _496 = (RUN == 128u);
const bool _532 = (RUN == 128u);
const uint step_ = _532 ? 1u : 8u;
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_3;
const bool _580 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _608 = (RESIDUAL_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _136;

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
    uint held;
} _141;

layout(binding = 9, std430) readonly buffer OutlierScales
{
    uint outlier_scales[];
} _216;

layout(binding = 8, std430) readonly buffer Scales
{
    uint scales[];
} _235;

layout(binding = 6, std430) readonly buffer Places
{
    uint places[];
} _258;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _352;

layout(binding = 4, std430) readonly buffer Starts
{
    uint starts[];
} _441;

layout(binding = 5, std430) readonly buffer Counts
{
    uint counts[];
} _473;

layout(binding = 2, std430) readonly buffer Residual
{
    uint residual[];
} _615;

layout(binding = 3, std430) buffer Y
{
    uint y[];
} _635;

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
    uint _164;
    if ((((((row * _141.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _164 = _136.codes[((((row * _141.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _164 = 0u;
    }
    uint param = _136.codes[(((row * _141.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _164;
    uint param_2 = (((row * _141.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    uint group = row;
    if (_199)
    {
        group = (row * (((_141.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    uint param_4 = _216.outlier_scales[group >> uint(1)];
    uint param_5 = group;
    float more = exact_half(param_4, param_5);
    uint param_6 = _235.scales[group >> uint(1)];
    uint param_7 = group;
    return float(bitfieldExtract(int(code), 0, _228)) * (more - exact_half(param_6, param_7));
}

float product_of(uint at, uint token, uint row, uint run)
{
    uint _252;
    if (_251)
    {
        uint _268;
        if ((((at * 7u) & 31u) + 7u) > 32u)
        {
            _268 = _258.places[((at * 7u) >> uint(5)) + 1u];
        }
        else
        {
            _268 = 0u;
        }
        uint param = _258.places[(at * 7u) >> uint(5)];
        uint param_1 = _268;
        uint param_2 = (at * 7u) & 31u;
        uint param_3 = 7u;
        _252 = code_of(param, param_1, param_2, param_3);
    }
    else
    {
        _252 = (_258.places[at >> uint(1)] >> (16u * (at & 1u))) & 65535u;
    }
    uint place = _252;
    uint column = (run * RUN) + place;
    if (column >= _141.columns)
    {
        return 0.0;
    }
    uint _323;
    if (_322)
    {
        _323 = column;
    }
    else
    {
        _323 = ((column / _141.x_inner) * _141.x_outer) + (column % _141.x_inner);
    }
    uint from = (_141.x_at + (token * _141.x_token)) + _323;
    float _346;
    if (_345)
    {
        uint param_4 = _352.x[from >> uint(1)];
        uint param_5 = from;
        _346 = half_in(param_4, param_5);
    }
    else
    {
        _346 = uintBitsToFloat(_352.x[from]);
    }
    uint param_6 = at;
    uint param_7 = row;
    uint param_8 = column;
    return _346 * value_of(param_6, param_7, param_8);
}

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint lane = thread % 8u;
    uint token = gl_WorkGroupID.y;
    uint runs = ((_141.columns + RUN) - 1u) / RUN;
    uint _409 = _141.row_begin + (gl_WorkGroupID.x * rows_at_once);
    uint _467;
    uint _497;
    float _609;
    for (uint row0 = _409; row0 < _141.row_end; row0 += (gl_NumWorkGroups.x * rows_at_once))
    {
        uint row = row0 + (thread / 8u);
        float sum = 0.0;
        if (row < _141.row_end)
        {
            uint here = row - _141.held;
            uint at = _441.starts[row];
            uint end = _441.starts[row + 1u];
            for (uint run = 0u; run < runs; run++)
            {
                uint index = (row * runs) + run;
                if (_466)
                {
                    _467 = (_473.counts[index >> uint(2)] >> (8u * (index & 3u))) & 255u;
                }
                else
                {
                    _467 = _473.counts[index];
                }
                uint count = _467;
                count = min(count, (end - at));
                if (_496)
                {
                    _497 = ((run % 8u) == lane) ? 0u : count;
                }
                else
                {
                    _497 = lane;
                }
                uint first = _497;
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
        bool _552 = lane == 0u;
        bool _559;
        if (_552)
        {
            _559 = row < _141.row_end;
        }
        else
        {
            _559 = _552;
        }
        if (_559)
        {
            for (uint i_1 = 1u; i_1 < 8u; i_1++)
            {
                sum += sums[thread + i_1];
            }
            if (_580)
            {
                uint from = ((_141.residual_at + (token * _141.residual_token)) + ((row / _141.residual_inner) * _141.residual_outer)) + (row % _141.residual_inner);
                if (_608)
                {
                    uint param_4 = _615.residual[from >> uint(1)];
                    uint param_5 = from;
                    _609 = half_in(param_4, param_5);
                }
                else
                {
                    _609 = uintBitsToFloat(_615.residual[from]);
                }
                sum += _609;
            }
            _635.y[(_141.y_at + (token * _141.y_token)) + row] = floatBitsToUint(sum);
        }
        barrier();
    }
}

