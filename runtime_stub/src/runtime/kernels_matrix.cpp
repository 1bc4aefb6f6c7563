// Steps that read a weight matrix: embedding and linear.
#include <algorithm>
#include <cstring>

#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/kernels.h"

namespace optimum_compile {
namespace {

// Rows of x as contiguous floats, and where a row of the product goes.
struct Rows {
  const float* data = nullptr;
  int64_t stride = 0;
  const float* at(int64_t t) const { return data + t * stride; }
};

struct Product {
  const StepCall& c;
  const Weight& weight;
  int64_t first = 0;  // token: those before it are logits that nobody asked for
  int64_t count = 0;  // tokens
  Matrix x;
  Matrix residual;
  const Tensor* added = nullptr;
  const float* bias = nullptr;
};

Product take_inputs(const StepCall& c) {
  Product p{c, c.work.weight(c.index(1)), 0, 0, {}, {}, nullptr, nullptr};
  c.need(as_matrix(c.in(0), p.weight.columns, &p.x),
         "x has no axes that are the columns of the weight");
  p.count = p.x.rows.size;
  if (c.has(2)) p.bias = c.work.vector(c.index(2), p.weight.rows, 1);
  if (!c.has(3)) return p;
  p.added = &c.in(3);
  const bool same =
      as_matrix(*p.added, p.weight.rows, &p.residual) && p.residual.rows.size == p.count;
  c.need(same && c.step.outputs.size() == 1, "the residual differs from the output in shape");
  return p;
}

Rows rows_of(const Product& p) {
  const Tensor& x = p.c.in(0);
  const Matrix& m = p.x;
  const bool plain = x.element == Element::f32 && m.columns.offsets.empty() &&
                     (m.columns.stride == 1 || m.columns.size == 1) && m.rows.offsets.empty();
  if (plain) return {reinterpret_cast<const float*>(x.data), m.rows.stride};
  const int64_t n = m.columns.size;
  float* out = p.c.work.room(0, p.count * n);
  for (int64_t t = p.first; t < p.count; ++t) {
    for (int64_t i = 0; i < n; ++i) out[t * n + i] = read_at(x, m.rows.at(t) + m.columns.at(i));
  }
  return {out, n};
}

// One output as a matrix (tokens, rows of the weight).
Matrix target_of(const Product& p, const Tensor& out, int64_t rows_left) {
  Matrix m;
  const int64_t rows = out.elements / p.count;
  const bool good = rows >= 1 && rows <= rows_left && out.elements % p.count == 0 &&
                    as_matrix(out, rows, &m) && m.rows.size == p.count;
  p.c.need(good, "an output does not take whole rows of the weight for each token");
  return m;
}

// Where some logits have no memory, those that are made have to lie behind them.
void check_logits(const Product& p, const Tensor& out, const Matrix& m, int64_t room) {
  int64_t low = 0, high = 0;
  for (int64_t r = 0; r < m.columns.size; ++r) {
    low = std::min(low, m.columns.at(r));
    high = std::max(high, m.columns.at(r));
  }
  for (int64_t t = p.first; t < p.count; ++t) {
    const int64_t at = out.shift + m.rows.at(t);
    p.c.need(at + low >= 0 && at + high < room, "logits do not lie in the order of their tokens");
  }
}

// Rows begin .. begin + m.columns.size - 1 of the weight into one output.
template <typename DotRow>
void multiply(const Product& p, const Tensor& out, const Matrix& m, int64_t begin, const Rows& x,
              DotRow dot_row) {
  for (int64_t r = 0; r < m.columns.size; ++r) {
    const int64_t row = begin + r, column = out.shift + m.columns.at(r);
    const float bias = p.bias == nullptr ? 0.0f : p.bias[row];
    const auto put = [&](int64_t t, float product) {
      float sum = product + bias;
      if (p.added != nullptr) {
        sum += read_at(*p.added, p.residual.rows.at(t) + p.residual.columns.at(row));
      }
      write_at(out, m.rows.at(t) + column, sum);
    };
    dot_row(row, x, put);
  }
}

template <typename DotRow>
void linear(const StepCall& c, DotRow dot_row_of) {
  Product p = take_inputs(c);
  int64_t vocabulary_room = 0;
  if (c.frame.logits_from() > 0 && c.out(0).space == Space::output) {
    // Only here may the tokens of x be taken for those of the call.
    c.need(p.count == c.frame.seq(), "logits are not made for each token");
    p.first = c.frame.logits_from();
    vocabulary_room = c.frame.logits_room();
  }
  std::vector<Matrix> targets;
  int64_t begin = 0;
  for (size_t i = 0; i < c.step.outputs.size(); ++i) {
    const Tensor& out = c.out(i);
    targets.push_back(target_of(p, out, p.weight.rows - begin));
    if (p.first > 0) check_logits(p, out, targets.back(), vocabulary_room);
    begin += targets.back().columns.size;
  }
  c.need(begin == p.weight.rows, "the outputs do not take all rows of the weight");
  const Rows x = rows_of(p);
  const auto dot_row = dot_row_of(p);
  begin = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    multiply(p, c.out(i), targets[i], begin, x, dot_row);
    begin += targets[i].columns.size;
  }
  c.work.weight_bytes += c.work.bytes_of(p.weight);
}

// Each row is decoded once and serves every token.
auto decoded_rows(const Product& p) {
  RowReader& reader = p.c.work.rows(p.c.index(1));
  return [&p, &reader](int64_t row, const Rows& x, auto put) {
    const float* w = reader.read(row);
    if (w == nullptr) {
      fail(OC_BAD_FILE, "weight %s: an outlier lies outside its row", p.weight.name.c_str());
    }
    for (int64_t t = p.first; t < p.count; ++t) put(t, dot(x.at(t), w, p.weight.columns));
  };
}

auto half_rows(const Product& p) {
  return [&p](int64_t row, const Rows& x, auto put) {
    const uint16_t* w = p.weight.halves + row * p.weight.columns;
    for (int64_t t = p.first; t < p.count; ++t) put(t, dot_half(x.at(t), w, p.weight.columns));
  };
}

}  // namespace

