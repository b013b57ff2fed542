// The buffers of one run at a time: planes, dense values, channel states, lists. Allocated once per
// plan and thread of callers, reused for every run: a run itself allocates nothing here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pdrt/session.h"
#include "plan/plan.h"
#include "run/trace.h"

namespace pdrt::run {

// What is known of one plane of one sample.
enum class Channel : std::uint8_t {
  off,           // constant everywhere; its memory was not written
  on,            // in memory
  materialised,  // constant everywhere, and written to memory because someone had to read it
};

// Kernels computed and (kernel, input channel) pairs visited by one step for one sample.
struct Count {
  std::int64_t active = 0, visited = 0;
};

// Planes of a caller's array, where they are read there: pixel (0,0) of channel c of sample n is at
// data + n * sample_stride + c * channel_stride, and nothing around the pixels may be read.
struct CallersPlanes {
  const float* data = nullptr;  // nullptr: they were copied
  std::int64_t sample_stride = 0, channel_stride = 0;
  Plane plane;
};

class Workspace {
 public:
  // `lent`: zones whose memory is somebody else's, who says where it is.
  struct Lent {
    bool planes = false, dense = false;
  };
  explicit Workspace(const plan::Plan& plan) : Workspace(plan, Lent()) {}
  Workspace(const plan::Plan& plan, Lent lent);
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  virtual ~Workspace() = default;

  std::byte* planes() const { return planes_; }
  std::byte* dense() const { return dense_; }

  std::vector<Channel> channels;    // by Placement::state
  std::vector<float> off_values;    // the constant of a channel that is not on
  std::vector<const void*> inputs;  // by value: the caller's array, where it is used in place
  std::vector<CallersPlanes> callers_planes;  // by value
  std::vector<Count> counts;                  // [step][sample], for layers
  std::int64_t samples;                       // row length of `counts`
  std::vector<double> step_milliseconds;      // of a profiled run, else empty

  // How a device and the host waited for each other. All zero without a device.
  struct Waits {
    int synchronisations = 0;  // times that the host waited for the device, to go on with the run
    double waiting = 0, enqueueing = 0;  // milliseconds
  };
  Waits waits;
  HostTrace host_trace;

  // Lists for the step at hand, each as long as the widest value has channels.
  std::vector<std::uint8_t> needed, scratch, nonzero;
  std::vector<std::int32_t> kernels, stage_kernels, input_channels, folded_channels;
  std::vector<const float*> input_planes, patch_planes;
  // The inputs in the order in which Winograd's products visit them, see winograd.cpp.
  std::vector<std::int32_t> visited_channels;
  std::vector<const float*> visited_planes;
  std::vector<std::int32_t> places;  // 0, 1, 2, ...: a list of all that there is
  // Rows and columns (or blocks of them) that fully connected layers visit, for each of the samples
  // they compute at once.
  std::vector<std::vector<std::int32_t>> row_lists, column_lists;
  Tensor sums_by_input;     // see by_input.h
  std::vector<float> bias;  // with constants folded in, by kernel
  // Constants by weight column, which columns they are, and the blocks of kLanes that hold any.
  std::vector<float> folded_inputs;
  std::vector<std::uint32_t> folded_mask;
  std::vector<std::int32_t> folded_blocks;
  std::vector<float> lane_sums;  // see pooled_means.h
  // See strips.h: by position in the first step's list, and by Placement::state of what the second
  // one makes.
  std::vector<const float*> strip_planes;
  std::vector<std::uint8_t> strip_nonzero;

  // Operands of steps that run as their reference: views with strides, pointers filled in per run.
  struct Call {
    std::vector<TensorView> inputs, outputs;
  };
  std::vector<Call> calls;  // by step

 protected:
  std::byte* planes_ = nullptr;
  std::byte* dense_ = nullptr;

 private:
  Tensor arena_;
};

}  // namespace pdrt::run
