#include <algorithm>

#include "optimum_compile/outliers.h"
#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/program.h"

namespace optimum_compile {
namespace {

// What a kind has, in the order of the file.
struct Form {
  const char* name;
  uint32_t parameters, parts;
};
constexpr Form kForms[] = {{"f32", 0, 1},  {"f16", 0, 1},    {"affine", 6, 8}, {"lut", 3, 5},
                           {"e0m4", 2, 6}, {"nested", 4, 2}, {"vectors", 4, 4}};
constexpr uint32_t kMostParameters = 6, kMostParts = 8;

// One weight as it is read.
struct Reading {
  const Program& program;
  Weight weight;
  int64_t parameters[kMostParameters] = {};
  const Part* parts[kMostParts] = {};

  [[noreturn]] void refuse(const char* why) const {
    fail(OC_BAD_FILE, "weight %s (%s): %s", weight.name.c_str(),
         kForms[static_cast<int>(weight.kind)].name, why);
  }

  // A part that has to be there.
  const Part& need(int index) const {
    if (parts[index] == nullptr) refuse("a part is absent");
    return *parts[index];
  }
  const uint8_t* bytes(const Part& part, size_t* size) const {
    if (part.element != Element::u8) refuse("packed codes are no u8");
    *size = part.bytes.size;
    return part.bytes.data;
  }
  const uint16_t* halves(const Part& part, size_t* entries) const {
    if (part.element != Element::f16) refuse("numbers are no f16");
    *entries = part.bytes.size / 2;
    return reinterpret_cast<const uint16_t*>(part.bytes.data);  // parts begin at multiples of 64
  }
  int small(int index, int low, int high) const {
    const int64_t value = parameters[index];
    if (value < low || value > high) refuse("a parameter is out of range");
    return static_cast<int>(value);
  }
  // A group or run: what is larger than a row is one of a whole row.
  int64_t size(int index, int64_t low) const {
    if (parameters[index] < low || parameters[index] > kLimit) refuse("a group is out of range");
    return parameters[index];
  }
};

void check_status(const Reading& r, Status status) {
  if (status != Status::ok) r.refuse(message(status));
}

void set_shape(const Reading& r, PackedMatrix* m, int bits) {
  m->codes = r.bytes(r.need(0), &m->code_bytes);
  m->bits = bits;
  m->rows = r.weight.rows;
  m->columns = r.weight.columns;
}

// Counts, places and values are parts `at` to `at` + 2.
void set_outliers(const Reading& r, PackedMatrix* m, int run, int at) {
  m->run = r.size(run, 0);
  const bool none = m->run == 0;
  if (none != (r.parts[at] == nullptr) || none != (r.parts[at + 1] == nullptr)) {
    r.refuse("outliers need a run, counts and places");
  }
  if (none && r.parts[at + 2] != nullptr) r.refuse("values without outliers");
  if (none) return;
  m->counts = r.bytes(r.need(at), &m->count_bytes);
  m->places = r.bytes(r.need(at + 1), &m->place_bytes);
  if (r.parts[at + 2] != nullptr) m->values = r.halves(r.need(at + 2), &m->value_entries);
}

// Scales of one level, or packed codes and a number for each row.
template <typename Matrix>
void set_scales(const Reading& r, Matrix* m, int bits, const Part& scales, const Part* supers) {
  m->scale_bits = bits;
  if ((bits > 0) != (supers != nullptr)) r.refuse("scale_bits and supers belong together");
  if (bits == 0) {
    m->scales = r.halves(scales, &m->scale_entries);
    return;
  }
  m->scale_codes = r.bytes(scales, &m->scale_code_bytes);
  m->supers = r.halves(*supers, &m->super_entries);
}

void read_affine(Reading& r) {
  PackedMatrix& m = r.weight.packed;
  set_shape(r, &m, r.small(0, 1, 8));
  m.group = r.size(1, 1);
  const bool symmetric = r.small(2, 0, 1) == 1;
  const int zero_bits = r.small(3, 0, 8);
  set_scales(r, &m, r.small(4, 0, 8), r.need(1), r.parts[3]);
  if (symmetric != (r.parts[2] == nullptr)) r.refuse("zeros and symmetric exclude each other");
  if (symmetric && zero_bits != 0) r.refuse("zero_bits without zeros");
  if (!symmetric && zero_bits == 0) m.half_zeros = r.halves(r.need(2), &m.half_zero_entries);
  if (zero_bits > 0) {
    m.zeros = r.bytes(r.need(2), &m.zero_bytes);
    m.zero_bits = zero_bits;
  }
  set_outliers(r, &m, 5, 4);
  if (r.parts[7] != nullptr) {
    if (m.run == 0 || m.values != nullptr) r.refuse("outlier_scales stand for values");
    m.outlier_scales = r.halves(*r.parts[7], &m.outlier_scale_entries);
  }
  check_status(r, check(m));
}

void read_lut(Reading& r) {
  PackedMatrix& m = r.weight.packed;
  set_shape(r, &m, r.small(0, 1, 8));
  m.rows_per_table = r.size(1, 1);
  m.table = r.halves(r.need(1), &m.table_entries);
  set_outliers(r, &m, 2, 2);
  check_status(r, check(m));
}

void read_e0m4(Reading& r) {
  PackedMatrix& m = r.weight.packed;
  set_shape(r, &m, 4);
  m.group = r.size(0, 1);
  m.scales = r.halves(r.need(1), &m.scale_entries);
  m.offsets = r.halves(r.need(2), &m.offset_entries);
  set_outliers(r, &m, 1, 3);
  check_status(r, check(m));
}

void read_nested(Reading& r) {
  NestedMatrix& m = r.weight.nested;
  m.seed_bits = r.small(0, 1, 8);
  m.bits = r.small(1, 1, 8);
  m.rows_per_table = r.size(2, 1);
  r.weight.nested_width = r.small(3, 1, 8);
  m.rows = r.weight.rows;
  m.columns = r.weight.columns;
  m.planes = r.bytes(r.need(0), &m.plane_bytes);
  m.tables = r.halves(r.need(1), &m.table_entries);
  check_status(r, check(m, r.weight.nested_width));
}

void read_vectors(Reading& r) {
  VectorMatrix& m = r.weight.vectors;
  m.bits = r.small(0, 1, 8);
  m.width = r.small(1, 2, 8);
  m.group = r.size(2, 1);
  m.rows = r.weight.rows;
  m.columns = r.weight.columns;
  m.indices = r.bytes(r.need(0), &m.index_bytes);
  m.table = r.halves(r.need(1), &m.table_entries);
  set_scales(r, &m, r.small(3, 0, 8), r.need(2), r.parts[3]);
  check_status(r, check(m));
}

void read_plain(Reading& r) {
  const Part& part = r.need(0);
  const bool wide = r.weight.kind == WeightKind::f32;
  if (part.element != (wide ? Element::f32 : Element::f16)) r.refuse("the part has another dtype");
  int64_t numbers = 0;
  const int64_t held = static_cast<int64_t>(part.bytes.size) / item_bytes(part.element);
  if (!product(r.weight.rows, r.weight.columns, kLimit, &numbers) || numbers > held) {
    r.refuse("its part is shorter than its shape");
  }
  if (wide) r.weight.floats = reinterpret_cast<const float*>(part.bytes.data);
  if (!wide) r.weight.halves = reinterpret_cast<const uint16_t*>(part.bytes.data);
}

void read_matrix(Reading& r) {
  switch (r.weight.kind) {
    case WeightKind::f32:
    case WeightKind::f16: return read_plain(r);
    case WeightKind::affine: return read_affine(r);
    case WeightKind::lut: return read_lut(r);
    case WeightKind::e0m4: return read_e0m4(r);
    case WeightKind::nested: return read_nested(r);
    case WeightKind::vectors: return read_vectors(r);
  }
}

int64_t bytes_read(const Reading& r) {
  if (r.weight.kind == WeightKind::nested) return r.weight.bytes_at(0);
  int64_t total = 0;
  for (const Part* part : r.parts) {
    total += part == nullptr ? 0 : static_cast<int64_t>(part->bytes.size);
  }
  return total;
}

}  // namespace

int64_t Weight::width_at(int64_t width) const {
  if (width == 0) return nested_width;
  return std::min<int64_t>(std::max<int64_t>(width, nested.seed_bits), nested.bits);
}

// Of the planes of a nested weight only the first ones are read, and the tables of one width.
int64_t Weight::bytes_at(int64_t width) const {
  if (kind != WeightKind::nested) return bytes;
  const int64_t bits = width_at(width);
  const int64_t plane = (rows * columns + 7) / 8;
  const int64_t tables = rows / nested.rows_per_table + (rows % nested.rows_per_table != 0);
  return plane * bits + 2 * (tables << bits);
}

Weight read_weight(Cursor& in, const Program& program) {
  Reading r{program, {}, {}, {}};
  r.weight.name = read_name(in);
  const uint8_t kind = in.u8();
  if (kind > static_cast<uint8_t>(WeightKind::vectors)) {
    fail(OC_BAD_VERSION, "weight %s is of kind %d", r.weight.name.c_str(), kind);
  }
  r.weight.kind = static_cast<WeightKind>(kind);
  r.weight.rows = in.i64();
  r.weight.columns = in.i64();
  const bool shaped = r.weight.rows >= 1 && r.weight.columns >= 1 && r.weight.rows <= kLimit &&
                      r.weight.columns <= kLimit;
  if (!shaped) r.refuse("rows and columns are 1 or more");
  const Form& form = kForms[kind];
  if (in.count("parameters", 8) != form.parameters) r.refuse("it has another number of parameters");
  for (uint32_t i = 0; i < form.parameters; ++i) r.parameters[i] = in.i64();
  if (in.count("parts", 4) != form.parts) r.refuse("it has another number of parts");
  for (uint32_t i = 0; i < form.parts; ++i) {
    const uint32_t index = in.u32();
    if (index == kNone) continue;
    if (index >= program.parts.size()) r.refuse("a part is not in the table");
    r.parts[i] = &program.parts[index];
  }
  read_matrix(r);
  r.weight.bytes = bytes_read(r);
  return r.weight;
}

}  // namespace optimum_compile
