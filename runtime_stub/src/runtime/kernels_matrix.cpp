// Steps that read a weight matrix: embedding and linear.
#include <algorithm>
#include <cstring>

#include "optimum_compile/products.h"
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

// Rows of the weight, from `begin` on, into one output.
struct Target {
  const Product& p;
  const Tensor& out;
  const Matrix& m;
  int64_t begin;
};

// Products of rows first .. end - 1 of the output, which are `products` (tokens, kPiece), with what is added to them.
void store(const Target& to, int64_t first, int64_t end, const float* products, int64_t stride) {
  const Product& p = to.p;
  const bool plain = to.out.element == Element::f32;
  float* const floats = reinterpret_cast<float*>(to.out.data);
  for (int64_t t = p.first; t < p.count; ++t, products += stride) {
    const int64_t at = to.m.rows.at(t) + to.out.shift;
    const int64_t residual = p.added == nullptr ? 0 : p.residual.rows.at(t);
    for (int64_t r = first; r < end; ++r) {
      float sum = products[r - first];
      if (p.bias != nullptr) sum += p.bias[to.begin + r];
      if (p.added != nullptr) sum += read_at(*p.added, residual + p.residual.columns.at(to.begin + r));
      const int64_t place = at + to.m.columns.at(r);
      if (plain) {
        floats[place] = sum;
      } else {
        write_at(to.out, place, sum);
      }
    }
  }
}

constexpr int64_t kPiece = 64;  // rows whose products are made before they are stored

// Rows begin .. begin + m.columns.size - 1 of the weight into one output.
void multiply(const Target& to, const Arranged& x) {
  const Product& p = to.p;
  Workers& workers = p.c.work.workers();
  const int64_t rows = to.m.columns.size;
  const int64_t each = p.weight.columns * x.count();
  const auto body = [&](int worker, int64_t first, int64_t end) {
    RowReader& reader = p.c.work.rows(p.c.index(1), worker);
    float* const products = workers.room(worker, kPiece * x.count());
    for (int64_t r = first; r < end; r += kPiece) {
      const int64_t last = std::min(r + kPiece, end);
      if (!multiply_rows(reader, x, to.begin + r, to.begin + last, products, kPiece, workers.vector(worker))) {
        fail(OC_BAD_FILE, "weight %s: an outlier lies outside its row", p.weight.name.c_str());
      }
      store(to, r, last, products, kPiece);
    }
  };
  if (workers.count() == 1 || each < 1 || rows < worth_sharing() / each) return body(0, 0, rows);
  // Pieces are whole runs of decoded rows; several for each worker, because some are slower than others.
  const int64_t least = std::max<int64_t>(1, worth_sharing() / 8 / each);
  const int64_t piece = std::max(least, rows / (4 * workers.count()));
  workers.share(rows, (piece + 7) / 8 * 8, body);
}

}  // namespace

void linear(const StepCall& c) {
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
  const Rows rows = rows_of(p);
  const Arranged x(c.work.rows(c.index(1)).kernel(), rows.at(p.first), rows.stride, p.count - p.first,
                   p.weight.columns, c.work.arranged());
  begin = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    multiply({p, c.out(i), targets[i], begin}, x);
    begin += targets[i].columns.size;
  }
  c.work.weight_bytes += c.work.bytes_of(p.weight);
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
