#pragma clang diagnostic ignored "-Wmissing-prototypes"

#include <metal_stdlib>
#include <simd/simd.h>

using namespace metal;

struct Params
{
    uint q_heads;
    uint width;
    uint parts;
    uint scratch_at;
    uint y_at;
    uint y_token;
    uint y_head;
};

struct Scratch
{
    uint scratch[1];
};

constant uint Y_HALF_tmp [[function_constant(1)]];
constant uint Y_HALF = is_function_constant_defined(Y_HALF_tmp) ? Y_HALF_tmp : 1u;
constant bool _262 = (Y_HALF != 0u);

struct Y
{
    uint y[1];
};

constant uint _287_tmp [[function_constant(0)]];
constant uint _287 = is_function_constant_defined(_287_tmp) ? _287_tmp : 1u;
constant uint3 gl_WorkGroupSize [[maybe_unused]] = uint3(_287, 1u, 1u);

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
    float _54;
    if (x < 0.0)
    {
        _54 = -as_type<float>(bits);
    }
    else
    {
        _54 = as_type<float>(bits);
    }
    return _54;
}

static inline __attribute__((always_inline))
uint pack_halves(thread const float2& v)
{
    float param = v.x;
    float param_1 = v.y;
    return as_type<uint>(half2(float2(round_half(param), round_half(param_1))));
}

kernel void attention_join(constant Params& _82 [[buffer(0)]], const device Scratch& _153 [[buffer(1)]], device Y& _268 [[buffer(2)]], uint3 gl_WorkGroupID [[threadgroup_position_in_grid]], uint3 gl_GlobalInvocationID [[thread_position_in_grid]])
{
    uint words = _82.width / 2u;
    uint token = gl_WorkGroupID.y;
    uint head = gl_GlobalInvocationID.x / words;
    uint channel = 2u * (gl_GlobalInvocationID.x % words);
    if (head >= _82.q_heads)
    {
        return;
    }
    uint each = 2u + _82.width;
    uint from = _82.scratch_at + ((((token * _82.q_heads) + head) * _82.parts) * each);
    float most = -3.4028234663852885981170418348452e+38;
    for (uint i = 0u; i < _82.parts; i++)
    {
        most = fast::max(most, as_type<float>(_153.scratch[from + (i * each)]));
    }
    float sum = 0.0;
    float2 total = float2(0.0);
    float2 _204;
    for (uint i_1 = 0u; i_1 < _82.parts; i_1++)
    {
        uint at = from + (i_1 * each);
        float kept = exp(as_type<float>(_153.scratch[at]) - most);
        sum += (kept * as_type<float>(_153.scratch[at + 1u]));
        if (false)
        {
            _204 = float2(as_type<half2>(_153.scratch[((at + 2u) + channel) >> uint(1)]));
        }
        else
        {
            _204 = float2(as_type<float>(_153.scratch[(at + 2u) + channel]), as_type<float>(_153.scratch[((at + 2u) + channel) + 1u]));
        }
        total += (_204 * kept);
    }
    uint at_ = ((_82.y_at + (token * _82.y_token)) + (head * _82.y_head)) + channel;
    float2 two_ = total / float2(sum);
    if (_262)
    {
        float2 param = two_;
        _268.y[at_ >> uint(1)] = pack_halves(param);
    }
    else
    {
        _268.y[at_] = as_type<uint>(two_.x);
        _268.y[at_ + 1u] = as_type<uint>(two_.y);
    }
}

