// A step of a plan as the device runs it.
#pragma once

#include <memory>
#include <string>

#include "run/device/builder.h"
#include "run/device/lists.h"
#include "run/frame.h"

namespace pdrt::run::device {

class DeviceStep {
 public:
  DeviceStep() = default;
  DeviceStep(const DeviceStep&) = delete;
  DeviceStep& operator=(const DeviceStep&) = delete;
  virtual ~DeviceStep() = default;

  // What runs it: "opencl.convolution".
  virtual std::string name() const = 0;
  // What would have been preferred, and why it was not taken; or empty.
  virtual std::string refused() const { return {}; }
  // Decides what of the step runs: the states of its channels, its lists, its counts. Reads nothing
  // but what the host knows. Steps that never change are judged once, when a workspace is made.
  virtual void judge(const Frame& frame, Workspace& work) const = 0;
  virtual void enqueue(Workspace& work) const = 0;
  // After the run: counts what was skipped for planes that came out as zeros.
  virtual void recount(const Frame& frame, const Workspace& work) const;
};

inline void DeviceStep::recount(const Frame&, const Workspace&) const {}

// `changing`: what runs of the step, or what it reads, differs from run to run.
std::unique_ptr<DeviceStep> make_convolution(Builder& builder, std::size_t step, bool changing);
std::unique_ptr<DeviceStep> make_winograd(Builder& builder, std::size_t step, bool changing,
                                          int tile);
std::unique_ptr<DeviceStep> make_depthwise(Builder& builder, std::size_t step, bool changing);
std::unique_ptr<DeviceStep> make_pool(Builder& builder, std::size_t step, bool changing);
std::unique_ptr<DeviceStep> make_global_pool(Builder& builder, std::size_t step, bool changing);
std::unique_ptr<DeviceStep> make_elementwise(Builder& builder, std::size_t step, bool changing);
std::unique_ptr<DeviceStep> make_concat(Builder& builder, std::size_t step, bool changing);
std::unique_ptr<DeviceStep> make_fully_connected(Builder& builder, std::size_t step, bool changing);
std::unique_ptr<DeviceStep> make_view(Builder& builder, std::size_t step, bool changing);
std::unique_ptr<DeviceStep> make_reshape(Builder& builder, std::size_t step, bool changing);
std::unique_ptr<DeviceStep> make_broadcast(Builder& builder, std::size_t step, bool changing);
std::unique_ptr<DeviceStep> make_reduction(Builder& builder, std::size_t step, bool changing);
std::unique_ptr<DeviceStep> make_softmax(Builder& builder, std::size_t step, bool changing);

}  // namespace pdrt::run::device
