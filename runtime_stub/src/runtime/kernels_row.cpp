// Steps that work on rows of the last axis: norms, Hadamard
// transforms, softmax, routing, rotary angles.
#include <algorithm>
#include <cmath>

#include "optimum_compile/runtime/kernels.h"

namespace optimum_compile {
namespace {

// Calls make(in, out, n) for each row of x and y, which have
// the same shape. Both may be one row in memory.
template <typename Make>
void each_row(const StepCall& c, const Tensor& x, const Tensor& y, Make make) {
  c.need(same_dims(x, y), "x and y differ in shape");
  const int64_t n = x.last();
  float* const in_room = c.work.room(0, n);
  float* const out_room = c.work.room(1, n);
  Walk from(x), to(y);
  for (int64_t i = x.rows(); i > 0; --i, from.next(), to.next()) {
    float* const out = row_place(y, to.offset(), out_room);
    make(read_row(x, from.offset(), in_room), out, n);
    write_row(y, to.offset(), out);
  }
}

// Sums are double: a row of thousands then costs no accuracy.
double mean_of_squares(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
  return sum / static_cast<double>(n);
}

float inverse_root(double mean, double eps) {
  return static_cast<float>(1.0 / std::sqrt(mean + eps));
}

void normalise(const float* x, int64_t n, double eps, const float* weight, float* out) {
  const float factor = inverse_root(mean_of_squares(x, n), eps);
  for (int64_t i = 0; i < n; ++i) {
    out[i] = weight == nullptr ? x[i] * factor : x[i] * factor * weight[i];
  }
}

void soften(const float* x, int64_t n, float* out) {
  const float most = *std::max_element(x, x + n);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    out[i] = std::exp(x[i] - most);
    sum += out[i];
  }
  const float factor = static_cast<float>(1.0 / sum);
  for (int64_t i = 0; i < n; ++i) out[i] *= factor;
}

}  // namespace

void rms_norm(const StepCall& c) {
  const Tensor& x = c.in(0);
  const float* weight = c.has(1) ? c.work.vector(c.index(1), x.last(), 2) : nullptr;
  const double eps = c.real(0);
  each_row(c, x, c.out(0),
           [&](const float* in, float* out, int64_t n) { normalise(in, n, eps, weight, out); });
}

void layer_norm(const StepCall& c) {
  const Tensor& x = c.in(0);
  const float* weight = c.has(1) ? c.work.vector(c.index(1), x.last(), 2) : nullptr;
  const float* bias = c.has(2) ? c.work.vector(c.index(2), x.last(), 3) : nullptr;
  const double eps = c.real(0);
  each_row(c, x, c.out(0), [&](const float* in, float* out, int64_t n) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; ++i) sum += in[i];
    const double mean = sum / static_cast<double>(n);
    for (int64_t i = 0; i < n; ++i) squares += (in[i] - mean) * (in[i] - mean);
    const float factor = inverse_root(squares / static_cast<double>(n), eps);
    for (int64_t i = 0; i < n; ++i) {
      const float near = static_cast<float>(in[i] - mean) * factor;
      out[i] = (weight == nullptr ? near : near * weight[i]) + (bias == nullptr ? 0.0f : bias[i]);
    }
  });
}

void add_rms_norm(const StepCall& c) {
  const Tensor &a = c.in(0), &b = c.in(1), &sum = c.out(0), &y = c.out(1);
  const float* weight = c.has(2) ? c.work.vector(c.index(2), a.last(), 2) : nullptr;
  c.need(same_dims(a, b) && same_dims(a, sum) && same_dims(a, y), "operands differ in shape");
  const int64_t n = a.last();
  float* const rooms[] = {c.work.room(0, n), c.work.room(1, n), c.work.room(3, n),
                          c.work.room(4, n)};
  Walk at_a(a), at_b(b), at_sum(sum), at_y(y);
  for (int64_t i = a.rows(); i > 0; --i, at_a.next(), at_b.next(), at_sum.next(), at_y.next()) {
    const float* left = read_row(a, at_a.offset(), rooms[0]);
    const float* right = read_row(b, at_b.offset(), rooms[1]);
    float* const total = row_place(sum, at_sum.offset(), rooms[2]);
    for (int64_t j = 0; j < n; ++j) total[j] = left[j] + right[j];
    float* const out = row_place(y, at_y.offset(), rooms[3]);
    normalise(total, n, c.real(0), weight, out);
    write_row(sum, at_sum.offset(), total);
    write_row(y, at_y.offset(), out);
  }
}

