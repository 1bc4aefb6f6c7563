// The file of a scheduler. Its header is JSON, of which only what such a file has is understood:
// objects, texts without escapes, lists of whole numbers.
#include <cmath>
#include <cstring>
#include <map>

#include "optimum_compile/bits.h"
#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/schedule.h"

namespace optimum_compile {
namespace {

constexpr size_t kMostBytes = size_t{4} << 20;
constexpr size_t kMostHeader = size_t{1} << 16;
constexpr int64_t kMostSize = 1024, kMostSteps = 64, kMostToken = int64_t{1} << 20, kMostBits = 8;
constexpr int64_t kMostNumber = int64_t{1} << 30;
constexpr size_t kMostName = 256, kMostEntries = 16;
constexpr char kFormat[] = "optimum-compile schedule 1";

struct Entry {
  std::string dtype;
  std::vector<int64_t> shape, offsets;
};

class Header {
 public:
  explicit Header(Bytes text) : at_(text.data), end_(text.data + text.size) {}

  std::map<std::string, std::string> said;
  std::map<std::string, Entry> tensors;

  void read() {
    object([&](const std::string& name) {
      if (name == "__metadata__") {
        object([&](const std::string& key) { put(&said, key, text()); });
      } else {
        put(&tensors, name, entry());
      }
    });
    next();
    if (at_ != end_) bad("something behind the header");
  }

 private:
  [[noreturn]] static void bad(const char* what) {
    fail(OC_BAD_FILE, "this is no scheduler: %s", what);
  }

  // The next character that is no space, 0 at the end.
  char next() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
    return at_ < end_ ? static_cast<char>(*at_) : '\0';
  }
  bool take(char wanted) {
    if (next() != wanted) return false;
    ++at_;
    return true;
  }
  void need(char wanted) {
    if (!take(wanted)) bad("the header is not the JSON of one");
  }

  template <typename Member>
  void object(Member member) {
    need('{');
    if (take('}')) return;
    do {
      const std::string name = text();
      need(':');
      member(name);
    } while (take(','));
    need('}');
  }

  template <typename Value>
  static void put(std::map<std::string, Value>* into, const std::string& name, Value value) {
    if (into->size() == kMostEntries) bad("too many entries");
    if (!into->emplace(name, std::move(value)).second) bad("a name comes twice");
  }

  std::string text() {
    need('"');
    const uint8_t* const begin = at_;
    while (at_ < end_ && *at_ != '"') {
      if (*at_ < 0x20 || *at_ > 0x7e || *at_ == '\\') bad("a text of other than plain letters");
      ++at_;
    }
    const std::string found(reinterpret_cast<const char*>(begin), static_cast<size_t>(at_ - begin));
    need('"');
    return found;
  }

  std::vector<int64_t> numbers() {
    std::vector<int64_t> found;
    need('[');
    do {
      if (found.size() == 2) bad("a list of more than two numbers");
      if (next() < '0' || next() > '9') bad("a list of other than whole numbers");
      const uint8_t* const begin = at_;
      int64_t number = 0;
      for (; at_ < end_ && *at_ >= '0' && *at_ <= '9'; ++at_) {
        number = 10 * number + (*at_ - '0');
        if (number > kMostNumber) bad("a number that is too great");
      }
      if (*begin == '0' && at_ - begin > 1) bad("a number that begins with 0");
      found.push_back(number);
    } while (take(','));
    need(']');
    return found;
  }

  Entry entry() {
    Entry made;
    object([&](const std::string& key) {
      if (key == "dtype" && made.dtype.empty()) {
        made.dtype = text();
      } else if (key == "shape" && made.shape.empty()) {
        made.shape = numbers();
      } else if (key == "data_offsets" && made.offsets.empty()) {
        made.offsets = numbers();
      } else {
        bad("a tensor with something unknown, or the same twice");
      }
    });
    return made;
  }

