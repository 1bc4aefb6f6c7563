// The C functions of optimum_compile.h: nothing leaves them but a status and a text.
#include <cstdio>
#include <utility>

#include "optimum_compile/runtime/interface.h"

using namespace optimum_compile;

namespace {

thread_local char last_error[600] = "";

template <typename... Source>
void open_model(const oc_options* options, oc_model** model, Source... source) {
  const oc_options chosen = options == nullptr ? oc_options{0, 0, 0} : *options;
  if ((chosen.flags & ~OC_VERIFY_WEIGHTS) != 0 || chosen.reserved != 0 ||
      chosen.session_bytes_max < 0) {
    fail(OC_BAD_ARGUMENT, "options: unknown flags, or a negative limit");
  }
  auto mapping = std::make_shared<const Mapping>(source...);
  auto program = load(std::move(mapping), (chosen.flags & OC_VERIFY_WEIGHTS) != 0);
  *model = new oc_model{std::move(program), chosen.session_bytes_max};
}

}  // namespace

oc_status optimum_compile::remember(oc_status status, const char* text) {
  std::snprintf(last_error, sizeof last_error, "%s", text);
  return status;
}

extern "C" {

uint32_t oc_api_version(void) { return OC_API_VERSION; }

const char* oc_status_text(oc_status status) {
  switch (status) {
    case OC_OK: return "ok";
    case OC_BAD_ARGUMENT: return "an argument cannot be";
    case OC_NO_FILE: return "the file cannot be opened";
    case OC_BAD_FILE: return "the file is damaged or no native program";
    case OC_BAD_VERSION: return "the file needs another runtime";
    case OC_NO_MEMORY: return "not enough memory";
    case OC_BAD_TOKEN: return "a token is outside the vocabulary";
    case OC_CONTEXT_FULL: return "the context is full";
    case OC_BAD_CALL: return "the program cannot run at these sizes";
    case OC_NO_DEVICE: return "there is no device that can do this";
    case OC_DEVICE_LOST: return "the device was lost";
    case OC_DEVICE_ERROR: return "the driver of the device failed";
  }
  return "unknown status";
}

const char* oc_last_error(void) { return last_error; }

oc_status oc_model_open(const char* path, const oc_options* options, oc_model** model) {
  return guarded([&] {
    need(model);
    *model = nullptr;
    need(path);
    open_model(options, model, path);
  });
}

oc_status oc_model_open_memory(const void* data, size_t bytes, const oc_options* options,
                               oc_model** model) {
  return guarded([&] {
    need(model);
    *model = nullptr;
    need(static_cast<const char*>(data));
    open_model(options, model, data, bytes);
  });
}

void oc_model_close(oc_model* model) { delete model; }

oc_status oc_model_info(const oc_model* model, oc_info* info) {
  return guarded([&] {
    need(model, info);
    const Program& p = *model->program;
    *info = {p.vocabulary,
             p.context,
             p.max_prefill,
             static_cast<int64_t>(p.functions.size()),
             static_cast<int64_t>(p.stages.size()),
             static_cast<int64_t>(p.mapping->size()),
             p.weight_bytes,
             p.key_bytes,
             p.value_bytes};
  });
}

oc_status oc_model_function(const oc_model* model, int64_t index, oc_function* function) {
  return guarded([&] {
    need(model, function);
    const Function& f = entry(model->program->functions, index, "function");
    *function = {f.name.c_str(), f.least, f.greatest, static_cast<int64_t>(f.steps.size())};
  });
}

oc_status oc_model_stage(const oc_model* model, int64_t index, oc_stage* stage) {
  return guarded([&] {
    need(model, stage);
    const Stage& s = entry(model->program->stages, index, "stage");
    *stage = {s.name.c_str(), s.precision_name.c_str()};
  });
}

oc_status oc_model_metadata(const oc_model* model, const char** text, size_t* bytes) {
  return guarded([&] {
    need(model);
    need(text);
    need(bytes);
    *text = reinterpret_cast<const char*>(model->program->metadata.data);
    *bytes = model->program->metadata.size;
  });
}

oc_status oc_model_planned_bytes(const oc_model* model, int64_t index, int64_t seq, int64_t past,
                                 int64_t* bytes) {
  return guarded([&] {
    need(model, bytes);
    const Function& f = entry(model->program->functions, index, "function");
    if (seq < f.least || seq > f.greatest) {
      fail(OC_BAD_ARGUMENT, "function %s takes %lld to %lld tokens, not %lld", f.name.c_str(),
           static_cast<long long>(f.least), static_cast<long long>(f.greatest),
           static_cast<long long>(seq));
    }
    *bytes = Frame(*model->program, f).set(seq, past);
  });
}

oc_status oc_model_widths(const oc_model* model, int64_t* least, int64_t* greatest) {
  return guarded([&] {
    need(model);
    need(least, greatest);
    *least = model->program->least_width;
    *greatest = model->program->greatest_width;
  });
}

oc_status oc_session_create(const oc_model* model, oc_session** session) {
  return guarded([&] {
    need(session);
    *session = nullptr;
    need(model);
    *session = new oc_session{
        std::make_unique<CpuSession>(model->program, model->session_bytes_max)};
  });
}

void oc_session_destroy(oc_session* session) { delete session; }

oc_status oc_session_reset(oc_session* session) {
  return guarded([&] {
    need(session);
    session->session->reset();
  });
}

oc_status oc_session_past(const oc_session* session, int64_t* past) {
  return guarded([&] {
    need(session, past);
    *past = session->session->past();
  });
}

oc_status oc_session_set_width(oc_session* session, int64_t bits) {
  return guarded([&] {
    need(session);
    session->session->set_width(bits);
  });
}

oc_status oc_session_set_threads(oc_session* session, int64_t threads) {
  return guarded([&] {
    need(session);
    session->session->set_threads(threads);
  });
}

oc_status oc_session_run(oc_session* session, const int64_t* tokens, int64_t count, oc_logits which,
                         float* logits, size_t capacity) {
  return guarded([&] {
    need(session);
    session->session->run(tokens, count, which, logits, capacity);
  });
}

oc_status oc_session_top(oc_session* session, int64_t k, int64_t* ids, float* values) {
  return guarded([&] {
    need(session);
    session->session->top(k, ids, values);
  });
}

oc_status oc_session_generate(oc_session* session, const int64_t* prompt, int64_t count,
                              int64_t most, const int64_t* stops, int64_t stop_count, int64_t* out,
                              int64_t* made) {
  return guarded([&] {
    need(session);
    need(made);
    session->session->generate(prompt, count, most, stops, stop_count, out, made);
  });
}

oc_status oc_session_stats(const oc_session* session, oc_stats* stats) {
  return guarded([&] {
    need(session, stats);
    *stats = session->session->stats();
  });
}

oc_status oc_session_stage_stats(const oc_session* session, int64_t stage, oc_stage_stats* stats) {
  return guarded([&] {
    need(session, stats);
    entry(session->session->program().stages, stage, "stage");
    *stats = session->session->stage_stats(static_cast<size_t>(stage));
  });
}

oc_status oc_session_clear_stats(oc_session* session) {
  return guarded([&] {
    need(session);
    session->session->clear_stats();
  });
}

}  // extern "C"
