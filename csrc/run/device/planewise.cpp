#include "run/device/planewise.h"

namespace pdrt::run::device {

int add_elementwise(Builder& builder, const opencl::ElementwiseArguments& arguments) {
  LaunchSpec spec;
  spec.program = "elementwise";
  spec.arguments = {Role::planes, Role::planes, Role::dense, Role::parameters,
                    Role::stages, Role::lists,  Role::flags, bytes_of(arguments)};
  spec.local = {kPlaneGroup, 1, 1};
  return builder.add(std::move(spec));
}

int add_fill(Builder& builder, const opencl::FillArguments& arguments) {
  LaunchSpec spec;
  spec.program = "fill";
  spec.arguments = {Role::planes, Role::lists, Role::flags, bytes_of(arguments)};
  spec.local = {kPlaneGroup, 1, 1};
  return builder.add(std::move(spec));
}

}  // namespace pdrt::run::device