  const uint8_t* at_;
  const uint8_t* const end_;
};

int64_t whole(const char** at, int64_t most, const char* what) {
  const char* const begin = *at;
  int64_t number = -1;
  for (; **at >= '0' && **at <= '9'; ++*at) {
    number = (number < 0 ? 0 : 10 * number) + (**at - '0');
    if (number > most) break;
  }
  if (number < 0 || number > most || (*begin == '0' && *at - begin > 1)) {
    fail(OC_BAD_FILE, "scheduler: %s: expected a whole number of at most %lld", what,
         static_cast<long long>(most));
  }
  return number;
}

const std::string& said(const Header& header, const char* key) {
  const auto found = header.said.find(key);
  if (found == header.said.end()) fail(OC_BAD_FILE, "scheduler: no %s in its metadata", key);
  if (found->second.size() > kMostName && std::strcmp(key, "steps") != 0) {
    fail(OC_BAD_FILE, "scheduler: %s has %zu letters", key, found->second.size());
  }
  return found->second;
}

int64_t bits(const Header& header, const char* key) {
  const char* at = said(header, key).c_str();
  const int64_t found = whole(&at, kMostBits, key);
  if (*at != '\0' || found < 1) fail(OC_BAD_FILE, "scheduler: %s is no width", key);
  return found;
}

void read_plan(const Header& header, Schedule* out) {
  if (said(header, "format") != kFormat) {
    fail(OC_BAD_VERSION, "scheduler: format '%s'; this runtime reads '%s'",
         said(header, "format").c_str(), kFormat);
  }
  if (header.said.size() != 8) fail(OC_BAD_FILE, "scheduler: metadata with something unknown");
  out->prefill = bits(header, "prefill");
  out->high = bits(header, "high");
  out->low = bits(header, "low");
  if (out->low >= out->high || out->high > out->prefill) {
    fail(OC_BAD_FILE, "scheduler: widths %lld, %lld, %lld: expected prefill >= high > low",
         static_cast<long long>(out->prefill), static_cast<long long>(out->high),
         static_cast<long long>(out->low));
  }
  const char* at = said(header, "steps").c_str();
  do {
    if (out->steps.size() == kMostSteps) fail(OC_BAD_FILE, "scheduler: more than 64 steps");
    if (!out->steps.empty()) ++at;
    const int64_t step = whole(&at, kMostToken, "a step");
    const bool fine = out->steps.empty() ? step == 0 : step > out->steps.back();
    if (!fine) fail(OC_BAD_FILE, "scheduler: steps that do not ascend from 0");
    out->steps.push_back(step);
  } while (*at == ' ');
  if (*at != '\0' || out->steps.size() < 2) fail(OC_BAD_FILE, "scheduler: steps are no list");
  out->keys = said(header, "keys");
  out->values = said(header, "values");
  out->model = said(header, "model");
}

const Entry& tensor(const Header& header, const char* name) {
  const auto found = header.tensors.find(name);
  if (found == header.tensors.end()) fail(OC_BAD_FILE, "scheduler: no tensor %s", name);
  return found->second;
}

// Rows and columns of a matrix, each 1 to kMostSize.
void sizes(const Header& header, const char* name, int64_t* rows, int64_t* columns) {
  const Entry& e = tensor(header, name);
  if (e.shape.size() != 2) fail(OC_BAD_FILE, "scheduler: %s is no matrix", name);
  for (const int64_t size : e.shape) {
    if (size < 1 || size > kMostSize) {
      fail(OC_BAD_FILE, "scheduler: %s has an axis of %lld; 1 to %lld are allowed", name,
           static_cast<long long>(size), static_cast<long long>(kMostSize));
    }
  }
  *rows = e.shape[0];
  *columns = e.shape[1];
}

// The numbers of a tensor that follows those before it.
std::vector<float> read_tensor(const Header& header, const char* name,
                               const std::vector<int64_t>& shape, Bytes data, size_t* at) {
  const Entry& e = tensor(header, name);
  size_t count = 1;
  for (const int64_t size : shape) count *= static_cast<size_t>(size);
  const std::vector<int64_t> wanted = {static_cast<int64_t>(*at),
                                       static_cast<int64_t>(*at + 2 * count)};
  if (e.dtype != "F16" || e.shape != shape || e.offsets != wanted || 2 * count > data.size - *at) {
    fail(OC_BAD_FILE, "scheduler: %s is not as it has to be: %zu fp16 numbers at byte %zu", name,
         count, *at);
  }
  std::vector<float> out(count);
  for (size_t i = 0; i < count; ++i) {
    uint16_t half;
    std::memcpy(&half, data.data + *at + 2 * i, 2);
    out[i] = half_to_float(half);
    if (!std::isfinite(out[i])) {
      fail(OC_BAD_FILE, "scheduler: %s has a number that is not finite", name);
    }
  }
  *at += 2 * count;
  return out;
}

}  // namespace

std::shared_ptr<const Schedule> read_schedule(Bytes file) {
  if (file.size < 8 || file.size > kMostBytes) {
    fail(OC_BAD_FILE, "a scheduler of %zu bytes; 8 to %zu are allowed", file.size, kMostBytes);
  }
  const uint64_t size = Cursor(file).u64();
  if (size > kMostHeader || size > file.size - 8) {
    fail(OC_BAD_FILE, "this is no scheduler: its header would have %llu bytes",
         static_cast<unsigned long long>(size));
  }
  Header header(Bytes{file.data + 8, static_cast<size_t>(size)});
  header.read();
  auto out = std::make_shared<Schedule>();
  read_plan(header, out.get());
  int64_t hidden_columns = 0;
  sizes(header, "query", &out->heads, &out->width);
  sizes(header, "hidden.weight", &out->hidden, &hidden_columns);
  out->value_width = hidden_columns;
  if (header.tensors.size() != 7) fail(OC_BAD_FILE, "scheduler: a tensor that is not known");
  const int64_t steps = static_cast<int64_t>(out->steps.size());
  const Bytes data{file.data + 8 + size, file.size - 8 - static_cast<size_t>(size)};
  size_t at = 0;
  const auto take = [&](const char* name, const std::vector<int64_t>& shape) {
    return read_tensor(header, name, shape, data, &at);
  };
  out->query = take("query", {out->heads, out->width});
  out->norm = take("norm.weight", {out->value_width});
  out->offset = take("norm.bias", {out->value_width});
  out->inner = take("hidden.weight", {out->hidden, out->value_width});
  out->inner_bias = take("hidden.bias", {out->hidden});
  out->outer = take("out.weight", {steps, out->hidden});
  out->outer_bias = take("out.bias", {steps});
  if (at != data.size) fail(OC_BAD_FILE, "scheduler: %zu bytes behind its numbers", data.size - at);
  return out;
}

}  // namespace optimum_compile
