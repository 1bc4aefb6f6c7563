// A packed matrix (rows, columns), read in eights of neighbouring weights. What a kernel defines before:
//   one of AFFINE, LUT, E0M4, NESTED, VECTORS, FLOAT: how the weights are stored
//   WEIGHT_BINDING, WEIGHT_CONSTANT: the first binding, and the first id of a constant, of the weight
//   KERNEL_PARAMS: the kernel's own params
//   SHARED_TABLES, SHARED_BOOK (optional): tables of rows, the codebook of vectors are read from shared memory
//
// Params of every weight: `columns`; rows `row_begin` .. `row_end` - 1 are those that this dispatch makes, and
// `held` is the row that the parts given begin with: a weight larger than a device can bind is cut into
// several dispatches. Tables, bias and outputs are given whole.
//
// A weight is combined from the number v that its code stands for and the level (a, z) of its group.
//
// ALIGNED = 1: columns is a multiple of 32 and GROUP of 8; else 0. Weights are then read one by one.
#include "codes.glsl"

#define CONSTANT(n_) layout(constant_id = WEIGHT_CONSTANT + n_) const uint
#define PART(n_) layout(set = 0, binding = WEIGHT_BINDING + n_) readonly buffer

#if defined(AFFINE)
// GROUP: columns that share a scale, 0: all. SCALE_BITS: 0 where scales are fp16, else they are codes.
// SIGNED: a kernel without zero points. ZEROS: 0 none (signed codes), 1 codes of ZERO_BITS, 2 fp16.
CONSTANT(0) BITS = 4;
CONSTANT(1) GROUP = 0;
CONSTANT(2) SCALE_BITS = 0;
#if defined(SIGNED)
#define ZEROS 0u
#define ZERO_BITS BITS
#else
CONSTANT(3) ZEROS = 0;
CONSTANT(4) ZERO_BITS = 4;
#endif
#define UNIT (8u * BITS)
PART(0) Codes { uint codes[]; };
PART(1) Scales { uint scales[]; };
#if defined(SIGNED)
PART(2) Supers { uint supers[]; };
#else
PART(2) Zeros { uint zeros[]; };
PART(3) Supers { uint supers[]; };
#endif
#define WEIGHT_PARAMS
#elif defined(E0M4)
CONSTANT(0) GROUP = 0;
#define BITS 4u
#define UNIT 32u
PART(0) Codes { uint codes[]; };
PART(1) Scales { uint scales[]; };
PART(2) Offsets { uint offsets[]; };
#define WEIGHT_PARAMS
#elif defined(LUT)
CONSTANT(0) BITS = 4;
#define GROUP 0u
#define UNIT (8u * BITS)
PART(0) Codes { uint codes[]; };
PART(1) Table { uint table[]; };
#define WEIGHT_PARAMS uint rows_per_table;
#define TABLES
#define TABLE_AT 0u
#elif defined(NESTED)
// BITS: the width that is read. Params: bytes of a plane; the entry of `table` where those of this width begin.
// `held` must be 0: planes are given whole.
CONSTANT(0) BITS = 4;
#define GROUP 0u
#define UNIT 8u
PART(0) Planes { uint planes[]; };
PART(1) Table { uint table[]; };
#define WEIGHT_PARAMS uint rows_per_table; uint table_at; uint plane_bytes;
#define TABLES
#define TABLE_AT table_at
#elif defined(VECTORS)
// An index of BITS for WIDTH weights. GROUP and SCALE_BITS as for grids.
CONSTANT(0) BITS = 8;
CONSTANT(1) WIDTH = 4;
CONSTANT(2) GROUP = 0;
CONSTANT(3) SCALE_BITS = 0;
#define UNIT (8u / WIDTH * BITS)
PART(0) Codes { uint codes[]; };
PART(1) Table { uint table[]; };
PART(2) Scales { uint scales[]; };
PART(3) Supers { uint supers[]; };
#define WEIGHT_PARAMS
#elif defined(FLOAT)
CONSTANT(0) WEIGHT_HALF = 1;
#define GROUP 0u
#define UNIT (WEIGHT_HALF != 0u ? 128u : 256u)
PART(0) Codes { uint codes[]; };
#define WEIGHT_PARAMS
#endif

layout(set = 0, binding = 0) uniform Params {
  KERNEL_PARAMS
  uint columns;
  uint row_begin;
  uint row_end;
  uint held;
  WEIGHT_PARAMS
};

// UNIT: bits of eight weights. STEP: weights that a thread takes at once, the fewest eights that are whole words
// (LOOSE: no number of them is).
// (Macros: glslang makes no valid specialisation constants of such choices.)
#define LOOSE (UNIT % 8u != 0u)
#define STEP (UNIT % 32u == 0u ? 8u : (UNIT % 16u == 0u ? 16u : (UNIT % 8u == 0u ? 32u : 8u)))
#define STEP_WORDS (STEP * UNIT / 256u)

// ---- tables

