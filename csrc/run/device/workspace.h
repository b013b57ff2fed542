// The buffers of one run at a time on a device, and the host's beside them. Each has a queue and
// kernels of its own, so that runs in several threads do not meet.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "opencl/mapping.h"
#include "run/device/launch.h"
#include "run/frame.h"

namespace pdrt::run::device {

class Builder;

// Work-groups of a launch; none where one of the sizes is 0.
using Groups = std::array<std::size_t, 3>;

using ListNumbers = std::vector<std::int32_t>;

// Of a zone: bytes [first, last).
struct ByteRange {
  std::size_t first = 0, last = 0;

  bool empty() const { return first == last; }
  void include(const ByteRange& other) {
    if (other.empty()) return;
    *this = empty() ? other : ByteRange{std::min(first, other.first), std::max(last, other.last)};
  }
};

// How many elements of each buffer a plan needs, and where the host's numbers lie.
struct Sizes {
  std::size_t planes = 0;  // bytes
  std::size_t dense = 0;   // bytes
  std::size_t arrays = 0;  // bytes
  std::size_t lists = 0;   // numbers
  std::size_t flags = 0;   // bytes
  std::size_t staged = 0;  // bytes that the host makes for the device in a run
  // The host's planes are the device's own. They are in the hands of one at a time.
  bool shared_planes = false;
};

// What became of a launch, in a run that is timed or traced.
struct TracedLaunch {
  int step;
  int launch;  // -1: not a launch, but a transfer
  opencl::Event event;
};

class Workspace final : public run::Workspace {
 public:
  Workspace(const plan::Plan& plan, const opencl::Context& context, opencl::Queue own_queue,
            const Builder& builder, const Sizes& sizes, SharedBuffer parameters,
            SharedBuffer stages, bool traced);
  ~Workspace() override;

  void begin_run();
  void finish();  // waits until nothing is under way
  // A copy of numbers that are on their way to the device, until the run is over.
  std::byte* stage(const void* from, std::size_t bytes);

  // Shared planes: the host takes a range of them, which waits for the device unless the host has
  // it already; whether it waited. Until they are given back, nothing may be enqueued that uses
  // planes.
  bool take_planes(const ByteRange& range);
  void give_planes();

  // Of a launch, to change its arguments.
  opencl::Kernel& kernel(int launch) { return kernels_[launch]; }
  // Enqueues launch number `launch` for so many work-groups.
  void launch(int launch, const Groups& groups);
  // Enqueues numbers for a dense value: of `list_numbers`, from `first` on.
  void send_constants(std::size_t offset, std::size_t first, std::size_t count);
  // From here on, launches are written down and not enqueued.
  void record(std::vector<std::string>* lines) { record_ = lines; }
  // A place for the event of a command that is not a launch; nullptr where none is wanted.
  opencl::Event* trace_event();
  // An event that is kept for another reason.
  void trace_too(const opencl::Event& event);

  const opencl::Queue queue;
  const opencl::Buffer planes_on_device, dense_on_device, arrays, lists, flags;
  ListNumbers list_numbers;              // what `lists` becomes
  std::vector<std::uint8_t> flag_bytes;  // what `flags` was at the end of the run
  std::vector<opencl::Event> arrived;    // by value: dense numbers on their way to the host
  std::vector<Tensor> contiguous;        // inputs that had to be copied together

  int step = kNoStep;  // that enqueues, for the trace
  std::vector<TracedLaunch> trace;

 private:
  const opencl::Buffer& buffer(Role role) const;
  const Builder& builder_;
  const SharedBuffer parameters_, stages_;
  const bool traced_;
  bool under_way_ = true;
  std::vector<std::string>* record_ = nullptr;
  std::vector<opencl::Kernel> kernels_;  // by launch
  std::vector<std::byte> staged_;        // dense numbers on their way to the device
  std::size_t staged_bytes_ = 0;
  opencl::Mapping planes_mapping_;
  // The host's dense values lie where the device reaches them without help: a read to anywhere else
  // may be copied twice, and some drivers wait for it. No program uses the buffer, which stays
  // mapped.
  const opencl::Buffer host_dense_;
  const opencl::Mapping dense_mapping_;
};

// The workspace of a run that a device executor carries out.
inline Workspace& work_of(const Frame& frame) { return static_cast<Workspace&>(frame.work); }

}  // namespace pdrt::run::device
