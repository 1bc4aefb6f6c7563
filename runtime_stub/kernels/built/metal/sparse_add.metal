#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Values
{
    uint values[1];
};

constant uint RUN_tmp [[function_constant(5)]];
constant uint RUN = is_function_constant_defined(RUN_tmp) ? RUN_tmp : 128u;
constant bool _152 = (RUN == 128u);

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
    uint columns;
    uint row_begin;
    uint row_end;
};

constant uint X_RUNS_tmp [[function_constant(2)]];
constant uint X_RUNS = is_function_constant_defined(X_RUNS_tmp) ? X_RUNS_tmp : 0u;
constant bool _230 = (X_RUNS == 0u);
constant uint X_HALF_tmp [[function_constant(1)]];
constant uint X_HALF = is_function_constant_defined(X_HALF_tmp) ? X_HALF_tmp : 1u;
constant bool _253 = (X_HALF != 0u);

struct X
{
    uint x[1];
};

constant uint _312_tmp [[function_constant(0)]];
constant uint _312 = is_function_constant_defined(_312_tmp) ? _312_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_312, 1u, 1u);
constant uint _314 = gl_WorkGroupSize.x;
constant uint rows_at_once = (_314 / 8u);

struct Starts
{
    uint starts[1];
};

constant bool _371 = (RUN == 128u);

struct Counts
{
    uint counts[1];
};

constant bool _401 = (RUN == 128u);
constant bool _437 = (RUN == 128u);
constant uint step_ = _437 ? 1u : 8u;
constant uint RESIDUAL_tmp [[function_constant(3)]];
constant uint RESIDUAL = is_function_constant_defined(RESIDUAL_tmp) ? RESIDUAL_tmp : 0u;
constant bool _485 = (RESIDUAL != 0u);
constant uint RESIDUAL_HALF_tmp [[function_constant(4)]];
constant uint RESIDUAL_HALF = is_function_constant_defined(RESIDUAL_HALF_tmp) ? RESIDUAL_HALF_tmp : 0u;
constant bool _513 = (RESIDUAL_HALF != 0u);

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
float value_of(thread const uint& at, thread const uint& row, thread const uint& column, const device Values& v_135)
{
    uint param = v_135.values[at >> uint(1)];
    uint param_1 = at;
    return exact_half(param, param_1);
}

static inline __attribute__((always_inline))
float product_of(thread const uint& at, thread const uint& token, thread const uint& row, thread const uint& run, const device Values& v_135, const device Places& v_159, constant Params& v_211, const device X& v_260)
{
    uint _153;
    if (_152)
    {
        uint _171;
        if ((((at * 7u) & 31u) + 7u) > 32u)
        {
            _171 = v_159.places[((at * 7u) >> uint(5)) + 1u];
        }
        else
        {
            _171 = 0u;
        }
        uint param = v_159.places[(at * 7u) >> uint(5)];
        uint param_1 = _171;
        uint param_2 = (at * 7u) & 31u;
        uint param_3 = 7u;
        _153 = code_of(param, param_1, param_2, param_3);
    }
    else
    {
        _153 = (v_159.places[at >> uint(1)] >> (16u * (at & 1u))) & 65535u;
    }
    uint place = _153;
    uint column = (run * RUN) + place;
    if (column >= v_211.columns)
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
        _231 = ((column / v_211.x_inner) * v_211.x_outer) + (column % v_211.x_inner);
    }
    uint from = (v_211.x_at + (token * v_211.x_token)) + _231;
    float _254;
    if (_253)
    {
        uint param_4 = v_260.x[from >> uint(1)];
        uint param_5 = from;
        _254 = half_in(param_4, param_5);
    }
    else
    {
        _254 = as_type<float>(v_260.x[from]);
    }
    uint param_6 = at;
    uint param_7 = row;
    uint param_8 = column;
    return _254 * value_of(param_6, param_7, param_8, v_135);
}

kernel void sparse_add(constant Params& v_211 [[buffer(0)]], const device X& v_260 [[buffer(1)]], const device Residual& _520 [[buffer(2)]], device Y& _540 [[buffer(3)]], const device Starts& _346 [[buffer(4)]], const device Counts& _378 [[buffer(5)]], const device Places& v_159 [[buffer(6)]], const device Values& v_135 [[buffer(7)]], uint3 gl_LocalInvocationID [[thread_position_in_threadgroup]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_NumWorkGroups [[threadgroups_per_grid]])
{
    threadgroup float sums[256];
    uint thread0 = gl_LocalInvocationID.x;
    uint lane = thread0 % 8u;
    uint token = gl_WorkGroupID.y;
    uint runs = ((v_211.columns + RUN) - 1u) / RUN;
    uint _317 = v_211.row_begin + (gl_WorkGroupID.x * rows_at_once);
    uint _372;
    uint _402;
    float _514;
    for (uint row0 = _317; row0 < v_211.row_end; row0 += (gl_NumWorkGroups.x * rows_at_once))
    {
        uint row = row0 + (thread0 / 8u);
        float sum = 0.0;
        if (row < v_211.row_end)
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
                    sum += product_of(param, param_1, param_2, param_3, v_135, v_159, v_211, v_260);
                }
                at += count;
            }
        }
        sums[thread0] = sum;
        threadgroup_barrier(mem_flags::mem_threadgroup);
        bool _457 = lane == 0u;
        bool _464;
        if (_457)
        {
            _464 = row < v_211.row_end;
        }
        else
        {
            _464 = _457;
        }
        if (_464)
        {
            for (uint i_1 = 1u; i_1 < 8u; i_1++)
            {
                sum += sums[thread0 + i_1];
            }
            if (_485)
            {
                uint from = ((v_211.residual_at + (token * v_211.residual_token)) + ((row / v_211.residual_inner) * v_211.residual_outer)) + (row % v_211.residual_inner);
                if (_513)
                {
                    uint param_4 = _520.residual[from >> uint(1)];
                    uint param_5 = from;
                    _514 = half_in(param_4, param_5);
                }
                else
                {
                    _514 = as_type<float>(_520.residual[from]);
                }
                sum += _514;
            }
            _540.y[(v_211.y_at + (token * v_211.y_token)) + row] = as_type<uint>(sum);
        }
        threadgroup_barrier(mem_flags::mem_threadgroup);
    }
}

