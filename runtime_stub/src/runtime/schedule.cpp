#include "optimum_compile/runtime/schedule.h"

#include <algorithm>
#include <cmath>

#include "optimum_compile/kv_region.h"
#include "optimum_compile/runtime/failure.h"

namespace optimum_compile {
namespace {

constexpr int64_t kBlock = 64;  // tokens that are read at a time
constexpr double kNormEpsilon = 1e-5;

// One side of the cache, block by block.
class Side {
 public:
  Side(const KvCache& cache, KvRole role, int64_t heads, int64_t width, int64_t tokens)
      : cache_(cache), tokens_(tokens) {
    const KvSpec& s = cache.spec;
    if (s.heads != heads || s.width != width) {
      fail(OC_BAD_CALL,
           "the scheduler reads %lld heads of %lld channels; the cache has %lld of %lld",
           static_cast<long long>(heads), static_cast<long long>(width),
           static_cast<long long>(s.heads), static_cast<long long>(s.width));
    }
    if (kv_open(cache, role, &layout_) != Status::ok || tokens < 1 || tokens > s.context) {
      fail(OC_BAD_CALL, "a cache of %lld tokens cannot be read", static_cast<long long>(tokens));
    }
    room_.resize(static_cast<size_t>(2 * width));
    block_.resize(static_cast<size_t>(kBlock * width));
  }

  // `row(token, numbers)` for each token of a head.
  template <typename Row>
  void each(int64_t head, Row row) {
    const KvRegion region{cache_.spec, layout_, cache_.data};
    const int64_t rounded = kv_rounded(cache_.spec, tokens_);
    for (int64_t first = 0; first < tokens_; first += kBlock) {
      const int64_t end = std::min(first + kBlock, tokens_);
      kv_read(region, rounded, head, first, end, room_.data(), block_.data());
      const float* numbers = block_.data();
      for (int64_t t = first; t < end; ++t, numbers += cache_.spec.width) row(t, numbers);
    }
  }

 private:
  const KvCache& cache_;
  const int64_t tokens_;
  KvLayout layout_;
  std::vector<float> room_, block_;
};

float dot(const float* a, const float* b, int64_t n) {
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// The mean over heads of what each head's query takes from the values.
std::vector<float> pool(const Schedule& s, Side* keys, Side* values, int64_t tokens) {
  std::vector<float> pooled(static_cast<size_t>(s.value_width), 0.0f);
  std::vector<float> scores(static_cast<size_t>(tokens));
  const float scale = 1 / std::sqrt(static_cast<float>(s.width));
  for (int64_t head = 0; head < s.heads; ++head) {
    const float* query = &s.query[static_cast<size_t>(head * s.width)];
    keys->each(head, [&](int64_t t, const float* row) {
      scores[static_cast<size_t>(t)] = dot(query, row, s.width) * scale;
    });
    const float most = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (float& score : scores) {
      score = std::exp(score - most);
      sum += score;
    }
    const float share = static_cast<float>(1 / (sum * static_cast<double>(s.heads)));
    values->each(head, [&](int64_t t, const float* row) {
      const float weight = scores[static_cast<size_t>(t)] * share;
      for (int64_t i = 0; i < s.value_width; ++i) pooled[static_cast<size_t>(i)] += weight * row[i];
    });
  }
  return pooled;
}

void normalise(const Schedule& s, std::vector<float>* x) {
  const double n = static_cast<double>(x->size());
  double mean = 0, square = 0;
  for (const float v : *x) mean += v;
  mean /= n;
  for (const float v : *x) square += (v - mean) * (v - mean);
  const double divisor = std::sqrt(square / n + kNormEpsilon);
  for (size_t i = 0; i < x->size(); ++i) {
    (*x)[i] = static_cast<float>(((*x)[i] - mean) / divisor) * s.norm[i] + s.offset[i];
  }
}

std::vector<float> affine(const std::vector<float>& weight, const std::vector<float>& bias,
                          const std::vector<float>& x) {
  std::vector<float> out(bias);
  const int64_t n = static_cast<int64_t>(x.size());
  for (size_t row = 0; row < out.size(); ++row) out[row] += dot(&weight[row * x.size()], x.data(), n);
  return out;
}

}  // namespace

std::vector<float> schedule_logits(const Schedule& s, const KvCache& keys, const KvCache& values,
                                   int64_t tokens) {
  Side key_side(keys, KvRole::keys, s.heads, s.width, tokens);
  Side value_side(values, KvRole::values, s.heads, s.value_width, tokens);
  std::vector<float> x = pool(s, &key_side, &value_side, tokens);
  normalise(s, &x);
  std::vector<float> inner = affine(s.inner, s.inner_bias, x);
  for (float& v : inner) v = std::max(v, 0.0f);
  return affine(s.outer, s.outer_bias, inner);
}

}  // namespace optimum_compile