#if defined(TABLES)
#if defined(SHARED_TABLES)
shared float tables[1024];  // the rows that are open at once << BITS are at most 1024

// Fetch the tables of `count` rows. All threads of a workgroup call it, and wait before they read.
void open_tables(uint first, uint count) {
  const uint begin = first / rows_per_table, end = (first + count - 1u) / rows_per_table + 1u;
  const uint entries = (end - begin) << BITS, from = TABLE_AT + (begin << BITS);
  for (uint i = gl_LocalInvocationID.x; i < entries; i += gl_WorkGroupSize.x) {
    tables[i] = exact_half(table[(from + i) >> 1], from + i);
  }
}

// Where the table of a row begins.
uint table_of(uint first, uint row) {
  return (row / rows_per_table - first / rows_per_table) << BITS;
}

float entry(uint at) { return tables[at]; }
#else
void open_tables(uint first, uint count) {}
uint table_of(uint first, uint row) { return TABLE_AT + ((row / rows_per_table) << BITS); }
float entry(uint at) { return exact_half(table[at >> 1], at); }
#endif
#else
void open_tables(uint first, uint count) {}
uint table_of(uint first, uint row) { return 0u; }
#endif

#if defined(VECTORS)
#if defined(SHARED_BOOK)
shared uint book[1024];

void open_book() {
  for (uint i = gl_LocalInvocationID.x; i < (WIDTH << BITS) >> 1; i += gl_WorkGroupSize.x) {
    book[i] = table[i];
  }
  barrier();
}
#define BOOK(i_) book[i_]
#else
void open_book() {}
#define BOOK(i_) table[i_]
#endif
#else
void open_book() {}
#endif

// ---- levels

// (a, z) of the group of a column. `row` counts from `held`.
vec2 level(uint row, uint column) {
#if defined(AFFINE) || defined(VECTORS) || defined(E0M4)
  uint at = row;
  if (GROUP != 0u) at = row * ((columns + GROUP - 1u) / GROUP) + column / GROUP;
#endif
#if defined(AFFINE) || defined(VECTORS)
  vec2 both = vec2(0.0);
  if (SCALE_BITS == 0u) {
    both.x = exact_half(scales[at >> 1], at);
  } else {
    const float number = exact_half(supers[row >> 1], row);
    both.x = round_half(number * float(CODE_AT(scales, SCALE_BITS, at)));
  }
#if defined(AFFINE) && !defined(SIGNED)
  if (ZEROS == 1u) {
    both.y = float(CODE_AT(zeros, ZERO_BITS, at)) / float(1u << (ZERO_BITS - BITS));
  }
  if (ZEROS == 2u) both.y = exact_half(zeros[at >> 1], at);
#endif
  return both;
#elif defined(E0M4)
  return vec2(exact_half(scales[at >> 1], at), exact_half(offsets[at >> 1], at));
#else
  return vec2(1.0, 0.0);
#endif
}

// The weight of a number v.
float weight_of(vec2 level_, float v) {
#if defined(AFFINE)
  return (v - level_.y) * level_.x;
#elif defined(E0M4)
  precise float product = v * level_.x;
  return product + level_.y;
#elif defined(VECTORS)
  return v * level_.x;
#else
  return v;
#endif
}

// The sum of x * weight over columns of one group: `sum` is that of x * v, `sum_x` that of x.
float weigh(vec2 level_, float sum, float sum_x) {
#if defined(AFFINE)
  return level_.x * (ZEROS == 0u ? sum : sum - level_.y * sum_x);
#elif defined(E0M4)
  return level_.x * sum + level_.y * sum_x;
#elif defined(VECTORS)
  return level_.x * sum;
#else
  return sum;
#endif
}

// ---- numbers of eight weights

// Bits `at` .. of `words` moved to the beginning of two.
uvec2 window(uint words[8], uint at) {
  const uint i = at >> 5, shift = at & 31u;
  uvec2 out_ = uvec2(words[i], i < 7u ? words[i + 1u] : 0u);
  if (shift == 0u) return out_;
  out_.x = (out_.x >> shift) | (out_.y << (32u - shift));
  out_.y = (out_.y >> shift) | ((i < 6u ? words[i + 2u] : 0u) << (32u - shift));
  return out_;
}

#if defined(NESTED)
// Bits of half a byte at the lowest bit of four bytes.
uint spread(uint four) { return (four * 0x00204081u) & 0x01010101u; }
#endif

