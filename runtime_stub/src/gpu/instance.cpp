#include "optimum_compile/gpu/instance.h"

#ifdef OC_VULKAN

#include <algorithm>
#include <cstring>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu {
namespace {

constexpr char kLayer[] = "VK_LAYER_KHRONOS_validation";
constexpr char kDebug[] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
constexpr size_t kKeptText = 16384;

bool has_layer(const Api& api, const char* name) {
  uint32_t count = 0;
  check(api.EnumerateInstanceLayerProperties(&count, nullptr), "layers of Vulkan");
  std::vector<VkLayerProperties> found(count);
  api.EnumerateInstanceLayerProperties(&count, found.data());
  return std::any_of(found.begin(), found.end(),
                     [&](const auto& each) { return std::strcmp(each.layerName, name) == 0; });
}

bool has_extension(const Api& api, const char* layer, const char* name) {
  uint32_t count = 0;
  if (api.EnumerateInstanceExtensionProperties(layer, &count, nullptr) != VK_SUCCESS) return false;
  std::vector<VkExtensionProperties> found(count);
  api.EnumerateInstanceExtensionProperties(layer, &count, found.data());
  return std::any_of(found.begin(), found.end(),
                     [&](const auto& each) { return std::strcmp(each.extensionName, name) == 0; });
}

VKAPI_ATTR VkBool32 VKAPI_CALL take_message(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                            VkDebugUtilsMessageTypeFlagsEXT,
                                            const VkDebugUtilsMessengerCallbackDataEXT* data,
                                            void* messages) {
  static_cast<Messages*>(messages)->add(data->pMessage == nullptr ? "" : data->pMessage);
  return VK_FALSE;
}

VkDebugUtilsMessengerCreateInfoEXT messenger_of(Messages* messages) {
  VkDebugUtilsMessengerCreateInfoEXT info = {};
  info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
  info.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                         VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  info.pfnUserCallback = take_message;
  info.pUserData = messages;
  return info;
}

void need_validation(const Api& api) {
  if (!has_layer(api, kLayer)) {
    fail(OC_NO_DEVICE, "%s is not installed (Debian: vulkan-validationlayers)", kLayer);
  }
  if (!has_extension(api, nullptr, kDebug) && !has_extension(api, kLayer, kDebug)) {
    fail(OC_NO_DEVICE, "this Vulkan has no %s, so nothing could read what the layer says", kDebug);
  }
}

}  // namespace

void Messages::add(const char* text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  count_ += 1;
  if (first_.size() >= kKeptText) return;
  first_.append(text, std::min(std::strlen(text), kKeptText - first_.size())).append("\n");
}

int64_t Messages::read(std::string* text) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  *text = first_;
  return count_;
}

Instance::Instance(bool validation) : api(open_loader()) {
  check(api.EnumerateInstanceVersion(&version), "the version of Vulkan");
  if (version < VK_API_VERSION_1_1) fail(OC_NO_DEVICE, "Vulkan 1.0 is there; 1.1 is needed");
  if (validation) need_validation(api);
  version = std::min<uint32_t>(version, VK_API_VERSION_1_3);

  VkApplicationInfo application = {};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = "optimum-compile";
  application.apiVersion = version;
  const VkDebugUtilsMessengerCreateInfoEXT messenger = messenger_of(&messages);
  VkInstanceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  const char* const layers[] = {kLayer};
  const char* const extensions[] = {kDebug};
  if (validation) {
    info.pNext = &messenger;  // for what is said while the instance is made and destroyed
    info.enabledLayerCount = info.enabledExtensionCount = 1;
    info.ppEnabledLayerNames = layers;
    info.ppEnabledExtensionNames = extensions;
  }
  check(api.CreateInstance(&info, nullptr, &handle_), "no Vulkan driver");
  try {
    api.load_instance(handle_);
    if (validation) {
      const auto create = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
          api.GetInstanceProcAddr(handle_, "vkCreateDebugUtilsMessengerEXT"));
      if (create == nullptr) fail(OC_NO_DEVICE, "the validation layer cannot be read");
      check(create(handle_, &messenger, nullptr, &messenger_), "messages of the validation layer");
    }
    uint32_t count = 0;
    check(api.EnumeratePhysicalDevices(handle_, &count, nullptr), "devices of Vulkan");
    devices.resize(count);
    const VkResult result = api.EnumeratePhysicalDevices(handle_, &count, devices.data());
    if (result != VK_INCOMPLETE) check(result, "devices of Vulkan");
    devices.resize(count);
  } catch (...) {
    close();
    throw;
  }
}

Instance::~Instance() { close(); }

void Instance::close() {
  if (handle_ == nullptr) return;
  if (messenger_ != VK_NULL_HANDLE) {
    const auto destroy = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
        api.GetInstanceProcAddr(handle_, "vkDestroyDebugUtilsMessengerEXT"));
    if (destroy != nullptr) destroy(handle_, messenger_, nullptr);
  }
  if (api.DestroyInstance != nullptr) api.DestroyInstance(handle_, nullptr);
  handle_ = nullptr;
}

}  // namespace optimum_compile::gpu

#endif