void linear_packed(const StepCall& c) { linear(c, decoded_rows); }

// For one token a row of fp16 is multiplied as it lies; for
// more it is widened once for all of them.
void linear_half(const StepCall& c) {
  const Weight& weight = c.work.weight(c.index(1));
  const bool one = c.in(0).elements == weight.columns;
  if (weight.kind != WeightKind::f16 || !one) return linear_packed(c);
  linear(c, half_rows);
}

void embedding(const StepCall& c) {
  const Weight& weight = c.work.weight(c.index(1));
  const Tensor &ids = c.in(0), &y = c.out(0);
  Matrix from, to;
  c.need(as_matrix(ids, 1, &from) && as_matrix(y, weight.columns, &to) &&
             from.rows.size == to.rows.size,
         "y has no axes that are the columns of the weight, or other tokens than ids");
  const int64_t* in = reinterpret_cast<const int64_t*>(ids.data);
  RowReader& reader = c.work.rows(c.index(1));
  for (int64_t t = 0; t < to.rows.size; ++t) {
    const int64_t id = in[from.rows.at(t)];
    if (id < 0 || id >= weight.rows) {
      fail(OC_BAD_CALL, "embedding: id %lld is outside the %lld rows of %s",
           static_cast<long long>(id), static_cast<long long>(weight.rows), weight.name.c_str());
    }
    const float* row = reader.read(id);
    if (row == nullptr) {
      fail(OC_BAD_FILE, "weight %s: an outlier lies outside its row", weight.name.c_str());
    }
    for (int64_t i = 0; i < weight.columns; ++i) {
      write_at(y, to.rows.at(t) + to.columns.at(i), row[i]);
    }
  }
  c.work.weight_bytes += to.rows.size * (c.work.bytes_of(weight) / weight.rows);
}

}  // namespace optimum_compile