// What the codes of eight `sub` of a step stand for. `at`: where the row's table begins.
void numbers(uint words[8], uint sub, uint at, out float v[8]) {
#if defined(FLOAT)
  [[unroll]] for (uint j = 0u; j < 8u; ++j) {
    v[j] = WEIGHT_HALF != 0u ? half_in(words[j >> 1], j) : uintBitsToFloat(words[j]);
  }
#elif defined(NESTED)
  uvec2 eight = uvec2(0u);
  [[unroll]] for (uint p = 0u; p < BITS; ++p) {
    const uint bits = words[p] >> (8u * sub);
    eight = (eight << 1) | uvec2(spread(bits & 15u), spread((bits >> 4) & 15u));
  }
  [[unroll]] for (uint j = 0u; j < 4u; ++j) {
    v[j] = entry(at + ((eight.x >> (8u * j)) & 255u));
    v[j + 4u] = entry(at + ((eight.y >> (8u * j)) & 255u));
  }
#else
  const uvec2 eight = window(words, sub * UNIT);
#if defined(AFFINE)
  [[unroll]] for (uint j = 0u; j < 8u; ++j) {
    v[j] = ZEROS == 0u ? float(signed_in(eight, BITS, j)) : float(code_in(eight, BITS, j));
  }
#elif defined(E0M4)
  [[unroll]] for (uint j = 0u; j < 8u; ++j) {
    v[j] = uintBitsToFloat(0x3f800000u | (((eight.x >> (4u * j)) & 15u) << 19));
  }
#elif defined(LUT)
  [[unroll]] for (uint j = 0u; j < 8u; ++j) v[j] = entry(at + code_in(eight, BITS, j));
#elif defined(VECTORS)
  [[unroll]] for (uint j = 0u; j < 4u; ++j) {
    const uint pair = code_in(eight, BITS, 2u * j / WIDTH) * (WIDTH >> 1) + j % (WIDTH >> 1);
    const vec2 two = unpackHalf2x16(BOOK(pair));
    v[2u * j] = two.x;
    v[2u * j + 1u] = two.y;
  }
#endif
#endif
}

// Words of a step of a row (ALIGNED). `row` counts from `held`.
void load_step(uint row, uint step_, out uint words[8]) {
#if defined(NESTED)
  const uint at = row * (columns >> 5) + step_, plane = plane_bytes >> 2;
  [[unroll]] for (uint p = 0u; p < BITS; ++p) words[p] = planes[p * plane + at];
#else
  if (LOOSE) {
    const uint eight = row * (columns >> 3) + step_;
    const uint at = (eight >> 5) * UNIT + (((eight & 31u) * UNIT) >> 5);
    const uint shift = (eight * UNIT) & 31u;
    words[0] = codes[at] >> shift;
    if (shift + UNIT > 32u) words[0] |= codes[at + 1u] << (32u - shift);
    words[1] = 0u;
  } else {
    const uint at = (row * (columns / STEP) + step_) * STEP_WORDS;
    [[unroll]] for (uint i = 0u; i < STEP_WORDS; ++i) words[i] = codes[at + i];
  }
#endif
}

// The numbers of the eight columns that begin with `column`, a multiple of 8 (ALIGNED).
void load_eight(uint row, uint column, uint at, out float v[8]) {
  uint words[8];
#if defined(NESTED)
  load_step(row, column >> 5, words);
  numbers(words, (column >> 3) & 3u, at, v);
#else
  if (LOOSE || STEP == 8u) {
    load_step(row, column >> 3, words);
  } else {
    const uint eight = row * (columns >> 3) + (column >> 3);
    const uint word = (eight >> 5) * UNIT + (((eight & 31u) * UNIT) >> 5);
    const uint shift = (eight * UNIT) & 31u;
    words[0] = codes[word] >> shift;
    words[1] = 0u;
    if (shift + UNIT > 32u) {  // 8 * bits - shift is at most 64: 3, 5 and 6 bits end in the second word
      const uint next = codes[word + 1u];
      words[0] |= shift == 0u ? 0u : next << (32u - shift);
      words[1] = next >> shift;
    }
    if (shift + UNIT > 64u) words[1] |= codes[word + 2u] << (32u - shift);  // 7 bits
  }
  numbers(words, 0u, at, v);
#endif
}

// The weight in a column, however the matrix is laid out.
float load_weight(uint row, uint column, uint at) {
#if defined(FLOAT)
  return LOAD(codes, WEIGHT_HALF, row * columns + column);
#elif defined(NESTED)
  uint code = 0u;
  const uint bit = row * columns + column;
  [[unroll]] for (uint p = 0u; p < BITS; ++p) {
    const uint found = p * plane_bytes + (bit >> 3);
    code = (code << 1) | ((planes[found >> 2] >> (8u * (found & 3u) + (bit & 7u))) & 1u);
  }
  return entry(at + code);
#elif defined(VECTORS)
  const uint index = row * (columns / WIDTH) + column / WIDTH;
  const uint found = CODE_AT(codes, BITS, index) * WIDTH + column % WIDTH;
  return weight_of(level(row, column), half_in(BOOK(found >> 1), found));
#else
  const uint code = CODE_AT(codes, BITS, row * columns + column);
#if defined(AFFINE)
  const int number = bitfieldExtract(int(code), 0, int(BITS));
  return weight_of(level(row, column), ZEROS == 0u ? float(number) : float(code));
#elif defined(E0M4)
  return weight_of(level(row, column), uintBitsToFloat(0x3f800000u | (code << 19)));
#elif defined(LUT)
  return entry(at + code);
#endif
#endif
}
