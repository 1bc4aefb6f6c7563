// Reading one side, codes included; behind kv_side.glsl. IS_VALUES: whether scales are those of channels.

// Channels 2 * pair and the next of a token, as they are read when `rounded` tokens are held in codes.
vec2 SIDE(read)(uint token, uint head, uint pair, uint rounded) {
  const uint behind = token - SIDE(sinks);  // of a sink: great, so no code is read
  if (token < SIDE(sinks) || behind >= rounded) return unpackHalf2x16(SIDE(exact)(token, head, pair));
  const uint block = behind / GROUP * heads + head, in_run = behind % GROUP;
  const uint bit = ((block * GROUP + in_run) * (WIDTH / 2u) + pair) * (2u * BITS);
  const uint both = SIDE(cache)[bit >> 5] >> (bit & 31u);
  const vec2 codes = vec2(float(both & ((1u << BITS) - 1u)), float((both >> BITS) & ((1u << BITS) - 1u)));
#if IS_VALUES
  const uint at = (block * GROUP + in_run) * ((WIDTH + GROUP - 1u) / GROUP) + 2u * pair / GROUP;
  const float scale = exact_half(SIDE(cache)[SIDE(scales) + (at >> 1)], at);
  return codes * scale + half_in(SIDE(cache)[SIDE(lows) + (at >> 1)], at);
#else
  const uint at = block * (WIDTH / 2u) + pair, scales = SIDE(cache)[SIDE(scales) + at];
  return codes * vec2(exact_half(scales, 0u), exact_half(scales, 1u)) +
         unpackHalf2x16(SIDE(cache)[SIDE(lows) + at]);
#endif
}
