// Steps that write into caches and read them; kv_cache.h does the work.
#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/kernels.h"

namespace optimum_compile {
namespace {

// A view (1, heads, seq, width) as the cache's kernels take it.
struct Heads {
  const Tensor& t;
  int64_t heads() const { return t.dims[1]; }
  int64_t seq() const { return t.dims[2]; }
  int64_t width() const { return t.dims[3]; }
  bool plain() const { return t.element == Element::f32 && (width() == 1 || t.strides[3] == 1); }
};

Heads heads_of(const StepCall& c, const Tensor& t) {
  c.need(t.rank == 4 && t.dims[0] == 1, "queries, keys and values are (1, heads, seq, width)");
  return {t};
}

// Rows where they lie, or gathered as (seq, heads, width).
KvRows rows_of(const StepCall& c, const Heads& h, int room) {
  if (h.plain()) return {reinterpret_cast<const float*>(h.t.data), h.t.strides[2], h.t.strides[1]};
  float* const out = c.work.room(room, h.t.elements);
  for (int64_t s = 0; s < h.seq(); ++s) {
    for (int64_t n = 0; n < h.heads(); ++n) {
      for (int64_t i = 0; i < h.width(); ++i) {
        out[(s * h.heads() + n) * h.width() + i] =
            read_at(h.t, n * h.t.strides[1] + s * h.t.strides[2] + i * h.t.strides[3]);
      }
    }
  }
  return {out, h.heads() * h.width(), h.width()};
}

KvOut place_of(const StepCall& c, const Heads& h, int room) {
  if (h.plain()) return {reinterpret_cast<float*>(h.t.data), h.t.strides[2], h.t.strides[1]};
  return {c.work.room(room, h.t.elements), h.heads() * h.width(), h.width()};
}

void store_out(const Heads& h, const KvOut& from) {
  if (h.plain()) return;
  for (int64_t s = 0; s < h.seq(); ++s) {
    for (int64_t n = 0; n < h.heads(); ++n) {
      for (int64_t i = 0; i < h.width(); ++i) {
        write_at(h.t, n * h.t.strides[1] + s * h.t.strides[2] + i * h.t.strides[3],
                 from.data[s * from.token_stride + n * from.head_stride + i]);
      }
    }
  }
}

void check_rows(const StepCall& c, const Heads& rows, const KvCache& cache) {
  c.need(rows.heads() == cache.spec.heads && rows.width() == cache.spec.width,
         "rows differ from their cache in heads or width");
}

// Bytes that `seq` tokens behind `past` store: their rows, and the codes and scales of the runs
// that leave the window with them.
int64_t written_bytes(const KvSpec& spec, int64_t past, int64_t seq) {
  const int64_t rows = seq * spec.heads * spec.width * 2;
  if (spec.bits == 16) return rows;
  KvLayout layout;
  if (kv_check(spec, &layout) != Status::ok) return rows;
  const int64_t tokens = kv_rounded(spec, past + seq) - kv_rounded(spec, past);
  const int64_t codes = tokens * spec.heads * spec.width * spec.bits / 8;
  const int64_t scales =
      spec.role == KvRole::keys ? tokens / spec.group * spec.width : tokens * layout.channel_groups;
  return rows + codes + scales * spec.heads * 4;
}

void done(const StepCall& c, Status status) { c.need(status == Status::ok, message(status)); }

// What both forms of attention have in common; `q` is input 0, caches are inputs `at` and `at` + 1.
struct Attention {
  Attention(const StepCall& c, size_t at)
      : q(heads_of(c, c.in(0))),
        y(heads_of(c, c.out(0))),
        keys(c.work.cache(c.index(at))),
        values(c.work.cache(c.index(at + 1))) {
    c.need(q.width() == keys.spec.width && y.width() == values.spec.width && y.seq() == q.seq() &&
               y.heads() == q.heads() && q.heads() % keys.spec.heads == 0 &&
               keys.spec.heads == values.spec.heads,
           "queries, caches and y differ in heads, width or tokens");
    query.q = rows_of(c, q, 0);
    query.q_heads = q.heads();
    query.scale = static_cast<float>(c.real(1));
    query.window = c.whole(2);
    query.workers = &c.work.workers();
    query.out = place_of(c, y, 1);
    const int64_t needed = kv_scratch_floats(keys.spec, values.spec, q.heads());
    c.need(needed >= 0, "the caches do not fit each other");
    query.scratch_floats = static_cast<size_t>(needed);
    query.scratch = scratch(c, at + 2, needed);
  }

  static float* scratch(const StepCall& c, size_t at, int64_t needed) {
    if (!c.has(at)) return c.work.room(4, needed);
    const Tensor& t = c.in(at);
    const bool flat = t.rank == 1 && (t.dims[0] == 1 || t.strides[0] == 1);
    c.need(flat && t.elements >= needed,
           "scratch is no row of as many floats as kv_scratch_floats says");
    return reinterpret_cast<float*>(t.data);
  }

  Heads q, y;
  KvCache keys, values;
  KvQuery query;
};

}  // namespace

void store_kv(const StepCall& c) {
  const Heads rows = heads_of(c, c.in(0));
  const KvCache cache = c.work.cache(c.index(1));
  const int64_t past = c.number(0);
  check_rows(c, rows, cache);
  done(c, kv_write(cache, rows_of(c, rows, 0), past, rows.seq()));
  c.work.kv_written_bytes += written_bytes(cache.spec, past, rows.seq());
}

void attend(const StepCall& c) {
  const Attention a(c, 1);
  done(c, kv_attention(a.keys, a.values, a.query, c.number(0), a.q.seq()));
  store_out(a.y, a.query.out);
}

void store_and_attend(const StepCall& c) {
  const Attention a(c, 3);
  const Heads k = heads_of(c, c.in(1)), v = heads_of(c, c.in(2));
  const int64_t past = c.number(0), seq = a.q.seq();
  check_rows(c, k, a.keys);
  check_rows(c, v, a.values);
  c.need(k.seq() == seq && v.seq() == seq, "keys and values have other tokens than queries");
  const KvRows keys = rows_of(c, k, 2), values = rows_of(c, v, 3);
  done(c, kv_step(a.keys, keys, a.values, values, a.query, past, seq));
  store_out(a.y, a.query.out);
  c.work.kv_written_bytes +=
      written_bytes(a.keys.spec, past, seq) + written_bytes(a.values.spec, past, seq);
}

}  // namespace optimum_compile
