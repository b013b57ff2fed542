// Every call of OpenCL fails once, at every place where it is used: DeviceError names it, nothing
// leaks, and the next context works.
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "check.h"
#include "opencl/context.h"
#include "opencl_work.h"
#include "pdrt/error.h"

namespace {

using namespace pdrt::opencl;
using opencl_work::Folder;
using opencl_work::runs;

struct Faults {
  void (*set)(const char*);
  int (*failed)();
  long (*balance)();
};

// The library that pdrt uses, too: dlopen knows that it is the same.
Faults open_faults() {
  void* library = ::dlopen(PDRT_FAULTY_OPENCL, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    std::exit(1);
  }
  return {reinterpret_cast<void (*)(const char*)>(::dlsym(library, "pdrt_fault")),
          reinterpret_cast<int (*)()>(::dlsym(library, "pdrt_fault_failed")),
          reinterpret_cast<long (*)()>(::dlsym(library, "pdrt_fault_balance"))};
}

struct Call {
  const char* name;
  cl_int code;
  // A failure that costs nothing but time: the program is built from its source.
  bool tolerated = false;
  int places = 1 << 30;  // how many to look at
};

const Call kCalls[] = {
    {"clCreateContext", kOutOfHostMemory},
    {"clCreateCommandQueue", kOutOfResources},
    {"clCreateBuffer", kMemObjectAllocationFailure},
    {"clCreateProgramWithSource", kOutOfHostMemory},
    {"clCreateProgramWithBinary", kInvalidBinary, true},
    {"clGetProgramInfo", kOutOfResources, true},
    {"clBuildProgram", kBuildProgramFailure},
    {"clRetainProgram", kOutOfResources},
    {"clRetainKernel", kOutOfResources},
    {"clCreateKernel", -46},
    {"clSetKernelArg", -51},
    {"clGetKernelWorkGroupInfo", -48},
    {"clEnqueueNDRangeKernel", -54},
    {"clEnqueueWriteBuffer", kOutOfResources},
    {"clEnqueueReadBuffer", -9999},
    {"clEnqueueCopyBuffer", kOutOfResources},
    {"clEnqueueFillBuffer", kMemObjectAllocationFailure},
    {"clEnqueueMapBuffer", -12},
    {"clEnqueueUnmapMemObject", kOutOfResources},
    {"clEnqueueMarkerWithWaitList", -36},
    {"clFlush", -36},
    {"clFinish", -36, false, 1},  // the second is Drain's, which nobody hears of
    {"clWaitForEvents", kExecStatusError},
    {"clGetEventInfo", kOutOfResources},
    {"clGetEventProfilingInfo", -7},
};

// The work on a new context, with or without what an earlier one left on the disk; "" where all
// went well.
std::string outcome(const DeviceInfo& device, const std::string& cache) {
  try {
    return runs(Context(device, cache)) ? "" : "wrong numbers";
  } catch (const pdrt::DeviceError& error) {
    return error.what();
  }
}

void test_every_call(const Faults& faults, const DeviceInfo& device) {
  for (const Call& call : kCalls) {
    int places = 0;
    for (int n = 1; n <= call.places; ++n) {
      const Folder cold;
      const std::string rule =
          std::string(call.name) + ":" + std::to_string(n) + ":" + std::to_string(call.code);
      int failed = 0;
      for (const bool warm : {false, true}) {
        faults.set(rule.c_str());
        const std::string said = outcome(device, cold.path());
        const int now = faults.failed();
        failed += now;
        const bool named =
            said.find(call.name) == 0 && said.find(name_of_error(call.code)) != std::string::npos;
        const bool as_expected = now == 0 || call.tolerated ? said.empty() : named;
        check::record(as_expected, __FILE__, __LINE__, rule.c_str(),
                      (warm ? "warm: " : "cold: ") + said);
        CHECK(faults.balance() == 0);
        CHECK(live_objects() == 0);
      }
      faults.set("");
      if (failed == 0) break;
      ++places;
      CHECK(outcome(device, cold.path()).empty());
    }
    check::record(places > 0, __FILE__, __LINE__, call.name, "was never called");
  }
}

void test_a_lost_device(const Faults& faults, const DeviceInfo& device) {
  const Folder folder;
  {
    const Context context(device, folder.path());
    faults.set("clEnqueueNDRangeKernel:2+:-36,clFinish:1+:-36,clEnqueueReadBuffer:1+:-36");
    for (int i = 0; i < 3; ++i) CHECK_THROWS(runs(context), pdrt::DeviceError, "may be lost");
    CHECK_THROWS(runs(context), pdrt::DeviceError, "kernel 'probe' over 64x1x1");
    faults.set("");
  }
  CHECK(faults.balance() == 0);
  CHECK(outcome(device, folder.path()).empty());
}

void test_memory(const Faults& faults, const DeviceInfo& device) {
  const Context context = Context::without_cache(device);
  CHECK_THROWS(context.make_buffer(device.max_buffer_bytes + 1), pdrt::DeviceError,
               "CL_INVALID_BUFFER_SIZE");
  faults.set("clCreateBuffer:1:-4");
  CHECK_THROWS(context.make_buffer(3 << 20), pdrt::DeviceError, "3145728 bytes (3 MiB)");
  faults.set("");
  CHECK(context.make_buffer(3 << 20).bytes() == 3 << 20);
}

void test_build_log(const Faults& faults, const DeviceInfo& device) {
  const Context context = Context::without_cache(device);
  ::setenv("PDRT_FAULT_LOG", ("line 7: no such thing\n" + std::string(9000, 'x')).c_str(), 1);
  faults.set("clBuildProgram:1:-11");
  CHECK_THROWS(context.kernel("probe", "probe", "-DA=1"), pdrt::DeviceError,
               "program 'probe' (-DA=1):\nline 7: no such thing\n... (");
  ::unsetenv("PDRT_FAULT_LOG");
  faults.set("clBuildProgram:1:-11,clGetProgramBuildInfo:1+:-5");
  CHECK_THROWS(context.kernel("probe", "probe", "-DA=1"), pdrt::DeviceError,
               "the driver does not give its log");
  faults.set("");
  CHECK(context.kernel("probe", "probe", "-DA=1").max_group() > 0);
}

// A binary that the driver does not want any more is built anew, and replaced.
void test_refused_binary(const Faults& faults, const DeviceInfo& device) {
  const Folder folder;
  CHECK(outcome(device, folder.path()).empty());
  for (const char* rule : {"clCreateProgramWithBinary:1:-42", "clBuildProgram:1:-11", ""}) {
    faults.set(rule);
    const Context context(device, folder.path());
    CHECK(runs(context));
    const ProgramStatistics programs = context.programs();
    CHECK(programs.built + programs.from_disk == 1);
    CHECK(programs.from_disk == (*rule == '\0' ? 1 : 0));
    CHECK(programs.from_memory == 1);
  }
}

// Nothing to test where no device works; test_opencl says why.
bool any_works() {
  const std::vector<DeviceInfo>& devices = all_devices();
  return std::any_of(devices.begin(), devices.end(),
                     [](const DeviceInfo& device) { return probe(device).works; });
}

}  // namespace

int main() {
  ::setenv("PDRT_OPENCL_LIBRARY", PDRT_FAULTY_OPENCL, 1);
  if (::dlopen("libOpenCL.so.1", RTLD_NOW) == nullptr || !any_works()) {
    std::printf("no OpenCL device works: nothing to test\n");
    return 77;
  }
  const Faults faults = open_faults();
  for (const DeviceInfo& device : all_devices()) {
    std::printf("%s\n", summary_of(device).c_str());
    if (!probe(device).works) continue;
    test_every_call(faults, device);
    test_a_lost_device(faults, device);
    test_memory(faults, device);
    test_build_log(faults, device);
    test_refused_binary(faults, device);
  }
  CHECK(faults.balance() == 0);
  CHECK(live_objects() == 0);
  return check::report();
}
