// What a plan collects for its launches: constants, room for lists, weights on the device, and the
// launches themselves.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "run/device/constants.h"
#include "run/device/launch.h"
#include "run/device/ways.h"

namespace pdrt::run::device {

// For programs whose products are made of halves.
constexpr const char* kHalfProducts = " -DPDRT_HALF_ARITHMETIC";

// Rows of weights for kernels side by side begin on a boundary: numbers from one to the next.
inline std::int64_t weight_row(std::int64_t kernels) {
  constexpr std::int64_t kBoundary = 16;
  return (kernels + kBoundary - 1) / kBoundary * kBoundary;
}

// Weights in the form programs read, uploaded once. Lives no longer than the originals: a session's
// for the model's weights, which all plans share, a plan's for those that it has itself.
class Weights {
 public:
  using Make = std::function<std::vector<float>()>;
  explicit Weights(const opencl::Context& context, const opencl::Queue& queue)
      : context_(context), queue_(queue) {}
  SharedBuffer get(const float* original, int form, bool halves, const Make& make);
  // Of a 3x3 convolution, OIHW, transformed on the device for Winograd's algorithm with tiles of
  // tile x tile pixels: rows of `row` kernels.
  SharedBuffer get_winograd(const float* original, std::int64_t kernels, std::int64_t channels,
                            std::int64_t row, int tile, bool halves);
  std::size_t bytes() const { return bytes_; }

 private:
  const opencl::Context& context_;
  const opencl::Queue& queue_;
  std::map<std::tuple<const float*, int, bool>, SharedBuffer> buffers_;
  std::size_t bytes_ = 0;
};

class Builder {
 public:
  Builder(const plan::Plan& plan, const opencl::DeviceInfo& device, Weights& of_session,
          Weights& of_plan, std::string common_options, bool half_arithmetic,
          bool switches_on_device, const WayTuning& ways)
      : plan(plan),
        device(device),
        half_arithmetic(half_arithmetic),
        switches_on_device(switches_on_device),
        ways(ways),
        switched(plan.values.size(), false),
        of_session_(of_session),
        of_plan_(of_plan),
        common_options_(std::move(common_options)),
        stages_option_(" -DSTAGES=" + std::to_string(stages_in(plan)) + "u") {}

  const plan::Plan& plan;
  const opencl::DeviceInfo& device;
  const bool half_arithmetic;     // convolutions multiply halves
  const bool switches_on_device;  // lists of what is active are made there
  const WayTuning& ways;          // to compute convolutions
  // By value: the device switches planes of it off. Whether they are written or not, their flags
  // say which are zero.
  std::vector<bool> switched;
  Constants constants;

  // Where to keep what is made of these numbers.
  Weights& weights(const float* original) { return plan.owns(original) ? of_plan_ : of_session_; }
  // Room for so many numbers among the lists of a run: where it begins.
  opencl::uint reserve(std::int64_t numbers) {
    const auto at = static_cast<opencl::uint>(list_numbers_);
    list_numbers_ += numbers;
    return at;
  }
  // Room that a step has while it runs, behind the dense values: where it begins, in floats.
  opencl::uint scratch(std::int64_t floats) {
    scratch_floats_ = std::max(scratch_floats_, floats);
    return static_cast<opencl::uint>(plan.dense_bytes / sizeof(float));
  }
  std::int64_t scratch_floats() const { return scratch_floats_; }
  // The number of the launch.
  int add(LaunchSpec spec) {
    // A program without an epilogue is the same one whatever stages occur in the plan.
    const bool has_epilogue =
        std::any_of(spec.arguments.begin(), spec.arguments.end(), [](const Argument& argument) {
          const Role* role = std::get_if<Role>(&argument);
          return role != nullptr && *role == Role::stages;
        });
    spec.options = common_options_ + (has_epilogue ? stages_option_ : "") + spec.options;
    if (!spec.options.empty()) spec.options.erase(0, 1);  // a space
    launches_.push_back(std::move(spec));
    return static_cast<int>(launches_.size()) - 1;
  }

  std::int64_t list_numbers() const { return list_numbers_; }
  const std::vector<LaunchSpec>& launches() const { return launches_; }

 private:
  Weights& of_session_;
  Weights& of_plan_;
  const std::string common_options_, stages_option_;
  std::int64_t list_numbers_ = 0, scratch_floats_ = 0;
  std::vector<LaunchSpec> launches_;
};

}  // namespace pdrt::run::device
