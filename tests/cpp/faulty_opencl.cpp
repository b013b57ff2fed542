// An OpenCL library that fails where it is told to, for tests: it hands every call on to the real
// one, but the calls named in $PDRT_FAULT.
//
//   PDRT_FAULT="clCreateBuffer:3:-4,clEnqueueNDRangeKernel:10+:-36"   the third; the tenth and on
//   PDRT_FAULT_LOG="text"       what a program's build log says
//   PDRT_FAULT_NO_COMPILER=1    devices say that they have no compiler
//   PDRT_FAULT_REPORT=file      gets, at exit, one line: objects created less objects released
//
// A test in the same process uses pdrt_fault and its companions below instead.
#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "opencl/api.h"

using namespace pdrt::opencl;  // NOLINT: this file is nothing but OpenCL's functions

namespace {

struct Rule {
  std::string call;
  int from, to;  // counts of calls, from 1
  cl_int code;
  int calls = 0;
};

struct State {
  std::mutex mutex;
  std::vector<Rule> rules;
  std::atomic<int> failed{0};
  std::atomic<long> balance{0};
};

std::vector<Rule> parse(const char* text) {
  std::vector<Rule> rules;
  std::string rest = text ? text : "";
  while (!rest.empty()) {
    const std::size_t end = rest.find(',');
    const std::string one = rest.substr(0, end);
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
    const std::size_t first = one.find(':'), second = one.find(':', first + 1);
    const std::string count = one.substr(first + 1, second - first - 1);
    const int from = std::atoi(count.c_str());
    const bool on = count.back() == '+';
    rules.push_back({one.substr(0, first), from, on ? 1 << 30 : from,
                     std::atoi(one.substr(second + 1).c_str())});
  }
  return rules;
}

State& state() {
  static State& only = *[] {
    auto* made = new State;
    made->rules = parse(std::getenv("PDRT_FAULT"));
    return made;
  }();
  return only;
}

// The code this call is to fail with, or kSuccess.
cl_int fault(std::string_view call) {
  const std::lock_guard lock(state().mutex);
  for (Rule& rule : state().rules) {
    if (rule.call != call) continue;
    ++rule.calls;
    if (rule.calls >= rule.from && rule.calls <= rule.to) {
      ++state().failed;
      return rule.code;
    }
  }
  return kSuccess;
}

template <typename Function>
Function real(const char* name) {
  static void* library = [] {
    void* opened = ::dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr) {
      std::fprintf(stderr, "faulty_opencl: %s\n", ::dlerror());
      std::abort();
    }
    return opened;
  }();
  return reinterpret_cast<Function>(::dlsym(library, name));
}

// A call that returns its status; `change` is what it does to the balance where it succeeds.
template <auto Member, typename... Arguments>
cl_int forward(const char* name, long change, Arguments... arguments) {
  if (const cl_int code = fault(name); code != kSuccess) return code;
  using Function = std::remove_reference_t<decltype(std::declval<Api>().*Member)>;
  const cl_int code = real<Function>(name)(arguments...);
  if (code == kSuccess) state().balance += change;
  return code;
}

// A call that returns what it made and its status through the last argument.
template <auto Member, typename... Arguments>
auto make(const char* name, long change, cl_int* status, Arguments... arguments) {
  using Function = std::remove_reference_t<decltype(std::declval<Api>().*Member)>;
  using Result = decltype(real<Function>(name)(arguments..., status));
  if (const cl_int code = fault(name); code != kSuccess) {
    if (status) *status = code;
    return Result{};
  }
  Result result = real<Function>(name)(arguments..., status);
  if (result) state().balance += change;
  return result;
}

long one_if(const cl_event* event) { return event ? 1 : 0; }

