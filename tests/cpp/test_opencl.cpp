// The OpenCL layer on every device of this machine: work, a caller's own objects, kernels from
// several threads, names of devices and of errors.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "opencl/context.h"
#include "opencl/sources.h"
#include "opencl_work.h"
#include "pdrt/error.h"

namespace {

using namespace pdrt::opencl;
using opencl_work::Folder;
using opencl_work::runs;

void test_names_of_errors() {
  CHECK(name_of_error(-5) == "CL_OUT_OF_RESOURCES");
  CHECK(name_of_error(-68) == "CL_INVALID_DEVICE_PARTITION_COUNT");
  CHECK(name_of_error(-1001) == "CL_PLATFORM_NOT_FOUND_KHR");
  CHECK(name_of_error(-12345) == "unknown code");
  CHECK_THROWS(pdrt::opencl::check(-4, "clCreateBuffer"), pdrt::DeviceError,
               "clCreateBuffer failed: CL_MEM_OBJECT_ALLOCATION_FAILURE (-4); the device's memory");
}

void test_sources() {
  CHECK(all_programs().size() > 5);
  for (const std::string_view program : all_programs()) {
    const std::string_view text = source_of(program);
    CHECK(text.find("__kernel") != std::string_view::npos);
    CHECK(text.find("#include \"") == std::string_view::npos);  // all in place
  }
  CHECK_THROWS(source_of("no such"), pdrt::DeviceError, "no OpenCL program 'no such'");
}

void test_selection() {
  const std::vector<DeviceInfo>& devices = all_devices();
  const DeviceInfo* best = nullptr;
  for (const DeviceInfo& device : devices) {
    if (best == nullptr && probe(device).works) best = &select("opencl");
  }
  if (best == nullptr) CHECK_THROWS(select("opencl"), pdrt::DeviceError, "no OpenCL device");
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const std::string name = "opencl:" + std::to_string(i);
    if (probe(devices[i]).works) {
      CHECK(select(name).id == devices[i].id);
      CHECK(probe(*best).works && best->kind <= devices[i].kind);
    } else {
      CHECK_THROWS(select(name), pdrt::DeviceError, "cannot be used");
    }
  }
  for (const char* name : {"opencl:99", "opencl:", "opencl:-1", "opencl:0x", "opencl: 0"}) {
    CHECK_THROWS(select(name), pdrt::DeviceError, "there are opencl:0 (");
  }
  for (const char* name : {"", "cpu", "openclx", "OpenCL"}) {
    CHECK_THROWS(select(name), pdrt::DeviceError, "is no OpenCL device");
  }
}

void test_description(const DeviceInfo& info) {
  CHECK(!info.name.empty() && !info.driver.empty() && !info.platform_name.empty());
  CHECK(info.compute_units > 0 && info.max_group > 0 && info.max_group_sizes[2] > 0);
  CHECK(info.max_buffer_bytes > 0 && info.max_buffer_bytes <= info.global_bytes);
  CHECK(summary_of(info).find(info.name) == 0);
}

void test_buffers(const Context& context) {
  const Queue queue = context.make_queue(false);
  const Buffer least = context.make_buffer(0);
  CHECK(least.bytes() > 0);
  const Buffer copied = least;  // NOLINT(performance-unnecessary-copy-initialization): retains
  CHECK(copied.get() == least.get());
  queue.fill_words(copied, 0, 8, 0x01020304);
  std::uint32_t words[2] = {};
  queue.read(least, 0, words, 8, true);
  CHECK(words[0] == 0x01020304 && words[1] == 0x01020304);
  CHECK_THROWS(queue.read(least, least.bytes(), words, 8, true), pdrt::DeviceError,
               "clEnqueueReadBuffer failed: CL_INVALID_VALUE (-30); 8 bytes at");
}

