#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 128u
#endif
const uint RUN = SPIRV_CROSS_CONSTANT_ID_6;
const bool _217 = (RUN == 128u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_2;
const bool _293 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _316 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _373 = (RESIDUAL_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _426 = gl_WorkGroupSize.x;
const uint rows_at_once = (_426 / 8u);
const bool _483 = (RUN == 128u);
const bool _513 = (RUN == 128u);
const bool _549 = (RUN == 128u);
const uint step_ = _549 ? 1u : 8u;
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_3;
const bool _614 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_5;
const bool _678 = (Y_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 7, std430) readonly buffer Values
{
    uint values[];
} _200;

layout(binding = 6, std430) readonly buffer Places
{
    uint places[];
} _224;

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
    uint y_inner;
    uint y_outer;
    uint y_row;
    uint columns;
    uint row_begin;
    uint row_end;
} _276;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _323;

layout(binding = 2, std430) readonly buffer Residual
{
    uint residual[];
} _380;

layout(binding = 4, std430) readonly buffer Starts
{
    uint starts[];
} _458;

layout(binding = 5, std430) readonly buffer Counts
{
    uint counts[];
} _490;

layout(binding = 3, std430) buffer Y
{
    uint y[];
} _684;

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
    float _62;
    if ((index & 1u) == 0u)
    {
        _62 = both.x;
    }
    else
    {
        _62 = both.y;
    }
    return _62;
}

float exact_half(uint word, uint index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = uintBitsToFloat((magnitude << uint(13)) + 939524096u);
    float size = (magnitude < 1024u) ? small : normal;
    float _110;
    if ((h & 32768u) != 0u)
    {
        _110 = -size;
    }
    else
    {
        _110 = size;
    }
    return _110;
}

float value_of(uint at, uint row, uint column)
{
    uint param = _200.values[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
}

float product_of(uint at, uint token, uint row, uint run)
{
    uint _218;
    if (_217)
    {
        uint _236;
        if ((((at * 7u) & 31u) + 7u) > 32u)
        {
            _236 = _224.places[((at * 7u) >> uint(5)) + 1u];
        }
        else
        {
            _236 = 0u;
        }
        uint param = _224.places[(at * 7u) >> uint(5)];
        uint param_1 = _236;
        uint param_2 = (at * 7u) & 31u;
        uint param_3 = 7u;
        _218 = code_of(param, param_1, param_2, param_3);
    }
    else
    {
        _218 = (_224.places[at >> uint(1)] >> (16u * (at & 1u))) & 65535u;
    }
    uint place = _218;
    uint column = (run * RUN) + place;
    if (column >= _276.columns)
    {
        return 0.0;
    }
    uint _294;
    if (_293)
    {
        _294 = column;
    }
    else
    {
        _294 = ((column / _276.x_inner) * _276.x_outer) + (column % _276.x_inner);
    }
    uint from = (_276.x_at + (token * _276.x_token)) + _294;
    float _317;
    if (_316)
    {
        uint param_4 = _323.x[from >> uint(1)];
        uint param_5 = from;
        _317 = half_in(param_4, param_5);
    }
    else
    {
        _317 = uintBitsToFloat(_323.x[from]);
    }
    uint param_6 = at;
    uint param_7 = row;
    uint param_8 = column;
    return _317 * value_of(param_6, param_7, param_8);
}

float residual_at_row(uint token, uint row)
{
    uint from = ((_276.residual_at + (token * _276.residual_token)) + ((row / _276.residual_inner) * _276.residual_outer)) + (row % _276.residual_inner);
    float _374;
    if (_373)
    {
        uint param = _380.residual[from >> uint(1)];
        uint param_1 = from;
        _374 = half_in(param, param_1);
    }
    else
    {
        _374 = uintBitsToFloat(_380.residual[from]);
    }
    return _374;
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
    float _149;
    if (x < 0.0)
    {
        _149 = -uintBitsToFloat(bits);
    }
    else
    {
        _149 = uintBitsToFloat(bits);
    }
    return _149;
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
    uint lane = thread % 8u;
    uint token = gl_WorkGroupID.y;
    uint runs = ((_276.columns + RUN) - 1u) / RUN;
    uint _429 = _276.row_begin + (gl_WorkGroupID.x * rows_at_once);
    uint _484;
    uint _514;
    for (uint row0 = _429; row0 < _276.row_end; row0 += (gl_NumWorkGroups.x * rows_at_once))
    {
        uint row = row0 + (thread / 8u);
        float sum = 0.0;
        if (row < _276.row_end)
        {
            uint here = row;
            uint at = _458.starts[row];
            uint end = _458.starts[row + 1u];
            for (uint run = 0u; run < runs; run++)
            {
                uint index = (row * runs) + run;
                if (_483)
                {
                    _484 = (_490.counts[index >> uint(2)] >> (8u * (index & 3u))) & 255u;
                }
                else
                {
                    _484 = _490.counts[index];
                }
                uint count = _484;
                count = min(count, (end - at));
                if (_513)
                {
                    _514 = ((run % 8u) == lane) ? 0u : count;
                }
                else
                {
                    _514 = lane;
                }
                uint first = _514;
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
        bool _570 = (thread % 16u) == 0u;
        bool _577;
        if (_570)
        {
            _577 = row < _276.row_end;
        }
        else
        {
            _577 = _570;
        }
        if (_577)
        {
            vec2 both = vec2(0.0);
            for (uint i_1 = 0u; i_1 < 8u; i_1++)
            {
                both += vec2(sums[thread + i_1], sums[(thread + 8u) + i_1]);
            }
            bool two = (row + 1u) < _276.row_end;
            if (_614)
            {
                uint param_4 = token;
                uint param_5 = row - _276.y_row;
                both.x += residual_at_row(param_4, param_5);
                if (two)
                {
                    uint param_6 = token;
                    uint param_7 = (row + 1u) - _276.y_row;
                    both.y += residual_at_row(param_6, param_7);
                }
            }
            uint to = ((_276.y_at + (token * _276.y_token)) + (((row - _276.y_row) / _276.y_inner) * _276.y_outer)) + ((row - _276.y_row) % _276.y_inner);
            if (_678)
            {
                vec2 param_8 = both;
                _684.y[to >> uint(1)] = pack_halves(param_8);
            }
            else
            {
                _684.y[to] = floatBitsToUint(both.x);
                if (two)
                {
                    _684.y[((_276.y_at + (token * _276.y_token)) + ((((row + 1u) - _276.y_row) / _276.y_inner) * _276.y_outer)) + (((row + 1u) - _276.y_row) % _276.y_inner)] = floatBitsToUint(both.y);
                }
            }
        }
        barrier();
    }
}

