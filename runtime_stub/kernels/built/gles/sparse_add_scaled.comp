#version 310 es

#ifndef SPIRV_CROSS_CONSTANT_ID_7
#define SPIRV_CROSS_CONSTANT_ID_7 4u
#endif
const uint BITS = SPIRV_CROSS_CONSTANT_ID_7;
#ifndef SPIRV_CROSS_CONSTANT_ID_8
#define SPIRV_CROSS_CONSTANT_ID_8 0u
#endif
const uint GROUP = SPIRV_CROSS_CONSTANT_ID_8;
const bool _263 = (GROUP != 0u);
const int _292 = int(BITS + 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_6
#define SPIRV_CROSS_CONSTANT_ID_6 128u
#endif
const uint RUN = SPIRV_CROSS_CONSTANT_ID_6;
const bool _315 = (RUN == 128u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 0u
#endif
const uint X_RUNS = SPIRV_CROSS_CONSTANT_ID_2;
const bool _385 = (X_RUNS == 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 1u
#endif
const uint X_HALF = SPIRV_CROSS_CONSTANT_ID_1;
const bool _408 = (X_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_4
#define SPIRV_CROSS_CONSTANT_ID_4 0u
#endif
const uint RESIDUAL_HALF = SPIRV_CROSS_CONSTANT_ID_4;
const bool _465 = (RESIDUAL_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
const uint _518 = gl_WorkGroupSize.x;
const uint rows_at_once = (_518 / 8u);
const bool _579 = (RUN == 128u);
const bool _609 = (RUN == 128u);
const bool _645 = (RUN == 128u);
const uint step_ = _645 ? 1u : 8u;
#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 0u
#endif
const uint RESIDUAL = SPIRV_CROSS_CONSTANT_ID_3;
const bool _710 = (RESIDUAL != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_5
#define SPIRV_CROSS_CONSTANT_ID_5 0u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_5;
const bool _774 = (Y_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 7, std430) readonly buffer Codes
{
    uint codes[];
} _201;

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
    uint held;
} _206;

layout(binding = 9, std430) readonly buffer OutlierScales
{
    uint outlier_scales[];
} _280;

layout(binding = 8, std430) readonly buffer Scales
{
    uint scales[];
} _299;

layout(binding = 6, std430) readonly buffer Places
{
    uint places[];
} _322;

layout(binding = 1, std430) readonly buffer X
{
    uint x[];
} _415;

layout(binding = 2, std430) readonly buffer Residual
{
    uint residual[];
} _472;

layout(binding = 4, std430) readonly buffer Starts
{
    uint starts[];
} _554;

layout(binding = 5, std430) readonly buffer Counts
{
    uint counts[];
} _586;

layout(binding = 3, std430) buffer Y
{
    uint y[];
} _780;

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
    uint _228;
    if ((((((row * _206.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _228 = _201.codes[((((row * _206.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _228 = 0u;
    }
    uint param = _201.codes[(((row * _206.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _228;
    uint param_2 = (((row * _206.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    uint group = row;
    if (_263)
    {
        group = (row * (((_206.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    uint param_4 = _280.outlier_scales[group >> uint(1)];
    uint param_5 = group;
    float more = exact_half(param_4, param_5);
    uint param_6 = _299.scales[group >> uint(1)];
    uint param_7 = group;
    return float(bitfieldExtract(int(code), 0, _292)) * (more - exact_half(param_6, param_7));
}

float product_of(uint at, uint token, uint row, uint run)
{
    uint _316;
    if (_315)
    {
        uint _332;
        if ((((at * 7u) & 31u) + 7u) > 32u)
        {
            _332 = _322.places[((at * 7u) >> uint(5)) + 1u];
        }
        else
        {
            _332 = 0u;
        }
        uint param = _322.places[(at * 7u) >> uint(5)];
        uint param_1 = _332;
        uint param_2 = (at * 7u) & 31u;
        uint param_3 = 7u;
        _316 = code_of(param, param_1, param_2, param_3);
    }
    else
    {
        _316 = (_322.places[at >> uint(1)] >> (16u * (at & 1u))) & 65535u;
    }
    uint place = _316;
    uint column = (run * RUN) + place;
    if (column >= _206.columns)
    {
        return 0.0;
    }
    uint _386;
    if (_385)
    {
        _386 = column;
    }
    else
    {
        _386 = ((column / _206.x_inner) * _206.x_outer) + (column % _206.x_inner);
    }
    uint from = (_206.x_at + (token * _206.x_token)) + _386;
    float _409;
    if (_408)
    {
        uint param_4 = _415.x[from >> uint(1)];
        uint param_5 = from;
        _409 = half_in(param_4, param_5);
    }
    else
    {
        _409 = uintBitsToFloat(_415.x[from]);
    }
    uint param_6 = at;
    uint param_7 = row;
    uint param_8 = column;
    return _409 * value_of(param_6, param_7, param_8);
}

float residual_at_row(uint token, uint row)
{
    uint from = ((_206.residual_at + (token * _206.residual_token)) + ((row / _206.residual_inner) * _206.residual_outer)) + (row % _206.residual_inner);
    float _466;
    if (_465)
    {
        uint param = _472.residual[from >> uint(1)];
        uint param_1 = from;
        _466 = half_in(param, param_1);
    }
    else
    {
        _466 = uintBitsToFloat(_472.residual[from]);
    }
    return _466;
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
    uint runs = ((_206.columns + RUN) - 1u) / RUN;
    uint _521 = _206.row_begin + (gl_WorkGroupID.x * rows_at_once);
    uint _580;
    uint _610;
    for (uint row0 = _521; row0 < _206.row_end; row0 += (gl_NumWorkGroups.x * rows_at_once))
    {
        uint row = row0 + (thread / 8u);
        float sum = 0.0;
        if (row < _206.row_end)
        {
            uint here = row - _206.held;
            uint at = _554.starts[row];
            uint end = _554.starts[row + 1u];
            for (uint run = 0u; run < runs; run++)
            {
                uint index = (row * runs) + run;
                if (_579)
                {
                    _580 = (_586.counts[index >> uint(2)] >> (8u * (index & 3u))) & 255u;
                }
                else
                {
                    _580 = _586.counts[index];
                }
                uint count = _580;
                count = min(count, (end - at));
                if (_609)
                {
                    _610 = ((run % 8u) == lane) ? 0u : count;
                }
                else
                {
                    _610 = lane;
                }
                uint first = _610;
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
        bool _666 = (thread % 16u) == 0u;
        bool _673;
        if (_666)
        {
            _673 = row < _206.row_end;
        }
        else
        {
            _673 = _666;
        }
        if (_673)
        {
            vec2 both = vec2(0.0);
            for (uint i_1 = 0u; i_1 < 8u; i_1++)
            {
                both += vec2(sums[thread + i_1], sums[(thread + 8u) + i_1]);
            }
            bool two = (row + 1u) < _206.row_end;
            if (_710)
            {
                uint param_4 = token;
                uint param_5 = row - _206.y_row;
                both.x += residual_at_row(param_4, param_5);
                if (two)
                {
                    uint param_6 = token;
                    uint param_7 = (row + 1u) - _206.y_row;
                    both.y += residual_at_row(param_6, param_7);
                }
            }
            uint to = ((_206.y_at + (token * _206.y_token)) + (((row - _206.y_row) / _206.y_inner) * _206.y_outer)) + ((row - _206.y_row) % _206.y_inner);
            if (_774)
            {
                vec2 param_8 = both;
                _780.y[to >> uint(1)] = pack_halves(param_8);
            }
            else
            {
                _780.y[to] = floatBitsToUint(both.x);
                if (two)
                {
                    _780.y[((_206.y_at + (token * _206.y_token)) + ((((row + 1u) - _206.y_row) / _206.y_inner) * _206.y_outer)) + (((row + 1u) - _206.y_row) % _206.y_inner)] = floatBitsToUint(both.y);
                }
            }
        }
        barrier();
    }
}

