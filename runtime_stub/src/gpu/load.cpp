#include <numeric>
#include <utility>

#include "optimum_compile/gpu/kernel_table.h"
#include "optimum_compile/gpu/program.h"
#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu {
namespace {

constexpr uint8_t kWaits = 1, kLogits = 2;

// How many widths calls may name.
uint32_t width_count(const Program& p) {
  return p.least_width == 0 ? 0 : static_cast<uint32_t>(p.greatest_width - p.least_width + 1);
}

PipelineOf read_pipeline(Cursor& in, const GpuProgram& g) {
  PipelineOf p;
  p.kernel = read_index(in, g.kernels.size(), "the kernel of a pipeline");
  const uint32_t count = in.count("constants", 4);
  const char* name = g.kernels[p.kernel].name.c_str();
  if (count < 1 || count > kMostConstants) {
    fail(OC_BAD_FILE, "a pipeline of kernel %s with %u constants", name, count);
  }
  for (uint32_t i = 0; i < count; ++i) p.constants.push_back(in.u32());
  const uint32_t size = p.constants[0];
  if (size < 32 || size > 256 || (size & (size - 1)) != 0) {
    fail(OC_BAD_FILE, "a pipeline of kernel %s with a workgroup of %u; a power of two, 32 to 256",
         name, size);
  }
  return p;
}

void check_part(const Bound& b, const Program& p) {
  if (b.index >= p.parts.size()) {
    fail(OC_BAD_FILE, "a buffer is part %u of %zu", b.index, p.parts.size());
  }
  // Kernels read words: what is missing in the last one counts as part of it.
  const uint64_t held = (p.parts[b.index].bytes.size + 3) / 4 * 4;
  const bool inside = b.bytes > 0 && b.offset <= held && b.bytes <= held - b.offset;
  if (!inside || b.bytes % 4 != 0 || b.offset % kBindAlignment != 0) {
    fail(OC_BAD_FILE, "a buffer of %llu bytes at %llu of part %u, which has %zu",
         static_cast<unsigned long long>(b.bytes), static_cast<unsigned long long>(b.offset),
         b.index, p.parts[b.index].bytes.size);
  }
}

void check_cache(const Bound& b, const Program& p) {
  if (b.index >= p.caches.size()) {
    fail(OC_BAD_FILE, "a buffer is cache %u of %zu", b.index, p.caches.size());
  }
  const Cache& c = p.caches[b.index];
  if (c.offset % kBindAlignment != 0 || c.bytes % 4 != 0) {
    fail(OC_BAD_FILE, "cache %s lies at %lld: no multiple of 256", c.name.c_str(),
         static_cast<long long>(c.offset));
  }
}

Bound read_bound(Cursor& in, const Program& p) {
  Bound b;
  const uint8_t kind = in.u8();
  b.index = in.u32();
  b.offset = in.u64();
  b.bytes = in.u64();
  if (kind > static_cast<uint8_t>(BoundKind::none)) {
    fail(OC_BAD_VERSION, "a buffer of the kind %d", kind);
  }
  b.kind = static_cast<BoundKind>(kind);
  if (b.kind == BoundKind::part) {
    check_part(b, p);
    return b;
  }
  if (b.offset != 0 || b.bytes != 0) fail(OC_BAD_FILE, "a buffer with a range that is no part");
  if (b.kind == BoundKind::cache) check_cache(b, p);
  return b;
}

Param read_param(Cursor& in, const GpuProgram& g) {
  const uint8_t kind = in.u8();
  const int64_t value = in.i64();
  if (kind > static_cast<uint8_t>(ParamKind::expr)) {
    fail(OC_BAD_VERSION, "a param of the kind %d", kind);
  }
  const Param p{static_cast<ParamKind>(kind), static_cast<uint32_t>(value)};
  const int64_t least = p.kind == ParamKind::bits ? INT32_MIN : 0;
  const int64_t most = p.kind == ParamKind::expr ? static_cast<int64_t>(g.expressions.size()) - 1
                                                 : static_cast<int64_t>(UINT32_MAX);
  if (value < least || value > most) {
    fail(OC_BAD_FILE, "a param is %lld; it is %lld to %lld", static_cast<long long>(value),
         static_cast<long long>(least), static_cast<long long>(most));
  }
  return p;
}

Dispatch read_dispatch(Cursor& in, const Program& p, const GpuProgram& g) {
  Dispatch d;
  d.pipeline = read_index(in, g.pipelines.size(), "the pipeline of a dispatch");
  d.stage = in.u16();
  const uint8_t flags = in.u8();
  if (d.stage >= p.stages.size()) fail(OC_BAD_FILE, "a dispatch of stage %d", d.stage);
  if ((flags & ~(kWaits | kLogits)) != 0) fail(OC_BAD_VERSION, "a dispatch with flags %d", flags);
  d.waits = (flags & kWaits) != 0;
  d.makes_logits = (flags & kLogits) != 0;
  for (uint32_t& groups : d.groups) {
    groups = read_index(in, g.expressions.size(), "the groups of a dispatch");
  }
  const uint32_t buffers = in.count("buffers", 21);
  if (buffers > kMostBuffers) fail(OC_BAD_FILE, "a dispatch with %u buffers", buffers);
  for (uint32_t i = 0; i < buffers; ++i) d.buffers.push_back(read_bound(in, p));
  const uint32_t params = in.count("params", 9);
  if (params > kMostParams) fail(OC_BAD_FILE, "a dispatch with %u params", params);
  for (uint32_t i = 0; i < params; ++i) d.params.push_back(read_param(in, g));
  return d;
}

// Places in a table, each once and in order.
uint32_t read_place(Cursor& in, size_t size, int64_t* last, const char* what) {
  const uint32_t place = read_index(in, size, what);
  if (static_cast<int64_t>(place) <= *last) {
    fail(OC_BAD_FILE, "%s is %u, behind %lld", what, place, static_cast<long long>(*last));
  }
  *last = place;
  return place;
}

// What `d` is at some width: another pipeline of the same kernel for the same buffers.
void change(Cursor& in, const GpuProgram& g, Dispatch* d) {
  const uint32_t pipeline = read_index(in, g.pipelines.size(), "the pipeline of a change");
  if (g.pipelines[pipeline].kernel != g.pipelines[d->pipeline].kernel) {
    fail(OC_BAD_FILE, "a change of kernel %s names a pipeline of kernel %s",
         g.kernels[g.pipelines[d->pipeline].kernel].name.c_str(),
         g.kernels[g.pipelines[pipeline].kernel].name.c_str());
  }
  d->pipeline = pipeline;
  for (uint32_t& groups : d->groups) {
    groups = read_index(in, g.expressions.size(), "the groups of a change");
  }
  int64_t last = -1;
  for (uint32_t n = in.count("changed params", 13); n > 0; --n) {
    Param& param = d->params[read_place(in, d->params.size(), &last, "the place of a changed param")];
    param = read_param(in, g);
  }
}

// The dispatches at one width: those of `lists[0]` but for some.
void read_changes(Cursor& in, const GpuProgram& g, GpuFunction* f) {
  std::vector<uint32_t> list = f->lists[0];
  int64_t last = -1;
  const uint32_t count = in.count("changes", 24);
  for (uint32_t n = count; n > 0; --n) {
    const uint32_t place = read_place(in, list.size(), &last, "the dispatch of a change");
    Dispatch d = f->dispatches[place];
    change(in, g, &d);
    list[place] = static_cast<uint32_t>(f->dispatches.size());
    f->dispatches.push_back(std::move(d));
  }
  f->list_of.push_back(count == 0 ? 0 : static_cast<uint32_t>(f->lists.size()));
  if (count > 0) f->lists.push_back(std::move(list));
}

GpuFunction read_function(Cursor& in, const Program& p, const GpuProgram& g) {
  GpuFunction f;
  const uint8_t optional = in.u8();
  if (optional > 1) fail(OC_BAD_FILE, "a function whose head is optional: %d", optional);
  f.optional_head = optional == 1;
  for (uint32_t n = in.count("dispatches", 27); n > 0; --n) {
    f.dispatches.push_back(read_dispatch(in, p, g));
  }
  f.lists.emplace_back(f.dispatches.size());
  std::iota(f.lists[0].begin(), f.lists[0].end(), 0u);
  f.list_of.push_back(0);
  for (uint32_t n = width_count(p); n > 0; --n) read_changes(in, g, &f);
  return f;
}

// They are those of the weights, so that every width that a call may name has dispatches.
void check_widths(Cursor& in, const Program& p) {
  const uint32_t count = in.count("widths", 4);
  bool good = count == width_count(p);
  for (uint32_t i = 0; i < count && good; ++i) good = in.u32() == p.least_width + i;
  if (good) return;
  fail(OC_BAD_FILE, "%u widths in the section GPU are not the %lld to %lld bits of nested weights",
       count, static_cast<long long>(p.least_width), static_cast<long long>(p.greatest_width));
}

}  // namespace

