#include "optimum_compile/kv_cache.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "optimum_compile/bits.h"
#include "optimum_compile/outliers.h"
#include "optimum_compile/rows.h"

namespace optimum_compile {
namespace {

constexpr int64_t kMost = int64_t{1} << 20;  // heads, tokens, channels
constexpr int64_t kMostGroup = 1024;
constexpr int64_t kBlock = 32;     // tokens that are widened at once
constexpr int64_t kPositions = 16;  // queries that share what was widened

uint16_t half_at(const uint8_t* data, int64_t index) {
  uint16_t found;
  std::memcpy(&found, data + 2 * index, 2);
  return found;
}

uint16_t* halves(uint8_t* data) { return reinterpret_cast<uint16_t*>(data); }

OC_CLONES void narrow(const float* OC_ALONE in, int64_t n, uint16_t* OC_ALONE out) {
  for (int64_t i = 0; i < n; ++i) out[i] = float_to_half(in[i]);
}

OC_CLONES void add_scaled(const float* OC_ALONE in, float factor, int64_t n, float* OC_ALONE out) {
  for (int64_t i = 0; i < n; ++i) out[i] += factor * in[i];
}

OC_CLONES void multiply(float factor, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] *= factor;
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

// One region: its spec, what follows from it, and its memory.
struct Region {
  const KvSpec& spec;
  KvLayout at;
  uint8_t* data;

