// Programs as their drivers' binaries.
#include "opencl/program.h"
#include "opencl/query.h"
#include "pdrt/error.h"

namespace pdrt::opencl {

std::string identity_of(const DeviceInfo& device) {
  std::string text;
  for (const std::string& part : {device.platform_name, device.platform_version, device.vendor,
                                  device.name, device.version, device.driver, device.extensions}) {
    text += part + '\n';
  }
  return text + std::to_string(device.vendor_id);
}

ProgramCache::Bytes binary_of(const Handle<cl_program>& program) {
  constexpr std::string_view kCall = "clGetProgramInfo";
  const auto ask = [&](auto... rest) {
    return program.api().get_program_info(program.get(), rest...);
  };
  try {
    // One size and one pointer for each device of the context; ours is the only one that the
    // program was built for, whatever its place among them.
    const auto sizes = query_list<std::size_t>(ask, kProgramBinarySizes, kCall);
    std::vector<ProgramCache::Bytes> binaries;
    std::vector<unsigned char*> places;
    for (const std::size_t size : sizes) {
      binaries.emplace_back(size);
      places.push_back(size > 0 ? binaries.back().data() : nullptr);
    }
    check(ask(kProgramBinaries, places.size() * sizeof(unsigned char*), places.data(), nullptr),
          kCall);
    for (ProgramCache::Bytes& binary : binaries) {
      if (!binary.empty()) return std::move(binary);
    }
  } catch (const DeviceError&) {
    // A driver that keeps its binaries to itself costs the next process a build, and nothing else.
  }
  return {};
}

Handle<cl_program> build_from_binary(const Api& cl, cl_context context, cl_device_id device,
                                     const ProgramCache::Bytes& binary,
                                     const std::string& options) {
  const std::size_t size = binary.size();
  const unsigned char* bytes = binary.data();
  cl_int accepted = kSuccess, code = kSuccess;
  auto program = Handle<cl_program>::own(
      cl, cl.create_program_with_binary(context, 1, &device, &size, &bytes, &accepted, &code));
  if (code != kSuccess || accepted != kSuccess) return {};
  code = cl.build_program(program.get(), 1, &device, options.c_str(), nullptr, nullptr);
  return code == kSuccess ? std::move(program) : Handle<cl_program>{};
}

}  // namespace pdrt::opencl
