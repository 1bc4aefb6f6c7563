#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Values
{
    uint values[1];
};

constant uint RUN_tmp [[function_constant(6)]];
constant uint RUN = is_function_constant_defined(RUN_tmp) ? RUN_tmp : 128u;
constant bool _217 = (RUN == 128u);

struct Places
{
    uint places[1];
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
};

constant uint X_RUNS_tmp [[function_constant(2)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _293 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _316 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant uint RESIDUAL_HALF_tmp [[function_constant(4)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _373 = (RESIDUAL_HALF != 0u);

struct Residual
{
    uint residual[1];
};

constant uint _424_tmp [[function_constant(0)]];
constant uint _424 = is_function_constant_defined(_424_tmp) ? _424_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_424, 1u, 1u);
constant uint _426 = gl_WorkGroupSize.x;
constant uint rows_at_once = (_426 / 8u);

struct Starts
{
    uint starts[1];
};

constant bool _483 = (RUN == 128u);

struct Counts
{
    uint counts[1];
};

constant bool _513 = (RUN == 128u);
constant bool _549 = (RUN == 128u);
constant uint step_ = _549 ? 1u : 8u;
constant uint RESIDUAL_tmp [[function_constant(3)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _614 = (RESIDUAL != 0u);
constant uint Y_HALF_tmp [[function_constant(5)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 0u;
constant bool _678 = (Y_HALF != 0u);

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
float value_of(thread const uint& at, thread const uint& row, thread const uint& column, const device Values& v_200)
{
    uint param = v_200.values[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
}

static inline __attribute__((always_inline))
float product_of(thread const uint& at, thread const uint& token, thread const uint& row, thread const uint& run, const device Values& v_200, const device Places& v_224, constant Params& v_276, const device X& v_323)
{
    uint _218;
    if (_217)
    {
        uint _236;
        if ((((at * 7u) & 31u) + 7u) > 32u)
        {
            _236 = v_224.places[((at * 7u) >> uint(5)) + 1u];
        }
        else
        {
            _236 = 0u;
        }
        uint param = v_224.places[(at * 7u) >> uint(5)];
        uint param_1 = _236;
        uint param_2 = (at * 7u) & 31u;
        uint param_3 = 7u;
        _218 = code_of(param, param_1, param_2, param_3);
    }
    else
    {
        _218 = (v_224.places[at >> uint(1)] >> (16u * (at & 1u))) & 65535u;
    }
    uint place = _218;
    uint column = (run * RUN) + place;
    if (column >= v_276.columns)
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
        _294 = ((column / v_276.x_inner) * v_276.x_outer) + (column % v_276.x_inner);
    }
    uint from = (v_276.x_at + (token * v_276.x_token)) + _294;
    float _317;
    if (_316)
    {
        uint param_4 = v_323.x[from >> uint(1)];
        uint param_5 = from;
        _317 = half_in(param_4, param_5);
    }
    else
    {
        _317 = as_type<float>(v_323.x[from]);
    }
    uint param_6 = at;
    uint param_7 = row;
    uint param_8 = column;
    return _317 * value_of(param_6, param_7, param_8, v_200);
}

static inline __attribute__((always_inline))
float residual_at_row(thread const uint& token, thread const uint& row, constant Params& v_276, const device Residual& v_380)
{
    uint from = ((v_276.residual_at + (token * v_276.residual_token)) + ((row / v_276.residual_inner) * v_276.residual_outer)) + (row % v_276.residual_inner);
    float _374;
    if (_373)
    {
        uint param = v_380.residual[from >> uint(1)];
        uint param_1 = from;
        _374 = half_in(param, param_1);
    }
    else
    {
        _374 = as_type<float>(v_380.residual[from]);
    }
    return _374;
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

kernel void sparse_add(constant Params& v_276 [[buffer(0)]], const device X& v_323 [[buffer(1)]], const device Residual& v_380 [[buffer(2)]], device Y& _684 [[buffer(3)]], const device Starts& _458 [[buffer(4)]], const device Counts& _490 [[buffer(5)]], const device Places& v_224 [[buffer(6)]], const device Values& v_200 [[buffer(7)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup float sums[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint lane = thread0 % 8u;
    uint token = gl_WorkGroupID.y;
    uint runs = ((v_276.columns + RUN) - 1u) / RUN;
    uint _429 = v_276.row_begin + (gl_WorkGroupID.x * rows_at_once);
    uint _484;
    uint _514;
    for (uint row0 = _429; row0 < v_276.row_end; row0 += (gl_NumWorkGroups.x * rows_at_once))
    {
        uint row = row0 + (thread0 / 8u);
        float sum = 0.0;
        if (row < v_276.row_end)
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
                    sum += product_of(param, param_1, param_2, param_3, v_200, v_224, v_276, v_323);
                }
                at += count;
            }
        }
        sums[thread0] = sum;
        threadgroup_barrier(mem_flags::mem_threadgroup);
        bool _570 = (thread0 % 16u) == 0u;
        bool _577;
        if (_570)
        {
            _577 = row < v_276.row_end;
        }
        else
        {
            _577 = _570;
        }
        if (_577)
        {
            float2 both = float2(0.0);
            for (uint i_1 = 0u; i_1 < 8u; i_1++)
            {
                both += float2(sums[thread0 + i_1], sums[(thread0 + 8u) + i_1]);
            }
            bool two = (row + 1u) < v_276.row_end;
            if (_614)
            {
                uint param_4 = token;
                uint param_5 = row - v_276.y_row;
                both.x += residual_at_row(param_4, param_5, v_276, v_380);
                if (two)
                {
                    uint param_6 = token;
                    uint param_7 = (row + 1u) - v_276.y_row;
                    both.y += residual_at_row(param_6, param_7, v_276, v_380);
                }
            }
            uint to = ((v_276.y_at + (token * v_276.y_token)) + (((row - v_276.y_row) / v_276.y_inner) * v_276.y_outer)) + ((row - v_276.y_row) % v_276.y_inner);
            if (_678)
            {
                float2 param_8 = both;
                _684.y[to >> uint(1)] = pack_halves(param_8);
            }
            else
            {
                _684.y[to] = as_type<uint>(both.x);
                if (two)
                {
                    _684.y[((v_276.y_at + (token * v_276.y_token)) + ((((row + 1u) - v_276.y_row) / v_276.y_inner) * v_276.y_outer)) + (((row + 1u) - v_276.y_row) % v_276.y_inner)] = as_type<uint>(both.y);
                }
            }
        }
        threadgroup_barrier(mem_flags::mem_threadgroup);
    }
}

