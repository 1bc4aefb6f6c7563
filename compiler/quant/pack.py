"""Packing of codes into bytes: least significant bit first, no gaps, the last byte padded with zeros.

Code i occupies bits [i * bits, (i + 1) * bits) of the stream; bit 0 of the stream is bit 0 of the
first byte. Eight codes fill `bits` whole bytes, so work goes in blocks of eight codes.
"""

import numpy as np

MAX_BITS = 8
# Codes handled at once: bounds the scratch memory to a few tens of MiB.
CHUNK = 1 << 20


def pack_codes(codes: np.ndarray, bits: int) -> np.ndarray:  # any shape -> uint8 (ceil(n*bits/8),)
    """Pack integer codes in C order. Signed codes are stored in two's complement.

    Raises ValueError for a width outside 1..8, codes that are no integers, or a code that needs
    more than `bits` bits: at most 2**bits - 1 unsigned, -2**(bits-1) .. 2**(bits-1) - 1 signed.
    """
    _check_bits(bits)
    if codes.dtype.kind not in "iu":
        raise ValueError(f"codes are {codes.dtype}: expected integers")
    flat = np.ascontiguousarray(codes).reshape(-1)
    out = np.empty((flat.size * bits + 7) // 8, np.uint8)
    for start in range(0, flat.size, CHUNK):
        part = flat[start : start + CHUNK]
        _check_range(part, bits)
        packed = _pack_chunk(part.astype(np.uint8), bits)
        at = start * bits // 8  # exact: CHUNK is a multiple of eight
        out[at : at + packed.size] = packed
    return out


def unpack_codes(data: np.ndarray, bits: int, count: int, signed: bool) -> np.ndarray:
    """Read `count` codes back: uint8 (count,), or int8 where `signed`.

    Raises ValueError for a width outside 1..8, or data of another length than `count` codes have.
    """
    _check_bits(bits)
    if data.dtype != np.uint8 or data.ndim != 1:
        raise ValueError(f"packed data is {data.dtype} of rank {data.ndim}: expected bytes, rank 1")
    if count < 0 or data.size != (count * bits + 7) // 8:
        raise ValueError(f"{data.size} bytes: {count} codes of {bits} bits need another number")
    out = np.empty(count, np.int8 if signed else np.uint8)
    for start in range(0, count, CHUNK):
        number = min(CHUNK, count - start)
        at = start * bits // 8
        part = data[at : at + (number * bits + 7) // 8]
        out[start : start + number] = _unpack_chunk(part, bits, number, signed)
    return out


def _check_bits(bits: int) -> None:
    if not 1 <= bits <= MAX_BITS:
        raise ValueError(f"bits={bits}: expected 1..{MAX_BITS}")


def _check_range(codes: np.ndarray, bits: int) -> None:
    low, high = int(codes.min()), int(codes.max())
    signed = codes.dtype.kind == "i"
    # A signed array may hold an unsigned grid (all codes >= 0), but not both halves at once.
    limit = 2 ** (bits - 1) if signed and low < 0 else 2**bits
    if low < (-(2 ** (bits - 1)) if signed else 0) or high >= limit:
        raise ValueError(f"codes {low}..{high} do not fit {bits} bits")


def _pack_chunk(codes: np.ndarray, bits: int) -> np.ndarray:  # uint8 (n,) -> uint8
    if bits == MAX_BITS:
        return codes
    if bits in (1, 2, 4):
        return _pack_even(codes, bits)
    size = (codes.size * bits + 7) // 8
    blocks = np.zeros((-(-codes.size // 8), 8), np.uint64)
    blocks.reshape(-1)[: codes.size] = codes & np.uint8((1 << bits) - 1)
    word = np.zeros(len(blocks), np.uint64)
    for lane in range(8):
        word |= blocks[:, lane] << np.uint64(lane * bits)
    # Eight codes are `bits` bytes, the low ones of a little-endian 64-bit word.
    octets = word.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)
    return octets[:, :bits].reshape(-1)[:size]


def _pack_even(codes: np.ndarray, bits: int) -> np.ndarray:
    lanes = 8 // bits
    padded = np.zeros(-(-codes.size // lanes) * lanes, np.uint8)
    padded[: codes.size] = codes & np.uint8((1 << bits) - 1)
    out = padded[0::lanes].copy()
    for lane in range(1, lanes):
        out |= padded[lane::lanes] << np.uint8(lane * bits)
    return out


def _unpack_chunk(data: np.ndarray, bits: int, count: int, signed: bool) -> np.ndarray:
    codes = _spread(data, bits, count)
    if not signed:
        return codes
    # Move the sign bit to the top and shift back: the arithmetic shift extends it.
    shift = 8 - bits
    return (codes << np.uint8(shift)).view(np.int8) >> np.int8(shift)


def _spread(data: np.ndarray, bits: int, count: int) -> np.ndarray:  # uint8 -> uint8 (count,)
    if bits == MAX_BITS:
        return data.copy()
    mask = np.uint8((1 << bits) - 1)
    if bits in (1, 2, 4):
        lanes = 8 // bits
        even = np.empty((data.size, lanes), np.uint8)
        for lane in range(lanes):
            even[:, lane] = (data >> np.uint8(lane * bits)) & mask
        return even.reshape(-1)[:count]
    blocks = -(-count // 8)
    octets = np.zeros((blocks, 8), np.uint8)
    padded = np.zeros(blocks * bits, np.uint8)
    padded[: data.size] = data
    octets[:, :bits] = padded.reshape(blocks, bits)
    word = octets.reshape(-1).view("<u8")
    out = np.empty((blocks, 8), np.uint8)
    for lane in range(8):
        out[:, lane] = (word >> np.uint64(lane * bits)).astype(np.uint8) & mask
    return out.reshape(-1)[:count]
