// Packed codes: code i of a stream is at bit i * bits, least significant bit first.

// Code j of eight that begin at bit 0 of two words.
uint code_in(uvec2 words, uint bits, uint j) {
  const uint at = j * bits;
  if (at + bits <= 32u) return bitfieldExtract(words.x, int(at), int(bits));
  if (at >= 32u) return bitfieldExtract(words.y, int(at - 32u), int(bits));
  return bitfieldExtract((words.x >> at) | (words.y << ((32u - at) & 31u)), 0, int(bits));
}

// The same in two's complement.
int signed_in(uvec2 words, uint bits, uint j) {
  const uint at = j * bits;
  if (at + bits <= 32u) return bitfieldExtract(int(words.x), int(at), int(bits));
  if (at >= 32u) return bitfieldExtract(int(words.y), int(at - 32u), int(bits));
  return bitfieldExtract(int((words.x >> at) | (words.y << ((32u - at) & 31u))), 0, int(bits));
}

// Code i of a buffer; the second word is read only where the code reaches into it. Fewer than 2^32 bits.
#define CODE_AT(buffer_, bits_, i_) \
  code_of(buffer_[((i_) * (bits_)) >> 5], \
          ((((i_) * (bits_)) & 31u) + (bits_) > 32u) ? buffer_[(((i_) * (bits_)) >> 5) + 1u] : 0u, \
          ((i_) * (bits_)) & 31u, (bits_))

uint code_of(uint low, uint high, uint at, uint bits) {
  uint code = low >> at;
  if (at + bits > 32u) code |= high << (32u - at);
  return code & ((1u << bits) - 1u);
}
