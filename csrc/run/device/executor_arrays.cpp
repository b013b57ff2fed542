// Both ends of a run: the caller's arrays, in memory or on the device.

#include "pdrt/error.h"
#include "run/device/executor.h"
#include "run/device/trace.h"
#include "run/transfer.h"

namespace pdrt::run::device {
namespace {

opencl::uint first_element(const TensorView& view) {
  return static_cast<opencl::uint>(view.offset / size_of(view.dtype));
}

}  // namespace

void DeviceExecutor::load(const Frame& frame, const std::vector<TensorView>& inputs) const {
  Workspace& work = work_of(frame);
  work.begin_run();
  work.queue.fill(work.flags, 0, sizes_.flags, 0, work.trace_event());
  for (std::size_t i = 0; i < inputs.size(); ++i) load_dense(frame, work, i, inputs[i]);
  for (const Array& array : inputs_) {
    const TensorView& from = inputs[array.index];
    if (from.buffer != nullptr) {
      array.transfer->enqueue_with(work, adopt(from), first_element(from), strides_of(from));
      continue;
    }
    const void* data = from.data;
    if (!from.contiguous()) {
      work.contiguous[array.index] = Tensor::copy_of(from);
      data = work.contiguous[array.index].data();
    }
    work.queue.write(work.arrays, array.offset, data, array.bytes, false, work.trace_event());
    array.transfer->enqueue(work);
  }
}

opencl::Buffer DeviceExecutor::adopt(const TensorView& view) const {
  return device_.context.adopt(static_cast<opencl::cl_mem>(view.buffer));
}

// What the host wants of an input, and dense numbers that the device wants.
void DeviceExecutor::load_dense(const Frame& frame, Workspace& work, std::size_t index,
                                const TensorView& from) const {
  const ValueId id = plan_.program.inputs[index];
  const bool host = moves_.to_host[index] || !plan_.planes[id],
             device = moves_.to_device[index] && !plan_.planes[id];
  const std::size_t bytes = bytes_of_dense(plan_, id), offset = plan_.values[id].offset;
  if (from.buffer == nullptr) {
    if (host) load_input(frame, id, from);
    if (device)
      work.queue.write(work.dense_on_device, offset, frame.data(id), bytes, false,
                       work.trace_event());
    return;
  }
  if (!host && !device) return;
  if (!from.contiguous()) {
    throw InputError(plan_.program.graph->source + ": input '" +
                     plan_.program.graph->input_specs[index].name +
                     "' is read as it lies on the device, and must be contiguous");
  }
  const opencl::Buffer buffer = adopt(from);
  if (moves_.to_host[index]) {
    Tensor& copied = work.contiguous[index] = Tensor(from.dtype, from.shape());
    work.queue.read(buffer, from.offset, copied.data(), bytes, true, work.trace_event());
    load_input(frame, id, copied.view());
  }
  if (device) {
    work.queue.copy(buffer, from.offset, work.dense_on_device, offset, bytes, work.trace_event());
  }
}

void DeviceExecutor::store(const Frame& frame, const std::vector<TensorView>& outputs) const {
  Workspace& work = work_of(frame);
  work.step = static_cast<int>(steps_.size());
  Numbers changed{sizes_.lists, 0};
  for (const Array& array : outputs_) {
    if (!may_be_off_[plan_.program.outputs[array.index]]) continue;
    array.transfer->judge(frame, work);
    changed = output_numbers_;
  }
  upload_lists(work, changed);
  for (const Array& array : outputs_) {
    const TensorView& to = outputs[array.index];
    if (to.buffer != nullptr) {
      array.transfer->enqueue_with(work, adopt(to), first_element(to), strides_of(to));
      continue;
    }
    array.transfer->enqueue(work);
    work.queue.read(work.arrays, array.offset, to.data, array.bytes, false, work.trace_event());
  }
  const std::vector<ValueId>& ids = plan_.program.outputs;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (plan_.planes[ids[i]] || !moves_.on_device[ids[i]]) continue;
    const std::size_t offset = plan_.values[ids[i]].offset, bytes = bytes_of_dense(plan_, ids[i]);
    if (outputs[i].buffer != nullptr) {
      work.queue.copy(work.dense_on_device, offset, adopt(outputs[i]), outputs[i].offset, bytes,
                      work.trace_event());
    } else {
      work.queue.read(work.dense_on_device, offset, outputs[i].data, bytes, false,
                      work.trace_event());
    }
  }
  work.queue.read(work.flags, 0, work.flag_bytes.data(), sizes_.flags, false, work.trace_event());
  if (builder_.switches_on_device) {
    work.queue.read(work.lists, 0, work.list_numbers.data(), sizes_.lists * sizeof(std::int32_t),
                    false, work.trace_event());
  }
  store_from_host(frame, work, outputs);
  {
    const auto mark = work.host_trace.mark("wait");
    work.finish();
  }
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    if (steps_[s]) steps_[s]->recount(frame, work);
  }
  if (device_.options.traced) sum_up(work);
}

void DeviceExecutor::store_from_host(const Frame& frame, Workspace& work,
                                     const std::vector<TensorView>& outputs) const {
  const std::vector<ValueId>& ids = plan_.program.outputs;
  if (!output_planes_.empty()) work.take_planes(output_planes_);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (moves_.on_device[ids[i]]) continue;
    if (outputs[i].buffer == nullptr) {
      store_output(frame, ids[i], outputs[i]);
      continue;
    }
    const Tensor made(outputs[i].dtype, outputs[i].shape());
    store_output(frame, ids[i], made.view());
    work.queue.write(adopt(outputs[i]), outputs[i].offset, made.data(), made.bytes(), true);
  }
  work.give_planes();
}

}  // namespace pdrt::run::device
