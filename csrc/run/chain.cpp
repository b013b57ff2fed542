#include "run/chain.h"

namespace pdrt::run {
namespace {

std::int64_t operand_sample(const Frame& frame, ValueId id, std::int64_t sample) {
  return frame.extent(id).samples == 1 ? 0 : sample;
}

std::int64_t operand_channel(const Frame& frame, ValueId id, int kernel) {
  return frame.extent(id).channels == 1 ? 0 : kernel;
}

}  // namespace

Chain::Chain(const Frame& frame, const plan::Step& step, std::int64_t sample)
    : frame_(frame), step_(step), sample_(sample), count_(static_cast<int>(step.chain.size())) {
  for (int i = 0; i < count_; ++i) {
    const plan::ChainStage& from = step.chain[i];
    cpu::EpilogueStage& to = stages_[i];
    to.stage = from.stage;
    to.operand = from.operand;
    to.a = from.a;
    to.b = from.b;
    if (from.operand == Operand::channel) {
      to.data = (from.value == kAbsent ? from.data : frame.floats(from.value)) +
                sample * from.sample_stride;
      to.data2 = from.data2;
      to.channel_stride = from.channel_stride;
    } else if (from.operand == Operand::plane) {
      last_plane_stage_ = i;
      to.data = frame.plane(from.value, operand_sample(frame, from.value, sample), 0);
      to.channel_stride =
          frame.extent(from.value).channels == 1 ? 0 : frame.plan.values[from.value].plane->stride;
    }
    if (!from.is_switch || !frame.skip) continue;
    has_switches_ = true;
    if (i + 1 == count_) {
      last_switch_ = to.data;
      last_switch_stride_ = to.channel_stride;
    } else {
      other_switches_ = true;
    }
  }
  for (int i = 0; i < count_; ++i) {
    if (!multiplies_by_one(i)) applied_[applied_count_++] = stages_[i];
  }
}

// Kernels multiplied by zero do not count where nothing with pixels follows: they are constants.
bool Chain::multiplies_by_one(int stage) const {
  const plan::ChainStage& from = step_.chain[stage];
  if (!from.is_switch || (from.value != kAbsent && !frame_.known(from.value))) return false;
  const bool zeros_count = !frame_.skip || stage < last_plane_stage_;
  const cpu::EpilogueStage& multiply = stages_[stage];
  const std::int64_t numbers =
      multiply.channel_stride == 0 ? 1 : frame_.extent(step_.outputs[0]).channels;
  for (std::int64_t k = 0; k < numbers; ++k) {
    const float x = multiply.data[k * multiply.channel_stride];
    if (x != 1.0f && (x != 0.0f || zeros_count)) return false;
  }
  return true;
}

bool Chain::knows_from(int stage) const {
  for (int i = stage; i < count_; ++i) {
    const plan::ChainStage& from = step_.chain[i];
    if (from.operand == Operand::channel && from.value != kAbsent && !frame_.known(from.value))
      return false;
  }
  return true;
}

bool Chain::is_zero_switch(int stage, int kernel) const {
  return frame_.skip && step_.chain[stage].is_switch &&
         stages_[stage].data[kernel * stages_[stage].channel_stride] == 0.0f;
}

Verdict Chain::judge_switches(int kernel) const {
  for (int i = count_; i-- > 0;) {
    if (!is_zero_switch(i, kernel)) continue;
    if (i + 1 == count_) return {Work::constant, 0.0f};
    if (i < last_plane_stage_ || !knows_from(i + 1)) return {Work::stages, 0.0f};
    return {Work::constant,
            frame_.engine.apply_to_constant({stages_ + i + 1, count_ - i - 1}, kernel, 0.0f)};
  }
  return {Work::compute, 0.0f};
}

Verdict Chain::judge_constant(int kernel, float x) const {
  const Verdict switched = judge(kernel);
  if (switched.work == Work::constant) return switched;
  if (!knows_from(0)) return {Work::compute, x};
  if (last_plane_stage_ < 0)
    return {Work::constant, frame_.engine.apply_to_constant({stages_, count_}, kernel, x)};
  // Still a constant if every operand with pixels is one for this kernel.
  cpu::EpilogueStage storage[kMaxStages];
  const cpu::Epilogue own = for_kernel(kernel, storage);
  for (int i = 0; i < own.count; ++i) {
    if (own.stages[i].operand == Operand::plane) return {Work::compute, x};
  }
  return {Work::constant, frame_.engine.apply_to_constant(own, kernel, x)};
}

void Chain::materialise_operands(int kernel) const {
  for (int i = 0; i <= last_plane_stage_; ++i) {
    if (stages_[i].operand != Operand::plane) continue;
    const ValueId id = step_.chain[i].value;
    frame_.materialise(id, operand_sample(frame_, id, sample_),
                       operand_channel(frame_, id, kernel));
  }
}

cpu::Epilogue Chain::for_kernel(int kernel, cpu::EpilogueStage* storage) const {
  if (!has_planes()) return epilogue();
  for (int i = 0; i < count_; ++i) {
    storage[i] = stages_[i];
    if (stages_[i].operand != Operand::plane) continue;
    const ValueId id = step_.chain[i].value;
    const std::int64_t sample = operand_sample(frame_, id, sample_),
                       channel = operand_channel(frame_, id, kernel);
    if (frame_.channels(id, sample)[channel] != Channel::off) continue;
    storage[i].operand = Operand::channel;
    storage[i].data = frame_.off_values(id, sample) + channel;
    storage[i].channel_stride = 0;
  }
  return {storage, count_};
}

}  // namespace pdrt::run
