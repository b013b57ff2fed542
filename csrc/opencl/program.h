// Programs: built from their sources once per context and set of options.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "opencl/device.h"
#include "opencl/handle.h"

namespace pdrt::opencl {

struct ProgramStatistics {
  int built = 0;            // compiled from source
  int from_disk = 0;        // loaded from a binary that another process or session had built
  int from_memory = 0;      // asked for again
  double milliseconds = 0;  // spent on building and loading
};

// Compiles. Throws DeviceError with the compiler's log.
Handle<cl_program> build_from_source(const Api& cl, cl_context context, cl_device_id device,
                                     std::string_view name, std::string_view source,
                                     const std::string& options);

// The programs of one context. Safe from several threads: different programs build side by side,
// the same one is built once.
class Programs {
 public:
  Programs(const Api& cl, cl_context context, const DeviceInfo& device)
      : cl_(cl), context_(context), device_(device) {}

  Handle<cl_program> get(const std::string& name, const std::string& options);
  ProgramStatistics statistics() const;

 private:
  struct Entry {
    std::mutex mutex;
    Handle<cl_program> program;
  };
  Handle<cl_program> make(const std::string& name, const std::string& options);

  const Api& cl_;
  const cl_context context_;
  const DeviceInfo& device_;
  mutable std::mutex mutex_;  // of what follows
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Entry>> entries_;
  ProgramStatistics statistics_;
};

}  // namespace pdrt::opencl
