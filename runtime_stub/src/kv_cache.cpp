#include "optimum_compile/kv_cache.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "optimum_compile/kv_region.h"
#include "optimum_compile/rows.h"
#include "optimum_compile/workers.h"

namespace optimum_compile {
namespace {

constexpr int64_t kBlock = 32;     // tokens that are widened at once
constexpr int64_t kPositions = 16;  // queries that share what was widened

// out (n) = scale * products of q with rows of `width`; returns the greatest, or `most` if it is greater.
OC_CLONES float score_rows(const float* OC_ALONE q, const float* OC_ALONE rows, int64_t n, int64_t width,
                           float scale, float most, float* OC_ALONE out) {
  for (int64_t t = 0; t < n; ++t) {
    const float* OC_ALONE row = rows + t * width;
    float sums[16] = {0};  // float addition is not associative: without them it stays scalar
    int64_t i = 0;
    for (; i + 16 <= width; i += 16) {
      for (int j = 0; j < 16; ++j) sums[j] += q[i + j] * row[i + j];
    }
    float total = 0;
    for (; i < width; ++i) total += q[i] * row[i];
    for (int half = 8; half > 0; half /= 2) {
      for (int j = 0; j < half; ++j) sums[j] += sums[j + half];
    }
    out[t] = scale * (total + sums[0]);
    most = out[t] > most ? out[t] : most;
  }
  return most;
}

// e^x for x <= 0, within 2 units of the last place; below -87 it is 0.
inline float exponential(float x) {
  const float clipped = x > -87.0f ? x : -87.0f;  // NaN becomes -87, too: see below
  const float turns = std::floor(clipped * 1.44269504f + 0.5f);
  const float r = (clipped - turns * 0.693359375f) - turns * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t bits = (static_cast<int32_t>(turns) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, 4);
  const float value = p * power;
  return x >= -87.0f ? value : x < -87.0f ? 0.0f : x;  // a NaN stays one
}

// scores (n) become e^(score - most).
OC_CLONES void exponentials(float most, int64_t n, float* scores) {
  for (int64_t i = 0; i < n; ++i) scores[i] = exponential(scores[i] - most);
}

// out (width) += sum of weights (n) times rows.
OC_CLONES void add_rows(const float* OC_ALONE weights, const float* OC_ALONE rows, int64_t n,
                        int64_t width, float* OC_ALONE out) {
  int64_t t = 0;
  for (; t + 4 <= n; t += 4) {
    const float a = weights[t], b = weights[t + 1], c = weights[t + 2], d = weights[t + 3];
    const float* OC_ALONE row = rows + t * width;
    for (int64_t i = 0; i < width; ++i) {
      out[i] += (a * row[i] + b * row[width + i]) + (c * row[2 * width + i] + d * row[3 * width + i]);
    }
  }
  for (; t < n; ++t) {
    for (int64_t i = 0; i < width; ++i) out[i] += weights[t] * rows[t * width + i];
  }
}

OC_CLONES void multiply(float factor, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] *= factor;
}

// Queries `first` .. first + count - 1 of the call, all heads that share head `head` of the caches.
struct Tile {
  const KvRegion& keys;
  const KvRegion& values;
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
      const float most = score_rows(t.q(g, p), t.key_block + (from - begin) * width, to - from, width,
                                    t.query.scale, t.greatest[row], t.scores);
      float* const out = t.out(g, p);
      const float kept = std::exp(t.greatest[row] - most);  // of minus infinity: 0
      if (kept != 1) multiply(kept, out_width, out);
      float sum = t.sums[row] * kept;
      exponentials(most, to - from, t.scores);
      for (int64_t i = 0; i < to - from; ++i) sum += t.scores[i];
      add_rows(t.scores, t.value_block + (from - begin) * out_width, to - from, out_width, out);
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
    kv_read(t.keys, rounded_keys, t.head, begin, end, t.room, t.key_block);
    kv_read(t.values, rounded_values, t.head, begin, end, t.room, t.value_block);
    take_block(t, begin, end);
  }
  for (int64_t g = 0; g < t.share; ++g) {
    for (int64_t p = 0; p < t.count; ++p) {
      multiply(1 / t.sums[g * t.count + p], out_width, t.out(g, p));
    }
  }
}

