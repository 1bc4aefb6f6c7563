// Rounding a run of one side; behind kv_side.glsl.

vec2 SIDE(number)(uint token, uint head, uint pair) { return half_values(SIDE(exact)(token, head, pair)); }

void SIDE(keep_grids)(uint word, uint first, vec2 low, vec2 high) {
  precise vec2 scale = (high - low) / float((1u << BITS) - 1u);
  const uint scales = halves_bits(scale), lows = halves_bits(low);
  SIDE(cache)[SIDE(scales) + word] = scales;
  SIDE(cache)[SIDE(lows) + word] = lows;
  const vec2 least = half_values(lows), steps = half_values(scales);
  grids[first] = vec2(least.x, steps.x);
  grids[first + 1u] = vec2(least.y, steps.y);
}

// Codes are the nearest, ties to even; what is no number, from infinite ones, is code 0.
uint SIDE(code)(float x, vec2 grid) {
  const float divisor = grid.y == 0.0 ? 1.0 : grid.y;
  precise float off = x - grid.x;
  precise float near = roundEven(off / divisor);
  if (!(near > 0.0)) return 0u;
  return uint(min(near, float((1u << BITS) - 1u)));
}

// The run `run` of a head, whose tokens are all held exactly. Called by the whole workgroup.
void SIDE(round_run)(uint run, uint head) {
  const uint first = SIDE(sinks) + run * GROUP, block = run * heads + head;
  const uint thread = gl_LocalInvocationID.x, threads = gl_WorkGroupSize.x;
  const float infinite = uintBitsToFloat(0x7f800000u);
#if IS_VALUES
  const uint each = (WIDTH + GROUP - 1u) / GROUP;  // scales of a token
  for (uint i = thread; i < GROUP * each / 2u; i += threads) {
    vec2 low = vec2(infinite), high = vec2(-infinite);
    for (uint n = 0u; n < 2u; ++n) {
      const uint token = (2u * i + n) / each, part = (2u * i + n) % each;
      const uint last = min((part + 1u) * GROUP, WIDTH) / 2u;
      for (uint pair = part * GROUP / 2u; pair < last; ++pair) {
        const vec2 v = SIDE(number)(first + token, head, pair);
        low[n] = v.x < low[n] ? v.x : low[n];
        low[n] = v.y < low[n] ? v.y : low[n];
        high[n] = v.x > high[n] ? v.x : high[n];
        high[n] = v.y > high[n] ? v.y : high[n];
      }
    }
    SIDE(keep_grids)(block * (GROUP * each / 2u) + i, 2u * i, low, high);
  }
#else
  for (uint pair = thread; pair < WIDTH / 2u; pair += threads) {
    vec2 low = vec2(infinite), high = vec2(-infinite);
    for (uint token = 0u; token < GROUP; ++token) {
      const vec2 v = SIDE(number)(first + token, head, pair);
      low = mix(low, v, lessThan(v, low));
      high = mix(high, v, greaterThan(v, high));
    }
    SIDE(keep_grids)(block * (WIDTH / 2u) + pair, 2u * pair, low, high);
  }
#endif
  barrier();
  const uint pairs = 16u / BITS;  // of codes, in a word
  const uint words = GROUP * (WIDTH / 2u) / pairs;
  for (uint i = thread; i < words; i += threads) {
    uint word = 0u;
    for (uint n = 0u; n < pairs; ++n) {
      const uint at = i * pairs + n, token = at / (WIDTH / 2u), pair = at % (WIDTH / 2u);
      const vec2 v = SIDE(number)(first + token, head, pair);
#if IS_VALUES
      const uint grid = token * each + 2u * pair / GROUP, next = grid;
#else
      const uint grid = 2u * pair, next = grid + 1u;
#endif
      word |= SIDE(code)(v.x, grids[grid]) << (2u * n * BITS);
      word |= SIDE(code)(v.y, grids[next]) << ((2u * n + 1u) * BITS);
    }
    SIDE(cache)[block * words + i] = word;
  }
}
