// oc_run MODEL.ocm [options]: greedy continuation of token ids, without Python.
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
    "  -c          compare the checksum of the weights first\n"
    "  -v          print what the model is, and what was done and moved\n";

struct Options {
  const char* model = nullptr;
  std::vector<int64_t> prompt;
  int64_t count = 16;
  const char* logits = nullptr;
  int64_t bytes_max = 0;
  bool verify = false, verbose = false;
};

struct CloseModel {
  void operator()(oc_model* model) const { oc_model_close(model); }
};
struct CloseSession {
  void operator()(oc_session* session) const { oc_session_destroy(session); }
};
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
    } else if (word == "-p" && !last) {
      const std::string ids = argv[++i];
      if (!read_ids(ids == "-" ? read_input() : ids, &o->prompt)) return false;
    } else if (word == "-n" && !last) {
      if (!read_number(argv[++i], &o->count) || o->count < 0) return false;
    } else if (word == "-m" && !last) {
      if (!read_number(argv[++i], &o->bytes_max) || o->bytes_max < 0) return false;
    } else if (word == "-l" && !last) {
      o->logits = argv[++i];
    } else if (word[0] != '-' && o->model == nullptr) {
      o->model = argv[i];
    } else {
      return false;
    }
  }
  return o->model != nullptr && !o->prompt.empty();
}

void print_model(const oc_model* model, const oc_info& info) {
  std::fprintf(stderr, "vocabulary %" PRId64 ", context %" PRId64 ", max_prefill %" PRId64 "\n",
               info.vocabulary, info.context, info.max_prefill);
  std::fprintf(stderr, "%" PRId64 " bytes of weights, caches of %" PRId64 " + %" PRId64 " bytes\n",
               info.weight_bytes, info.key_bytes, info.value_bytes);
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

int64_t likeliest(const float* logits, int64_t n) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; ++i) best = logits[i] > logits[best] ? i : best;
  return best;
}

bool generate(const Options& o, const oc_info& info, oc_session* session) {
  const size_t vocabulary = static_cast<size_t>(info.vocabulary);
  const bool all = o.logits != nullptr;
  std::vector<float> logits(vocabulary * (all ? o.prompt.size() : 1));
  const int64_t prompt = static_cast<int64_t>(o.prompt.size());
  const oc_logits which = all ? OC_LOGITS_ALL : OC_LOGITS_LAST;
  if (!done(oc_session_run(session, o.prompt.data(), prompt, which, logits.data(), logits.size()),
            "prompt")) {
    return false;
  }
  if (all && !write_logits(o.logits, logits)) return false;
  float* last = logits.data() + logits.size() - vocabulary;
  for (int64_t i = 0; i < o.count; ++i) {
    const int64_t token = likeliest(last, info.vocabulary);
    std::printf("%s%" PRId64, i == 0 ? "" : " ", token);
    std::fflush(stdout);
    if (i + 1 == o.count) break;  // nothing asks for what follows it
    if (!done(oc_session_run(session, &token, 1, OC_LOGITS_LAST, last, vocabulary), "token")) {
      return false;
    }
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
  const oc_options chosen = {options.verify ? OC_VERIFY_WEIGHTS : 0u, 0, options.bytes_max};
  oc_model* opened = nullptr;
  if (!done(oc_model_open(options.model, &chosen, &opened), options.model)) return 1;
  const Model model(opened);
  oc_info info;
  oc_session* made = nullptr;
  if (!done(oc_model_info(model.get(), &info), options.model)) return 1;
  if (options.verbose) print_model(model.get(), info);
  if (!done(oc_session_create(model.get(), &made), options.model)) return 1;
  const Session session(made);
  const bool good = generate(options, info, session.get());
  if (options.verbose) print_stats(model.get(), info, session.get());
  return good ? 0 : 1;
}
