// One side of a cache, included once for keys and once for values: SIDE(x) is k_x or v_x, BITS, GROUP, WIDTH
// and NEW_HALF are its constants.

// Word `pair` of a row that is held as a row: the row of token % ring.
uint SIDE(row)(uint token, uint head, uint pair) {
  const uint behind = token - SIDE(sinks);
  const uint slot = token < SIDE(sinks) ? token : SIDE(sinks) + behind % SIDE(ring);
  return SIDE(rows) + (slot * heads + head) * (WIDTH / 2u) + pair;
}

// Channels 2 * pair and the next of a token that is not read from codes, as two fp16 numbers: of this
// call's rows or of an earlier one's.
uint SIDE(exact)(uint token, uint head, uint pair) {
  if (token < past) return SIDE(cache)[SIDE(row)(token, head, pair)];
  const uint from = SIDE(at) + (token - past) * SIDE(token) + head * SIDE(head) + 2u * pair;
  return ROW_WORD(SIDE(new), NEW_HALF, from);
}

uint SIDE(rounded)(uint tokens) {
  return rounded_of(BITS, GROUP, SIDE(window), SIDE(sinks), tokens);
}
