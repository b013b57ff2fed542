// Which nodes the plane engine can take, and as what.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "plan/step.h"

namespace pdrt::plan {

// Values that live as padded planes rather than as dense arrays: what convolutions and pools touch,
// and what is connected to those by element-wise operations and channel concatenation.
std::vector<bool> choose_planes(const Program& program);

struct Recognised {
  Form form;
  std::vector<std::string> refused;  // "form: why not", for those tried
};

Recognised recognise(const Program& program, const Op& op, const std::vector<bool>& planes);

// The op as a stage applied to `main` (one of its inputs), where the rest is an operand; nothing
// where it is not one. Folded batch normalisations are kept in `packed`.
std::optional<ChainStage> stage_of(const Program& program, const Op& op, ValueId main,
                                   const std::vector<bool>& planes, std::deque<Tensor>& packed);

// The sigmoid that `op`, a Mul, multiplies its own input with, where that is all the sigmoid is
// for; else -1.
int silu_partner(const Program& program, const Op& op);

// The cast to float32 of what `op`, a comparison, says, where that is all the comparison is for;
// else -1.
int cast_partner(const Program& program, const Op& op);

// Each element of the output depends on the broadcast elements at its place and nothing else.
bool is_pointwise(std::string_view kind);

// The same elements in the same order: only the shape changes.
bool is_view(const Op& op);

// A concatenation along the channel axis.
bool joins_channels(const Program& program, const Op& op);

// Pool windows as large as the map, in the three ways exporters write them.
bool is_global_pool(const Program& program, const Op& op);

}  // namespace pdrt::plan
