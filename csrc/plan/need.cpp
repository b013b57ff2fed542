#include "plan/need.h"

#include <algorithm>
#include <tuple>

namespace pdrt::plan {
namespace {

auto key(const NeedNode& n) {
  return std::tie(n.kind, n.a, n.b, n.channels, n.inner, n.begin, n.count, n.multiplier,
                  n.sample_stride, n.channel_stride);
}

}  // namespace

Needs::Needs() : nodes_(2) {
  nodes_[kNeedAll].kind = NeedKind::all;
  nodes_[kNeedNone].kind = NeedKind::none;
}

bool Needs::uniform(NeedId id) const {
  const NeedKind kind = nodes_[id].kind;
  return kind == NeedKind::all || kind == NeedKind::none || kind == NeedKind::any_sample;
}

NeedId Needs::add(NeedNode node) {
  const auto same = std::find_if(nodes_.begin(), nodes_.end(),
                                 [&](const NeedNode& n) { return key(n) == key(node); });
  if (same != nodes_.end()) return static_cast<NeedId>(same - nodes_.begin());
  nodes_.push_back(node);
  return static_cast<NeedId>(nodes_.size() - 1);
}

NeedId Needs::nonzero(ValueId multiplier, std::int64_t sample_stride, std::int64_t channel_stride,
                      int channels) {
  return add({NeedKind::nonzero, kNeedAll, kNeedAll, channels, 0, 0, 0, multiplier, sample_stride,
              channel_stride});
}

NeedId Needs::both(NeedId a, NeedId b, int channels) {
  if (a == kNeedNone || b == kNeedNone) return kNeedNone;
  if (a == kNeedAll || a == b) return b;
  if (b == kNeedAll) return a;
  return add({NeedKind::both, std::min(a, b), std::max(a, b), channels});
}

NeedId Needs::either(NeedId a, NeedId b, int channels) {
  if (a == kNeedAll || b == kNeedAll) return kNeedAll;
  if (a == kNeedNone || a == b) return b;
  if (b == kNeedNone) return a;
  return add({NeedKind::either, std::min(a, b), std::max(a, b), channels});
}

NeedId Needs::groups(NeedId a, int a_channels, int channels, int count) {
  if (uniform(a)) return a;
  if (a_channels == channels && count == channels) return a;  // depthwise: channel for channel
  return add({NeedKind::groups, a, kNeedAll, channels, a_channels, 0, count});
}

NeedId Needs::any_sample(NeedId a, int a_channels, int a_samples) {
  if (uniform(a)) return a;
  return add({NeedKind::any_sample, a, kNeedAll, 1, a_channels, 0, a_samples});
}

NeedId Needs::slice(NeedId a, int begin, int channels) {
  if (uniform(a) || (begin == 0 && nodes_[a].channels == channels)) return a;
  return add({NeedKind::slice, a, kNeedAll, channels, nodes_[a].channels, begin});
}

NeedId Needs::embed(NeedId a, int begin, int count, int channels) {
  if (a == kNeedNone || count == channels) return a;
  return add({NeedKind::embed, a, kNeedAll, channels, count, begin});
}

std::vector<ValueId> Needs::multipliers(NeedId id) const {
  std::vector<ValueId> found;
  std::vector<bool> seen(nodes_.size(), false);
  std::vector<NeedId> pending{id};
  while (!pending.empty()) {
    const NeedId at = pending.back();
    pending.pop_back();
    if (seen[at]) continue;
    seen[at] = true;
    const NeedNode& node = nodes_[at];
    if (node.kind == NeedKind::all || node.kind == NeedKind::none) continue;
    if (node.kind == NeedKind::nonzero) {
      if (std::find(found.begin(), found.end(), node.multiplier) == found.end())
        found.push_back(node.multiplier);
      continue;
    }
    pending.push_back(node.a);
    if (node.kind == NeedKind::both || node.kind == NeedKind::either) pending.push_back(node.b);
  }
  return found;
}

std::size_t Needs::scratch_bytes(int max_channels) const {
  std::vector<std::size_t> depth(nodes_.size(), 0);
  std::size_t widest = max_channels, deepest = 0;
  // Parts are always added before what is built of them.
  for (std::size_t id = 0; id < nodes_.size(); ++id) {
    const NeedNode& node = nodes_[id];
    if (node.kind == NeedKind::all || node.kind == NeedKind::none || node.kind == NeedKind::nonzero)
      continue;
    depth[id] = 1 + std::max(depth[node.a], depth[node.b]);
    deepest = std::max(deepest, depth[id]);
    widest = std::max({widest, std::size_t(node.channels), std::size_t(node.inner)});
  }
  return widest * deepest;
}

}  // namespace pdrt::plan