void hadamard(const StepCall& c) {
  const int64_t block = c.whole(0);
  c.need((block & (block - 1)) == 0 && c.in(0).last() % block == 0,
         "the block is no power of two that divides the last axis");
  const float factor = static_cast<float>(1.0 / std::sqrt(static_cast<double>(block)));
  each_row(c, c.in(0), c.out(0), [&](const float* in, float* out, int64_t n) {
    if (in != out) std::copy(in, in + n, out);
    for (int64_t half = 1; half < block; half *= 2) {
      for (int64_t i = 0; i < n; i += 2 * half) {
        for (int64_t j = i; j < i + half; ++j) {
          const float a = out[j], b = out[j + half];
          out[j] = a + b;
          out[j + half] = a - b;
        }
      }
    }
    for (int64_t i = 0; i < n; ++i) out[i] *= factor;
  });
}

void softmax(const StepCall& c) {
  const Tensor &x = c.in(0), &y = c.out(0);
  const int64_t axis = c.whole(0);
  c.need(axis < x.rank && same_dims(x, y), "x and y differ in shape, or have no such axis");
  const int last = static_cast<int>(axis);
  each_row(c, with_last(x, last), with_last(y, last),
           [](const float* in, float* out, int64_t n) { soften(in, n, out); });
}

void route(const StepCall& c) {
  const int64_t top = c.whole(0);
  const bool renormalise = c.whole(1) != 0;
  c.need(c.in(0).last() >= top, "top_k is more than there are experts");
  std::vector<int64_t> order;
  std::vector<float> logits;  // x and y may be the same row
  each_row(c, c.in(0), c.out(0), [&](const float* in, float* out, int64_t n) {
    logits.assign(in, in + n);
    order.resize(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) order[static_cast<size_t>(i)] = i;
    // Not a number counts as least, or the order would not be one.
    const auto key = [&](int64_t i) {
      const float v = logits[static_cast<size_t>(i)];
      return std::isnan(v) ? -INFINITY : v;
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return key(a) > key(b); });
    soften(logits.data(), n, out);
    for (int64_t i = top; i < n; ++i) out[order[static_cast<size_t>(i)]] = 0;
    if (!renormalise) return;
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += out[i];
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(out[i] / sum);
  });
}

void rope(const StepCall& c) {
  const Tensor& x = c.in(0);
  const Weight& table = c.work.weight(c.index(1));
  const int64_t past = c.number(0);
  c.need(x.rank >= 2 && x.last() % 2 == 0 && table.kind == WeightKind::f32 &&
             table.columns == x.last(),
         "the table is no f32 of the width of x");
  const int64_t seq = x.dims[x.rank - 2], half = x.last() / 2;
  c.need(past >= 0 && past <= table.rows - seq, "the table ends before the last position");
  // The token of a row: their axis is the fastest of those that are walked.
  int64_t at = 0;
  each_row(c, x, c.out(0), [&](const float* in, float* out, int64_t) {
    const float* cosines = table.floats + (past + at) * table.columns;
    const float* sines = cosines + half;
    for (int64_t i = 0; i < half; ++i) {
      const float a = in[i], b = in[i + half];
      out[i] = a * cosines[i] - b * sines[i];
      out[i + half] = b * cosines[i] + a * sines[i];
    }
    at = at + 1 == seq ? 0 : at + 1;
  });
  c.work.weight_bytes += seq * table.columns * 4;
}

}  // namespace optimum_compile
