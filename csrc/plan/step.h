// A step of a plan: one node, or several fused into one, with everything an implementation needs to
// know about it.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "plan/layer.h"
#include "plan/need.h"
#include "plan/program.h"
#include "planes/planes.h"

namespace pdrt::plan {

// Kernels slide over planes. Groups: kernel k reads channels of group k / (kernels / groups) only.
struct ConvolutionForm {
  std::int64_t kernels = 0, channels = 0, groups = 1;  // channels of the whole input
  int filter_h = 1, filter_w = 1;
  int stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, pad_top = 0, pad_left = 0;
  int in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  const float* weights = nullptr;  // OIHW
  const float* bias = nullptr;

  int taps() const { return filter_h * filter_w; }
  Window window() const {
    return {filter_h, filter_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left};
  }
  std::int64_t group_channels() const { return channels / groups; }
  std::int64_t columns() const { return group_channels() * taps(); }  // weights of a kernel
  // No tap of any output pixel reads padding: a constant input then adds the same to every pixel.
  bool reads_inside() const {
    return pad_top == 0 && pad_left == 0 &&
           (out_h - 1) * stride_h + (filter_h - 1) * dilation_h < in_h &&
           (out_w - 1) * stride_w + (filter_w - 1) * dilation_w < in_w;
  }
  bool depthwise() const { return groups == channels && groups > 1; }
};

// y = W x + b on dense rows.
struct FullyConnectedForm {
  std::int64_t kernels = 0, columns = 0;
  const float* weights = nullptr;   // [kernels][columns]; or, as some came,
  const float* by_input = nullptr;  // [columns][kernels]: choose_weight_forms settles which
  const float* bias = nullptr;
};

struct PoolForm {
  Pool pool;
};

// One number per plane.
struct GlobalPoolForm {
  bool maximum = false;
};

// A chain of stages on planes and nothing else.
struct ElementwiseForm {};

// Planes one after another; inputs that already lie in place cost nothing.
struct ConcatForm {};

// The same elements under another shape, dense on both sides: no work at all.
struct ViewForm {};

// The operator as the reference defines it.
struct ReferenceForm {};

using Form = std::variant<ReferenceForm, ConvolutionForm, FullyConnectedForm, PoolForm,
                          GlobalPoolForm, ElementwiseForm, ConcatForm, ViewForm>;

// One fused element-wise operation, with its operand still a value of the graph.
struct ChainStage {
  Stage stage = Stage::relu;
  Operand operand = Operand::none;
  ValueId value = kAbsent;       // the operand, if it is a value
  const float* data = nullptr;   // the operand, if it is constant (affine: scale)
  const float* data2 = nullptr;  // affine: shift
  // Of a channel operand, in floats; a plane operand's strides follow from where it is placed.
  std::int64_t sample_stride = 0, channel_stride = 0;
  float a = 0, b = 0;
  bool is_switch = false;  // a multiplier that can be zero for a whole kernel
};

struct Step {
  std::string name;      // of its first node
  std::vector<int> ops;  // indices into Program::ops, in order
  Form form;
  std::vector<ValueId> inputs;  // of the first op; the chain's operands are in `chain`
  std::vector<ValueId> outputs;
  std::vector<ChainStage> chain;
  ValueId pooled = kAbsent;  // one of the outputs: the mean of every plane of outputs[0]
  NeedId need = 0;           // which channels of outputs[0] anything still needs, per sample
  std::vector<std::string> refused;  // faster forms that did not fit, and why
  std::vector<std::string> notes;    // what cannot be skipped, and why; what runs with what
  std::optional<Layer> layer;        // where its multiply-adds are counted
  bool centred = false;              // channels whose input is off are zero: see centre_channels
  bool in_panels = false, by_input = false;  // the weights: see choose_weight_forms
  bool on_device = false;                    // see plan/placement.h
  bool decides = false;                      // on the host because switches come of it
  bool host_by_choice = false;               // the device could, but the host is faster
  std::string host_reason;                   // why not on the device, where there is one

  std::int64_t macs() const { return layer ? layer->macs() : 0; }  // dense, one run

  bool has_switch() const {
    return std::any_of(chain.begin(), chain.end(),
                       [](const ChainStage& stage) { return stage.is_switch; });
  }
  // Whether any channel of what it makes can be off.
  bool switches() const { return need != kNeedAll || has_switch(); }
  bool reads_in_chain(ValueId id) const {
    return std::any_of(chain.begin(), chain.end(),
                       [id](const ChainStage& stage) { return stage.value == id; });
  }
  bool reads(ValueId id) const {
    return reads_in_chain(id) || std::find(inputs.begin(), inputs.end(), id) != inputs.end();
  }

  // The first output that has a name.
  ValueId output() const {
    return *std::find_if(outputs.begin(), outputs.end(), [](ValueId id) { return id != kAbsent; });
  }
};

}  // namespace pdrt::plan