  int64_t codes_of(int64_t run, int64_t head) const {  // number of its first code
    return (run * spec.heads + head) * spec.group * spec.width;
  }
  // Of keys: the first channel's scale. Of values: that of the token `token` of the run.
  int64_t scales_of(int64_t run, int64_t head, int64_t token) const {
    const int64_t block = run * spec.heads + head;
    if (spec.role == KvRole::keys) return block * spec.width;
    return (block * spec.group + token) * at.channel_groups;
  }
  uint8_t* row(int64_t token) const {
    const int64_t slot = token < at.sinks ? token : at.sinks + (token - at.sinks) % at.ring;
    return data + at.rows + 2 * slot * spec.heads * spec.width;
  }
};

// Scale and least value of `n` numbers as they are stored, and the codes counted from them.
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
void round_run(const Region& r, int64_t run) {
  const KvSpec& s = r.spec;
  const int64_t first = r.at.sinks + run * s.group;
  const int64_t along = s.role == KvRole::keys ? 1 : s.group;  // channels of one group
  const int64_t tokens = s.role == KvRole::keys ? s.group : 1;
  uint16_t* const scales = halves(r.data + r.at.scales);
  uint16_t* const lows = halves(r.data + r.at.lows);
  for (int64_t head = 0; head < s.heads; ++head) {
    const int64_t codes = r.codes_of(run, head);
    for (int64_t token = 0; token < s.group; token += tokens) {
      int64_t index = r.scales_of(run, head, token);
      for (int64_t c = 0; c < s.width; c += along, ++index) {
        const int64_t end = std::min(c + along, s.width);
        Ends ends;
        for (int64_t t = token; t < token + tokens; ++t) {
          const uint8_t* row = r.row(first + t) + 2 * head * s.width;
          for (int64_t i = c; i < end; ++i) ends.take(half_to_float(half_at(row, i)));
        }
        const Grid grid(ends.low, ends.high, s.bits);
        scales[index] = float_to_half(grid.scale);
        lows[index] = float_to_half(grid.low);
        for (int64_t t = token; t < token + tokens; ++t) {
          const uint8_t* row = r.row(first + t) + 2 * head * s.width;
          for (int64_t i = c; i < end; ++i) {
            const uint32_t code = grid.code(half_to_float(half_at(row, i)), s.bits);
            put_code(r.data, s.bits, codes + t * s.width + i, code);
          }
        }
      }
    }
  }
}

// Tokens of one run that are held in codes, as floats (count, width); `room` has 2 * width floats.
void read_codes(const Region& r, int64_t run, int64_t head, int64_t token, int64_t count, float* room,
                float* out) {
  const KvSpec& s = r.spec;
  const uint16_t* scales = halves(r.data + r.at.scales);
  const uint16_t* lows = halves(r.data + r.at.lows);
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

// Tokens first .. end - 1 as they are read when `rounded` of them are held in codes.
void read(const Region& r, int64_t rounded, int64_t head, int64_t first, int64_t end, float* room,
          float* out) {
  const int64_t width = r.spec.width, sinks = r.at.sinks;
  for (int64_t token = first; token < end;) {
    int64_t count = 1;
    if (token >= sinks && token < sinks + rounded) {
      const int64_t run = (token - sinks) / r.spec.group, in_run = (token - sinks) % r.spec.group;
      count = std::min(end - token, r.spec.group - in_run);
      read_codes(r, run, head, in_run, count, room, out);
    } else {
      widen(halves(r.row(token)) + head * width, width, out);
    }
    token += count;
    out += count * width;
  }
}

Status open(const KvCache& cache, KvRole role, KvLayout* layout) {
  const Status status = kv_check(cache.spec, layout);
  if (status != Status::ok) return status;
  if (cache.spec.role != role) return Status::bad_parts;
  if (cache.data == nullptr || static_cast<uint64_t>(layout->bytes) > cache.bytes) {
    return Status::too_short;
  }
  return reinterpret_cast<uintptr_t>(cache.data) % 2 == 0 ? Status::ok : Status::bad_alignment;
}

Status check_position(const KvSpec& spec, int64_t past, int64_t seq) {
  if (past < 0 || seq < 0 || past > spec.context || seq > spec.context - past) {
    return Status::bad_position;
  }
  return Status::ok;
}

void write(const Region& r, const KvRows& rows, int64_t past, int64_t seq) {
  const KvSpec& s = r.spec;
  for (int64_t t = 0; t < seq; ++t) {
    uint16_t* const row = halves(r.row(past + t));
    for (int64_t head = 0; head < s.heads; ++head) {
      narrow(rows.data + t * rows.token_stride + head * rows.head_stride, s.width,
             row + head * s.width);
    }
    const int64_t before = kv_rounded(s, past + t), after = kv_rounded(s, past + t + 1);
    if (after > before) round_run(r, before / s.group);
  }
}

// Queries `first` .. first + count - 1 of the call, all heads that share head `head` of the caches.
struct Tile {
  const Region& keys;
  const Region& values;
  const KvQuery& query;
  int64_t past, total;  // total: tokens in the caches
  int64_t head, share, first, count;
  float *key_block, *value_block, *room, *scores, *greatest, *sums;

  const float* q(int64_t g, int64_t p) const {
    return query.q.data + (first + p) * query.q.token_stride + (head * share + g) * query.q.head_stride;
  }
  float* out(int64_t g, int64_t p) const {
    return query.out.data + (first + p) * query.out.token_stride +
           (head * share + g) * query.out.head_stride;
  }
};

// Take in a block of tokens: the greatest score so far, the sum of exponentials, the weighted values.
void take_block(const Tile& t, int64_t begin, int64_t end) {
  const int64_t width = t.keys.spec.width, out_width = t.values.spec.width;
  for (int64_t g = 0; g < t.share; ++g) {
    for (int64_t p = 0; p < t.count; ++p) {
      const int64_t position = t.past + t.first + p, row = g * t.count + p;
      const int64_t oldest = t.query.window > 0 ? position - t.query.window + 1 : 0;
      const int64_t from = std::max(begin, oldest), to = std::min(end, position + 1);
      if (from >= to) continue;
      float most = t.greatest[row];
      for (int64_t i = from; i < to; ++i) {
        const float score = t.query.scale * dot(t.q(g, p), t.key_block + (i - begin) * width, width);
        t.scores[i - from] = score;
        most = score > most ? score : most;
      }
      float* const out = t.out(g, p);
      const float kept = std::exp(t.greatest[row] - most);  // of minus infinity: 0
      if (kept != 1) multiply(kept, out_width, out);
      float sum = t.sums[row] * kept;
      for (int64_t i = from; i < to; ++i) {
        const float weight = std::exp(t.scores[i - from] - most);
        sum += weight;
        add_scaled(t.value_block + (i - begin) * out_width, weight, out_width, out);
      }
      t.greatest[row] = most;
      t.sums[row] = sum;
    }
  }
}

void attend_tile(const Tile& t, int64_t rounded_keys, int64_t rounded_values) {
  const int64_t rows = t.share * t.count, out_width = t.values.spec.width;
  std::fill(t.greatest, t.greatest + rows, -std::numeric_limits<float>::infinity());
  std::fill(t.sums, t.sums + rows, 0.0f);
  for (int64_t g = 0; g < t.share; ++g) {
    for (int64_t p = 0; p < t.count; ++p) std::fill_n(t.out(g, p), out_width, 0.0f);
  }
  const int64_t start = t.past + t.first, last = start + t.count;
  const int64_t oldest = t.query.window > 0 ? std::max<int64_t>(0, start - t.query.window + 1) : 0;
  for (int64_t begin = oldest; begin < last; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, last);
    read(t.keys, rounded_keys, t.head, begin, end, t.room, t.key_block);
    read(t.values, rounded_values, t.head, begin, end, t.room, t.value_block);
    take_block(t, begin, end);
  }
  for (int64_t g = 0; g < t.share; ++g) {
    for (int64_t p = 0; p < t.count; ++p) {
      multiply(1 / t.sums[g * t.count + p], out_width, t.out(g, p));
    }
  }
}

void attend(const Region& keys, const Region& values, const KvQuery& query, int64_t past,
            int64_t seq, float* scratch) {
  const int64_t share = query.q_heads / keys.spec.heads;
  const int64_t rounded_keys = kv_rounded(keys.spec, past + seq);
  const int64_t rounded_values = kv_rounded(values.spec, past + seq);
  const int64_t room = 2 * std::max(keys.spec.width, values.spec.width);
  float* const value_block = scratch + kBlock * keys.spec.width;
  float* const rest = value_block + kBlock * values.spec.width;
  float* const scores = rest + room;
  float* const greatest = scores + kBlock;
  for (int64_t head = 0; head < keys.spec.heads; ++head) {
    for (int64_t first = 0; first < seq; first += kPositions) {
      const int64_t count = std::min(kPositions, seq - first);
      const Tile tile{keys,   values, query,   past,        past + seq, head,   share,    first,
                      count,  scratch, value_block, rest,   scores,     greatest,
                      greatest + kPositions * share};
      attend_tile(tile, rounded_keys, rounded_values);
    }
  }
}

Status check_query(const KvSpec& keys, const KvSpec& values, const KvQuery& query) {
  if (keys.heads != values.heads || keys.context != values.context) return Status::bad_shape;
  if (query.q_heads < 1 || query.q_heads > kMost || query.q_heads % keys.heads != 0) {
    return Status::bad_shape;
  }
  if (query.window < 0 || query.q.data == nullptr || query.out.data == nullptr) {
    return Status::bad_parts;
  }
  const int64_t floats = kv_scratch_floats(keys, values, query.q_heads);
  if (query.scratch != nullptr && static_cast<uint64_t>(floats) > query.scratch_floats) {
    return Status::too_short;
  }
  return Status::ok;
}

// Both caches open and everything checked; what is left cannot fail.
struct Both {
  KvLayout keys, values;
  std::vector<float> own;
  float* scratch = nullptr;

