#include "plan/fuse.h"

#include <algorithm>

#include "plan/geometry.h"
#include "plan/recognise.h"

namespace pdrt::plan {
namespace {

class Fuser {
 public:
  Fuser(const Program& program, const std::vector<bool>& planes, Dependence& dependence,
        std::deque<Tensor>& packed)
      : program_(program),
        planes_(planes),
        dependence_(dependence),
        packed_(packed),
        steps_(program.ops.size()),
        taken_(program.ops.size(), false) {}

  std::vector<Step> run() {
    const int count = static_cast<int>(program_.ops.size());
    for (int op = 0; op < count; ++op) {
      Recognised recognised = recognise(program_, program_.ops[op], planes_);
      Step& step = steps_[op];
      step.name = program_.ops[op].name();
      step.ops = {op};
      step.form = std::move(recognised.form);
      step.refused = std::move(recognised.refused);
      step.inputs = program_.ops[op].inputs;
      step.outputs = program_.ops[op].outputs;
      step.layer = layer_of(program_, program_.ops[op]);
    }
    // Last first: of two convolutions that meet in an addition, the later one takes it, when the
    // other is done.
    for (int op = count; op-- > 0;) {
      if (heads_chain(steps_[op].form)) extend(op);
    }
    for (int op = 0; op < count; ++op) {
      if (!taken_[op] && std::holds_alternative<ElementwiseForm>(steps_[op].form))
        start_elementwise(op);
    }
    return std::move(steps_);
  }

 private:
  static bool heads_chain(const Form& form) {
    return std::holds_alternative<ConvolutionForm>(form) ||
           std::holds_alternative<FullyConnectedForm>(form) ||
           std::holds_alternative<PoolForm>(form);
  }

  // The one op that reads `value` (a sigmoid and the product it gates count as one), or -1.
  int only_user(const Value& value) const {
    if (value.is_output) return -1;
    if (value.users.size() == 1) return value.users[0];
    if (value.users.size() != 2) return -1;
    for (int side = 0; side < 2; ++side) {
      if (silu_partner(program_, program_.ops[value.users[side]]) == value.users[1 - side])
        return value.users[side];
    }
    return -1;
  }

  // Takes the op into the step; with it the sigmoid where the two are one activation, and the cast
  // that makes a number of a comparison.
  void take(int op, int head, const ChainStage& stage) {
    Step& step = steps_[head];
    if (stage.stage == Stage::silu) take_op(silu_partner(program_, program_.ops[op]), head);
    take_op(op, head);
    const int cast = cast_partner(program_, program_.ops[op]);
    if (cast >= 0) take_op(cast, head);
    step.outputs = program_.ops[cast >= 0 ? cast : op].outputs;
    step.chain.push_back(stage);
  }

  void take_op(int op, int head) {
    if (op == head) return;
    taken_[op] = true;
    dependence_.merge(op, head);
    steps_[head].ops.push_back(op);
    steps_[op].ops.clear();
  }

  // Whether the operand can be there before the step runs.
  bool is_ready(const ChainStage& stage, int head) const {
    if (stage.value == kAbsent) return true;
    const int producer = program_.values[stage.value].producer;
    return producer < 0 || !dependence_.reaches(head, producer);
  }

  void extend(int head) {
    const bool dense = std::holds_alternative<FullyConnectedForm>(steps_[head].form);
    while (static_cast<int>(steps_[head].chain.size()) < kMaxStages) {
      const ValueId main = steps_[head].outputs[0];
      const int next = only_user(program_.values[main]);
      if (next < 0 || taken_[next] || program_.ops[next].outputs.size() != 1) return;
      if (planes_[program_.ops[next].outputs[0]] == dense) return;
      const int cast = cast_partner(program_, program_.ops[next]);
      if (cast >= 0 && planes_[program_.ops[cast].outputs[0]] == dense) return;
      const auto stage = stage_of(program_, program_.ops[next], main, planes_, packed_);
      if (!stage || (dense && stage->operand == Operand::plane) || !is_ready(*stage, head)) return;
      take(next, head, *stage);
    }
  }

  void start_elementwise(int op) {
    // A sigmoid that only gates its own input begins with the product.
    const Value& value = program_.values[program_.ops[op].outputs[0]];
    if (program_.ops[op].kind() == "Sigmoid" && value.users.size() == 1) {
      const int product = value.users[0];
      if (!taken_[product] && planes_[program_.ops[product].outputs[0]] &&
          silu_partner(program_, program_.ops[product]) == op) {
        ChainStage stage;
        stage.stage = Stage::silu;
        steps_[op].inputs = {program_.ops[op].inputs[0]};
        steps_[op].chain.push_back(stage);
        steps_[op].outputs = program_.ops[product].outputs;
        take_op(product, op);
        extend(op);
        return;
      }
    }
    for (ValueId input : program_.ops[op].inputs) {
      if (input == kAbsent || !planes_[input]) continue;
      if (auto stage = stage_of(program_, program_.ops[op], input, planes_, packed_)) {
        steps_[op].inputs = {input};
        steps_[op].chain.push_back(*stage);
        extend(op);
        return;
      }
    }
  }

  const Program& program_;
  const std::vector<bool>& planes_;
  Dependence& dependence_;
  std::deque<Tensor>& packed_;
  std::vector<Step> steps_;
  std::vector<bool> taken_;
};

}  // namespace

std::vector<Step> fuse(const Program& program, const std::vector<bool>& planes,
                       Dependence& dependence, std::deque<Tensor>& packed) {
  return Fuser(program, planes, dependence, packed).run();
}

std::vector<Step> reference_steps(const Program& program) {
  std::vector<Step> steps;
  for (std::size_t op = 0; op < program.ops.size(); ++op) {
    Step step;
    step.name = program.ops[op].name();
    step.ops = {static_cast<int>(op)};
    step.inputs = program.ops[op].inputs;
    step.outputs = program.ops[op].outputs;
    step.layer = layer_of(program, program.ops[op]);
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace pdrt::plan
