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
#include "opencl/program_cache.h"

namespace pdrt::opencl {

struct ProgramStatistics {
  int built = 0;            // compiled from source
  int from_disk = 0;        // loaded from a binary that another process or session had built
  int from_memory = 0;      // asked for again
  double milliseconds = 0;  // spent on building and loading
  std::string folder;       // where binaries are kept; empty where they are not
  std::string not_kept;     // why none, or one, could not be kept; or empty
};

// "3 built and 9 loaded from /home/ada/.cache/pdrt/opencl in 412 ms"
std::string text_of(const ProgramStatistics& programs);

// Compiles. Throws DeviceError with the compiler's log.
Handle<cl_program> build_from_source(const Api& cl, cl_context context, cl_device_id device,
                                     std::string_view name, std::string_view source,
                                     const std::string& options);

// Everything that a binary depends on beside the program: the device, its driver, its platform.
std::string identity_of(const DeviceInfo& device);

// The built program for one device; empty where the driver does not give it.
ProgramCache::Bytes binary_of(const Handle<cl_program>& program);

// Loads what binary_of gave. An empty handle where the driver does not want it any more.
Handle<cl_program> build_from_binary(const Api& cl, cl_context context, cl_device_id device,
                                     const ProgramCache::Bytes& binary, const std::string& options);

// The programs of one context. Safe from several threads: different programs build side by side,
// the same one is built once.
class Programs {
 public:
  // `folder` keeps binaries between processes; nothing does where it is nullptr.
  Programs(const Api& cl, cl_context context, const DeviceInfo& device,
           std::unique_ptr<ProgramCache> folder)
      : cl_(cl), context_(context), device_(device), disk_(std::move(folder)) {}

  Handle<cl_program> get(const std::string& name, const std::string& options);
  ProgramStatistics statistics() const;

 private:
  struct Entry {
    std::mutex mutex;
    Handle<cl_program> program;
  };
  Handle<cl_program> make(const std::string& name, const std::string& options);
  Handle<cl_program> from_disk(const std::string& name, const std::string& key,
                               const std::string& options);
  void keep(const std::string& name, const std::string& key, const Handle<cl_program>& program);

  const Api& cl_;
  const cl_context context_;
  const DeviceInfo& device_;
  mutable std::mutex disk_mutex_;
  const std::unique_ptr<ProgramCache> disk_;
  mutable std::mutex mutex_;  // of what follows
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Entry>> entries_;
  ProgramStatistics statistics_;
};

}  // namespace pdrt::opencl
