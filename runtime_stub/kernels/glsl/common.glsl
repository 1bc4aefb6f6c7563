// What every kernel shares: the workgroup, loads and stores of fp16 and float32 numbers, and sums over a
// workgroup. A kernel is `#version 450`, this file, its constants, its block `Params` and its buffers.
//
// A storage buffer is `uint name[]`. Buffers cannot be arguments of functions, so access is by macros:
//   LOAD(x, X_HALF, i)         number i of x as float
//   LOAD2(x, X_HALF, i)        numbers i and i + 1 (i even where the buffer has fp16)
//   STORE2(y, Y_HALF, i, v)    store two numbers (i even where the buffer has fp16)
//   STORE1(y, i, v)            store one number of a float32 buffer
#if defined(SUBGROUP)
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif

layout(local_size_x_id = 0) in;

const uint NO_ROW = 0xffffffffu;
const float LOWEST = -3.402823466e38;

// An fp16 number in a word: the lower half where `index` is even. Subnormal ones may become zero.
float half_in(uint word, uint index) {
  const vec2 both = unpackHalf2x16(word);
  return (index & 1u) == 0u ? both.x : both.y;
}

// The same for scales, which may be subnormal: no operation here drops them. Finite numbers only.
float exact_half(uint word, uint index) {
  const uint h = (word >> ((index & 1u) * 16u)) & 0xffffu;
  const uint magnitude = h & 0x7fffu;
  const float small = float(magnitude) * 5.9604644775390625e-8;  // times 2^-24
  const float normal = uintBitsToFloat((magnitude << 13) + 0x38000000u);
  const float size = magnitude < 0x400u ? small : normal;
  return (h & 0x8000u) != 0u ? -size : size;
}

// The nearest number that fp16 holds, ties to even; the result is finite where |x| < 65520.
float round_half(float x) {
  const float size = abs(x);
  if (size < 6.103515625e-5) {
    return roundEven(x * 16777216.0) * 5.9604644775390625e-8;
  }
  uint bits = floatBitsToUint(size);
  bits = (bits + 0xfffu + ((bits >> 13) & 1u)) & ~0x1fffu;
  return x < 0.0 ? -uintBitsToFloat(bits) : uintBitsToFloat(bits);
}

// Two numbers as fp16 in one word, to nearest, ties to even, on every device.
uint pack_halves(vec2 v) { return packHalf2x16(vec2(round_half(v.x), round_half(v.y))); }

#define LOAD(buffer_, half_, i_) \
  ((half_) != 0u ? half_in(buffer_[(i_) >> 1], (i_)) : uintBitsToFloat(buffer_[i_]))

#define LOAD2(buffer_, half_, i_)                         \
  ((half_) != 0u ? unpackHalf2x16(buffer_[(i_) >> 1])     \
                 : vec2(uintBitsToFloat(buffer_[i_]), uintBitsToFloat(buffer_[(i_) + 1u])))

#define STORE1(buffer_, i_, v_) buffer_[i_] = floatBitsToUint(v_)

#define STORE2(buffer_, half_, i_, v_)            \
  {                                               \
    const uint at_ = (i_);                        \
    const vec2 two_ = (v_);                       \
    if ((half_) != 0u) {                          \
      buffer_[at_ >> 1] = pack_halves(two_);      \
    } else {                                      \
      buffer_[at_] = floatBitsToUint(two_.x);     \
      buffer_[at_ + 1u] = floatBitsToUint(two_.y);\
    }                                             \
  }

// Sums and maxima over a workgroup, the same in all of its threads. Every thread has to call them,
// the same number of times. 4 KiB of shared memory where USE_GROUP_SUM is defined.
#if defined(USE_GROUP_SUM)
shared uvec4 group_words[256];

// KIND, FROM and TO bits, JOIN (a, b), ACROSS a subgroup.
#if defined(SUBGROUP)
#define GROUP_REDUCE(NAME_, KIND_, BITS_, KIND_OF_, JOIN_, ACROSS_)             \
  KIND_ NAME_(KIND_ mine) {                                                     \
    mine = ACROSS_(mine);                                                       \
    if (gl_NumSubgroups == 1u) return mine;                                     \
    barrier(); /* what an earlier call left has been read */                    \
    if (subgroupElect()) group_words[gl_SubgroupID] = BITS_(mine);              \
    barrier();                                                                  \
    KIND_ all_ = KIND_OF_(group_words[0]);                                      \
    for (uint i = 1u; i < gl_NumSubgroups; ++i) {                               \
      all_ = JOIN_(all_, KIND_OF_(group_words[i]));                             \
    }                                                                           \
    return all_;                                                                \
  }
#else
#define GROUP_REDUCE(NAME_, KIND_, BITS_, KIND_OF_, JOIN_, ACROSS_)             \
  KIND_ NAME_(KIND_ mine) {                                                     \
    const uint thread = gl_LocalInvocationID.x;                                 \
    barrier();                                                                  \
    group_words[thread] = BITS_(mine);                                          \
    for (uint half_ = gl_WorkGroupSize.x >> 1; half_ > 0u; half_ >>= 1) {       \
      barrier();                                                                \
      if (thread < half_) {                                                     \
        mine = JOIN_(mine, KIND_OF_(group_words[thread + half_]));              \
        group_words[thread] = BITS_(mine);                                      \
      }                                                                         \
    }                                                                           \
    barrier();                                                                  \
    return KIND_OF_(group_words[0]);                                            \
  }
#endif
#define PLUS(a_, b_) ((a_) + (b_))
GROUP_REDUCE(group_sum, vec4, floatBitsToUint, uintBitsToFloat, PLUS, subgroupAdd)
GROUP_REDUCE(group_sum, ivec4, uvec4, ivec4, PLUS, subgroupAdd)
GROUP_REDUCE(group_max, vec4, floatBitsToUint, uintBitsToFloat, max, subgroupMax)

float group_sum(float mine) { return group_sum(vec4(mine, 0.0, 0.0, 0.0)).x; }
float group_max(float mine) { return group_max(vec4(mine, LOWEST, LOWEST, LOWEST)).x; }
#endif
