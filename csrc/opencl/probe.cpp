#include <array>
#include <map>
#include <mutex>

#include "opencl/context.h"
#include "pdrt/error.h"

namespace pdrt::opencl {
namespace {

void run_program(const DeviceInfo& info) {
  const Context context = Context::without_cache(info);
  const Queue queue = context.make_queue(false);
  Kernel kernel = context.kernel("probe", "probe", "");
  std::array<std::int32_t, 64> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::int32_t>(i);
  const Buffer buffer = context.make_buffer(sizeof numbers);
  queue.write(buffer, 0, numbers.data(), sizeof numbers, true);
  kernel.set(0, buffer);
  kernel.set(1, std::int32_t{7});
  queue.launch(kernel, {{numbers.size(), 1, 1}, {1, 1, 1}});
  queue.read(buffer, 0, numbers.data(), sizeof numbers, true);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] != static_cast<std::int32_t>(i * 3 + 7)) {
      throw DeviceError("a trivial program computes wrong numbers: the driver is broken");
    }
  }
}

bool mentions(const std::string& text, std::string_view word) {
  return text.find(word) != std::string::npos;
}

std::string hint_for(const DeviceInfo& info, const std::string& why) {
  if (mentions(why, "unknown target CPU") && mentions(info.platform_name, "Portable Computing")) {
    return "this PoCL does not know the processor; on Debian and Ubuntu a newer one comes with: "
           "apt-get install pocl-opencl-icd";
  }
  return {};
}

Probe judge(const DeviceInfo& info) {
  Probe result;
  if (!info.compiler_available) {
    result.why = "the driver cannot compile programs on this device";
    return result;
  }
  try {
    run_program(info);
    result.works = true;
  } catch (const DeviceError& error) {
    result.why = error.what();
    result.hint = hint_for(info, result.why);
  }
  return result;
}

}  // namespace

Probe probe(const DeviceInfo& info) {
  static std::mutex& mutex = *new std::mutex;
  static auto& known = *new std::map<cl_device_id, Probe>;
  const std::lock_guard lock(mutex);
  const auto found = known.find(info.id);
  return found != known.end() ? found->second : known.emplace(info.id, judge(info)).first->second;
}

}  // namespace pdrt::opencl
