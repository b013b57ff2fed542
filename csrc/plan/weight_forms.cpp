// Which layers have their weights in another form than they came in, because much of what they read
// may be zero, so that with weights kernel by kernel nearly every line of memory holds one that is
// multiplied by something else.
//
// Winograd's convolutions whose inputs may be off while their kernels never are, such as the second
// one of a block behind a switched first: in panels, see planes/panels.h. And those with nothing
// off, where a tile computes many kernels of a panel: it is one stream from memory then. Cores that
// multiply twice as much in a cycle, Zen 5, need that on small maps alone; on others, tiles of
// kernels' own rows have fewer loads beside their multiply-adds, and are what is faster there. On
// their smallest maps panels are of taps, see winograd.h.
//
// Large fully connected layers behind planes that may be off, and behind a ReLU, which leaves zeros
// one by one: by input, see planes/by_input.h.
#include <algorithm>

#include "plan/geometry.h"
#include "plan/plan.h"
#include "plan/recognise.h"

namespace pdrt::plan {
namespace {

// Fewer weights of a fully connected layer, which would be copied for it, come from a near cache.
constexpr std::int64_t kLeastWeights = std::int64_t{1} << 18;
// Behind a ReLU, which does not always leave many zeros: with fewer kernels, the weights of single
// inputs are too short a row, and come slower than those of all. With as many even short lists of
// inputs gain, since sums are by lane, and none is left to be made of lanes.
constexpr std::int64_t kLeastKernels = 256, kLeastInputs = 16;

// What may be zero in a value.
struct Zeros {
  bool channels = false;  // whole ones, because they are off: the same constant, to be exact
  bool numbers = false;   // many, anywhere
};

bool is_elementwise(const Step& step) {
  return std::holds_alternative<ElementwiseForm>(step.form) && step.inputs.size() == 1;
}

// Whether a channel comes out as a constant where it goes in as one.
bool passes_channels(const Program& program, const Step& step) {
  if (const auto* form = std::get_if<ConvolutionForm>(&step.form)) return form->depthwise();
  return std::holds_alternative<PoolForm>(step.form) ||
         std::holds_alternative<GlobalPoolForm>(step.form) ||
         std::holds_alternative<ConcatForm>(step.form) || is_elementwise(step) ||
         is_view(program.ops[step.ops[0]]);
}

// Whether zeros come out where zeros go in.
bool passes_numbers(const Program& program, const Step& step) {
  return std::holds_alternative<PoolForm>(step.form) ||
         std::holds_alternative<ConcatForm>(step.form) || is_elementwise(step) ||
         is_view(program.ops[step.ops[0]]);
}

// Whether the stages make zeros of many numbers, or leave those that there are.
bool zeros_behind(const std::vector<ChainStage>& chain, bool zeros) {
  for (const ChainStage& stage : chain) {
    const bool clips_at_zero =
        stage.stage == Stage::clip && stage.a == 0.0f && stage.operand == Operand::none;
    if (stage.stage == Stage::relu || clips_at_zero) {
      zeros = true;
    } else if (stage.stage != Stage::multiply) {
      zeros = false;
    }
  }
  return zeros;
}

// Whether a panel is better than rows of kernels, though all of both is read.
bool prefers_streams(const Extent& map, const Core& core) {
  constexpr std::int64_t kOneVector = kLanes * 16;  // tiles of 4 x 4 pixels
  return core.wide_tiles && (core.multiply_adds < 2 || map.height * map.width <= kOneVector);
}

// Whether Winograd's products, if they are what computes the step, are faster with weights in
// panels.
bool wants_panels(const Plan& plan, const Step& step, const Zeros& inputs, const Core& core) {
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  if (!form || !winograd_obstacle(*form).empty()) return false;
  return inputs.channels || prefers_streams(extent_of(plan.value(step.outputs[0]).shape), core);
}

bool wants_weights_by_input(const Step& step, const Zeros& inputs) {
  const auto* form = std::get_if<FullyConnectedForm>(&step.form);
  if (!form) return false;
  const bool many = form->kernels * form->columns >= kLeastWeights;
  const bool wide = form->kernels >= kLeastKernels && form->columns >= kLeastInputs;
  return (inputs.channels && many) || (inputs.numbers && wide);
}

// The other way round, in blocks that a near cache holds.
const float* transposed(const float* matrix, std::int64_t rows, std::int64_t columns,
                        std::deque<Tensor>& packed) {
  constexpr std::int64_t kBlock = 32;
  float* const out = packed.emplace_back(DType::f32, Shape{columns, rows}).as<float>();
  for (std::int64_t top = 0; top < rows; top += kBlock) {
    for (std::int64_t left = 0; left < columns; left += kBlock) {
      for (std::int64_t c = left; c < std::min(columns, left + kBlock); ++c) {
        for (std::int64_t r = top; r < std::min(rows, top + kBlock); ++r)
          out[c * rows + r] = matrix[r * columns + c];
      }
    }
  }
  return out;
}

// Weights that came by input stay so where that is how they are read; else they are made kernel by
// kernel.
void settle_order(Step& step, std::deque<Tensor>& packed) {
  auto* form = std::get_if<FullyConnectedForm>(&step.form);
  if (!form || !form->by_input || step.by_input) return;
  form->weights = transposed(form->by_input, form->columns, form->kernels, packed);
  form->by_input = nullptr;
}

}  // namespace

void choose_weight_forms(Plan& plan, const Core& core) {
  std::vector<Zeros> zeros(plan.program.values.size());
  for (Step& step : plan.steps) {
    Zeros inputs;
    for (const ValueId id : step.inputs) {
      if (id == kAbsent) continue;
      inputs.channels = inputs.channels || zeros[id].channels;
      inputs.numbers = inputs.numbers || zeros[id].numbers;
    }
    if (!step.switches() && !step.on_device) {
      step.in_panels = wants_panels(plan, step, inputs, core);
      step.by_input = wants_weights_by_input(step, inputs);
    }
    settle_order(step, plan.packed);
    const Zeros outputs{
        step.switches() || (inputs.channels && passes_channels(plan.program, step)),
        zeros_behind(step.chain, inputs.numbers && passes_numbers(plan.program, step))};
    for (const ValueId id : step.outputs) {
      if (id != kAbsent) zeros[id] = outputs;
    }
  }
}

}  // namespace pdrt::plan