// Rows of all heads and positions, on several threads where that is worth waking them.
void attend(const KvRegion& keys, const KvRegion& values, const KvQuery& query, int64_t past,
            int64_t seq, float* scratch) {
  const int64_t share = query.q_heads / keys.spec.heads;
  const int64_t rounded_keys = kv_rounded(keys.spec, past + seq);
  const int64_t rounded_values = kv_rounded(values.spec, past + seq);
  const int64_t room = 2 * std::max(keys.spec.width, values.spec.width);
  const int64_t tiles = (seq + kPositions - 1) / kPositions;  // of each head
  const int64_t floats = kv_scratch_floats(keys.spec, values.spec, query.q_heads);
  const auto body = [&](int worker, int64_t begin, int64_t end) {
    float* const own = worker == 0 ? scratch : query.workers->room(worker, floats);
    float* const value_block = own + kBlock * keys.spec.width;
    float* const rest = value_block + kBlock * values.spec.width;
    float* const scores = rest + room;
    float* const greatest = scores + kBlock;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % tiles * kPositions, count = std::min(kPositions, seq - first);
      const Tile tile{keys,  values, query,       past, past + seq, i / tiles, share, first,
                      count, own,    value_block, rest, scores,     greatest,  greatest + kPositions * share};
      attend_tile(tile, rounded_keys, rounded_values);
    }
  };
  const int64_t items = keys.spec.heads * tiles;
  const int64_t products = (past + seq) * seq * query.q_heads * (keys.spec.width + values.spec.width);
  if (query.workers == nullptr || products < worth_sharing()) return body(0, 0, items);
  query.workers->share(items, 1, body);
}

Status check_query(const KvSpec& keys, const KvSpec& values, const KvQuery& query) {
  if (keys.heads != values.heads || keys.context != values.context) return Status::bad_shape;
  if (query.q_heads < 1 || query.q_heads > kKvMost || query.q_heads % keys.heads != 0) {
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
    Status status = kv_open(k, KvRole::keys, &keys);
    if (status == Status::ok) status = kv_open(v, KvRole::values, &values);
    if (status == Status::ok) status = check_query(k.spec, v.spec, query);
    if (status == Status::ok) status = kv_check_position(k.spec, past, seq);
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

int64_t kv_scratch_floats(const KvSpec& keys, const KvSpec& values, int64_t q_heads) {
  if (kv_check(keys, nullptr) != Status::ok || kv_check(values, nullptr) != Status::ok) return -1;
  if (q_heads < 1 || q_heads > kKvMost || q_heads % keys.heads != 0) return -1;
  const int64_t blocks = kBlock * (keys.width + values.width);
  const int64_t room = 2 * std::max(keys.width, values.width);
  return blocks + room + kBlock + 2 * kPositions * (q_heads / keys.heads);
}

Status kv_attention(const KvCache& keys, const KvCache& values, const KvQuery& query, int64_t past,
                    int64_t seq) {
  Both both;
  const Status status = both.prepare(keys, values, query, past, seq);
  if (status != Status::ok || seq == 0) return status;
  if (span_end(keys.spec, values.spec, past, past + seq) != past + seq) return Status::bad_position;
  attend(KvRegion{keys.spec, both.keys, keys.data}, KvRegion{values.spec, both.values, values.data}, query,
         past, seq, both.scratch);
  return Status::ok;
}

Status kv_step(const KvCache& keys, const KvRows& new_keys, const KvCache& values,
               const KvRows& new_values, const KvQuery& query, int64_t past, int64_t seq) {
  Both both;
  const Status status = both.prepare(keys, values, query, past, seq);
  if (status != Status::ok) return status;
  if (new_keys.data == nullptr || new_values.data == nullptr) return Status::bad_parts;
  const KvRegion k{keys.spec, both.keys, keys.data}, v{values.spec, both.values, values.data};
  KvRows key_rows = new_keys, value_rows = new_values;
  KvQuery part = query;
  for (int64_t first = past; first < past + seq;) {
    const int64_t end = span_end(keys.spec, values.spec, first, past + seq), count = end - first;
    kv_put(k, key_rows, first, count);
    kv_put(v, value_rows, first, count);
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
