#version 310 es
#if defined(GL_EXT_control_flow_attributes)
#extension GL_EXT_control_flow_attributes : require
#define SPIRV_CROSS_FLATTEN [[flatten]]
#define SPIRV_CROSS_BRANCH [[dont_flatten]]
#define SPIRV_CROSS_UNROLL [[unroll]]
#define SPIRV_CROSS_LOOP [[dont_unroll]]
#else
#define SPIRV_CROSS_FLATTEN
#define SPIRV_CROSS_BRANCH
#define SPIRV_CROSS_UNROLL
#define SPIRV_CROSS_LOOP
#endif

#ifndef SPIRV_CROSS_CONSTANT_ID_3
#define SPIRV_CROSS_CONSTANT_ID_3 1u
#endif
const uint WEIGHT_HALF = SPIRV_CROSS_CONSTANT_ID_3;
const bool _170 = (WEIGHT_HALF != 0u);
const bool _192 = (WEIGHT_HALF != 0u);
const uint _195 = _192 ? 128u : 256u;
const uint _196 = (_195 % 8u);
const bool _197 = (_196 != 0u);
const bool _217 = (WEIGHT_HALF != 0u);
const uint _218 = _217 ? 128u : 256u;
const bool _223 = (WEIGHT_HALF != 0u);
const uint _224 = _223 ? 128u : 256u;
const bool _230 = (WEIGHT_HALF != 0u);
const uint _231 = _230 ? 128u : 256u;
const bool _247 = (WEIGHT_HALF != 0u);
const uint _248 = _247 ? 128u : 256u;
const bool _271 = (WEIGHT_HALF != 0u);
const uint _272 = _271 ? 128u : 256u;
const uint _273 = (_272 % 32u);
const bool _274 = (_273 == 0u);
const bool _275 = (WEIGHT_HALF != 0u);
const uint _276 = _275 ? 128u : 256u;
const uint _278 = (_276 % 16u);
const bool _279 = (_278 == 0u);
const bool _280 = (WEIGHT_HALF != 0u);
const uint _281 = _280 ? 128u : 256u;
const uint _282 = (_281 % 8u);
const bool _283 = (_282 == 0u);
const uint _284 = _283 ? 32u : 8u;
const uint _285 = _279 ? 16u : _284;
const uint _286 = _274 ? 8u : _285;
const bool _291 = (WEIGHT_HALF != 0u);
const uint _292 = _291 ? 128u : 256u;
const uint _293 = (_292 % 32u);
const bool _294 = (_293 == 0u);
const bool _295 = (WEIGHT_HALF != 0u);
const uint _296 = _295 ? 128u : 256u;
const uint _297 = (_296 % 16u);
const bool _298 = (_297 == 0u);
const bool _299 = (WEIGHT_HALF != 0u);
const uint _300 = _299 ? 128u : 256u;
const uint _301 = (_300 % 8u);
const bool _302 = (_301 == 0u);
const uint _303 = _302 ? 32u : 8u;
const uint _304 = _298 ? 16u : _303;
const uint _305 = _294 ? 8u : _304;
const bool _306 = (WEIGHT_HALF != 0u);
const uint _307 = _306 ? 128u : 256u;
const uint _308 = (_305 * _307);
const uint _309 = (_308 / 256u);
const bool _318 = (WEIGHT_HALF != 0u);
const uint _319 = _318 ? 128u : 256u;
const uint _320 = (_319 % 32u);
const bool _321 = (_320 == 0u);
const bool _322 = (WEIGHT_HALF != 0u);
const uint _323 = _322 ? 128u : 256u;
const uint _324 = (_323 % 16u);
const bool _325 = (_324 == 0u);
const bool _326 = (WEIGHT_HALF != 0u);
const uint _327 = _326 ? 128u : 256u;
const uint _328 = (_327 % 8u);
const bool _329 = (_328 == 0u);
const uint _330 = _329 ? 32u : 8u;
const uint _331 = _325 ? 16u : _330;
const uint _332 = _321 ? 8u : _331;
const bool _333 = (WEIGHT_HALF != 0u);
const uint _334 = _333 ? 128u : 256u;
const uint _335 = (_332 * _334);
const uint _336 = (_335 / 256u);
const bool _347 = (WEIGHT_HALF != 0u);
const uint _348 = _347 ? 128u : 256u;
const uint _349 = (_348 % 8u);
const bool _350 = (_349 != 0u);
const bool _351 = (!_350);
const bool _354 = (WEIGHT_HALF != 0u);
const uint _355 = _354 ? 128u : 256u;
const uint _356 = (_355 % 32u);
const bool _357 = (_356 == 0u);
const bool _358 = (WEIGHT_HALF != 0u);
const uint _359 = _358 ? 128u : 256u;
const uint _360 = (_359 % 16u);
const bool _361 = (_360 == 0u);
const bool _362 = (WEIGHT_HALF != 0u);
const uint _363 = _362 ? 128u : 256u;
const uint _364 = (_363 % 8u);
const bool _365 = (_364 == 0u);
const uint _366 = _365 ? 32u : 8u;
const uint _367 = _361 ? 16u : _366;
const uint _368 = _357 ? 8u : _367;
const bool _369 = (_368 == 8u);
const bool _395 = (WEIGHT_HALF != 0u);
const uint _396 = _395 ? 128u : 256u;
const bool _400 = (WEIGHT_HALF != 0u);
const uint _401 = _400 ? 128u : 256u;
const bool _407 = (WEIGHT_HALF != 0u);
const uint _408 = _407 ? 128u : 256u;
const bool _419 = (WEIGHT_HALF != 0u);
const uint _420 = _419 ? 128u : 256u;
const bool _450 = (WEIGHT_HALF != 0u);
const uint _451 = _450 ? 128u : 256u;
const bool _477 = (WEIGHT_HALF != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_0
#define SPIRV_CROSS_CONSTANT_ID_0 1u
#endif
#ifndef SPIRV_CROSS_CONSTANT_ID_1
#define SPIRV_CROSS_CONSTANT_ID_1 0u
#endif
const uint ALIGNED = SPIRV_CROSS_CONSTANT_ID_1;
const bool _606 = (ALIGNED != 0u);
#ifndef SPIRV_CROSS_CONSTANT_ID_2
#define SPIRV_CROSS_CONSTANT_ID_2 1u
#endif
const uint Y_HALF = SPIRV_CROSS_CONSTANT_ID_2;
const bool _680 = (Y_HALF != 0u);
const bool _759 = (Y_HALF != 0u);

layout(local_size_x = SPIRV_CROSS_CONSTANT_ID_0, local_size_y = 1, local_size_z = 1) in;

layout(binding = 0, std140) uniform Params
{
    uint ids_at;
    uint y_at;
    uint y_token;
    uint y_inner;
    uint y_outer;
    uint columns;
    uint row_begin;
    uint row_end;
    uint held;
} _204;

layout(binding = 3, std430) readonly buffer Codes
{
    uint codes[];
} _238;

layout(binding = 1, std430) readonly buffer Ids
{
    uint ids[];
} _547;

layout(binding = 2, std430) buffer Y
{
    uint y[];
} _686;

uint table_of(uint first, uint row)
{
    return 0u;
}

void load_step(uint row, uint step_, inout uint words[8])
{
    if (_197)
    {
        uint eight = (row * (_204.columns >> uint(3))) + step_;
        uint at = ((eight >> uint(5)) * _218) + (((eight & 31u) * _224) >> uint(5));
        uint shift = (eight * _231) & 31u;
        words[0] = _238.codes[at] >> shift;
        if ((shift + _248) > 32u)
        {
            words[0] |= (_238.codes[at + 1u] << (32u - shift));
        }
        words[1] = 0u;
    }
    else
    {
        uint at_1 = ((row * (_204.columns / _286)) + step_) * _309;
        SPIRV_CROSS_UNROLL
        for (uint i = 0u; i < _336; i++)
        {
            words[i] = _238.codes[at_1 + i];
        }
    }
}

float half_in(uint word, uint index)
{
    vec2 both = unpackHalf2x16(word);
    float _84;
    if ((index & 1u) == 0u)
    {
        _84 = both.x;
    }
    else
    {
        _84 = both.y;
    }
    return _84;
}

void numbers(uint words[8], uint sub, uint at, inout float v[8])
{
    float _171;
    SPIRV_CROSS_UNROLL
    for (uint j = 0u; j < 8u; j++)
    {
        if (_170)
        {
            uint param = words[j >> uint(1)];
            uint param_1 = j;
            _171 = half_in(param, param_1);
        }
        else
        {
            _171 = uintBitsToFloat(words[j]);
        }
        v[j] = _171;
    }
}

void load_eight(uint row, uint column, uint at, out float v[8])
{
    bool _370;
    if (_351)
    {
        _370 = _369;
    }
    else
    {
        _370 = _350;
    }
    uint words[8];
    if (_370)
    {
        uint param = row;
        uint param_1 = column >> uint(3);
        uint param_2[8];
        load_step(param, param_1, param_2);
        words = param_2;
    }
    else
    {
        uint eight = (row * (_204.columns >> uint(3))) + (column >> uint(3));
        uint word = ((eight >> uint(5)) * _396) + (((eight & 31u) * _401) >> uint(5));
        uint shift = (eight * _408) & 31u;
        words[0] = _238.codes[word] >> shift;
        words[1] = 0u;
        if ((shift + _420) > 32u)
        {
            uint next = _238.codes[word + 1u];
            uint _432;
            if (shift == 0u)
            {
                _432 = 0u;
            }
            else
            {
                _432 = next << (32u - shift);
            }
            words[0] |= _432;
            words[1] = next >> shift;
        }
        if ((shift + _451) > 64u)
        {
            words[1] |= (_238.codes[word + 2u] << (32u - shift));
        }
    }
    uint param_3[8] = words;
    uint param_4 = 0u;
    uint param_5 = at;
    float param_6[8];
    numbers(param_3, param_4, param_5, param_6);
    v = param_6;
}

vec2 level(uint row, uint column)
{
    return vec2(1.0, 0.0);
}

uint place(uint token, uint column)
{
    return ((_204.y_at + (token * _204.y_token)) + ((column / _204.y_inner) * _204.y_outer)) + (column % _204.y_inner);
}

float weight_of(vec2 level_, float v)
{
    return v;
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
    float _127;
    if (x < 0.0)
    {
        _127 = -uintBitsToFloat(bits);
    }
    else
    {
        _127 = uintBitsToFloat(bits);
    }
    return _127;
}

uint pack_halves(vec2 v)
{
    float param = v.x;
    float param_1 = v.y;
    return packHalf2x16(vec2(round_half(param), round_half(param_1)));
}

float load_weight(uint row, uint column, uint at)
{
    float _478;
    if (_477)
    {
        uint param = _238.codes[((row * _204.columns) + column) >> uint(1)];
        uint param_1 = (row * _204.columns) + column;
        _478 = half_in(param, param_1);
    }
    else
    {
        _478 = uintBitsToFloat(_238.codes[(row * _204.columns) + column]);
    }
    return _478;
}

void main()
{
    uint token = gl_WorkGroupID.y;
    uint row = _547.ids[2u * (_204.ids_at + token)];
    bool _563 = _547.ids[(2u * (_204.ids_at + token)) + 1u] != 0u;
    bool _572;
    if (!_563)
    {
        _572 = row < _204.row_begin;
    }
    else
    {
        _572 = _563;
    }
    bool _581;
    if (!_572)
    {
        _581 = row >= _204.row_end;
    }
    else
    {
        _581 = _572;
    }
    if (_581)
    {
        return;
    }
    uint param = row;
    uint param_1 = row;
    uint at = table_of(param, param_1);
    uint here = row - _204.held;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (_606)
    {
        float param_5[8];
        for (uint i = gl_GlobalInvocationID.x; i < (_204.columns >> uint(3)); i += stride)
        {
            uint param_2 = here;
            uint param_3 = 8u * i;
            uint param_4 = at;
            load_eight(param_2, param_3, param_4, param_5);
            float v[8] = param_5;
            uint param_6 = here;
            uint param_7 = 8u * i;
            vec2 found = level(param_6, param_7);
            uint param_8 = token;
            uint param_9 = 8u * i;
            uint to = place(param_8, param_9);
            SPIRV_CROSS_UNROLL
            for (uint j = 0u; j < 8u; j += 2u)
            {
                vec2 param_10 = found;
                float param_11 = v[j];
                vec2 param_12 = found;
                float param_13 = v[j + 1u];
                vec2 two = vec2(weight_of(param_10, param_11), weight_of(param_12, param_13));
                uint at_ = to + j;
                vec2 two_ = two;
                if (_680)
                {
                    vec2 param_14 = two_;
                    _686.y[at_ >> uint(1)] = pack_halves(param_14);
                }
                else
                {
                    _686.y[at_] = floatBitsToUint(two_.x);
                    _686.y[at_ + 1u] = floatBitsToUint(two_.y);
                }
            }
        }
        return;
    }
    uint _714 = 2u * gl_GlobalInvocationID.x;
    for (uint column = _714; column < _204.columns; column += (2u * stride))
    {
        uint param_15 = here;
        uint param_16 = column;
        uint param_17 = at;
        float first = load_weight(param_15, param_16, param_17);
        if ((column + 1u) == _204.columns)
        {
            uint param_18 = token;
            uint param_19 = column;
            _686.y[place(param_18, param_19)] = floatBitsToUint(first);
            continue;
        }
        uint param_20 = here;
        uint param_21 = column + 1u;
        uint param_22 = at;
        vec2 two_1 = vec2(first, load_weight(param_20, param_21, param_22));
        if (_759)
        {
            uint param_23 = token;
            uint param_24 = column;
            vec2 param_25 = two_1;
            _686.y[place(param_23, param_24) >> uint(1)] = pack_halves(param_25);
        }
        else
        {
            uint param_26 = token;
            uint param_27 = column;
            _686.y[place(param_26, param_27)] = floatBitsToUint(two_1.x);
            uint param_28 = token;
            uint param_29 = column + 1u;
            _686.y[place(param_28, param_29)] = floatBitsToUint(two_1.y);
        }
    }
}

