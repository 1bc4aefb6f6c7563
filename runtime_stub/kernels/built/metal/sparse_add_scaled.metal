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
    uint columns;
    uint row_begin;
    uint row_end;
    uint held;
};

constant uint BITS_tmp [[function_constant(6)]];
constant uint BITS = is_function_constant_defined(BITS_tmp) ? BITS_tmp : 4u;
constant uint GROUP_tmp [[function_constant(7)]];
constant uint GROUP = is_function_constant_defined(GROUP_tmp) ? GROUP_tmp : 0u;
constant bool _199 = (GROUP != 0u);

struct OutlierScales
{
    uint outlier_scales[1];
};

constant int _228 = int(BITS + 0u);

struct Scales
{
    uint scales[1];
};

constant uint RUN_tmp [[function_constant(5)]];
constant uint RUN = is_function_constant_defined(RUN_tmp) ? RUN_tmp : 128u;
constant bool _251 = (RUN == 128u);

struct Places
{
    uint places[1];
};

constant uint X_RUNS_tmp [[function_constant(2)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _322 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _345 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant uint _404_tmp [[function_constant(0)]];
constant uint _404 = is_function_constant_defined(_404_tmp) ? _404_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_404, 1u, 1u);
constant uint _406 = gl_WorkGroupSize.x;
constant uint rows_at_once = (_406 / 8u);

struct Starts
{
    uint starts[1];
};

constant bool _466 = (RUN == 128u);

struct Counts
{
    uint counts[1];
};

constant bool _496 = (RUN == 128u);
constant bool _532 = (RUN == 128u);
constant uint step_ = _532 ? 1u : 8u;
constant uint RESIDUAL_tmp [[function_constant(3)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _580 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(4)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _608 = (RESIDUAL_HALF != 0u);

struct Residual
{
    uint residual[1];
};

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

static inline __attribute__((always_inline))
float exact_half(thread const uint& word, thread const uint& index)
{
    uint h = (word >> ((index & 1u) * 16u)) & 65535u;
    uint magnitude = h & 32767u;
    float small = float(magnitude) * 5.9604644775390625e-08;
    float normal = as_type<float>((magnitude << uint(13)) + 939524096u);
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

static inline __attribute__((always_inline))
float value_of(thread const uint& at, thread const uint& row, thread const uint& column, const device Codes& v_136, constant Params& v_141, const device OutlierScales& v_216, const device Scales& v_235)
{
    uint _164;
    if ((((((row * v_141.columns) + column) * BITS) & 31u) + BITS) > 32u)
    {
        _164 = v_136.codes[((((row * v_141.columns) + column) * BITS) >> uint(5)) + 1u];
    }
    else
    {
        _164 = 0u;
    }
    uint param = v_136.codes[(((row * v_141.columns) + column) * BITS) >> uint(5)];
    uint param_1 = _164;
    uint param_2 = (((row * v_141.columns) + column) * BITS) & 31u;
    uint param_3 = BITS;
    uint code = code_of(param, param_1, param_2, param_3);
    uint group = row;
    if (_199)
    {
        group = (row * (((v_141.columns + GROUP) - 1u) / GROUP)) + (column / GROUP);
    }
    uint param_4 = v_216.outlier_scales[group >> uint(1)];
    uint param_5 = group;
    float more = exact_half(param_4, param_5);
    uint param_6 = v_235.scales[group >> uint(1)];
    uint param_7 = group;
    return float(extract_bits(int(code), uint(0), uint(_228))) * (more - exact_half(param_6, param_7));
}

static inline __attribute__((always_inline))
float product_of(thread const uint& at, thread const uint& token, thread const uint& row, thread const uint& run, const device Codes& v_136, constant Params& v_141, const device OutlierScales& v_216, const device Scales& v_235, const device Places& v_258, const device X& v_352)
{
    uint _252;
    if (_251)
    {
        uint _268;
        if ((((at * 7u) & 31u) + 7u) > 32u)
        {
            _268 = v_258.places[((at * 7u) >> uint(5)) + 1u];
        }
        else
        {
            _268 = 0u;
        }
        uint param = v_258.places[(at * 7u) >> uint(5)];
        uint param_1 = _268;
        uint param_2 = (at * 7u) & 31u;
        uint param_3 = 7u;
        _252 = code_of(param, param_1, param_2, param_3);
    }
    else
    {
        _252 = (v_258.places[at >> uint(1)] >> (16u * (at & 1u))) & 65535u;
    }
    uint place = _252;
    uint column = (run * RUN) + place;
    if (column >= v_141.columns)
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
        _323 = ((column / v_141.x_inner) * v_141.x_outer) + (column % v_141.x_inner);
    }
    uint from = (v_141.x_at + (token * v_141.x_token)) + _323;
    float _346;
    if (_345)
    {
        uint param_4 = v_352.x[from >> uint(1)];
        uint param_5 = from;
        _346 = half_in(param_4, param_5);
    }
    else
    {
        _346 = as_type<float>(v_352.x[from]);
    }
    uint param_6 = at;
    uint param_7 = row;
    uint param_8 = column;
    return _346 * value_of(param_6, param_7, param_8, v_136, v_141, v_216, v_235);
}

kernel void sparse_add_scaled(constant Params& v_141 [[buffer(0)]], const device X& v_352 [[buffer(1)]], const device Residual& _615 [[buffer(2)]], device Y& _635 [[buffer(3)]], const device Starts& _441 [[buffer(4)]], const device Counts& _473 [[buffer(5)]], const device Places& v_258 [[buffer(6)]], const device Codes& v_136 [[buffer(7)]], const device Scales& v_235 [[buffer(8)]], const device OutlierScales& v_216 [[buffer(9)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup float sums[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint lane = thread0 % 8u;
    uint token = gl_WorkGroupID.y;
    uint runs = ((v_141.columns + RUN) - 1u) / RUN;
    uint _409 = v_141.row_begin + (gl_WorkGroupID.x * rows_at_once);
    uint _467;
    uint _497;
    float _609;
    for (uint row0 = _409; row0 < v_141.row_end; row0 += (gl_NumWorkGroups.x * rows_at_once))
    {
        uint row = row0 + (thread0 / 8u);
        float sum = 0.0;
        if (row < v_141.row_end)
        {
            uint here = row - v_141.held;
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
                    sum += product_of(param, param_1, param_2, param_3, v_136, v_141, v_216, v_235, v_258, v_352);
                }
                at += count;
            }
        }
        sums[thread0] = sum;
        threadgroup_barrier(mem_flags::mem_threadgroup);
        bool _552 = lane == 0u;
        bool _559;
        if (_552)
        {
            _559 = row < v_141.row_end;
        }
        else
        {
            _559 = _552;
        }
        if (_559)
        {
            for (uint i_1 = 1u; i_1 < 8u; i_1++)
            {
                sum += sums[thread0 + i_1];
            }
            if (_580)
            {
                uint from = ((v_141.residual_at + (token * v_141.residual_token)) + ((row / v_141.residual_inner) * v_141.residual_outer)) + (row % v_141.residual_inner);
                if (_608)
                {
                    uint param_4 = _615.residual[from >> uint(1)];
                    uint param_5 = from;
                    _609 = half_in(param_4, param_5);
                }
                else
                {
                    _609 = as_type<float>(_615.residual[from]);
                }
                sum += _609;
            }
            _635.y[(v_141.y_at + (token * v_141.y_token)) + row] = as_type<uint>(sum);
        }
        threadgroup_barrier(mem_flags::mem_threadgroup);
    }
}