  Status prepare(const KvCache& k, const KvCache& v, const KvQuery& query, int64_t past, int64_t seq) {
    Status status = open(k, KvRole::keys, &keys);
    if (status == Status::ok) status = open(v, KvRole::values, &values);
    if (status == Status::ok) status = check_query(k.spec, v.spec, query);
    if (status == Status::ok) status = check_position(k.spec, past, seq);
    if (status != Status::ok) return status;
    if (query.scratch == nullptr) {
      own.resize(static_cast<size_t>(kv_scratch_floats(k.spec, v.spec, query.q_heads)));
    }
    scratch = query.scratch != nullptr ? query.scratch : own.data();
    return Status::ok;
  }
};

// The first position after `first` whose query reads another run in codes, at most `total`.
int64_t span_end(const KvSpec& keys, const KvSpec& values, int64_t first, int64_t total) {
  const int64_t k = kv_rounded(keys, first + 1), v = kv_rounded(values, first + 1);
  int64_t end = first + 1;
  while (end < total && kv_rounded(keys, end + 1) == k && kv_rounded(values, end + 1) == v) ++end;
  return end;
}

}  // namespace

Status kv_check(const KvSpec& s, KvLayout* layout) {
  if (s.bits != 16 && s.bits != 8 && s.bits != 4 && s.bits != 2) return Status::bad_bits;
  if (s.role != KvRole::keys && s.role != KvRole::values) return Status::bad_parts;
  for (const int64_t size : {s.heads, s.context, s.width}) {
    if (size < 1 || size > kMost) return Status::bad_shape;
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
  if (s.window < 0 || s.window > kMost || s.sinks < 0 || s.sinks > kMost) return Status::bad_group;
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

int64_t kv_scratch_floats(const KvSpec& keys, const KvSpec& values, int64_t q_heads) {
  if (kv_check(keys, nullptr) != Status::ok || kv_check(values, nullptr) != Status::ok) return -1;
  if (q_heads < 1 || q_heads > kMost || q_heads % keys.heads != 0) return -1;
  const int64_t blocks = kBlock * (keys.width + values.width);
  const int64_t room = 2 * std::max(keys.width, values.width);
  return blocks + room + kBlock + 2 * kPositions * (q_heads / keys.heads);
}

Status kv_write(const KvCache& cache, const KvRows& rows, int64_t past, int64_t seq) {
  KvLayout layout;
  Status status = open(cache, cache.spec.role, &layout);
  if (status == Status::ok) status = check_position(cache.spec, past, seq);
  if (status != Status::ok) return status;
  if (rows.data == nullptr) return Status::bad_parts;
  write(Region{cache.spec, layout, cache.data}, rows, past, seq);
  return Status::ok;
}

Status kv_attention(const KvCache& keys, const KvCache& values, const KvQuery& query, int64_t past,
                    int64_t seq) {
  Both both;
  const Status status = both.prepare(keys, values, query, past, seq);
  if (status != Status::ok || seq == 0) return status;
  if (span_end(keys.spec, values.spec, past, past + seq) != past + seq) return Status::bad_position;
  attend(Region{keys.spec, both.keys, keys.data}, Region{values.spec, both.values, values.data}, query,
         past, seq, both.scratch);
  return Status::ok;
}

Status kv_step(const KvCache& keys, const KvRows& new_keys, const KvCache& values,
               const KvRows& new_values, const KvQuery& query, int64_t past, int64_t seq) {
  Both both;
  const Status status = both.prepare(keys, values, query, past, seq);
  if (status != Status::ok) return status;
  if (new_keys.data == nullptr || new_values.data == nullptr) return Status::bad_parts;
  const Region k{keys.spec, both.keys, keys.data}, v{values.spec, both.values, values.data};
  KvRows key_rows = new_keys, value_rows = new_values;
  KvQuery part = query;
  for (int64_t first = past; first < past + seq;) {
    const int64_t end = span_end(keys.spec, values.spec, first, past + seq), count = end - first;
    write(k, key_rows, first, count);
    write(v, value_rows, first, count);
    attend(k, v, part, first, count, both.scratch);
    key_rows.data += count * key_rows.token_stride;
    value_rows.data += count * value_rows.token_stride;
    part.q.data += count * part.q.token_stride;
    part.out.data += count * part.out.token_stride;
    first = end;
  }
  return Status::ok;
}

}  // namespace optimum_compile
