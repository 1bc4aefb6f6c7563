// Steps that work on single numbers, and the two that move or gather them.
#include <algorithm>
#include <cmath>

#include "optimum_compile/bits.h"
#include "optimum_compile/runtime/kernels.h"

namespace optimum_compile {
namespace {

// Rows of a and b, which have the dimensions of y, into rows of y.
template <typename Make>
void each_pair(const StepCall& c, const Tensor& a, const Tensor& b, const Tensor& y, Make make) {
  c.need(same_dims(a, y) && same_dims(b, y), "operands differ from y in shape");
  const int64_t n = y.last();
  float* const rooms[] = {c.work.room(0, n), c.work.room(1, n), c.work.room(2, n)};
  Walk at_a(a), at_b(b), at_y(y);
  for (int64_t i = y.rows(); i > 0; --i, at_a.next(), at_b.next(), at_y.next()) {
    const float* left = read_row(a, at_a.offset(), rooms[0]);
    const float* right = read_row(b, at_b.offset(), rooms[1]);
    float* const out = row_place(y, at_y.offset(), rooms[2]);
    make(left, right, out, n);
    write_row(y, at_y.offset(), out);
  }
}

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }
float silu(float x) { return x / (1.0f + std::exp(-x)); }
float relu(float x) { return x < 0.0f ? 0.0f : x; }
float gelu(float x) { return 0.5f * x * (1.0f + std::erf(x * 0.70710678118654752f)); }
float gelu_tanh(float x) {
  return 0.5f * x * (1.0f + std::tanh(0.79788456080286536f * (x + 0.044715f * x * x * x)));
}

// Calls use(f) with the function of one number, so that its loop is compiled for it.
template <typename Use>
void with_unary(int64_t function, Use use) {
  switch (function) {
    case 0: return use(silu);
    case 1: return use(relu);
    case 2: return use(gelu);
    case 3: return use(gelu_tanh);
    case 4: return use([](float x) { return std::tanh(x); });
    case 5: return use(sigmoid);
    case 6: return use([](float x) { return std::exp(x); });
    case 7: return use([](float x) { return std::log(x); });
    case 8: return use([](float x) { return std::sqrt(x); });
    case 9: return use([](float x) { return 1.0f / std::sqrt(x); });
    case 10: return use([](float x) { return -x; });
    case 11: return use([](float x) { return std::fabs(x); });
    case 12: return use([](float x) { return std::cos(x); });
    case 13: return use([](float x) { return std::sin(x); });
    case 14: return use([](float x) { return std::erf(x); });
    case 15: return use([](float x) { return 1.0f / x; });
    default: return use([](float x) { return std::floor(x); });
  }
}

// The greater and the lesser of two; what is no number stays, as in torch.
float greater(float a, float b) { return std::isnan(a) || a > b ? a : b; }
float lesser(float a, float b) { return std::isnan(a) || a < b ? a : b; }

template <typename Use>
void with_binary(int64_t function, Use use) {
  switch (function) {
    case 0: return use([](float a, float b) { return a + b; });
    case 1: return use([](float a, float b) { return a - b; });
    case 2: return use([](float a, float b) { return a * b; });
    case 3: return use([](float a, float b) { return a / b; });
    case 4: return use([](float a, float b) { return std::pow(a, b); });
    case 5: return use(greater);
    default: return use(lesser);
  }
}

template <typename Item>
void move_items(const Tensor& x, const Tensor& y) {
  const Item* in = reinterpret_cast<const Item*>(x.data);
  Item* out = reinterpret_cast<Item*>(y.data);
  const int64_t n = y.last(), step_in = y.rank == 0 ? 0 : x.strides[x.rank - 1];
  const int64_t step_out = y.rank == 0 ? 0 : y.strides[y.rank - 1];
  Walk from(x), to(y);
  for (int64_t i = y.rows(); i > 0; --i, from.next(), to.next()) {
    for (int64_t j = 0; j < n; ++j) {
      out[to.offset() + j * step_out] = in[from.offset() + j * step_in];
    }
  }
}

}  // namespace

