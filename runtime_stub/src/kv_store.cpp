#include <algorithm>
#include <cmath>
#include <limits>

#include "optimum_compile/bits.h"
#include "optimum_compile/kv_region.h"
#include "optimum_compile/outliers.h"
#include "optimum_compile/rows.h"

namespace optimum_compile {
namespace {

constexpr int64_t kMostGroup = 1024;

OC_CLONES void narrow(const float* OC_ALONE in, int64_t n, uint16_t* OC_ALONE out) {
  for (int64_t i = 0; i < n; ++i) out[i] = float_to_half(in[i]);
}

// Codes first .. first + n - 1 of a stream as floats.
template <int kBits>
inline void spread(const uint8_t* OC_ALONE in, int64_t first, int64_t n, float* OC_ALONE out) {
  constexpr int64_t kEach = 8 / kBits;
  constexpr uint32_t kMask = (1u << kBits) - 1u;
  if (first % kEach == 0 && n % kEach == 0) {
    const uint8_t* bytes = in + first / kEach;
    for (int64_t i = 0; i < n / kEach; ++i) {
      for (int64_t j = 0; j < kEach; ++j) {
        out[kEach * i + j] =
            static_cast<float>(static_cast<int32_t>(bytes[i] >> (kBits * j) & kMask));
      }
    }
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at = first + i;
    out[i] = static_cast<float>(
        static_cast<int32_t>(in[at / kEach] >> (kBits * (at % kEach)) & kMask));
  }
}

OC_CLONES void codes_as_floats(const uint8_t* in, int bits, int64_t first, int64_t n, float* out) {
  if (bits == 2) return spread<2>(in, first, n, out);
  if (bits == 4) return spread<4>(in, first, n, out);
  spread<8>(in, first, n, out);
}

// A byte holds whole codes, because bits divide 8; it is written code by code.
void put_code(uint8_t* data, int bits, int64_t index, uint32_t code) {
  const int64_t each = 8 / bits;
  const int shift = bits * static_cast<int>(index % each);
  const uint32_t mask = ((1u << bits) - 1u) << shift;
  uint8_t& byte = data[index / each];
  byte = static_cast<uint8_t>((byte & ~mask) | (code << shift));
}

OC_CLONES void scale_channels(const float* scales, const float* lows, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = out[i] * scales[i] + lows[i];
}

// Scale and least value of some numbers as they are stored, and the codes counted from them.
struct Grid {
  float low = 0, scale = 0, divisor = 1;

  Grid(float least, float greatest, int bits)
      : low(round_to_half(least)),
        scale(round_to_half((greatest - least) / static_cast<float>((1 << bits) - 1))),
        divisor(scale == 0 ? 1 : scale) {}

