#include "opencl/context.h"

#include <algorithm>

#include "model/cache_folder.h"
#include "opencl/query.h"
#include "pdrt/error.h"

namespace pdrt::opencl {
namespace {

Handle<cl_context> create(const Api& cl, const DeviceInfo& device) {
  const cl_properties properties[] = {kContextPlatform,
                                      reinterpret_cast<cl_properties>(device.platform), 0};
  cl_int code = kSuccess;
  auto context = Handle<cl_context>::own(
      cl, cl.create_context(properties, 1, &device.id, nullptr, nullptr, &code));
  if (code != kSuccess) fail(code, "clCreateContext", "on " + device.name);
  return context;
}

Handle<cl_context> adopted(const Api& cl, cl_context context, cl_device_id device) {
  if (context == nullptr || device == nullptr) throw DeviceError("the OpenCL context is null");
  auto shared = Handle<cl_context>::share(cl, context);
  const auto devices =
      query_list<cl_device_id>([&](auto... rest) { return cl.get_context_info(context, rest...); },
                               kContextDevices, "clGetContextInfo");
  if (std::find(devices.begin(), devices.end(), device) == devices.end()) {
    throw DeviceError("the OpenCL device is not one of the context's");
  }
  return shared;
}

std::unique_ptr<ProgramCache> cache_in(const std::string& cache_dir) {
  const std::string folder = cache_folder(cache_dir);
  return std::make_unique<ProgramCache>(folder.empty() ? "" : folder + "/opencl");
}

std::string mebibytes(std::size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

struct Context::State {
  const Api& cl;
  const DeviceInfo device;
  const Handle<cl_context> context;
  Programs programs;

  State(const DeviceInfo& info, Handle<cl_context> handle, std::unique_ptr<ProgramCache> cache)
      : cl(handle.api()),
        device(info),
        context(std::move(handle)),
        programs(cl, context.get(), device, std::move(cache)) {}
};

Context::Context(std::unique_ptr<State> state) : state_(std::move(state)) {}
Context::Context(const DeviceInfo& device, const std::string& cache_dir)
    : Context(std::make_unique<State>(device, create(api(), device), cache_in(cache_dir))) {}
Context::Context(cl_context context, cl_device_id device, const std::string& cache_dir)
    : Context(std::make_unique<State>(describe(device), adopted(api(), context, device),
                                      cache_in(cache_dir))) {}
Context Context::without_cache(const DeviceInfo& device) {
  return Context(std::make_unique<State>(device, create(api(), device), nullptr));
}
Context::Context(Context&&) noexcept = default;
Context& Context::operator=(Context&&) noexcept = default;
Context::~Context() = default;

const DeviceInfo& Context::device() const { return state_->device; }
cl_context Context::get() const { return state_->context.get(); }

Queue Context::make_queue(bool profiling) const {
  const Api& cl = state_->cl;
  cl_int code = kSuccess;
  auto queue = Handle<cl_command_queue>::own(
      cl, cl.create_command_queue(get(), device().id, profiling ? kQueueProfiling : 0, &code));
  if (code != kSuccess) fail(code, "clCreateCommandQueue", "on " + device().name);
  return Queue(std::move(queue));
}

Queue Context::adopt(cl_command_queue queue, bool profiling) const {
  constexpr std::string_view kCall = "clGetCommandQueueInfo";
  if (queue == nullptr) throw DeviceError("the OpenCL queue is null");
  const auto ask = [&](auto... rest) { return state_->cl.get_command_queue_info(queue, rest...); };
  if (query<cl_context>(ask, kQueueContext, kCall) != get() ||
      query<cl_device_id>(ask, kQueueDevice, kCall) != device().id) {
    throw DeviceError("the OpenCL queue belongs to another context or device");
  }
  const auto properties = query<cl_bitfield>(ask, kQueueProperties, kCall);
  if (properties & kQueueOutOfOrder) {
    throw DeviceError("the OpenCL queue may carry out its commands out of order; pdrt needs order");
  }
  if (profiling && !(properties & kQueueProfiling)) {
    throw DeviceError("the OpenCL queue keeps no times; to profile, make it with PROFILING_ENABLE");
  }
  return Queue(Handle<cl_command_queue>::share(state_->cl, queue));
}

Buffer Context::make_buffer(std::size_t bytes, Memory memory) const {
  constexpr std::size_t kLeast = 16;
  const std::size_t size = std::max(bytes, kLeast);
  const auto refuse = [&](cl_int code) {
    fail(code, "clCreateBuffer",
         std::to_string(size) + " bytes (" + mebibytes(size) + ") were asked for; " +
             device().name + " has " + mebibytes(device().global_bytes) + ", at most " +
             mebibytes(device().max_buffer_bytes) + " in one buffer");
  };
  if (size > device().max_buffer_bytes) refuse(kInvalidBufferSize);
  const cl_bitfield flags = kMemReadWrite | (memory == Memory::mapped ? kMemAllocHost : 0);
  cl_int code = kSuccess;
  auto buffer =
      Handle<cl_mem>::own(state_->cl, state_->cl.create_buffer(get(), flags, size, nullptr, &code));
  if (code != kSuccess) refuse(code);
  return {std::move(buffer), size};
}

Buffer Context::adopt(cl_mem memory) const {
  constexpr std::string_view kCall = "clGetMemObjectInfo";
  if (memory == nullptr) throw DeviceError("the OpenCL buffer is null");
  const auto ask = [&](auto... rest) { return state_->cl.get_mem_object_info(memory, rest...); };
  if (query<cl_context>(ask, kMemContext, kCall) != get()) {
    throw DeviceError("the OpenCL buffer belongs to another context");
  }
  const auto bytes = query<std::size_t>(ask, kMemSize, kCall);
  return {Handle<cl_mem>::share(state_->cl, memory), bytes};
}

Kernel Context::kernel(std::string_view program, std::string_view function,
                       const std::string& options) const {
  const std::string name(function);
  const Handle<cl_program> built = state_->programs.get(std::string(program), options);
  cl_int code = kSuccess;
  auto kernel = Handle<cl_kernel>::own(state_->cl,
                                       state_->cl.create_kernel(built.get(), name.c_str(), &code));
  if (code != kSuccess) {
    fail(code, "clCreateKernel", "'" + name + "' of program '" + std::string(program) + "'");
  }
  return {std::move(kernel), device().id, name};
}

ProgramStatistics Context::programs() const { return state_->programs.statistics(); }

}  // namespace pdrt::opencl
