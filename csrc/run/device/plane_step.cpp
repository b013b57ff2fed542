#include "run/device/plane_step.h"

#include <algorithm>

#include "run/device/planewise.h"
#include "run/kernel_lists.h"

namespace pdrt::run::device {

using opencl::uint;

PlaneStep::PlaneStep(Builder& builder, std::size_t step, bool changing, std::int64_t groups,
                     std::int64_t channel_room)
    : plan_(builder.plan),
      step_(step),
      samples_(plan::extent_of(plan_.value(output()).shape).samples),
      kernels_(plan::extent_of(plan_.value(output()).shape).channels),
      groups_(groups),
      compute_(builder, samples_ * groups, kernels_ / groups, channel_room) {
  if (builder.switches_on_device) prepare_switch(builder);
  if (!changing) return;
  prepare_fill(builder, input());
  for (const plan::ChainStage& stage : this->step().chain) {
    if (stage.operand == Operand::plane) prepare_fill(builder, stage.value);
  }
  if (!this->step().has_switch()) return;
  prepare_zeros(builder);
}

// What is off goes through the stages, unless it is a zero that only convolutions would read: these
// leave it out.
void PlaneStep::prepare_switch(Builder& builder) {
  const std::optional<Conditions> conditions = conditions_of(plan_, step());
  if (!conditions || conditions->empty()) return;
  lists_on_device_ = true;
  list_makers_.emplace_back(builder, compute_, ListMaker::Makes::kernels, *conditions, PDRT_NONE, 0,
                            groups_);
  builder.switched[output()] = true;
  if (off_means_zero(step()) && may_stay_unwritten(plan_, output())) return;
  prepare_zeros(builder);
  list_makers_.emplace_back(builder, zeros_, ListMaker::Makes::others, *conditions, PDRT_NONE, 0,
                            1);
}

void PlaneStep::list_channels_on_device(Builder& builder) {
  const plan::Placement& in_at = plan_.values[input()];
  lists_on_device_ = true;
  list_makers_.emplace_back(builder, compute_, ListMaker::Makes::channels, Conditions{},
                            static_cast<uint>(in_at.state), static_cast<uint>(in_at.state_stride),
                            groups_);
}

void PlaneStep::prepare_zeros(Builder& builder) {
  zeros_ = Lists(builder, samples_, kernels_, 0);
  opencl::ElementwiseArguments arguments{};
  arguments.in = arguments.out = planes_of(plan_, output());
  arguments.parts = zeros_.parts();
  arguments.zero = 1;
  arguments.out_flags = out_flags();
  arguments.out_flags_stride = out_flags_stride();
  arguments.epilogue = builder.constants.epilogue(plan_, this->step());
  zeros_launch_ = add_elementwise(builder, arguments);
}

void PlaneStep::prepare_fill(Builder& builder, ValueId value) {
  const auto known = [&](const Fill& fill) { return fill.value == value; };
  if (!plan_.values[value].plane || std::any_of(fills_.begin(), fills_.end(), known)) return;
  const plan::Extent e = plan::extent_of(plan_.value(value).shape);
  Fill fill;
  fill.value = value;
  fill.lists = Lists(builder, e.samples, e.channels, e.channels);
  opencl::FillArguments arguments{};
  arguments.out = planes_of(plan_, value);
  arguments.parts = fill.lists.parts();
  arguments.out_flags = static_cast<uint>(plan_.values[value].state);
  arguments.out_flags_stride = static_cast<uint>(plan_.values[value].state_stride);
  fill.launch = add_fill(builder, arguments);
  fills_.push_back(fill);
}

uint PlaneStep::out_flags() const { return static_cast<uint>(plan_.values[output()].state); }

uint PlaneStep::out_flags_stride() const {
  return static_cast<uint>(plan_.values[output()].state_stride);
}

Verdict PlaneStep::settle(const Frame&, const Chain& chain, std::int64_t, int kernel) const {
  return chain.judge(kernel);
}

void PlaneStep::materialise(const Frame& frame, Workspace& work, ValueId value, std::int64_t sample,
                            int channel) const {
  Channel& state = frame.channels(value, sample)[channel];
  if (state != Channel::off) return;
  const auto fill = std::find_if(fills_.begin(), fills_.end(),
                                 [&](const Fill& one) { return one.value == value; });
  fill->lists.add_constant(work.list_numbers, sample, channel,
                           frame.off_values(value, sample)[channel]);
  state = Channel::materialised;
}

void PlaneStep::materialise_operands(const Frame& frame, Workspace& work, std::int64_t sample,
                                     int kernel) const {
  for (const plan::ChainStage& stage : step().chain) {
    if (stage.operand != Operand::plane) continue;
    const plan::Extent e = frame.extent(stage.value);
    materialise(frame, work, stage.value, e.samples == 1 ? 0 : sample,
                e.channels == 1 ? 0 : kernel);
  }
}

void PlaneStep::list_active_channels(const Frame& frame, Workspace& work, std::int64_t sample,
                                     std::int64_t group_channels) const {
  const Channel* states = frame.channels(input(), sample);
  const float* constants = frame.off_values(input(), sample);
  for (std::int64_t g = 0; g < groups_; ++g) {
    const std::int64_t entry = sample * groups_ + g;
    if (compute_.part(work.list_numbers, entry).kernel_count == 0) continue;
    for (std::int32_t c = 0; c < group_channels; ++c) {
      const int channel = static_cast<int>(g * group_channels) + c;
      if (states[channel] != Channel::on && constants[channel] == 0.0f) continue;
      materialise(frame, work, input(), sample, channel);
      compute_.add_channel(work.list_numbers, entry, c);
    }
  }
}

void PlaneStep::count_pairs(const Frame& frame, const Workspace& work, std::int64_t sample) const {
  std::int64_t active = 0, visited = 0;
  for (std::int64_t g = 0; g < groups_; ++g) {
    const opencl::Part part = compute_.part(work.list_numbers, sample * groups_ + g);
    active += part.kernel_count;
    visited += std::int64_t{1} * part.kernel_count * part.channel_count;
  }
  frame.count(step(), sample, active, visited);
}

void PlaneStep::judge(const Frame& frame, Workspace& work) const {
  ListNumbers& numbers = work.list_numbers;
  compute_.clear(numbers);
  zeros_.clear(numbers);
  for (const Fill& fill : fills_) fill.lists.clear(numbers);
  const std::int64_t group_kernels = kernels_ / groups_;
  for (std::int64_t n = 0; n < samples_; ++n) {
    const Chain chain(frame, step(), n);
    frame.find_needed(step(), n, static_cast<int>(kernels_));
    for (std::int32_t k = 0; k < kernels_; ++k) {
      const Verdict verdict =
          work.needed[k] ? settle(frame, chain, n, k) : Verdict{Work::nothing, 0.0f};
      if (verdict.work == Work::nothing || verdict.work == Work::constant) {
        set_constant(frame, output(), n, k, verdict.constant);
        continue;
      }
      if (verdict.work == Work::compute) {
        compute_.add_kernel(numbers, n * groups_ + k / group_kernels, k);
        if (channel_of(k) >= 0) materialise(frame, work, input(), n, channel_of(k));
      } else {
        zeros_.add_kernel(numbers, n, k);
      }
      materialise_operands(frame, work, n, k);
      set_written(frame, output(), n, k, true);
    }
    list_channels(frame, work, n);
    count(frame, work, n);
  }
  for (const ListMaker& maker : list_makers_) maker.judge(work);
}

void PlaneStep::enqueue(Workspace& work) const {
  const ListNumbers& numbers = work.list_numbers;
  for (const Fill& fill : fills_) {
    work.launch(fill.launch, planewise_groups(*plan_.values[fill.value].plane,
                                              fill.lists.longest(numbers), fill.lists.entries()));
  }
  for (const ListMaker& maker : list_makers_) maker.enqueue(work);
  enqueue_before(work);
  // The host does not know how long lists are that the device makes: groups without work leave.
  work.launch(main_, groups_for(lists_on_device_ ? kernels_ / groups_ : compute_.longest(numbers)));
  enqueue_after(work);
  if (zeros_launch_ < 0) return;
  work.launch(zeros_launch_, planewise_groups(*plan_.values[output()].plane,
                                              lists_on_device_ ? kernels_ : zeros_.longest(numbers),
                                              samples_, kElementwisePixels));
}

}  // namespace pdrt::run::device
