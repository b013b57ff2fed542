// Steps that run as their reference: every operand is made readable first, on strides that fit
// where it lies.

#include <cstring>

#include "pdrt/error.h"
#include "run/steps.h"

namespace pdrt::run {
namespace {

bool anything_needed(const Frame& frame, const plan::Step& step) {
  const plan::Extent e = frame.extent(step.output());
  for (std::int64_t n = 0; n < e.samples; ++n) {
    if (frame.find_needed(step, n, static_cast<int>(e.channels))) return true;
  }
  return false;
}

// Whole planes, gap and borders included: the reference writes pixels only.
void clear(const Frame& frame, ValueId id) {
  const plan::Value& value = frame.plan.value(id);
  if (!frame.plan.values[id].plane) {
    std::memset(frame.writable(id), 0,
                static_cast<std::size_t>(count_of(value.shape)) * size_of(value.dtype));
    return;
  }
  const Plane& plane = *frame.plan.values[id].plane;
  const plan::Extent e = frame.extent(id);
  for (std::int64_t n = 0; n < e.samples; ++n) {
    std::memset(frame.plane(id, n, 0) - plane.lead, 0, e.channels * plane.stride * sizeof(float));
  }
}

void set_states(const Frame& frame, ValueId id, Channel state) {
  if (!frame.plan.values[id].plane) return;
  const plan::Extent e = frame.extent(id);
  for (std::int64_t n = 0; n < e.samples; ++n) {
    std::fill_n(frame.channels(id, n), e.channels, state);
    std::fill_n(frame.off_values(id, n), e.channels, 0.0f);
  }
}

}  // namespace

void run_reference(const Frame& frame, std::size_t s) {
  const plan::Step& step = frame.plan.steps[s];
  const Node& node = *frame.plan.program.ops[step.ops[0]].node;
  const bool needed = anything_needed(frame, step);
  for (std::int64_t n = 0; step.layer && n < step.layer->samples; ++n) {
    frame.count(step, n, needed ? step.layer->kernels : 0, needed ? step.layer->pairs() : 0);
  }
  for (ValueId output : step.outputs) {
    if (output == kAbsent) continue;
    if (frame.plan.values[output].plane || !needed) clear(frame, output);
    set_states(frame, output, needed ? Channel::on : Channel::off);
  }
  if (!needed) return;
  Workspace::Call& call = frame.work.calls[s];
  call.inputs.clear();
  call.outputs.clear();
  for (ValueId input : step.inputs) {
    if (input != kAbsent && frame.plan.values[input].plane) frame.materialise_all(input);
    call.inputs.push_back(input == kAbsent ? TensorView() : frame.view(input));
  }
  for (ValueId output : step.outputs)
    call.outputs.push_back(output == kAbsent ? TensorView() : frame.view(output));
  try {
    node.op->evaluate({node.attributes, call.inputs, call.outputs});
  } catch (const Error& error) {
    throw InputError(frame.plan.program.graph->source + ": node '" + node.name + "' (" +
                     std::string(node.op->name) + "): " + error.what());
  }
}

}  // namespace pdrt::run
