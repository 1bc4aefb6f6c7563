// The C functions of schedulers.
#include <algorithm>
#include <utility>

#include "optimum_compile/runtime/interface.h"
#include "optimum_compile/runtime/schedule.h"

using namespace optimum_compile;

struct oc_schedule {
  std::shared_ptr<const Schedule> schedule;
};

extern "C" {

oc_status oc_schedule_open(const char* path, oc_schedule** schedule) {
  return guarded([&] {
    need(schedule);
    *schedule = nullptr;
    need(path);
    const Mapping file(path);
    *schedule = new oc_schedule{read_schedule({file.data(), file.size()})};
  });
}

oc_status oc_schedule_open_memory(const void* data, size_t bytes, oc_schedule** schedule) {
  return guarded([&] {
    need(schedule);
    *schedule = nullptr;
    need(static_cast<const char*>(data));
    *schedule = new oc_schedule{read_schedule({static_cast<const uint8_t*>(data), bytes})};
  });
}

void oc_schedule_close(oc_schedule* schedule) { delete schedule; }

oc_status oc_schedule_describe(const oc_schedule* schedule, oc_schedule_info* info) {
  return guarded([&] {
    need(schedule);
    need(info);
    const Schedule& s = *schedule->schedule;
    *info = {s.model.c_str(), s.prefill, s.high, s.low, static_cast<int64_t>(s.steps.size())};
  });
}

oc_status oc_schedule_step(const oc_schedule* schedule, int64_t index, int64_t* step) {
  return guarded([&] {
    need(schedule);
    need(step);
    *step = entry(schedule->schedule->steps, index, "step");
  });
}

oc_status oc_session_schedule(const oc_session* session, const oc_schedule* schedule, int64_t* step,
                              float* logits, size_t capacity) {
  return guarded([&] {
    need(session);
    need(schedule);
    need(step);
    const Schedule& s = *schedule->schedule;
    Session& running = *session->session;
    const Program& p = running.program();
    if (running.past() < 1) fail(OC_BAD_CALL, "no token is in the cache: take in the prompt first");
    if (s.low < p.least_width || s.prefill > p.greatest_width || p.least_width == 0) {
      fail(OC_BAD_CALL, "the scheduler switches among %lld to %lld bits; the model has %lld to %lld",
           static_cast<long long>(s.low), static_cast<long long>(s.prefill),
           static_cast<long long>(p.least_width), static_cast<long long>(p.greatest_width));
    }
    if (logits != nullptr && capacity < s.steps.size()) {
      fail(OC_BAD_ARGUMENT, "%zu numbers do not fit room for %zu", s.steps.size(), capacity);
    }
    const SeenCache keys = running.cache(s.keys), values = running.cache(s.values);
    const std::vector<float> found =
        schedule_logits(s, keys.cache, values.cache, running.past());
    const auto best = std::max_element(found.begin(), found.end());
    *step = s.steps[static_cast<size_t>(best - found.begin())];
    if (logits != nullptr) std::copy(found.begin(), found.end(), logits);
  });
}

}  // extern "C"
