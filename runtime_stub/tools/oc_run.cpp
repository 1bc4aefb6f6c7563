// oc_run MODEL.ocm [options]: greedy continuation of token ids, without Python.
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "optimum_compile/optimum_compile.h"

namespace {

constexpr char kUsage[] =
    "usage: oc_run MODEL.ocm [options]\n"
    "  -p IDS      the prompt: token ids with commas or spaces between; - reads them from standard "
    "input\n"
    "  -n N        how many tokens to add, each the likeliest one; default 16\n"
    "  -l FILE     write the logits of every position of the prompt there: float32, (tokens, "
    "vocabulary)\n"
    "  -m BYTES    most bytes that caches and arena may take\n"
    "  --width W   read nested weights with W bits; without it with all\n"
    "  --threads N compute with N threads; 0: as many as there are fast cores; default 1\n"
    "  -c          compare the checksum of the weights first\n"
    "  -v          print what the model is, and what was done and moved\n"
    "  --device D  cpu or vulkan, of which the best one is taken; vulkan:NAME one whose name contains "
    "NAME\n"
    "  --low       give way to other work on the device\n"
    "  --validate  with Vulkan's validation layer; what it says ends in an error\n"
    "  --devices   list what there is, and end\n";

struct Options {
  const char* model = nullptr;
  std::vector<int64_t> prompt;
  int64_t count = 16;
  const char* logits = nullptr;
  int64_t bytes_max = 0, width = 0, threads = 1;
  bool verify = false, verbose = false, list = false;
  std::string device = "cpu";
  uint32_t device_flags = 0;
};

struct CloseModel {
  void operator()(oc_model* model) const { oc_model_close(model); }
};
struct CloseSession {
  void operator()(oc_session* session) const { oc_session_destroy(session); }
};
struct CloseDevice {
  void operator()(oc_device* device) const { oc_device_close(device); }
};
using Device = std::unique_ptr<oc_device, CloseDevice>;
using Model = std::unique_ptr<oc_model, CloseModel>;
using Session = std::unique_ptr<oc_session, CloseSession>;

bool done(oc_status status, const char* what) {
  if (status != OC_OK) std::fprintf(stderr, "oc_run: %s: %s\n", what, oc_last_error());
  return status == OC_OK;
}

bool read_number(const char* text, int64_t* out) {
  char* end = nullptr;
  errno = 0;
  *out = std::strtoll(text, &end, 10);
  return errno == 0 && end != text && *end == '\0';
}

bool read_ids(const std::string& text, std::vector<int64_t>* out) {
  constexpr char kBetween[] = ", \t\r\n";
  for (size_t at = text.find_first_not_of(kBetween); at != std::string::npos;) {
    const size_t end = text.find_first_of(kBetween, at);
    int64_t id = 0;
    if (!read_number(text.substr(at, end - at).c_str(), &id)) return false;
    out->push_back(id);
    at = end == std::string::npos ? end : text.find_first_not_of(kBetween, end);
  }
  return true;
}

std::string read_input() {
  std::string out;
  char block[4096];
  while (const size_t n = std::fread(block, 1, sizeof block, stdin)) out.append(block, n);
  return out;
}

bool read_options(int argc, char** argv, Options* o) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool last = i + 1 == argc;
    if (word == "-c") {
      o->verify = true;
    } else if (word == "-v") {
      o->verbose = true;
    } else if (word == "--devices") {
      o->list = true;
    } else if (word == "--low") {
      o->device_flags |= OC_DEVICE_LOW_PRIORITY;
    } else if (word == "--validate") {
      o->device_flags |= OC_DEVICE_VALIDATION;
    } else if (word == "--device" && !last) {
      o->device = argv[++i];
    } else if (word == "-p" && !last) {
      const std::string ids = argv[++i];
      if (!read_ids(ids == "-" ? read_input() : ids, &o->prompt)) return false;
    } else if (word == "-n" && !last) {
      if (!read_number(argv[++i], &o->count) || o->count < 0) return false;
    } else if (word == "-m" && !last) {
      if (!read_number(argv[++i], &o->bytes_max) || o->bytes_max < 0) return false;
    } else if (word == "--width" && !last) {
      if (!read_number(argv[++i], &o->width) || o->width < 1) return false;
    } else if (word == "--threads" && !last) {
      if (!read_number(argv[++i], &o->threads)) return false;
    } else if (word == "-l" && !last) {
      o->logits = argv[++i];
    } else if (word[0] != '-' && o->model == nullptr) {
      o->model = argv[i];
    } else {
      return false;
    }
  }
  return o->list || (o->model != nullptr && !o->prompt.empty());
}

