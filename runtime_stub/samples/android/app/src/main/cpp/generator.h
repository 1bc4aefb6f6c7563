// A model on a device, and the likeliest continuation of a prompt, token by token.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "optimum_compile/optimum_compile.h"

namespace sample {

// Called with each new token; false stops.
using OnToken = std::function<bool(int64_t)>;

class Generator {
 public:
  // device: "cpu" or "vulkan". Null with the reason in *error.
  static std::unique_ptr<Generator> open(const std::string& path, const std::string& device,
                                         std::string* error) {
    std::unique_ptr<Generator> made(new Generator);
    if (made->start(path, device)) return made;
    *error = made->error_;
    return nullptr;
  }

  // Forgets what came before, takes the prompt and makes up to `most` tokens. False with the reason in error().
  bool generate(const std::vector<int64_t>& prompt, int64_t most, const std::vector<int64_t>& stops,
                const OnToken& on_token) {
    if (!good(oc_session_reset(session_.get()))) return false;
    if (!good(oc_session_clear_stats(session_.get()))) return false;
    const int64_t* next = prompt.data();
    int64_t count = static_cast<int64_t>(prompt.size()), token = 0;
    for (int64_t made = 0; made < most; ++made) {
      // The logits stay on the device; only the likeliest id comes back.
      if (!good(oc_session_run(session_.get(), next, count, OC_LOGITS_KEEP, nullptr, 0)) ||
          !good(oc_session_top(session_.get(), 1, &token, nullptr))) {
        return false;
      }
      if (!on_token(token)) return true;
      for (const int64_t stop : stops) {
        if (token == stop) return true;
      }
      if (full()) return true;
      next = &token;
      count = 1;
    }
    return true;
  }

  const std::string& error() const { return error_; }
  const std::string& device() const { return device_name_; }
  const oc_info& info() const { return info_; }

  // Tokens a second of the last call, those of the prompt included.
  double speed() const {
    oc_stats stats;
    if (oc_session_stats(session_.get(), &stats) != OC_OK || stats.total_ns <= 0) return 0;
    return 1e9 * static_cast<double>(stats.tokens) / static_cast<double>(stats.total_ns);
  }

 private:
  struct Close {
    void operator()(oc_model* model) const { oc_model_close(model); }
    void operator()(oc_device* device) const { oc_device_close(device); }
    void operator()(oc_session* session) const { oc_session_destroy(session); }
  };

  Generator() = default;

  bool start(const std::string& path, const std::string& device) {
    oc_device_kind kind = OC_DEVICE_CPU;
    if (device == "vulkan") {
      kind = OC_DEVICE_VULKAN;
    } else if (device != "cpu") {
      error_ = "device " + device + ": expected cpu or vulkan";
      return false;
    }
    oc_model* model = nullptr;
    oc_device* opened = nullptr;
    oc_session* session = nullptr;
    if (!good(oc_model_open(path.c_str(), nullptr, &model))) return false;
    model_.reset(model);
    if (!good(oc_model_info(model, &info_))) return false;
    // Low priority: a phone goes on drawing while a prompt is taken in.
    if (!good(oc_device_open(kind, -1, OC_DEVICE_LOW_PRIORITY, &opened))) return false;
    device_.reset(opened);
    oc_device_description told;
    device_name_ = oc_device_describe(opened, &told) == OC_OK ? told.name : device;
    if (!good(oc_session_create_on(model, opened, &session))) return false;
    session_.reset(session);
    return true;
  }

  bool full() const {
    int64_t past = 0;
    return oc_session_past(session_.get(), &past) == OC_OK && past >= info_.context;
  }

  bool good(oc_status status) {
    if (status != OC_OK) error_ = std::string(oc_status_text(status)) + ": " + oc_last_error();
    return status == OC_OK;
  }

  std::unique_ptr<oc_model, Close> model_;
  std::unique_ptr<oc_device, Close> device_;
  std::unique_ptr<oc_session, Close> session_;
  oc_info info_ = {};
  std::string error_, device_name_;
};

}  // namespace sample
