#include "run/device/executor.h"

#include <algorithm>
#include <limits>

#include "pdrt/error.h"
#include "run/device/programs.h"
#include "run/device/trace.h"

namespace pdrt::run::device {
namespace {

std::string common_options(const DeviceOptions& options) {
  return options.half_planes ? " -DPDRT_HALF_PLANES" : "";
}

SharedBuffer upload(const Device& device, const void* data, std::size_t bytes) {
  auto buffer = std::make_shared<const opencl::Buffer>(device.context.make_buffer(bytes));
  if (bytes > 0) device.queue.write(*buffer, 0, data, bytes, true);
  return buffer;
}

}  // namespace

DeviceExecutor::DeviceExecutor(const plan::Plan& plan, const HostSteps& host_steps, Device& device,
                               bool skip, bool switches_on_device)
    : plan_(plan),
      host_steps_(host_steps),
      device_(device),
      sharing_(sharing_of(plan, device)),
      moves_(plan, skip && !switches_on_device, sharing_.shared),
      own_weights_(device.context, device.queue),
      builder_(plan, device.context.device(), device.weights, own_weights_,
               common_options(device.options), device.options.half_arithmetic,
               skip && switches_on_device, device.ways),
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
    bool changing = step.need != plan::kNeedAll || step.has_switch();
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