bool list_devices() {
  int64_t count = 0;
  if (oc_device_count(OC_DEVICE_VULKAN, &count) != OC_OK) {
    std::printf("vulkan: %s\n", oc_last_error());
  }
  for (int64_t i = 0; i < count; ++i) {
    oc_device_description d;
    if (!done(oc_device_info(OC_DEVICE_VULKAN, i, &d), "device")) return false;
    std::printf("vulkan: %s (%s)%s%s\n", d.name, d.driver, d.refusal[0] == '\0' ? "" : ": ",
                d.refusal);
  }
  return true;
}

// cpu, vulkan, or vulkan:NAME.
bool open_device(const Options& o, Device* device) {
  const std::string kind = o.device.substr(0, o.device.find(':'));
  const bool named = kind.size() < o.device.size();
  oc_device* made = nullptr;
  int64_t index = -1;
  if (kind != "cpu" && kind != "vulkan") {
    std::fprintf(stderr, "oc_run: --device %s: cpu, vulkan or vulkan:NAME\n", o.device.c_str());
    return false;
  }
  const oc_device_kind which = kind == "cpu" ? OC_DEVICE_CPU : OC_DEVICE_VULKAN;
  if (named && !done(oc_device_find(which, o.device.c_str() + kind.size() + 1, &index), "device")) {
    return false;
  }
  if (!done(oc_device_open(which, index, o.device_flags, &made), "device")) return false;
  device->reset(made);
  return true;
}

// What the validation layer said; false where it did.
bool print_messages(const oc_device* device) {
  int64_t count = 0;
  std::vector<char> text(1 << 15);
  if (!done(oc_device_messages(device, &count, text.data(), text.size()), "device")) return false;
  if (count > 0) std::fprintf(stderr, "%" PRId64 " messages of Vulkan:\n%s", count, text.data());
  return count == 0;
}

void print_model(const oc_model* model, const oc_info& info) {
  std::fprintf(stderr, "vocabulary %" PRId64 ", context %" PRId64 ", max_prefill %" PRId64 "\n",
               info.vocabulary, info.context, info.max_prefill);
  std::fprintf(stderr, "%" PRId64 " bytes of weights, caches of %" PRId64 " + %" PRId64 " bytes\n",
               info.weight_bytes, info.key_bytes, info.value_bytes);
  int64_t least = 0, greatest = 0;
  if (oc_model_widths(model, &least, &greatest) == OC_OK && greatest > 0) {
    std::fprintf(stderr, "nested weights of %" PRId64 " to %" PRId64 " bits\n", least, greatest);
  }
  for (int64_t i = 0; i < info.functions; ++i) {
    oc_function f;
    int64_t arena = 0;
    if (oc_model_function(model, i, &f) != OC_OK) continue;
    oc_model_planned_bytes(model, i, f.greatest_seq, 0, &arena);
    std::fprintf(stderr,
                 "%s: %" PRId64 " to %" PRId64 " tokens, %" PRId64 " steps, arena of %" PRId64
                 " bytes\n",
                 f.name, f.least_seq, f.greatest_seq, f.steps, arena);
  }
}

