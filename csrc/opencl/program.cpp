#include "opencl/program.h"

#include <chrono>
#include <cmath>

#include "opencl/query.h"
#include "opencl/sources.h"
#include "pdrt/error.h"

namespace pdrt::opencl {
namespace {

// A compiler may repeat itself for pages; what counts comes first.
std::string shortened(const std::string& log) {
  constexpr std::size_t kLongest = 4000;
  if (log.size() <= kLongest) return log;
  const std::size_t line = log.rfind('\n', kLongest);
  const std::size_t end = line == std::string::npos ? kLongest : line;
  return log.substr(0, end) + "\n... (" + std::to_string(log.size() - end) + " more bytes)";
}

std::string build_log(const Api& cl, cl_program program, cl_device_id device) {
  try {
    const std::string log = query_text(
        [&](auto... rest) { return cl.get_program_build_info(program, device, rest...); },
        kBuildLog, "clGetProgramBuildInfo");
    return log.empty() ? "the driver gives no reason" : shortened(log);
  } catch (const DeviceError& error) {
    return std::string("the driver does not give its log: ") + error.what();
  }
}

std::string with_options(std::string_view name, const std::string& options) {
  return "program '" + std::string(name) + "'" + (options.empty() ? "" : " (" + options + ")");
}

}  // namespace

Handle<cl_program> build_from_source(const Api& cl, cl_context context, cl_device_id device,
                                     std::string_view name, std::string_view source,
                                     const std::string& options) {
  const char* text = source.data();
  const std::size_t size = source.size();
  cl_int code = kSuccess;
  auto program =
      Handle<cl_program>::own(cl, cl.create_program_with_source(context, 1, &text, &size, &code));
  if (code != kSuccess) fail(code, "clCreateProgramWithSource", with_options(name, options));
  code = cl.build_program(program.get(), 1, &device, options.c_str(), nullptr, nullptr);
  if (code != kSuccess) {
    fail(code, "clBuildProgram",
         with_options(name, options) + ":\n" + build_log(cl, program.get(), device));
  }
  return program;
}

Handle<cl_program> Programs::get(const std::string& name, const std::string& options) {
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Entry>& place = entries_[{name, options}];
    if (!place) place = std::make_shared<Entry>();
    entry = place;
  }
  const std::lock_guard building(entry->mutex);
  if (entry->program) {
    const std::lock_guard lock(mutex_);
    ++statistics_.from_memory;
    return entry->program;
  }
  const auto start = std::chrono::steady_clock::now();
  entry->program = make(name, options);
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
  const std::lock_guard lock(mutex_);
  statistics_.milliseconds += taken.count();
  return entry->program;
}

Handle<cl_program> Programs::make(const std::string& name, const std::string& options) {
  const std::string_view source = source_of(name);
  // Texts are told apart by a character that none of them holds.
  const std::string key = identity_of(device_) + '\0' + options + '\0' + std::string(source);
  if (disk_) {
    if (auto program = from_disk(name, key, options)) {
      const std::lock_guard lock(mutex_);
      ++statistics_.from_disk;
      return program;
    }
  }
  auto program = build_from_source(cl_, context_, device_.id, name, source, options);
  if (disk_ && disk_->usable()) keep(name, key, program);
  const std::lock_guard lock(mutex_);
  ++statistics_.built;
  return program;
}

Handle<cl_program> Programs::from_disk(const std::string& name, const std::string& key,
                                       const std::string& options) {
  std::optional<ProgramCache::Bytes> binary;
  {
    const std::lock_guard lock(disk_mutex_);
    binary = disk_->find(name, key);
  }
  if (!binary) return {};
  return build_from_binary(cl_, context_, device_.id, *binary, options);
}

void Programs::keep(const std::string& name, const std::string& key,
                    const Handle<cl_program>& program) {
  const ProgramCache::Bytes binary = binary_of(program);
  if (binary.empty()) return;
  const std::lock_guard lock(disk_mutex_);
  disk_->store(name, key, binary);
}

ProgramStatistics Programs::statistics() const {
  ProgramStatistics now;
  {
    const std::lock_guard lock(mutex_);
    now = statistics_;
  }
  if (!disk_) return now;
  const std::lock_guard lock(disk_mutex_);
  if (disk_->usable()) now.folder = disk_->folder();
  now.not_kept = disk_->why_not();
  return now;
}

std::string text_of(const ProgramStatistics& programs) {
  const std::string ms = std::to_string(std::lround(programs.milliseconds)) + " ms";
  std::string text = std::to_string(programs.built) + " built";
  if (!programs.folder.empty()) {
    text += " and " + std::to_string(programs.from_disk) + " loaded from " + programs.folder;
  }
  text += " in " + ms;
  return programs.not_kept.empty() ? text : text + "; not kept: " + programs.not_kept;
}

}  // namespace pdrt::opencl