  uint32_t code(float x, int bits) const {
    const float most = static_cast<float>((1 << bits) - 1);
    const float near = std::nearbyint((x - low) / divisor);  // ties to even
    if (!(near > 0)) return 0;  // NaN too: from infinite numbers
    return static_cast<uint32_t>(near < most ? near : most);
  }
};

struct Ends {
  float low = std::numeric_limits<float>::infinity(), high = -low;
  void take(float x) {
    low = x < low ? x : low;
    high = x > high ? x : high;
  }
};

// Round run `run`, whose rows are in the ring.
void round_run(const KvRegion& r, int64_t run) {
  const KvSpec& s = r.spec;
  const int64_t first = r.at.sinks + run * s.group;
  const int64_t along = s.role == KvRole::keys ? 1 : s.group;  // channels of one group
  const int64_t tokens = s.role == KvRole::keys ? s.group : 1;
  uint16_t* const scales = r.halves(r.at.scales);
  uint16_t* const lows = r.halves(r.at.lows);
  for (int64_t head = 0; head < s.heads; ++head) {
    const int64_t codes = r.codes_of(run, head);
    for (int64_t token = 0; token < s.group; token += tokens) {
      int64_t index = r.scales_of(run, head, token);
      for (int64_t c = 0; c < s.width; c += along, ++index) {
        const int64_t end = std::min(c + along, s.width);
        Ends ends;
        for (int64_t t = token; t < token + tokens; ++t) {
          const uint16_t* row = r.row(first + t) + head * s.width;
          for (int64_t i = c; i < end; ++i) ends.take(half_to_float(row[i]));
        }
        const Grid grid(ends.low, ends.high, s.bits);
        scales[index] = float_to_half(grid.scale);
        lows[index] = float_to_half(grid.low);
        for (int64_t t = token; t < token + tokens; ++t) {
          const uint16_t* row = r.row(first + t) + head * s.width;
          for (int64_t i = c; i < end; ++i) {
            const uint32_t code = grid.code(half_to_float(row[i]), s.bits);
            put_code(r.data, s.bits, codes + t * s.width + i, code);
          }
        }
      }
    }
  }
}

// Tokens of one run that are held in codes, as floats (count, width); `room` has 2 * width floats.
void read_codes(const KvRegion& r, int64_t run, int64_t head, int64_t token, int64_t count, float* room,
                float* out) {
  const KvSpec& s = r.spec;
  const uint16_t* scales = r.halves(r.at.scales);
  const uint16_t* lows = r.halves(r.at.lows);
  const int64_t codes = r.codes_of(run, head) + token * s.width;
  codes_as_floats(r.data, s.bits, codes, count * s.width, out);
  if (s.role == KvRole::keys) {
    const int64_t index = r.scales_of(run, head, 0);
    widen(scales + index, s.width, room);
    widen(lows + index, s.width, room + s.width);
    for (int64_t t = 0; t < count; ++t) scale_channels(room, room + s.width, s.width, out + t * s.width);
    return;
  }
  int64_t index = r.scales_of(run, head, token);
  for (int64_t t = 0; t < count; ++t, out += s.width) {
    for (int64_t c = 0; c < s.width; c += s.group, ++index) {
      const float scale = half_to_float(scales[index]), low = half_to_float(lows[index]);
      const int64_t end = std::min(c + s.group, s.width);
      for (int64_t i = c; i < end; ++i) out[i] = out[i] * scale + low;
    }
  }
}

}  // namespace

Status kv_check(const KvSpec& s, KvLayout* layout) {
  if (s.bits != 16 && s.bits != 8 && s.bits != 4 && s.bits != 2) return Status::bad_bits;
  if (s.role != KvRole::keys && s.role != KvRole::values) return Status::bad_parts;
  for (const int64_t size : {s.heads, s.context, s.width}) {
    if (size < 1 || size > kKvMost) return Status::bad_shape;
  }
  int64_t row = 0, elements = 0;
  if (!product(s.heads, s.width, kLimit, &row) || !product(row, s.context, kLimit, &elements)) {
    return Status::bad_shape;
  }
  KvLayout made;
  if (s.bits == 16) {
    made.ring = s.context;
    made.bytes = 2 * elements;
    if (layout != nullptr) *layout = made;
    return Status::ok;
  }
  if (s.group < 8 || s.group > kMostGroup || s.group % 8 != 0) return Status::bad_group;
  if (s.window < 0 || s.window > kKvMost || s.sinks < 0 || s.sinks > kKvMost) return Status::bad_group;
  made.runs = kv_rounded(s, s.context) / s.group;
  made.sinks = std::min(s.sinks, s.context);
  made.ring = std::min(s.context - made.sinks, s.window + s.group);
  made.channel_groups = (s.width + s.group - 1) / s.group;
  const int64_t blocks = made.runs * s.heads;
  const int64_t scales = blocks * (s.role == KvRole::keys ? s.width : s.group * made.channel_groups);
  made.scales = blocks * s.group * s.width / 8 * s.bits;
  made.lows = made.scales + 2 * scales;
  made.rows = made.lows + 2 * scales;
  made.bytes = made.rows + 2 * (made.sinks + made.ring) * row;
  if (layout != nullptr) *layout = made;
  return Status::ok;
}

int64_t kv_bytes(const KvSpec& spec) {
  KvLayout layout;
  return kv_check(spec, &layout) == Status::ok ? layout.bytes : -1;
}

int64_t kv_rounded(const KvSpec& s, int64_t tokens) {
  if (s.bits == 16 || s.group < 1) return 0;
  return std::max<int64_t>(0, tokens - s.window - s.sinks) / s.group * s.group;
}

Status kv_open(const KvCache& cache, KvRole role, KvLayout* layout) {
  const Status status = kv_check(cache.spec, layout);
  if (status != Status::ok) return status;
  if (cache.spec.role != role) return Status::bad_parts;
  if (cache.data == nullptr || static_cast<uint64_t>(layout->bytes) > cache.bytes) {
    return Status::too_short;
  }
  return reinterpret_cast<uintptr_t>(cache.data) % 2 == 0 ? Status::ok : Status::bad_alignment;
}

Status kv_check_position(const KvSpec& spec, int64_t past, int64_t seq) {
  if (past < 0 || seq < 0 || past > spec.context || seq > spec.context - past) {
    return Status::bad_position;
  }
  return Status::ok;
}

void kv_put(const KvRegion& r, const KvRows& rows, int64_t past, int64_t seq) {
  const KvSpec& s = r.spec;
  for (int64_t t = 0; t < seq; ++t) {
    uint16_t* const row = r.row(past + t);
    for (int64_t head = 0; head < s.heads; ++head) {
      narrow(rows.data + t * rows.token_stride + head * rows.head_stride, s.width,
             row + head * s.width);
    }
    const int64_t before = kv_rounded(s, past + t), after = kv_rounded(s, past + t + 1);
    if (after > before) round_run(r, before / s.group);
  }
}

void kv_read(const KvRegion& r, int64_t rounded, int64_t head, int64_t first, int64_t end, float* room,
             float* out) {
  const int64_t width = r.spec.width, sinks = r.at.sinks;
  for (int64_t token = first; token < end;) {
    int64_t count = 1;
    if (token >= sinks && token < sinks + rounded) {
      const int64_t run = (token - sinks) / r.spec.group, in_run = (token - sinks) % r.spec.group;
      count = std::min(end - token, r.spec.group - in_run);
      read_codes(r, run, head, in_run, count, room, out);
    } else {
      widen(r.row(token) + head * width, width, out);
    }
    token += count;
    out += count * width;
  }
}

Status kv_write(const KvCache& cache, const KvRows& rows, int64_t past, int64_t seq) {
  KvLayout layout;
  Status status = kv_open(cache, cache.spec.role, &layout);
  if (status == Status::ok) status = kv_check_position(cache.spec, past, seq);
  if (status != Status::ok) return status;
  if (rows.data == nullptr) return Status::bad_parts;
  kv_put(KvRegion{cache.spec, layout, cache.data}, rows, past, seq);
  return Status::ok;
}

}  // namespace optimum_compile