void print_stats(const oc_model* model, const oc_info& info, const oc_session* session) {
  oc_stats s;
  if (oc_session_stats(session, &s) != OC_OK) return;
  std::fprintf(
      stderr, "%" PRId64 " tokens in %" PRId64 " calls, %" PRId64 " steps, %.3f ms a call\n",
      s.tokens, s.calls, s.steps,
      s.calls > 0 ? 1e-6 * static_cast<double>(s.total_ns) / static_cast<double>(s.calls) : 0.0);
  std::fprintf(stderr,
               "copied %" PRId64 " bytes, %" PRId64 " of caches; %" PRId64
               " bytes written into caches\n",
               s.copied_bytes, s.cache_copied_bytes, s.kv_written_bytes);
  std::fprintf(stderr,
               "%" PRId64 " bytes of weights read in the last call, arena of %" PRId64 " bytes\n",
               s.last_weight_bytes, s.arena_bytes);
  std::fprintf(stderr, "%" PRId64 " stage switches of %" PRId64 " ns together\n", s.stage_switches,
               s.switch_ns);
  for (int64_t i = 0; i < info.stages; ++i) {
    oc_stage stage;
    oc_stage_stats t;
    if (oc_model_stage(model, i, &stage) != OC_OK ||
        oc_session_stage_stats(session, i, &t) != OC_OK)
      continue;
    std::fprintf(stderr, "  stage %s %s: %" PRId64 " steps, %.3f ms\n", stage.name, stage.precision,
                 t.steps, 1e-6 * static_cast<double>(t.total_ns));
  }
}

bool write_logits(const char* path, const std::vector<float>& logits) {
  FILE* file = std::fopen(path, "wb");
  const bool written =
      file != nullptr && std::fwrite(logits.data(), 4, logits.size(), file) == logits.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed) std::fprintf(stderr, "oc_run: %s: %s\n", path, std::strerror(errno));
  return written && closed;
}

// The prompt with the logits of every position, which go into a file; then the likeliest token.
bool run_prompt(const Options& o, const oc_info& info, oc_session* session, int64_t* token) {
  const size_t vocabulary = static_cast<size_t>(info.vocabulary);
  std::vector<float> logits(vocabulary * o.prompt.size());
  const oc_status status =
      oc_session_run(session, o.prompt.data(), static_cast<int64_t>(o.prompt.size()),
                     OC_LOGITS_ALL, logits.data(), logits.size());
  if (!done(status, "prompt") || !write_logits(o.logits, logits)) return false;
  const auto last = logits.end() - static_cast<std::ptrdiff_t>(vocabulary);
  *token = std::max_element(last, logits.end()) - last;
  return true;
}

bool generate(const Options& o, const oc_info& info, oc_session* session) {
  const int64_t* prompt = o.prompt.data();
  int64_t count = static_cast<int64_t>(o.prompt.size()), token = 0, made = 0;
  for (int64_t i = 0; i < o.count || i == 0; ++i) {
    const int64_t most = o.count == 0 ? 0 : 1;
    if (i == 0 && o.logits != nullptr) {
      if (!run_prompt(o, info, session, &token)) return false;
    } else if (!done(oc_session_generate(session, prompt, count, most, nullptr, 0, &token, &made),
                     i == 0 ? "prompt" : "token")) {
      return false;
    }
    if (o.count > 0) std::printf("%s%" PRId64, i == 0 ? "" : " ", token);
    std::fflush(stdout);
    prompt = &token;
    count = 1;
  }
  if (o.count > 0) std::printf("\n");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read_options(argc, argv, &options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (options.list) return list_devices() ? 0 : 1;
  const oc_options chosen = {options.verify ? OC_VERIFY_WEIGHTS : 0u, 0, options.bytes_max};
  oc_model* opened = nullptr;
  if (!done(oc_model_open(options.model, &chosen, &opened), options.model)) return 1;
  const Model model(opened);
  oc_info info;
  oc_session* made = nullptr;
  if (!done(oc_model_info(model.get(), &info), options.model)) return 1;
  if (options.verbose) print_model(model.get(), info);
  Device device;
  if (!open_device(options, &device)) return 1;
  if (!done(oc_session_create_on(model.get(), device.get(), &made), options.model)) return 1;
  Session session(made);
  if (!done(oc_session_set_width(session.get(), options.width), "--width")) return 1;
  if (!done(oc_session_set_threads(session.get(), options.threads), "--threads")) return 1;
  const bool good = generate(options, info, session.get());
  if (options.verbose) print_stats(model.get(), info, session.get());
  session.reset();
  return good && print_messages(device.get()) ? 0 : 1;
}
