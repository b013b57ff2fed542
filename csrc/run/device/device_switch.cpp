#include "run/device/device_switch.h"

#include <algorithm>
#include <cstring>

#include "plan/geometry.h"

namespace pdrt::run::device {
namespace {

using opencl::Condition;
using opencl::uint;
using plan::NeedId;
using plan::NeedKind;
using plan::NeedNode;

constexpr std::size_t kMostConditions = 16;
constexpr int kLanes = 64;

using Alternative = std::vector<Condition>;
// Any of the alternatives, all of whose conditions hold. One without conditions always does.
using AnyOf = std::vector<Alternative>;

class Rewriter {
 public:
  explicit Rewriter(const plan::Plan& plan) : plan_(plan) {}

  // Channels [begin, ...) of the expression.
  std::optional<AnyOf> of(NeedId id, int begin) const {
    const NeedNode& node = plan_.needs.node(id);
    switch (node.kind) {
      case NeedKind::all:
        return AnyOf{{}};
      case NeedKind::none:
        return AnyOf{};
      case NeedKind::nonzero:
        return AnyOf{{on(node, begin)}};
      case NeedKind::slice:
        return of(node.a, begin + node.begin);
      case NeedKind::both: {
        const auto a = of(node.a, begin), b = of(node.b, begin);
        if (!a || !b) return std::nullopt;
        AnyOf both;
        for (const Alternative& left : *a) {
          for (const Alternative& right : *b) {
            both.push_back(left);
            both.back().insert(both.back().end(), right.begin(), right.end());
          }
        }
        return both;
      }
      case NeedKind::either: {
        auto a = of(node.a, begin);
        const auto b = of(node.b, begin);
        if (!a || !b) return std::nullopt;
        a->insert(a->end(), b->begin(), b->end());
        return a;
      }
      case NeedKind::groups:
      case NeedKind::any_sample:
      case NeedKind::embed:
        break;  // more than a kernel by itself
    }
    return std::nullopt;
  }

 private:
  Condition on(const NeedNode& node, int begin) const {
    return {static_cast<uint>(dense_at(plan_, node.multiplier) + begin * node.channel_stride),
            static_cast<uint>(node.sample_stride),
            static_cast<uint>(node.channel_stride),
            0,
            1 << 30,
            0};
  }
  const plan::Plan& plan_;
};

}  // namespace

std::optional<Conditions> conditions_of(const plan::Plan& plan, const plan::Step& step) {
  auto any = Rewriter(plan).of(step.need, 0);
  if (!any || any->empty()) return std::nullopt;
  Conditions conditions;
  int alternative = 0;
  for (Alternative& all : *any) {
    for (const plan::ChainStage& stage : step.chain) {
      if (!stage.is_switch || stage.value == kAbsent) continue;
      all.push_back({dense_at(plan, stage.value), static_cast<uint>(stage.sample_stride),
                     static_cast<uint>(stage.channel_stride), 0, 1 << 30, 0});
    }
    if (all.empty()) return Conditions{};
    for (Condition& condition : all) {
      condition.alternative = alternative;
      conditions.push_back(condition);
    }
    ++alternative;
  }
  if (conditions.size() > kMostConditions) return std::nullopt;
  return conditions;
}

bool may_stay_unwritten(const plan::Plan& plan, ValueId value) {
  if (plan.value(value).is_output) return false;
  for (const plan::Step& step : plan.steps) {
    for (const plan::ChainStage& stage : step.chain) {
      if (stage.value == value && stage.operand == Operand::plane) return false;
    }
    if (std::find(step.inputs.begin(), step.inputs.end(), value) == step.inputs.end()) continue;
    if (!step.on_device) return false;  // the host does not hear what is off
    if (std::holds_alternative<plan::ConcatForm>(step.form)) {
      const bool in_place = plan.values[value].root == plan.values[step.outputs[0]].root;
      if (!in_place || !may_stay_unwritten(plan, step.outputs[0])) return false;
      continue;
    }
    const auto* form = std::get_if<plan::ConvolutionForm>(&step.form);
    if (form == nullptr || form->depthwise()) return false;
  }
  return true;
}

bool off_means_zero(const plan::Step& step) {
  for (std::size_t i = step.chain.size(); i-- > 0;) {
    const plan::ChainStage& stage = step.chain[i];
    if (stage.is_switch) return true;
    if (stage.stage != Stage::relu && stage.stage != Stage::leaky_relu &&
        stage.stage != Stage::prelu && stage.stage != Stage::multiply)
      return false;
  }
  return true;
}

ListMaker::ListMaker(Builder& builder, const Lists& lists, Makes makes,
                     const Conditions& conditions, uint flags, uint flags_stride,
                     std::int64_t groups)
    : conditions_(conditions),
      first_(builder.reserve(
          static_cast<std::int64_t>(conditions.size() * sizeof(Condition) / sizeof(std::int32_t)))),
      entries_(lists.entries()) {
  const bool channels = makes == Makes::channels;
  opencl::ActiveListArguments arguments{};
  arguments.conditions = first_;
  arguments.condition_count = static_cast<int>(conditions.size());
  arguments.flags = flags;
  arguments.flags_stride = flags_stride;
  arguments.groups = static_cast<int>(groups);
  arguments.count = static_cast<int>(channels ? lists.channel_room() : lists.kernel_room());
  arguments.group_stride = arguments.count;
  arguments.channels = channels;
  arguments.parts = lists.parts();
  arguments.list = channels ? lists.channels() : lists.kernels();
  arguments.complement = makes == Makes::others;
  LaunchSpec spec;
  spec.program = "active_list";
  spec.options = " -DLANES=" + std::to_string(kLanes);
  spec.arguments = {Role::dense, Role::lists, Role::flags, bytes_of(arguments)};
  spec.local = {kLanes, 1, 1};
  launch_ = builder.add(std::move(spec));
}

void ListMaker::judge(Workspace& work) const {
  if (conditions_.empty()) return;
  std::memcpy(work.list_numbers.data() + first_, conditions_.data(),
              conditions_.size() * sizeof(Condition));
}

void ListMaker::enqueue(Workspace& work) const {
  work.launch(launch_, {1, static_cast<std::size_t>(entries_), 1});
}

}  // namespace pdrt::run::device
