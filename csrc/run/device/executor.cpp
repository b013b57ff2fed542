#include "run/device/executor.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "pdrt/error.h"
#include "run/device/programs.h"
#include "run/device/trace.h"
#include "run/transfer.h"

namespace pdrt::run::device {
namespace {

// Milliseconds.
double since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Workspace& work_of(const Frame& frame) { return static_cast<Workspace&>(frame.work); }

std::size_t bytes_of_dense(const plan::Plan& plan, ValueId id) {
  const plan::Value& value = plan.value(id);
  return static_cast<std::size_t>(count_of(value.shape)) * size_of(value.dtype);
}

std::string common_options(const DeviceOptions& options) {
  return options.half_planes ? " -DPDRT_HALF_PLANES" : "";
}

opencl::uint first_element(const TensorView& view) {
  return static_cast<opencl::uint>(view.offset / size_of(view.dtype));
}

SharedBuffer upload(const Device& device, const void* data, std::size_t bytes) {
  auto buffer = std::make_shared<const opencl::Buffer>(device.context.make_buffer(bytes));
  if (bytes > 0) device.queue.write(*buffer, 0, data, bytes, true);
  return buffer;
}

bool has_switch(const plan::Step& step) {
  return std::any_of(step.chain.begin(), step.chain.end(),
                     [](const plan::ChainStage& stage) { return stage.is_switch; });
}

}  // namespace

DeviceExecutor::DeviceExecutor(const plan::Plan& plan, const HostSteps& host_steps, Device& device,
                               bool skip, bool switches_on_device)
    : plan_(plan),
      host_steps_(host_steps),
      device_(device),
      sharing_(sharing_of(plan, device)),
      moves_(plan, skip && !switches_on_device, sharing_.shared),
      builder_(plan, device.context.device(), device.weights, common_options(device.options),
               device.options.half_arithmetic, skip && switches_on_device, device.ways),
      changing_(plan.steps.size(), false),
      may_be_off_(plan.values.size(), false),
      everything_(plan.values.size(), true),
      steps_(plan.steps.size()),
      numbers_(plan.steps.size()),
      host_planes_(plan.steps.size()) {
  if (!device.options.fallback_to_host) refuse_host_steps();
  find_changes(skip && !switches_on_device);
  prepare_steps();
  prepare_arrays();
  prepare_host_planes();
  sizes_.planes = plan.planes_bytes / (device.options.half_planes ? 2 : 1);
  sizes_.dense = plan.dense_bytes + builder_.scratch_floats() * sizeof(float);
  sizes_.lists = static_cast<std::size_t>(builder_.list_numbers());
  sizes_.flags = static_cast<std::size_t>(plan.states);
  for (const std::vector<ValueId>& values : moves_.written_after) {
    for (ValueId value : values) {
      sizes_.staged +=
          plan.planes[value] ? flag_bytes_of(plan, value) : bytes_of_dense(plan, value);
    }
  }
  sizes_.shared_planes = sharing_.shared;
  refuse_what_is_too_large();
  const Constants& constants = builder_.constants;
  parameters_ =
      upload(device, constants.numbers().data(), constants.numbers().size() * sizeof(float));
  stages_ = upload(device, constants.stages().data(),
                   constants.stages().size() * sizeof(opencl::StageArguments));
  // Runs have queues of their own, which see what this one uploaded once it is done: on Intel's
  // runtime a write that blocks is not enough.
  device.queue.finish();
}

void DeviceExecutor::refuse_host_steps() const {
  std::string nodes;
  for (const plan::Step& step : plan_.steps) {
    if (step.on_device || step.decides || step.host_by_choice ||
        std::holds_alternative<plan::ViewForm>(step.form))
      continue;
    nodes += (nodes.empty() ? "" : "; ") + ("node '" + step.name) + "': " + step.host_reason;
  }
  if (nodes.empty()) return;
  throw DeviceError(plan_.program.graph->source + ": " + nodes +
                    "; fallback=\"cpu\" runs such nodes on the CPU");
}

// Programs count elements in 32 bits, and entries of lists in 31.
void DeviceExecutor::refuse_what_is_too_large() const {
  constexpr std::size_t kMostFloats = std::numeric_limits<std::uint32_t>::max();
  constexpr std::size_t kMostNumbers = std::numeric_limits<std::int32_t>::max();
  const auto check = [&](const char* what, std::size_t count, std::size_t most) {
    if (count <= most) return;
    throw DeviceError(plan_.program.graph->source + ": its " + what + " take " +
                      std::to_string(count) + " numbers; OpenCL programs reach " +
                      std::to_string(most) + ". Run smaller batches");
  };
  check("planes", plan_.planes_bytes / sizeof(float), kMostFloats);
  // Winograd's inputs may be halves, and are counted so.
  const std::size_t least_bytes =
      device_.options.half_arithmetic ? sizeof(std::uint16_t) : sizeof(float);
  check("dense values", sizes_.dense / least_bytes, kMostFloats);
  check("inputs and outputs", sizes_.arrays / sizeof(float), kMostFloats);
  check("lists", sizes_.lists, kMostNumbers);
}

void DeviceExecutor::find_changes(bool skip) {
  if (!skip) return;
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    const plan::Step& step = plan_.steps[s];
    bool changing = step.need != plan::kNeedAll || has_switch(step);
    for (ValueId input : step.inputs) changing |= input != kAbsent && may_be_off_[input];
    for (const plan::ChainStage& stage : step.chain)
      changing |= stage.operand == Operand::plane && may_be_off_[stage.value];
    changing_[s] = changing;
    for (ValueId out : step.outputs) {
      if (out != kAbsent && plan_.planes[out]) may_be_off_[out] = changing || !step.on_device;
    }
  }
}

