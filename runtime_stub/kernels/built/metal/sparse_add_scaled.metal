#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Codes
{
    uint codes[1];
};

struct Params
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
};

constant uint BITS_tmp [[function_constant(7)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;
constant uint GROUP_tmp [[function_constant(8)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _263 = (GROUP != 0u);

struct OutlierScales
{
    uint outlier_scales[1];
};

constant int _292 = int(BITS + 0u);

struct Scales
{
    uint scales[1];
};

constant uint RUN_tmp [[function_constant(6)]];
constant uint RUN = is_function_constant_defined(RUN_tmp) ? RUN_tmp : 128u;
constant bool _315 = (RUN == 128u);

struct Places
{
    uint places[1];
};

constant uint X_RUNS_tmp [[function_constant(2)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _385 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _408 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant uint RESIDUAL_HALF_tmp [[function_constant(4)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _465 = (RESIDUAL_HALF != 0u);

struct Residual
{
    uint residual[1];
};

constant uint _516_tmp [[function_constant(0)]];
constant uint _516 = is_function_constant_defined(_516_tmp) ? _516_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_516, 1u, 1u);
constant uint _518 = gl_WorkGroupSize.x;
constant uint rows_at_once = (_518 / 8u);

struct Starts
{
    uint starts[1];
};

constant bool _579 = (RUN == 128u);

struct Counts
{
    uint counts[1];
};

constant bool _609 = (RUN == 128u);
constant bool _645 = (RUN == 128u);
constant uint step_ = _645 ? 1u : 8u;
constant uint RESIDUAL_tmp [[function_constant(3)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _710 = (RESIDUAL != 0u);
constant uint Y_HALF_tmp [[function_constant(5)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 0u;
constant bool _774 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

static inline __attribute__((always_inline))
uint code_of(thread const uint& low, thread const uint& high, thread const uint& at, thread const uint& bits)
{
    uint code = low >> at;
    if ((at + bits) > 32u)
    {
        code |= (high << (32u - at));
    }
    return code & ((1u << bits) - 1u);
}

static inline __attribute__((always_inline))
float half_in(thread const uint& word, thread const uint& index)
{
    float2 both = float2(as_type<half2>(word));
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

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
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

static inline __attribute__((always_inline))
float value_of(thread const uint& at, thread const uint& row, thread const uint& column, const device Codes& v_201, constant Params& v_206, const device OutlierScales& v_280, const device Scales& v_299)
{
    uint _228;
    if ((((((row * v_206.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _228 = v_201.codes[((((row * v_206.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _228 = 0u;
    }
    uint param = v_201.codes[(((row * v_206.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _228;
    uint param_2 = (((row * v_206.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    uint group = row;
    if (_263)
    {
        group = (row * (((v_206.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    uint param_4 = v_280.outlier_scales[group >> uint(1)];
    uint param_5 = group;
    float more = exact_half(param_4, param_5);
    uint param_6 = v_299.scales[group >> uint(1)];
    uint param_7 = group;
    return float(extract_bits(int(code), uint(0), uint(_292))) * (more - exact_half(param_6, param_7));
}

static inline __attribute__((always_inline))
float product_of(thread const uint& at, thread const uint& token, thread const uint& row, thread const uint& run, const device Codes& v_201, constant Params& v_206, const device OutlierScales& v_280, const device Scales& v_299, const device Places& v_322, const device X& v_415)
{
    uint _316;
    if (_315)
    {
        uint _332;
        if ((((at * 7u) & 31u) + 7u) > 32u)
        {
            _332 = v_322.places[((at * 7u) >> uint(5)) + 1u];
        }
        else
        {
            _332 = 0u;
        }
        uint param = v_322.places[(at * 7u) >> uint(5)];
        uint param_1 = _332;
        uint param_2 = (at * 7u) & 31u;
        uint param_3 = 7u;
        _316 = code_of(param, param_1, param_2, param_3);
    }
    else
    {
        _316 = (v_322.places[at >> uint(1)] >> (16u * (at & 1u))) & 65535u;
    }
    uint place = _316;
    uint column = (run * RUN) + place;
    if (column >= v_206.columns)
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
        _386 = ((column / v_206.x_inner) * v_206.x_outer) + (column % v_206.x_inner);
    }
    uint from = (v_206.x_at + (token * v_206.x_token)) + _386;
    float _409;
    if (_408)
    {
        uint param_4 = v_415.x[from >> uint(1)];
        uint param_5 = from;
        _409 = half_in(param_4, param_5);
    }
    else
    {
        _409 = as_type<float>(v_415.x[from]);
    }
    uint param_6 = at;
    uint param_7 = row;
    uint param_8 = column;
    return _409 * value_of(param_6, param_7, param_8, v_201, v_206, v_280, v_299);
}

static inline __attribute__((always_inline))
float residual_at_row(thread const uint& token, thread const uint& row, constant Params& v_206, const device Residual& v_472)
{
    uint from = ((v_206.residual_at + (token * v_206.residual_token)) + ((row / v_206.residual_inner) * v_206.residual_outer)) + (row % v_206.residual_inner);
    float _466;
    if (_465)
    {
        uint param = v_472.residual[from >> uint(1)];
        uint param_1 = from;
        _466 = half_in(param, param_1);
    }
    else
    {
        _466 = as_type<float>(v_472.residual[from]);
    }
    return _466;
}

static inline __attribute__((always_inline))
float round_half(thread const float& x)
{
    float size = abs(x);
    if (size < 6.103515625e-05)
    {
        return rint(x * 16777216.0) * 5.9604644775390625e-08;
    }
    uint bits = as_type<uint>(size);
    bits = ((bits + 4095u) + ((bits >> uint(13)) & 1u)) & 4294959104u;
    float _149;
    if (x < 0.0)
    {
        _149 = -as_type<float>(bits);
    }
    else
    {
        _149 = as_type<float>(bits);
    }
    return _149;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void sparse_add_scaled(constant Params& v_206 [[buffer(0)]], const device X& v_415 [[buffer(1)]], const device Residual& v_472 [[buffer(2)]], device Y& _780 [[buffer(3)]], const device Starts& _554 [[buffer(4)]], const device Counts& _586 [[buffer(5)]], const device Places& v_322 [[buffer(6)]], const device Codes& v_201 [[buffer(7)]], const device Scales& v_299 [[buffer(8)]], const device OutlierScales& v_280 [[buffer(9)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup float sums[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint lane = thread0 % 8u;
    uint token = gl_WorkGroupID.y;
    uint runs = ((v_206.columns + RUN) - 1u) / RUN;
    uint _521 = v_206.row_begin + (gl_WorkGroupID.x * rows_at_once);
    uint _580;
    uint _610;
    for (uint row0 = _521; row0 < v_206.row_end; row0 += (gl_NumWorkGroups.x * rows_at_once))
    {
        uint row = row0 + (thread0 / 8u);
        float sum = 0.0;
        if (row < v_206.row_end)
        {
            uint here = row - v_206.held;
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
                    sum += product_of(param, param_1, param_2, param_3, v_201, v_206, v_280, v_299, v_322, v_415);
                }
                at += count;
            }
        }
        sums[thread0] = sum;
        threadgroup_barrier(mem_flags::mem_threadgroup);
        bool _666 = (thread0 % 16u) == 0u;
        bool _673;
        if (_666)
        {
            _673 = row < v_206.row_end;
        }
        else
        {
            _673 = _666;
        }
        if (_673)
        {
            float2 both = float2(0.0);
            for (uint i_1 = 0u; i_1 < 8u; i_1++)
            {
                both += float2(sums[thread0 + i_1], sums[(thread0 + 8u) + i_1]);
            }
            bool two = (row + 1u) < v_206.row_end;
            if (_710)
            {
                uint param_4 = token;
                uint param_5 = row - v_206.y_row;
                both.x += residual_at_row(param_4, param_5, v_206, v_472);
                if (two)
                {
                    uint param_6 = token;
                    uint param_7 = (row + 1u) - v_206.y_row;
                    both.y += residual_at_row(param_6, param_7, v_206, v_472);
                }
            }
            uint to = ((v_206.y_at + (token * v_206.y_token)) + (((row - v_206.y_row) / v_206.y_inner) * v_206.y_outer)) + ((row - v_206.y_row) % v_206.y_inner);
            if (_774)
            {
                float2 param_8 = both;
                _780.y[to >> uint(1)] = pack_halves(param_8);
            }
            else
            {
                _780.y[to] = as_type<uint>(both.x);
                if (two)
                {
                    _780.y[((v_206.y_at + (token * v_206.y_token)) + ((((row + 1u) - v_206.y_row) / v_206.y_inner) * v_206.y_outer)) + (((row + 1u) - v_206.y_row) % v_206.y_inner)] = as_type<uint>(both.y);
                }
            }
        }
        threadgroup_barrier(mem_flags::mem_threadgroup);
    }
}

