#version 450
// The k greatest numbers of a row with their places, the greatest first, of equal ones the lower place first.
// What is no number is less than all. k: 1 to 64.
//
// FIRST: each of the groups in x takes a part of a row of logits and leaves k records in `found`.
// Otherwise the records of `parts` parts become k in `out_words`. Groups: parts (FIRST) or 1, rows.
// Records: (rows, parts, 2, k) words, out_words (rows, 2, k): places, then the numbers as float bits. Where there
// are fewer than k numbers, the places left are 0xffffffff. Offsets and strides count words.
#include "common.glsl"

#if defined(FIRST)
layout(set = 0, binding = 0) uniform Params {
  uint size;  // numbers of a row
  uint k;
  uint x_at;
  uint x_row;
  uint found_at;
};
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(set = 0, binding = 2) buffer Found { uint found[]; };
#else
layout(set = 0, binding = 0) uniform Params {
  uint parts;
  uint k;
  uint found_at;
  uint out_at;
};
layout(set = 0, binding = 1) readonly buffer Found { uint found[]; };
layout(set = 0, binding = 2) buffer Out { uint out_words[]; };
#endif

shared uint keys[256];
shared uint places[256];

// Bits of a float32 number so that greater numbers have greater keys; 0: not a number, or none.
uint key_of(uint bits) {
  if (bits == 0x80000000u) bits = 0u;  // -0 is 0
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0u;
  return (bits & 0x80000000u) != 0u ? ~bits : bits | 0x80000000u;
}

uint bits_of(uint key) { return (key & 0x80000000u) != 0u ? key & 0x7fffffffu : ~key; }

bool comes_first(uint key, uint place, uint other, uint other_place) {
  return key > other || (key == other && place < other_place);
}

// The first of this thread's numbers that comes behind (key, place).
uvec2 next_of(uint begin, uint end, uint row, uint key, uint place, bool any) {
  uvec2 best = uvec2(0u, 0xffffffffu);
  for (uint i = begin + gl_LocalInvocationID.x; i < end; i += gl_WorkGroupSize.x) {
#if defined(FIRST)
    const uint its_key = key_of(x[x_at + row * x_row + i]), its_place = i;
#else
    const uint record = found_at + (row * parts + i / k) * 2u * k + i % k;
    const uint its_place = found[record];
    const uint its_key = its_place == 0xffffffffu ? 0u : key_of(found[record + k]);
#endif
    if (!comes_first(its_key, its_place, best.x, best.y)) continue;
    if (any || comes_first(key, place, its_key, its_place)) best = uvec2(its_key, its_place);
  }
  return best;
}

void main() {
  const uint thread = gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
#if defined(FIRST)
  const uint each = (size + gl_NumWorkGroups.x - 1u) / gl_NumWorkGroups.x;
  const uint begin = min(size, gl_WorkGroupID.x * each), end = min(size, begin + each);
#else
  const uint begin = 0u, end = parts * k;
#endif
  uvec2 mine = next_of(begin, end, row, 0u, 0u, true);
  for (uint n = 0u; n < k; ++n) {
    barrier();
    keys[thread] = mine.x;
    places[thread] = mine.y;
    for (uint step_ = gl_WorkGroupSize.x >> 1; step_ > 0u; step_ >>= 1) {
      barrier();
      if (thread < step_ &&
          comes_first(keys[thread + step_], places[thread + step_], keys[thread], places[thread])) {
        keys[thread] = keys[thread + step_];
        places[thread] = places[thread + step_];
      }
    }
    barrier();
    const uint key = keys[0], place = places[0];
    if (thread == 0u) {
#if defined(FIRST)
      const uint to = found_at + (row * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 2u * k + n;
      found[to] = place;
      found[to + k] = bits_of(key);
#else
      const uint to = out_at + row * 2u * k + n;
      out_words[to] = place;
      out_words[to + k] = bits_of(key);
#endif
    }
    if (mine.y == place && place != 0xffffffffu) mine = next_of(begin, end, row, key, place, false);
  }
}
