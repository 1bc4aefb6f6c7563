#include "optimum_compile/runtime/frame.h"

#include <utility>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile {
namespace {

// Bytes of anything: what is below can be multiplied by 8.
constexpr int64_t kMost = int64_t{1} << 46;

// Least and greatest offset that a view reaches; false where they leave 64 bits.
bool extent(const Tensor& t, int64_t* low, int64_t* high) {
  *low = *high = t.start;
  for (int i = 0; i < t.rank; ++i) {
    int64_t reach = 0;
    if (__builtin_mul_overflow(t.dims[i] - 1, t.strides[i], &reach)) return false;
    int64_t* const side = reach < 0 ? low : high;
    if (__builtin_add_overflow(*side, reach, side)) return false;
  }
  return true;
}

// Whether two places of a view may be one element. Enough for views that come from cutting,
// splitting and turning: sorted by stride, each axis steps
// over everything that the smaller ones reach.
bool may_repeat(const Tensor& t) {
  std::pair<int64_t, int64_t> axes[kMaxAxes];
  int count = 0;
  for (int i = 0; i < t.rank; ++i) {
    if (t.dims[i] <= 1) continue;
    const std::pair<int64_t, int64_t> axis{t.strides[i] < 0 ? -t.strides[i] : t.strides[i],
                                           t.dims[i]};
    int at = count++;
    for (; at > 0 && axis < axes[at - 1]; --at) axes[at] = axes[at - 1];
    axes[at] = axis;
  }
  int64_t reach = 0;
  for (int i = 0; i < count; ++i) {
    if (axes[i].first <= reach) return true;
    reach += axes[i].first * (axes[i].second - 1);
  }
  return false;
}

}  // namespace

Frame::Frame(const Program& program, const Function& function)
    : program_(program),
      function_(function),
      numbers_(program),
      places_(function.buffers.size()),
      views_(function.views.size()) {}

int64_t Frame::set(int64_t seq, int64_t past) {
  bound_ = bound_ && seq == seq_;
  seq_ = seq;
  past_ = past;
  numbers_.set(seq, past);
  const int64_t bytes = numbers_.at(function_.arena);
  if (bytes < 0 || bytes > kMost) {
    fail(OC_BAD_CALL, "function %s asks for an arena of %lld bytes", function_.name.c_str(),
         static_cast<long long>(bytes));
  }
  return bytes;
}

Frame::Place Frame::place(const Buffer& b) const {
  const int64_t elements = numbers_.at(b.elements), item = item_bytes(b.element);
  const int64_t at = b.space == Space::arena ? numbers_.at(b.at) : 0;
  int64_t held = 0;  // bytes that are there
  uint8_t* data = nullptr;
  switch (b.space) {
    case Space::arena:
      if (at < 0 || at > memory_.arena_bytes || at % item != 0) break;
      held = memory_.arena_bytes - at;
      data = memory_.arena + at;
      break;
    case Space::keys:
      held = program_.caches[b.at].bytes;
      data = memory_.keys + program_.caches[b.at].offset;
      break;
    case Space::values:
      held = program_.caches[b.at].bytes;
      data = memory_.values + program_.caches[b.at].offset;
      break;
    case Space::input:  // never an output: the reader has checked it
      held = seq_ * item;
      data = reinterpret_cast<uint8_t*>(const_cast<int64_t*>(memory_.tokens));
      break;
    case Space::output:
      held = seq_ * program_.vocabulary * item;
      data = reinterpret_cast<uint8_t*>(memory_.logits);
      break;
    case Space::constant:
      held = static_cast<int64_t>(program_.parts[b.at].bytes.size);
      data = const_cast<uint8_t*>(program_.parts[b.at].bytes.data);
      break;
  }
  if (elements < 0 || elements > held / item) {
    fail(OC_BAD_CALL, "%s: buffer %s of %lld elements does not fit its memory",
         function_.name.c_str(), b.name.c_str(), static_cast<long long>(elements));
  }
  return {data, elements};
}

Tensor Frame::resolve(const View& v) const {
  const Buffer& buffer = function_.buffers[v.buffer];
  const Place& place = places_[v.buffer];
  Tensor t;
  t.element = buffer.element;
  t.space = buffer.space;
  t.rank = v.rank;
  t.start = numbers_.at(v.offset);
  t.elements = 1;
  bool good = true;
  for (int i = 0; i < v.rank && good; ++i) {
    t.dims[i] = numbers_.at(v.dims[i]);
    t.strides[i] = numbers_.at(v.strides[i]);
    // Repeated elements count too: work is bounded by them.
    good = t.dims[i] >= 1 && t.strides[i] > -kMost && t.strides[i] < kMost &&
           !__builtin_mul_overflow(t.elements, t.dims[i], &t.elements) && t.elements <= kMost;
  }
  int64_t low = 0, high = 0;
  good = good && extent(t, &low, &high) && low >= 0 && high < place.elements;
  if (!good) {
    fail(OC_BAD_CALL, "%s: a view of buffer %s leaves its %lld elements", function_.name.c_str(),
         buffer.name.c_str(), static_cast<long long>(place.elements));
  }
  t.repeats = may_repeat(t);
  if (t.space == Space::output && memory_.logits_from > 0) {
    t.data = place.data;
    t.shift = t.start - memory_.logits_from * program_.vocabulary;
  } else {
    t.data = place.data + t.start * item_bytes(t.element);
  }
  return t;
}

void Frame::bind(const Memory& memory) {
  // What moved since the last call is resolved again; the caller's arrays always may have.
  const bool same =
      bound_ && memory.arena == memory_.arena && memory.arena_bytes == memory_.arena_bytes;
  bound_ = false;
  memory_ = memory;
  const auto moved = [&](const Buffer& b) {
    return !same || b.uses_past || b.space == Space::input || b.space == Space::output;
  };
  for (size_t i = 0; i < places_.size(); ++i) {
    if (moved(function_.buffers[i])) places_[i] = place(function_.buffers[i]);
  }
  for (size_t i = 0; i < views_.size(); ++i) {
    const View& v = function_.views[i];
    if (v.uses_past || moved(function_.buffers[v.buffer])) views_[i] = resolve(v);
  }
  bound_ = true;
}

}  // namespace optimum_compile