void read_section(Bytes section, Program* program) {
  Cursor in(section);
  program->gpu_version = in.u32();
  if (program->gpu_version == 0) fail(OC_BAD_FILE, "a section GPU of version 0");
  if (program->gpu_version != kSectionVersion) return;
  auto made = std::make_shared<GpuProgram>();
  GpuProgram& g = *made;
  check_widths(in, *program);
  for (uint32_t n = in.count("kernels", 8); n > 0; --n) {
    NamedKernel k;
    k.name = read_name(in);
    k.crc = in.u32();
    g.kernels.push_back(std::move(k));
  }
  const size_t symbols = program->symbols.size();
  const Symbols names{symbols + 1, program->past, static_cast<uint32_t>(symbols)};
  for (uint32_t n = in.count("expressions", 4); n > 0; --n) {
    g.expressions.push_back(read_expression(in, names, g.expressions, &g.items));
  }
  for (uint32_t n = in.count("pipelines", 8); n > 0; --n) {
    g.pipelines.push_back(read_pipeline(in, g));
  }
  const uint32_t functions = in.count("functions", 5 + 4 * width_count(*program));
  if (functions != program->functions.size()) {
    fail(OC_BAD_FILE, "%u functions for a GPU, the program has %zu", functions,
         program->functions.size());
  }
  for (uint32_t i = 0; i < functions; ++i) {
    g.functions.push_back(read_function(in, *program, g));
  }
  if (in.left() != 0) fail(OC_BAD_FILE, "%zu bytes are left over behind GPU", in.left());
  program->gpu = std::move(made);
}

}  // namespace optimum_compile::gpu
