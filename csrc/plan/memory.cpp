// Memory: which values share another's memory, how long each lives, and where in the zone of planes
// or of dense values it lies meanwhile.

#include <algorithm>

#include "plan/buffers.h"
#include "plan/geometry.h"
#include "plan/plan.h"

namespace pdrt::plan {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

class MemoryPlanner {
 public:
  MemoryPlanner(Plan& plan, bool apart) : plan_(plan), apart_(apart) {}

  void run() {
    for (ValueId id : plan_.program.inputs) plan_.values[id].root = id;
    for (const Step& step : plan_.steps) {
      for (ValueId out : step.outputs) {
        if (out != kAbsent) plan_.values[out].root = out;
      }
      if (std::holds_alternative<ViewForm>(step.form))
        plan_.values[step.outputs[0]].root = step.inputs[0];
    }
    // Consumers before producers, so that a concatenation inside another finds its final home.
    for (std::size_t s = plan_.steps.size(); s-- > 0;) {
      if (std::holds_alternative<ConcatForm>(plan_.steps[s].form)) join(plan_.steps[s]);
    }
    for (std::size_t id = 0; id < plan_.values.size(); ++id) resolve(static_cast<ValueId>(id));
    allocate();
    number_states();
    describe();
  }

 private:
  // The inputs of a concatenation are written where they end up, unless they are bound to another
  // place already.
  void join(const Step& step) {
    std::int64_t channel = 0;
    for (ValueId input : step.inputs) {
      const Value& value = plan_.value(input);
      Placement& placement = plan_.values[input];
      const bool once = std::count(step.inputs.begin(), step.inputs.end(), input) == 1;
      if (once && placement.root == input && value.producer >= 0) {
        placement.root = step.outputs[0];
        placement.first_channel = channel;
      }
      channel += extent_of(value.shape).channels;
    }
  }

  void resolve(ValueId id) {
    Placement& placement = plan_.values[id];
    const Value& value = plan_.value(id);
    if (value.is_constant()) {
      placement.place = Place::constant;
      placement.root = id;
      return;
    }
    if (placement.root == kAbsent) return;
    while (plan_.values[placement.root].root != placement.root) {
      placement.first_channel += plan_.values[placement.root].first_channel;
      placement.root = plan_.values[placement.root].root;
    }
    const bool is_input = plan_.value(placement.root).producer < 0;
    placement.place = placement.plane ? Place::planes : is_input ? Place::input : Place::dense;
    if (placement.plane) {
      placement.sample_stride =
          placement.in_passing
              ? 0
              : extent_of(plan_.value(placement.root).shape).channels * placement.plane->stride;
    }
  }

  std::size_t bytes_of(ValueId id) const {
    const Value& value = plan_.value(id);
    const Placement& placement = plan_.values[id];
    if (!placement.plane) return aligned(count_of(value.shape) * size_of(value.dtype));
    const Extent e = extent_of(value.shape);
    const std::int64_t samples = placement.sample_stride == 0 ? 1 : e.samples;
    return aligned(samples * e.channels * placement.plane->stride * sizeof(float));
  }

  // What comes and goes within a stretch that samples pass one by one has room for one of them; all
  // else is in use during the whole of a stretch that it is in use in, because every turn needs its
  // own sample.
  void mind_stretches(ValueId root, Buffer& buffer) {
    const int first = buffer.first, last = buffer.last;
    for (const Stretch& stretch : plan_.stretches) {
      if (stretch.turns == 1 || last < stretch.first || first >= stretch.last) continue;
      if (stretch.first <= first && last < stretch.last) {
        share_among_samples(root);
      } else {
        buffer.first = std::min(buffer.first, stretch.first);
        buffer.last = std::max(buffer.last, stretch.last - 1);
      }
    }
  }

  void share_among_samples(ValueId root) {
    for (Placement& placement : plan_.values) {
      if (placement.root != kAbsent && hosts_[placement.root] == root) placement.sample_stride = 0;
    }
  }

  // The operand whose planes step s may overwrite with its results, pixel by pixel as it reads
  // them, because nobody reads them later: a residual, in the end. Its lines are in a near cache
  // then, where those of other memory would have to come from far.
  ValueId replaced_by(int s, const std::vector<Buffer>& by_root) const {
    const Step& step = plan_.steps[s];
    const auto* form = std::get_if<ConvolutionForm>(&step.form);
    // Winograd writes over the ends of rows, and a depthwise layer works in its output.
    if (!form || form->depthwise() || plan_.convolutions[s].by_tiles()) return kAbsent;
    if (plan_.strips[s].rows > 0) return kAbsent;
    ValueId operand = kAbsent;
    for (const ChainStage& stage : step.chain) {
      if (stage.operand != Operand::plane) continue;
      if (operand != kAbsent) return kAbsent;
      operand = stage.value;
    }
    const ValueId output = step.outputs[0];
    if (operand == kAbsent || !is_whole(operand) || !is_whole(output)) return kAbsent;
    if (plan_.value(operand).shape != plan_.value(output).shape) return kAbsent;
    const bool read_elsewhere =
        plan_.values[step.inputs[0]].root == operand || by_root[operand].last != s;
    return read_elsewhere ? kAbsent : operand;
  }

  // Whether a value has memory of its own: planes that are not part of another's.
  bool is_whole(ValueId id) const {
    return plan_.values[id].root == id && plan_.values[id].place == Place::planes;
  }

  bool in_one_turn(int first, int last) const {
    return std::all_of(plan_.stretches.begin(), plan_.stretches.end(), [&](const Stretch& stretch) {
      return stretch.turns == 1 || last < stretch.first || first >= stretch.last ||
             (stretch.first <= first && last < stretch.last);
    });
  }

