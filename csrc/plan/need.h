// Need flows backwards: which channels of a value still matter, as an expression over the
// multipliers downstream.
//
// A channel whose every use is multiplied by an exact zero is not needed. An expression is built
// once per plan and evaluated per sample just before its step runs, by which time every multiplier
// it reads has been computed.
#pragma once

#include <cstdint>
#include <vector>

#include "model/graph.h"

namespace pdrt::plan {

using NeedId = int;
constexpr NeedId kNeedAll = 0;
constexpr NeedId kNeedNone = 1;

enum class NeedKind : std::uint8_t {
  all,
  none,
  nonzero,     // channels where a multiplier is not zero
  both,        // a and b
  either,      // a or b
  groups,      // channel c is needed where any channel of a in the same of `count` equal groups is;
               // count 1: any at all
  any_sample,  // all channels, where any channel of any of the `count` samples of a is
  slice,       // channels [begin, begin + channels) of a
  embed,       // a's channels are [begin, begin + inner) here; the others are not needed
};

struct NeedNode {
  NeedKind kind = NeedKind::all;
  NeedId a = kNeedAll, b = kNeedAll;
  int channels = 0;  // of this expression
  int inner = 0;     // channels of a, where the kind can change them
  int begin = 0;
  int count = 0;
  ValueId multiplier = kAbsent;
  std::int64_t sample_stride = 0, channel_stride = 0;  // of the multiplier
};

// Expressions share their parts; equal ones have equal numbers.
class Needs {
 public:
  Needs();
  NeedId nonzero(ValueId multiplier, std::int64_t sample_stride, std::int64_t channel_stride,
                 int channels);
  NeedId both(NeedId a, NeedId b, int channels);
  NeedId either(NeedId a, NeedId b, int channels);
  NeedId groups(NeedId a, int a_channels, int channels, int count);
  NeedId any_sample(NeedId a, int a_channels, int a_samples);
  NeedId slice(NeedId a, int begin, int channels);
  NeedId embed(NeedId a, int begin, int count, int channels);

  const NeedNode& node(NeedId id) const { return nodes_[id]; }
  // Every multiplier the expression reads.
  std::vector<ValueId> multipliers(NeedId id) const;
  // Bytes evaluate() wants as scratch, for the worst expression over at most `max_channels`
  // channels.
  std::size_t scratch_bytes(int max_channels) const;

  // Writes 1 or 0 for each of `channels` channels of one sample. `data` gives a multiplier's dense
  // floats.
  template <typename Data>
  void evaluate(NeedId id, int sample, int channels, const Data& data, std::uint8_t* out,
                std::uint8_t* scratch) const;

 private:
  NeedId add(NeedNode node);
  bool uniform(NeedId id) const;  // the same for every channel and sample
  std::vector<NeedNode> nodes_;
};

template <typename Data>
void Needs::evaluate(NeedId id, int sample, int channels, const Data& data, std::uint8_t* out,
                     std::uint8_t* scratch) const {
  const NeedNode& node = nodes_[id];
  switch (node.kind) {
    case NeedKind::all:
    case NeedKind::none:
      for (int c = 0; c < channels; ++c) out[c] = node.kind == NeedKind::all;
      return;
    case NeedKind::nonzero: {
      const float* multiplier = data(node.multiplier) + sample * node.sample_stride;
      for (int c = 0; c < channels; ++c) out[c] = multiplier[c * node.channel_stride] != 0.0f;
      return;
    }
    case NeedKind::both:
    case NeedKind::either: {
      evaluate(node.a, sample, channels, data, out, scratch);
      evaluate(node.b, sample, channels, data, scratch, scratch + channels);
      const bool both = node.kind == NeedKind::both;
      for (int c = 0; c < channels; ++c)
        out[c] = both ? (out[c] & scratch[c]) : (out[c] | scratch[c]);
      return;
    }
    case NeedKind::groups: {
      const int inner = node.inner;
      evaluate(node.a, sample, inner, data, scratch, scratch + inner);
      const int inner_group = inner / node.count, outer_group = channels / node.count;
      for (int g = 0; g < node.count; ++g) {
        std::uint8_t any = 0;
        for (int i = 0; i < inner_group; ++i) any |= scratch[g * inner_group + i];
        for (int i = 0; i < outer_group; ++i) out[g * outer_group + i] = any;
      }
      return;
    }
    case NeedKind::any_sample: {
      const int inner = node.inner;
      std::uint8_t any = 0;
      for (int n = 0; n < node.count && !any; ++n) {
        evaluate(node.a, n, inner, data, scratch, scratch + inner);
        for (int i = 0; i < inner; ++i) any |= scratch[i];
      }
      for (int c = 0; c < channels; ++c) out[c] = any;
      return;
    }
    case NeedKind::slice: {
      const int inner = node.inner;
      evaluate(node.a, sample, inner, data, scratch, scratch + inner);
      for (int c = 0; c < channels; ++c) out[c] = scratch[node.begin + c];
      return;
    }
    case NeedKind::embed:
      for (int c = 0; c < channels; ++c) out[c] = 0;
      evaluate(node.a, sample, node.inner, data, out + node.begin, scratch);
      return;
  }
}

}  // namespace pdrt::plan