void test_kernels(const Context& context) {
  CHECK_THROWS(context.kernel("probe", "none", ""), pdrt::DeviceError, "'none' of program 'probe'");
  CHECK_THROWS(context.kernel("none", "none", ""), pdrt::DeviceError, "no OpenCL program 'none'");
  CHECK_THROWS(context.kernel("probe", "probe", "-Dget_global_id=)("), pdrt::DeviceError,
               "program 'probe' (-Dget_global_id=)(");
  Kernel kernel = context.kernel("probe", "probe", "");
  CHECK_THROWS(kernel.set(9, std::int32_t{1}), pdrt::DeviceError,
               "argument 9 of kernel 'probe', 4 bytes");
}

void test_a_callers_objects(const DeviceInfo& info) {
  const Folder folder;
  const Context theirs(info, folder.path());
  const Context stranger(info, folder.path());
  {
    const Context ours(theirs.get(), info.id, folder.path());
    CHECK(ours.device().name == info.name);
    CHECK(runs(ours));
    const Buffer buffer = theirs.make_buffer(48);
    CHECK(ours.adopt(buffer.get()).bytes() == 48);
    CHECK(ours.adopt(theirs.make_queue(false).get()));
    CHECK_THROWS(ours.adopt(stranger.make_queue(false).get()), pdrt::DeviceError,
                 "another context");
    CHECK_THROWS(ours.adopt(stranger.make_buffer(4).get()), pdrt::DeviceError, "another context");
    CHECK_THROWS(ours.adopt(cl_mem{}), pdrt::DeviceError, "is null");
    CHECK_THROWS(ours.adopt(cl_command_queue{}), pdrt::DeviceError, "is null");
    cl_int code = kSuccess;
    const auto unordered = Handle<cl_command_queue>::own(
        api(), api().create_command_queue(theirs.get(), info.id, kQueueOutOfOrder, &code));
    if (code == kSuccess) {
      CHECK_THROWS(ours.adopt(unordered.get()), pdrt::DeviceError, "out of order");
    }
  }
  CHECK(runs(theirs));
  CHECK_THROWS(Context(nullptr, info.id, ""), pdrt::DeviceError, "is null");
}

// A program that several threads want at once is built once; each gets a kernel of its own.
void test_threads(const DeviceInfo& info) {
  const Folder folder;
  const Context context(info, folder.path());
  std::vector<int> right(4);
  std::vector<std::thread> threads;
  for (int& ok : right) {
    threads.emplace_back([&context, &ok] {
      try {
        ok = runs(context) && runs(context);
      } catch (const pdrt::DeviceError&) {
        ok = 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int ok : right) CHECK(ok == 1);
  CHECK(context.programs().built == 1);
  CHECK(context.programs().from_memory == 15);
}

// What is used outlives the context it came from.
void test_lifetimes(const DeviceInfo& info) {
  Queue queue;
  Buffer buffer;
  Kernel kernel;
  {
    const Context context = Context::without_cache(info);
    queue = context.make_queue(false);
    buffer = context.make_buffer(4);
    kernel = context.kernel("probe", "probe", "");
  }
  std::int32_t number = 5;
  queue.write(buffer, 0, &number, 4, true);
  kernel.set(0, buffer);
  kernel.set(1, std::int32_t{1});
  queue.launch(kernel, {});
  queue.read(buffer, 0, &number, 4, true);
  CHECK(number == 16);
}

}  // namespace

int main() {
  test_names_of_errors();
  test_sources();
  if (all_devices().empty()) {
    std::printf("no OpenCL device: the rest is not tested\n%s\n", why_no_devices().c_str());
    CHECK_THROWS(select("opencl"), pdrt::DeviceError, "no OpenCL device");
    return ::check::report() == 0 ? 77 : 1;
  }
  test_selection();
  for (const DeviceInfo& info : all_devices()) {
    std::printf("%s\n", summary_of(info).c_str());
    test_description(info);
    if (!probe(info).works) continue;
    const Context context = Context::without_cache(info);
    CHECK(runs(context));
    test_buffers(context);
    test_kernels(context);
    test_a_callers_objects(info);
    test_threads(info);
    test_lifetimes(info);
  }
  CHECK(live_objects() == 0);
  return check::report();
}
