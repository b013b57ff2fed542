#include "opencl/kernel.h"

#include "opencl/query.h"

namespace pdrt::opencl {

void Kernel::set_bytes(int index, std::size_t bytes, const void* value) {
  const cl_int code =
      handle_.api().set_kernel_arg(handle_.get(), static_cast<cl_uint>(index), bytes, value);
  if (code != kSuccess) {
    fail(code, "clSetKernelArg",
         "argument " + std::to_string(index) + " of kernel '" + name_ + "', " +
             std::to_string(bytes) + " bytes");
  }
}

std::size_t Kernel::ask(cl_uint which) const {
  const auto ask = [&](auto... rest) {
    return handle_.api().get_kernel_work_group_info(handle_.get(), device_, rest...);
  };
  return query<std::size_t>(ask, which, "clGetKernelWorkGroupInfo");
}

std::size_t Kernel::group_multiple() const { return ask(kKernelPreferredMultiple); }
std::size_t Kernel::max_group() const { return ask(kKernelGroupSize); }

}  // namespace pdrt::opencl