void gated(const StepCall& c) {
  const Tensor &gate = c.in(0), &up = c.in(1);
  with_unary(c.whole(0), [&](auto function) {
    each_pair(c, gate, up, c.out(0), [&](const float* g, const float* u, float* out, int64_t n) {
      for (int64_t i = 0; i < n; ++i) out[i] = function(g[i]) * u[i];
    });
  });
}

void unary(const StepCall& c) {
  const Tensor& x = c.in(0);
  with_unary(c.whole(0), [&](auto function) {
    each_pair(c, x, x, c.out(0), [&](const float* in, const float*, float* out, int64_t n) {
      for (int64_t i = 0; i < n; ++i) out[i] = function(in[i]);
    });
  });
}

void binary(const StepCall& c) {
  const Tensor &a = c.in(0), &b = c.in(1);
  with_binary(c.whole(0), [&](auto function) {
    each_pair(c, a, b, c.out(0), [&](const float* left, const float* right, float* out, int64_t n) {
      for (int64_t i = 0; i < n; ++i) out[i] = function(left[i], right[i]);
    });
  });
}

void copy(const StepCall& c) {
  const Tensor &x = c.in(0), &y = c.out(0);
  c.need(same_dims(x, y), "x and y differ in shape");
  if (x.element == y.element) {
    switch (item_bytes(x.element)) {
      case 8: return move_items<int64_t>(x, y);
      case 4: return move_items<uint32_t>(x, y);
      case 2: return move_items<uint16_t>(x, y);
      default: return move_items<uint8_t>(x, y);
    }
  }
  const auto is_float = [](const Tensor& t) {
    return t.element == Element::f32 || t.element == Element::f16;
  };
  c.need(is_float(x) && is_float(y), "x and y differ in dtype");
  each_pair(c, x, x, y, [](const float* in, const float*, float* out, int64_t n) {
    if (in != out) std::copy(in, in + n, out);
  });
}

void reduce(const StepCall& c) {
  const Tensor &x = c.in(0), &y = c.out(0);
  const int64_t function = c.whole(0), bits = c.whole(1);
  c.need(x.rank == y.rank && x.rank >= 1 && bits < (int64_t{1} << x.rank),
         "y has not the rank of x");
  // The kept axes of x as one tensor, the reduced ones as another:
  // each number of y is a walk over those.
  Tensor kept = x, gone = x;
  for (int i = 0; i < x.rank; ++i) {
    const bool reduced = (bits >> i & 1) != 0;
    (reduced ? kept : gone).dims[i] = 1;
    c.need(y.dims[i] == kept.dims[i], "y has other dimensions than x without the reduced axes");
  }
  const int64_t size = x.elements / y.elements;
  Walk from(kept, kept.rank), to(y, y.rank);
  for (int64_t i = y.elements; i > 0; --i, from.next(), to.next()) {
    double sum = 0;
    float most = -INFINITY;
    Walk at(gone, gone.rank);
    for (int64_t j = size; j > 0; --j, at.next()) {
      const float value = read_at(x, from.offset() + at.offset());
      sum += value;
      most = greater(value, most);
    }
    const double total = function == 0 ? sum / static_cast<double>(size) : sum;
    write_at(y, to.offset(), function == 2 ? most : static_cast<float>(total));
  }
}

bool all_zero(const Tensor& x) {
  Walk at(x, x.rank);
  for (int64_t i = x.elements; i > 0; --i, at.next()) {
    if (read_at(x, at.offset()) != 0.0f) return false;
  }
  return true;
}

void set_zero(const Tensor& y) {
  Walk at(y, y.rank);
  for (int64_t i = y.elements; i > 0; --i, at.next()) write_at(y, at.offset(), 0.0f);
}

}  // namespace optimum_compile
