#include "run/device/launch_along.h"

namespace pdrt::run::device {

std::pair<LaunchSpec, Groups> launch_along(const std::string& program, const std::string& options,
                                           const Axes& axes, opencl::uint in, opencl::uint out) {
  // Neighbours side by side where there are some, else many work-items for each.
  const std::size_t width = axes.inner >= 16 ? 16 : 1, lanes = axes.inner >= 16 ? 4 : 64;
  opencl::AxisArguments arguments{};
  arguments.outer = static_cast<int>(axes.outer);
  arguments.length = static_cast<int>(axes.length);
  arguments.inner = static_cast<int>(axes.inner);
  arguments.in = in;
  arguments.out = out;
  LaunchSpec spec;
  spec.program = program;
  spec.options =
      options + " -DWIDTH=" + std::to_string(width) + " -DLANES=" + std::to_string(lanes);
  spec.arguments = {Role::dense, Role::dense, bytes_of(arguments)};
  spec.local = {width, lanes, 1};
  const std::size_t columns = (static_cast<std::size_t>(axes.inner) + width - 1) / width;
  return {std::move(spec), Groups{columns, 1, static_cast<std::size_t>(axes.outer)}};
}

}  // namespace pdrt::run::device