void DeviceExecutor::prepare_steps() {
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    numbers_[s].first = static_cast<std::size_t>(builder_.list_numbers());
    if (plan_.steps[s].on_device) steps_[s] = make_step(builder_, s, changing_[s]);
    numbers_[s].last = static_cast<std::size_t>(builder_.list_numbers());
  }
}

void DeviceExecutor::prepare_arrays() {
  const auto prepare = [&](std::size_t index, ValueId value, bool load, bool changing) {
    Array array;
    array.index = index;
    array.offset = sizes_.arrays;
    array.bytes = bytes_of_dense(plan_, value);
    sizes_.arrays += (array.bytes + 63) / 64 * 64;
    array.transfer =
        std::make_unique<Transfer>(builder_, value, load, Role::arrays,
                                   static_cast<opencl::uint>(array.offset / sizeof(float)),
                                   contiguous_strides(plan_, value), changing);
    return array;
  };
  const plan::Program& program = plan_.program;
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    if (plan_.planes[program.inputs[i]] && moves_.to_device[i])
      inputs_.push_back(prepare(i, program.inputs[i], true, false));
  }
  output_numbers_.first = static_cast<std::size_t>(builder_.list_numbers());
  for (std::size_t i = 0; i < program.outputs.size(); ++i) {
    const ValueId id = program.outputs[i];
    if (plan_.planes[id] && moves_.on_device[id])
      outputs_.push_back(prepare(i, id, false, may_be_off_[id]));
  }
  output_numbers_.last = static_cast<std::size_t>(builder_.list_numbers());
}

void DeviceExecutor::prepare_host_planes() {
  if (!sharing_.shared) return;
  ByteRange wanted;
  for (std::size_t s = steps_.size(); s-- > 0;) {
    if (steps_[s]) wanted = {};
    if (steps_[s] || !uses_planes(plan_, plan_.steps[s])) continue;
    if (!std::holds_alternative<plan::ViewForm>(plan_.steps[s].form))
      wanted.include(planes_of_step(plan_, s));
    host_planes_[s] = wanted;
  }
  for (ValueId output : plan_.program.outputs) {
    if (plan_.planes[output] && !moves_.on_device[output])
      output_planes_.include(planes_of_value(plan_, output));
  }
}

