// One device in use: its memory, queues and programs. Everything throws DeviceError with the call
// that failed and OpenCL's name for why.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "opencl/buffer.h"
#include "opencl/device.h"
#include "opencl/event.h"
#include "opencl/kernel.h"
#include "opencl/program.h"
#include "opencl/queue.h"

namespace pdrt::opencl {

// Safe from several threads. Must outlive nothing: buffers, queues and kernels hold what they need.
class Context {
 public:
  // Where programs are kept once built: `cache_dir`, or what it means where it is empty (see
  // model/cache_folder.h).
  Context(const DeviceInfo& device, const std::string& cache_dir);
  // A caller's own, retained.
  Context(cl_context context, cl_device_id device, const std::string& cache_dir);
  // Builds every program anew.
  static Context without_cache(const DeviceInfo& device);
  Context(Context&&) noexcept;
  Context& operator=(Context&&) noexcept;
  ~Context();

  const DeviceInfo& device() const;
  cl_context get() const;

  // Carries out its commands in order.
  Queue make_queue(bool profiling) const;
  // A caller's own, retained. One of another context or device, one that does not keep its commands
  // in order, or does not keep their times where they are wanted, is refused.
  Queue adopt(cl_command_queue queue, bool profiling = false) const;

  enum class Memory {
    device,
    mapped  // where the host can reach it without a copy, if the device has such memory
  };
  // 0 bytes become a few: OpenCL knows no empty buffers.
  Buffer make_buffer(std::size_t bytes, Memory memory = Memory::device) const;
  // A caller's own, retained. One of another context is refused.
  Buffer adopt(cl_mem memory) const;

  // A kernel of its own, whose arguments nobody else sets. The program is built on first use with
  // these options, and shared.
  Kernel kernel(std::string_view program, std::string_view function,
                const std::string& options) const;
  ProgramStatistics programs() const;

 private:
  struct State;
  explicit Context(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pdrt::opencl
