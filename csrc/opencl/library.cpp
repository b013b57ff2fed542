#include "opencl/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>

#include "pdrt/error.h"

namespace pdrt::opencl {
namespace {

// Fills in the functions one after the other and notes those that are not there.
class Loader {
 public:
  explicit Loader(void* handle) : handle_(handle) {}

  template <typename Function>
  void operator()(Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(::dlsym(handle_, name));
    if (function == nullptr) missing_ += (missing_.empty() ? "" : ", ") + std::string(name);
  }
  const std::string& missing() const { return missing_; }

 private:
  void* handle_;
  std::string missing_;
};

std::string load(void* handle, Api& api) {
  Loader load(handle);
  load(api.get_platform_ids, "clGetPlatformIDs");
  load(api.get_platform_info, "clGetPlatformInfo");
  load(api.get_device_ids, "clGetDeviceIDs");
  load(api.get_device_info, "clGetDeviceInfo");
  load(api.create_context, "clCreateContext");
  load(api.retain_context, "clRetainContext");
  load(api.release_context, "clReleaseContext");
  load(api.get_context_info, "clGetContextInfo");
  load(api.create_command_queue, "clCreateCommandQueue");
  load(api.retain_command_queue, "clRetainCommandQueue");
  load(api.release_command_queue, "clReleaseCommandQueue");
  load(api.get_command_queue_info, "clGetCommandQueueInfo");
  load(api.create_buffer, "clCreateBuffer");
  load(api.retain_mem_object, "clRetainMemObject");
  load(api.release_mem_object, "clReleaseMemObject");
  load(api.get_mem_object_info, "clGetMemObjectInfo");
  load(api.create_program_with_source, "clCreateProgramWithSource");
  load(api.create_program_with_binary, "clCreateProgramWithBinary");
  load(api.retain_program, "clRetainProgram");
  load(api.release_program, "clReleaseProgram");
  load(api.build_program, "clBuildProgram");
  load(api.get_program_info, "clGetProgramInfo");
  load(api.get_program_build_info, "clGetProgramBuildInfo");
  load(api.create_kernel, "clCreateKernel");
  load(api.retain_kernel, "clRetainKernel");
  load(api.release_kernel, "clReleaseKernel");
  load(api.set_kernel_arg, "clSetKernelArg");
  load(api.get_kernel_work_group_info, "clGetKernelWorkGroupInfo");
  load(api.enqueue_nd_range_kernel, "clEnqueueNDRangeKernel");
  load(api.enqueue_read_buffer, "clEnqueueReadBuffer");
  load(api.enqueue_write_buffer, "clEnqueueWriteBuffer");
  load(api.enqueue_copy_buffer, "clEnqueueCopyBuffer");
  load(api.enqueue_fill_buffer, "clEnqueueFillBuffer");
  load(api.enqueue_map_buffer, "clEnqueueMapBuffer");
  load(api.enqueue_unmap_mem_object, "clEnqueueUnmapMemObject");
  load(api.enqueue_marker_with_wait_list, "clEnqueueMarkerWithWaitList");
  load(api.flush, "clFlush");
  load(api.finish, "clFinish");
  load(api.wait_for_events, "clWaitForEvents");
  load(api.retain_event, "clRetainEvent");
  load(api.release_event, "clReleaseEvent");
  load(api.get_event_info, "clGetEventInfo");
  load(api.get_event_profiling_info, "clGetEventProfilingInfo");
  return load.missing();
}

const std::vector<std::string> kSystemPlaces = {
    "libOpenCL.so.1",
    "libOpenCL.so",
#if defined(__LP64__)
    "/vendor/lib64/libOpenCL.so",
    "/system/vendor/lib64/libOpenCL.so",
    "/vendor/lib64/egl/libGLES_mali.so",
    "/system/vendor/lib64/egl/libGLES_mali.so",
#else
    "/vendor/lib/libOpenCL.so",
    "/system/vendor/lib/libOpenCL.so",
    "/vendor/lib/egl/libGLES_mali.so",
    "/system/vendor/lib/egl/libGLES_mali.so",
#endif
};

// The loader inside pyopencl's wheel asks the environment where the package is, as the package
// itself says when it is imported, and crashes where it gets no answer.
void prepare(const std::string& path) {
  const std::size_t folder = path.find("/pyopencl/.libs/");
  if (folder == std::string::npos) return;
  const std::string package = path.substr(0, folder) + "/pyopencl";
  ::setenv("PYOPENCL_HOME", package.c_str(), /*overwrite=*/0);
}

// dlerror() begins with the path, unless it is about something that the library needs.
std::string reason_of(const std::string& path, const char* error) {
  if (error == nullptr) return "dlopen failed";
  const std::string text = error;
  if (text.rfind(path + ": ", 0) != 0) return "it needs " + text;
  if (text.find("No such file or directory") != std::string::npos) return kNotThere;
  return text.substr(path.size() + 2);
}

struct Search {
  std::mutex mutex;
  std::vector<std::string> candidates;
  std::vector<Attempt> attempts;
  std::unique_ptr<const Library> first_loaded;  // without a platform; in use where no other has one
  std::unique_ptr<const Library> found;

  std::vector<std::string> places() const {
    const char* chosen = std::getenv("PDRT_OPENCL_LIBRARY");
    if (chosen != nullptr && *chosen != '\0') return {chosen};
    std::vector<std::string> all = kSystemPlaces;
    all.insert(all.end(), candidates.begin(), candidates.end());
    return all;
  }

  bool known(const std::string& path) const {
    return std::any_of(attempts.begin(), attempts.end(),
                       [&](const Attempt& attempt) { return attempt.path == path; });
  }

  // Whether the library is there and knows a platform.
  bool attempt(const std::string& path) {
    Attempt& entry = attempts.emplace_back(Attempt{path, ""});
    prepare(path);
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      entry.why = reason_of(path, ::dlerror());
      return false;
    }
    auto library = std::make_unique<Library>(Library{path, {}});
    if (const std::string missing = load(handle, library->api); !missing.empty()) {
      entry.why = "not OpenCL 1.2: it has no " + missing;
      ::dlclose(handle);
      return false;
    }
    cl_uint platforms = 0;
    const cl_int code = library->api.get_platform_ids(0, nullptr, &platforms);
    if (code == kSuccess && platforms > 0) {
      found = std::move(library);
      return true;
    }
    entry.why = "it knows no platform (no driver is installed for it)";
    if (!first_loaded) first_loaded = std::move(library);
    return false;
  }
};

// Never destroyed: drivers have threads of their own that outlive this program's statics.
Search& search() {
  static Search& only = *new Search;
  return only;
}

const Library* find_locked(Search& state) {
  if (state.found) return state.found.get();
  for (const std::string& path : state.places()) {
    if (!state.known(path) && state.attempt(path)) return state.found.get();
  }
  return state.first_loaded.get();
}

}  // namespace

const Library* library() {
  const std::lock_guard lock(search().mutex);
  return find_locked(search());
}

void add_library_candidate(std::string path) {
  const std::lock_guard lock(search().mutex);
  search().candidates.push_back(std::move(path));
}

std::vector<Attempt> tried() {
  const std::lock_guard lock(search().mutex);
  return search().attempts;
}

const Api& api() {
  if (const Library* found = library()) return found->api;
  std::string message = "there is no OpenCL library on this machine; looked for";
  for (const Attempt& attempt : tried()) message += "\n  " + attempt.path + ": " + attempt.why;
  throw DeviceError(message);
}

}  // namespace pdrt::opencl