std::unique_ptr<run::Workspace> DeviceExecutor::make_workspace() const {
  auto work = std::make_unique<Workspace>(plan_, device_.context,
                                          device_.make_queue(device_.options.traced), builder_,
                                          sizes_, parameters_, stages_, device_.options.traced);
  // What never changes is decided here.
  const Frame frame = all_on(*work);
  for (const Array& array : inputs_) array.transfer->judge(frame, *work);
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    if (steps_[s] && !changing_[s]) steps_[s]->judge(frame, *work);
  }
  for (const Array& array : outputs_) {
    if (!may_be_off_[plan_.program.outputs[array.index]]) array.transfer->judge(frame, *work);
  }
  upload_lists(*work, {0, sizes_.lists});
  work->finish();
  return work;
}

Frame DeviceExecutor::all_on(Workspace& work) const {
  return Frame(plan_, host_steps_.packed(), cpu::select_engine(), 1, false, work)
      .without(everything_);
}

void DeviceExecutor::upload_lists(Workspace& work, const Numbers& numbers) const {
  if (numbers.first >= numbers.last) return;
  work.queue.write(
      work.lists, numbers.first * sizeof(std::int32_t), work.list_numbers.data() + numbers.first,
      (numbers.last - numbers.first) * sizeof(std::int32_t), false, work.trace_event());
}

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

bool DeviceExecutor::has_to_wait(const Workspace& work, std::size_t step) const {
  return std::any_of(moves_.awaited[step].begin(), moves_.awaited[step].end(),
                     [&](ValueId value) { return static_cast<bool>(work.arrived[value]); });
}

void DeviceExecutor::await(Workspace& work, const std::vector<ValueId>& values) const {
  for (ValueId value : values) {
    if (!work.arrived[value]) continue;
    const Clock::time_point start = Clock::now();
    const auto mark = work.host_trace.mark("wait", work.step);
    work.arrived[value].wait();
    work.arrived[value] = {};
    ++work.waits.synchronisations;
    work.waits.waiting += since(start);
  }
}

void DeviceExecutor::run(const Frame& whole, bool) const {
  Workspace& work = work_of(whole);
  const Frame frame = whole.without(moves_.unknown);
  std::size_t s = 0;
  while (s < steps_.size()) {
    work.step = static_cast<int>(s);
    if (!steps_[s]) {
      run_on_host(frame, work, s++);
      continue;
    }
    await(work, moves_.awaited[s]);
    std::size_t last = s + 1;
    while (last < steps_.size() && steps_[last] && !has_to_wait(work, last)) ++last;
    run_on_device(frame, work, s, last);
    s = last;
  }
  work.give_planes();
}

void DeviceExecutor::run_on_device(const Frame& frame, Workspace& work, std::size_t first,
                                   std::size_t last) const {
  const Clock::time_point start = Clock::now();
  work.give_planes();
  Numbers changed{sizes_.lists, 0};
  for (std::size_t s = first; s < last; ++s) {
    if (!changing_[s]) continue;
    const auto mark = work.host_trace.mark("decide", s);
    steps_[s]->judge(frame, work);
    changed.first = std::min(changed.first, numbers_[s].first);
    changed.last = std::max(changed.last, numbers_[s].last);
  }
  upload_lists(work, changed);
  bool reads = false;
  for (std::size_t s = first; s < last; ++s) {
    const auto mark = work.host_trace.mark("enqueue", s);
    work.step = static_cast<int>(s);
    steps_[s]->enqueue(work);
    for (ValueId value : moves_.read_after[s]) {
      work.queue.read(work.dense_on_device, plan_.values[value].offset, frame.writable(value),
                      bytes_of_dense(plan_, value), false, &work.arrived[value]);
      work.trace_too(work.arrived[value]);
      reads = true;
    }
  }
  if (reads) work.queue.flush();
  work.waits.enqueueing += since(start);
}