  // Buffers then live as long as all that lie in them.
  void find_hosts(std::vector<Buffer>& by_root) {
    hosts_.resize(by_root.size());
    for (std::size_t id = 0; id < hosts_.size(); ++id) hosts_[id] = static_cast<ValueId>(id);
    const auto on_device = [](const Step& step) { return step.on_device; };
    if (std::any_of(plan_.steps.begin(), plan_.steps.end(), on_device)) return;
    for (int s = 0; s < static_cast<int>(plan_.steps.size()); ++s) {
      const ValueId operand = replaced_by(s, by_root);
      if (operand == kAbsent) continue;
      const ValueId output = plan_.steps[s].outputs[0], host = hosts_[operand];
      if (!in_one_turn(by_root[host].first, by_root[output].last)) continue;
      hosts_[output] = host;
      by_root[host].last = std::max(by_root[host].last, by_root[output].last);
    }
  }

  void allocate() {
    std::vector<Buffer> by_root(plan_.values.size());
    std::vector<std::size_t> offsets(plan_.values.size(), 0);
    auto live = [&](ValueId id, int step) {
      const ValueId root = id == kAbsent ? kAbsent : plan_.values[id].root;
      if (root == kAbsent || plan_.value(root).is_constant()) return;
      by_root[root].first = std::min(by_root[root].first, step);
      by_root[root].last = std::max(by_root[root].last, step);
    };
    const int steps = static_cast<int>(plan_.steps.size());
    for (ValueId input : plan_.program.inputs) live(input, -1);
    for (int s = 0; s < steps; ++s) {
      const Step& step = plan_.steps[s];
      for (ValueId input : step.inputs) live(input, s);
      for (ValueId output : step.outputs) live(output, s);
      if (plan_.done_in_strips(s) || plan_.done_by_rows(s)) live(step.outputs[0], s - 1);
      for (const ChainStage& stage : step.chain) live(stage.value, s);
      for (ValueId multiplier : plan_.needs.multipliers(step.need)) live(multiplier, s);
    }
    for (ValueId output : plan_.program.outputs) live(output, steps);

    find_hosts(by_root);
    std::vector<Buffer> planes, dense;
    for (std::size_t root = 0; root < by_root.size(); ++root) {
      const bool used = by_root[root].first <= by_root[root].last;
      if (!used || hosts_[root] != static_cast<ValueId>(root)) continue;
      mind_stretches(static_cast<ValueId>(root), by_root[root]);
      by_root[root].bytes = bytes_of(static_cast<ValueId>(root));
      by_root[root].offset = &offsets[root];
      (plan_.values[root].plane ? planes : dense).push_back(by_root[root]);
    }
    for (int s = 0; s < steps; ++s) {
      const auto* form = std::get_if<ConvolutionForm>(&plan_.steps[s].form);
      if (!form || form->depthwise() || plan_.steps[s].on_device) continue;
      ConvolutionPlan& own = plan_.convolutions[s];
      const std::int64_t floats =
          std::max({form->group_channels() * own.taps.floats_per_channel(),  // groups take turns
                    own.winograd.scratch_floats, own.strided.scratch_floats(form->channels)});
      if (floats == 0) continue;
      Buffer scratch;
      scratch.bytes = own.scratch_bytes = aligned(floats * sizeof(float));
      scratch.first = scratch.last = s;
      scratch.offset = &own.scratch;
      scratch.stays = true;  // see bench/NOTES.md
      planes.push_back(scratch);
    }
    plan_.planes_bytes = place_low(planes);
    if (apart_) move_apart(planes, plan_.planes_bytes);
    plan_.dense_bytes = place_low(dense);
    for (Placement& placement : plan_.values) {
      if (placement.root != kAbsent) placement.offset = offsets[hosts_[placement.root]];
    }
  }

  void number_states() {
    for (std::size_t id = 0; id < plan_.values.size(); ++id) {
      Placement& placement = plan_.values[id];
      const Value& value = plan_.value(static_cast<ValueId>(id));
      const Extent e = extent_of(value.shape);
      plan_.max_channels = std::max(plan_.max_channels, static_cast<int>(e.channels));
      if (!value.is_constant()) plan_.max_samples = std::max(plan_.max_samples, e.samples);
      if (!placement.plane || placement.root != static_cast<ValueId>(id)) continue;
      placement.state = plan_.states;
      placement.state_stride = e.channels;
      plan_.states += e.samples * e.channels;
    }
    for (Placement& placement : plan_.values) {
      if (!placement.plane || placement.root == kAbsent) continue;
      const Placement& root = plan_.values[placement.root];
      placement.state_stride = root.state_stride;
      if (&root != &placement) placement.state = root.state + placement.first_channel;
    }
  }

  void describe() {
    for (std::size_t id = 0; id < plan_.values.size(); ++id) {
      const Value& value = plan_.value(static_cast<ValueId>(id));
      Placement& at = plan_.values[id];
      if (value.is_constant()) {
        at.view = value.constant;
      } else if (!at.plane) {
        at.view = TensorView(nullptr, value.dtype, value.shape);
      } else if (value.shape.size() == 4) {
        at.view = TensorView(nullptr, value.dtype, value.shape,
                             {at.sample_stride, at.plane->stride, at.plane->row, 1});
      } else {
        at.view =
            TensorView(nullptr, value.dtype, value.shape, {at.sample_stride, at.plane->stride, 1});
      }
    }
  }

  Plan& plan_;
  const bool apart_;
  std::vector<ValueId> hosts_;  // by root: the one in whose memory it lies, or itself
};

}  // namespace

void assign_memory(Plan& plan, const PlanOptions& options) {
  MemoryPlanner(plan, options.memory_apart).run();
}

}  // namespace pdrt::plan