__attribute__((destructor)) void report() {
  const char* path = std::getenv("PDRT_FAULT_REPORT");
  if (path == nullptr) return;
  if (std::FILE* file = std::fopen(path, "w")) {
    std::fprintf(file, "%ld\n", state().balance.load());
    std::fclose(file);
  }
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

// New rules in place of those there are, their counts from 0.
void pdrt_fault(const char* rules) {
  const std::lock_guard lock(state().mutex);
  state().rules = parse(rules);
  state().failed = 0;
}
// How many calls have failed on purpose since.
int pdrt_fault_failed() { return state().failed; }
long pdrt_fault_balance() { return state().balance; }

cl_int clGetPlatformIDs(cl_uint n, cl_platform_id* ids, cl_uint* count) {
  return forward<&Api::get_platform_ids>("clGetPlatformIDs", 0, n, ids, count);
}
cl_int clGetPlatformInfo(cl_platform_id id, cl_uint what, std::size_t n, void* to, std::size_t* m) {
  return forward<&Api::get_platform_info>("clGetPlatformInfo", 0, id, what, n, to, m);
}
cl_int clGetDeviceIDs(cl_platform_id id, cl_bitfield type, cl_uint n, cl_device_id* ids,
                      cl_uint* count) {
  return forward<&Api::get_device_ids>("clGetDeviceIDs", 0, id, type, n, ids, count);
}
cl_int clGetDeviceInfo(cl_device_id id, cl_uint what, std::size_t n, void* to, std::size_t* m) {
  const cl_int code = forward<&Api::get_device_info>("clGetDeviceInfo", 0, id, what, n, to, m);
  if (what == kDeviceCompilerAvailable && to && std::getenv("PDRT_FAULT_NO_COMPILER")) {
    std::memset(to, 0, n);
  }
  return code;
}

cl_context clCreateContext(const cl_properties* properties, cl_uint n, const cl_device_id* ids,
                           void (*notify)(const char*, const void*, std::size_t, void*), void* user,
                           cl_int* code) {
  return make<&Api::create_context>("clCreateContext", 1, code, properties, n, ids, notify, user);
}
cl_int clRetainContext(cl_context it) {
  return forward<&Api::retain_context>("clRetainContext", 1, it);
}
cl_int clReleaseContext(cl_context it) {
  return forward<&Api::release_context>("clReleaseContext", -1, it);
}
cl_int clGetContextInfo(cl_context it, cl_uint what, std::size_t n, void* to, std::size_t* m) {
  return forward<&Api::get_context_info>("clGetContextInfo", 0, it, what, n, to, m);
}

cl_command_queue clCreateCommandQueue(cl_context it, cl_device_id id, cl_bitfield flags,
                                      cl_int* code) {
  return make<&Api::create_command_queue>("clCreateCommandQueue", 1, code, it, id, flags);
}
cl_int clRetainCommandQueue(cl_command_queue it) {
  return forward<&Api::retain_command_queue>("clRetainCommandQueue", 1, it);
}
cl_int clReleaseCommandQueue(cl_command_queue it) {
  return forward<&Api::release_command_queue>("clReleaseCommandQueue", -1, it);
}
cl_int clGetCommandQueueInfo(cl_command_queue it, cl_uint what, std::size_t n, void* to,
                             std::size_t* m) {
  return forward<&Api::get_command_queue_info>("clGetCommandQueueInfo", 0, it, what, n, to, m);
}

cl_mem clCreateBuffer(cl_context it, cl_bitfield flags, std::size_t n, void* host, cl_int* code) {
  return make<&Api::create_buffer>("clCreateBuffer", 1, code, it, flags, n, host);
}
cl_int clRetainMemObject(cl_mem it) {
  return forward<&Api::retain_mem_object>("clRetainMemObject", 1, it);
}
cl_int clReleaseMemObject(cl_mem it) {
  return forward<&Api::release_mem_object>("clReleaseMemObject", -1, it);
}
cl_int clGetMemObjectInfo(cl_mem it, cl_uint what, std::size_t n, void* to, std::size_t* m) {
  return forward<&Api::get_mem_object_info>("clGetMemObjectInfo", 0, it, what, n, to, m);
}

cl_program clCreateProgramWithSource(cl_context it, cl_uint n, const char** texts,
                                     const std::size_t* sizes, cl_int* code) {
  return make<&Api::create_program_with_source>("clCreateProgramWithSource", 1, code, it, n, texts,
                                                sizes);
}
cl_program clCreateProgramWithBinary(cl_context it, cl_uint n, const cl_device_id* ids,
                                     const std::size_t* sizes, const unsigned char** binaries,
                                     cl_int* accepted, cl_int* code) {
  return make<&Api::create_program_with_binary>("clCreateProgramWithBinary", 1, code, it, n, ids,
                                                sizes, binaries, accepted);
}
cl_int clRetainProgram(cl_program it) {
  return forward<&Api::retain_program>("clRetainProgram", 1, it);
}
cl_int clReleaseProgram(cl_program it) {
  return forward<&Api::release_program>("clReleaseProgram", -1, it);
}
cl_int clBuildProgram(cl_program it, cl_uint n, const cl_device_id* ids, const char* options,
                      void (*notify)(cl_program, void*), void* user) {
  return forward<&Api::build_program>("clBuildProgram", 0, it, n, ids, options, notify, user);
}
cl_int clGetProgramInfo(cl_program it, cl_uint what, std::size_t n, void* to, std::size_t* m) {
  return forward<&Api::get_program_info>("clGetProgramInfo", 0, it, what, n, to, m);
}
cl_int clGetProgramBuildInfo(cl_program it, cl_device_id id, cl_uint what, std::size_t n, void* to,
                             std::size_t* m) {
  const char* log = std::getenv("PDRT_FAULT_LOG");
  if (log == nullptr || what != kBuildLog) {
    return forward<&Api::get_program_build_info>("clGetProgramBuildInfo", 0, it, id, what, n, to,
                                                 m);
  }
  const std::size_t size = std::strlen(log) + 1;
  if (m) *m = size;
  if (to && n >= size) std::memcpy(to, log, size);
  return kSuccess;
}

cl_kernel clCreateKernel(cl_program it, const char* name, cl_int* code) {
  return make<&Api::create_kernel>("clCreateKernel", 1, code, it, name);
}
cl_int clRetainKernel(cl_kernel it) {
  return forward<&Api::retain_kernel>("clRetainKernel", 1, it);
}
cl_int clReleaseKernel(cl_kernel it) {
  return forward<&Api::release_kernel>("clReleaseKernel", -1, it);
}
cl_int clSetKernelArg(cl_kernel it, cl_uint index, std::size_t n, const void* value) {
  return forward<&Api::set_kernel_arg>("clSetKernelArg", 0, it, index, n, value);
}
cl_int clGetKernelWorkGroupInfo(cl_kernel it, cl_device_id id, cl_uint what, std::size_t n,
                                void* to, std::size_t* m) {
  return forward<&Api::get_kernel_work_group_info>("clGetKernelWorkGroupInfo", 0, it, id, what, n,
                                                   to, m);
}

cl_int clEnqueueNDRangeKernel(cl_command_queue q, cl_kernel it, cl_uint dims,
                              const std::size_t* offset, const std::size_t* global,
                              const std::size_t* local, cl_uint n, const cl_event* after,
                              cl_event* event) {
  return forward<&Api::enqueue_nd_range_kernel>("clEnqueueNDRangeKernel", one_if(event), q, it,
                                                dims, offset, global, local, n, after, event);
}
cl_int clEnqueueReadBuffer(cl_command_queue q, cl_mem it, cl_bool blocking, std::size_t offset,
                           std::size_t bytes, void* to, cl_uint n, const cl_event* after,
                           cl_event* event) {
  return forward<&Api::enqueue_read_buffer>("clEnqueueReadBuffer", one_if(event), q, it, blocking,
                                            offset, bytes, to, n, after, event);
}
cl_int clEnqueueWriteBuffer(cl_command_queue q, cl_mem it, cl_bool blocking, std::size_t offset,
                            std::size_t bytes, const void* from, cl_uint n, const cl_event* after,
                            cl_event* event) {
  return forward<&Api::enqueue_write_buffer>("clEnqueueWriteBuffer", one_if(event), q, it, blocking,
                                             offset, bytes, from, n, after, event);
}
cl_int clEnqueueCopyBuffer(cl_command_queue q, cl_mem from, cl_mem to, std::size_t from_offset,
                           std::size_t to_offset, std::size_t bytes, cl_uint n,
                           const cl_event* after, cl_event* event) {
  return forward<&Api::enqueue_copy_buffer>("clEnqueueCopyBuffer", one_if(event), q, from, to,
                                            from_offset, to_offset, bytes, n, after, event);
}
cl_int clEnqueueFillBuffer(cl_command_queue q, cl_mem it, const void* pattern, std::size_t size,
                           std::size_t offset, std::size_t bytes, cl_uint n, const cl_event* after,
                           cl_event* event) {
  return forward<&Api::enqueue_fill_buffer>("clEnqueueFillBuffer", one_if(event), q, it, pattern,
                                            size, offset, bytes, n, after, event);
}
void* clEnqueueMapBuffer(cl_command_queue q, cl_mem it, cl_bool blocking, cl_bitfield access,
                         std::size_t offset, std::size_t bytes, cl_uint n, const cl_event* after,
                         cl_event* event, cl_int* code) {
  return make<&Api::enqueue_map_buffer>("clEnqueueMapBuffer", one_if(event), code, q, it, blocking,
                                        access, offset, bytes, n, after, event);
}
cl_int clEnqueueUnmapMemObject(cl_command_queue q, cl_mem it, void* mapped, cl_uint n,
                               const cl_event* after, cl_event* event) {
  return forward<&Api::enqueue_unmap_mem_object>("clEnqueueUnmapMemObject", one_if(event), q, it,
                                                 mapped, n, after, event);
}
cl_int clEnqueueMarkerWithWaitList(cl_command_queue q, cl_uint n, const cl_event* after,
                                   cl_event* event) {
  return forward<&Api::enqueue_marker_with_wait_list>("clEnqueueMarkerWithWaitList", one_if(event),
                                                      q, n, after, event);
}
cl_int clFlush(cl_command_queue q) { return forward<&Api::flush>("clFlush", 0, q); }
// Waits even where it fails: a device that is lost does not touch the host's memory any more, but
// the real one behind this library would.
cl_int clFinish(cl_command_queue q) {
  const cl_int code = fault("clFinish");
  const cl_int real_code = real<decltype(Api::finish)>("clFinish")(q);
  return code == kSuccess ? real_code : code;
}

cl_int clWaitForEvents(cl_uint n, const cl_event* events) {
  return forward<&Api::wait_for_events>("clWaitForEvents", 0, n, events);
}
cl_int clRetainEvent(cl_event it) { return forward<&Api::retain_event>("clRetainEvent", 1, it); }
cl_int clReleaseEvent(cl_event it) {
  return forward<&Api::release_event>("clReleaseEvent", -1, it);
}
cl_int clGetEventInfo(cl_event it, cl_uint what, std::size_t n, void* to, std::size_t* m) {
  return forward<&Api::get_event_info>("clGetEventInfo", 0, it, what, n, to, m);
}
cl_int clGetEventProfilingInfo(cl_event it, cl_uint what, std::size_t n, void* to, std::size_t* m) {
  return forward<&Api::get_event_profiling_info>("clGetEventProfilingInfo", 0, it, what, n, to, m);
}

}  // extern "C"
#pragma GCC visibility pop