// What the device has written of the planes that a step on the host reads.
void DeviceExecutor::take_planes(const Frame& frame, Workspace& work, std::size_t s) const {
  const Clock::time_point start = Clock::now();
  if (!host_planes_[s].empty()) {
    const auto mark = work.host_trace.mark("fetch", s);
    if (work.take_planes(host_planes_[s])) ++work.waits.synchronisations;
    for (ValueId value : moves_.fetched[s]) clear_beside_pixels(frame, value);
  } else if (!moves_.fetched[s].empty()) {
    work.queue.flush();
    for (ValueId value : moves_.fetched[s]) {
      const auto mark = work.host_trace.mark("fetch", s);
      fetch_planes(frame, work, value, device_.options.half_planes);
      ++work.waits.synchronisations;
    }
  }
  work.waits.waiting += since(start);
}

void DeviceExecutor::run_on_host(const Frame& frame, Workspace& work, std::size_t s) const {
  if (std::holds_alternative<plan::ViewForm>(plan_.steps[s].form)) return;
  await(work, moves_.awaited[s]);
  take_planes(frame, work, s);
  const PlaneStates before(frame, plan_.steps[s], moves_);
  Clock::time_point start = Clock::now();
  {
    const auto mark = work.host_trace.mark("compute", s);
    host_steps_.run(frame, s);
  }
  if (device_.options.traced) work.step_milliseconds[s] += since(start);
  before.restore();
  start = Clock::now();
  const auto mark = work.host_trace.mark("send", s);
  for (ValueId value : moves_.written_after[s]) {
    if (plan_.planes[value]) {
      // A device that switches by itself takes what the host made as it is, without a list.
      if (builder_.switches_on_device) frame.materialise_all(value);
      if (!sharing_.shared) send_planes(frame, work, value, device_.options.half_planes);
      send_flags(frame, work, value);
      continue;
    }
    // What a later step leaves in the host's memory must not change what is still on its way.
    const std::size_t offset = plan_.values[value].offset, bytes = bytes_of_dense(plan_, value);
    std::byte* staged = work.stage(frame.data(value), bytes);
    work.queue.write(work.dense_on_device, offset, staged, bytes, false, work.trace_event());
  }
  work.waits.enqueueing += since(start);
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

void DeviceExecutor::trace(const Frame& frame, Clock::time_point start, RunStats& stats) const {
  add_events(work_of(frame), builder_, start, stats);
}

std::string DeviceExecutor::implementation(std::size_t s) const {
  return steps_[s] ? steps_[s]->name() : host_steps_.implementation(s);
}

std::vector<std::vector<std::string>> DeviceExecutor::launches() const {
  const std::unique_ptr<run::Workspace> workspace = make_workspace();
  auto& work = static_cast<Workspace&>(*workspace);
  const Frame frame = all_on(work);
  std::vector<std::vector<std::string>> lines(steps_.size());
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    if (!steps_[s]) continue;
    work.record(&lines[s]);
    steps_[s]->judge(frame, work);
    steps_[s]->enqueue(work);
  }
  return lines;
}

std::vector<std::string> DeviceExecutor::refused(std::size_t s) const {
  std::vector<std::string> reasons = plan_.steps[s].refused;
  if (!steps_[s] && !plan_.steps[s].host_reason.empty())
    reasons.insert(reasons.begin(), "opencl: " + plan_.steps[s].host_reason);
  if (steps_[s] && !steps_[s]->refused().empty()) reasons.push_back(steps_[s]->refused());
  return reasons;
}

std::vector<std::string> DeviceExecutor::notes(std::size_t s) const {
  const plan::Step& step = plan_.steps[s];
  if (steps_[s] || std::holds_alternative<plan::ViewForm>(step.form) || !uses_planes(plan_, step))
    return {};
  if (sharing_.shared) return {"its planes are shared with the device"};
  return {"its planes are copied from and to the device: " + sharing_.why_not};
}

}  // namespace pdrt::run::device
