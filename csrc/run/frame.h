// One run: a plan, an engine, a workspace, and where everything lies in it.
#pragma once

#include <algorithm>

#include "cpu/engine.h"
#include "plan/geometry.h"
#include "run/workspace.h"

namespace pdrt::run {

// By step and way (see ways.h): weights in the form that way needs.
using PackedSteps = std::vector<const float*>;

// Samples [first, last), to loop over.
class Samples {
 public:
  class Iterator {
   public:
    explicit Iterator(std::int64_t at) : at_(at) {}
    std::int64_t operator*() const { return at_; }
    void operator++() { ++at_; }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    std::int64_t at_;
  };
  Samples(std::int64_t first, std::int64_t last) : first_(first), last_(last) {}
  Iterator begin() const { return Iterator(first_); }
  Iterator end() const { return Iterator(last_); }

 private:
  std::int64_t first_, last_;
};

class Frame {
 public:
  Frame(const plan::Plan& plan, const PackedSteps& packed, const cpu::Engine& engine, int threads,
        bool skip, Workspace& workspace)
      : plan(plan), packed(packed), engine(engine), threads(threads), skip(skip), work(workspace) {}

  const plan::Plan& plan;
  const PackedSteps& packed;
  const cpu::Engine& engine;
  const int threads;
  const bool skip;  // false: nothing is ever off
  Workspace& work;

  // Pixel (0,0) of a plane.
  float* plane(ValueId id, std::int64_t sample, std::int64_t channel) const {
    const plan::Placement& at = plan.values[id];
    return reinterpret_cast<float*>(work.planes() + at.offset) + sample * at.sample_stride +
           (at.first_channel + channel) * at.plane->stride + at.plane->lead;
  }
  // One sample's planes wherever they are, the caller's array included: pixel (0,0) of channel c is
  // at data + c * stride.
  struct Planes {
    const float* data;
    std::int64_t stride;
    const Plane& geometry;
  };
  Planes planes_to_read(ValueId id, std::int64_t sample) const;
  // The elements of a dense value, wherever they are.
  const void* data(ValueId id) const;
  void* writable(ValueId id) const { return work.dense() + plan.values[id].offset; }
  const float* floats(ValueId id) const { return static_cast<const float*>(data(id)); }

  Channel* channels(ValueId id, std::int64_t sample) const {
    return work.channels.data() + plan.values[id].state + sample * plan.values[id].state_stride;
  }
  float* off_values(ValueId id, std::int64_t sample) const {
    return work.off_values.data() + plan.values[id].state + sample * plan.values[id].state_stride;
  }
  // Of planes that were made in strips: which have pixels that are not zero. See strips.h.
  std::uint8_t* strip_nonzero(ValueId id, std::int64_t sample) const {
    return work.strip_nonzero.data() + plan.values[id].state +
           sample * plan.values[id].state_stride;
  }
  // The samples of a value that steps are to make: all, or the one whose turn it is.
  Samples samples(ValueId id) const {
    return turn_ < 0 ? Samples(0, extent(id).samples) : Samples(turn_, turn_ + 1);
  }
  // This frame for one sample alone, in a stretch of steps that samples pass one by one.
  Frame for_sample(std::int64_t sample) const {
    Frame frame = *this;
    frame.turn_ = sample;
    return frame;
  }
  Frame on_one_thread() const {
    Frame frame(plan, packed, engine, 1, skip, work);
    frame.turn_ = turn_;
    frame.unknown_ = unknown_;
    return frame;
  }
  // This frame where a device has made some of the values, by number, and keeps them to itself.
  Frame without(const std::vector<bool>& unknown) const {
    Frame frame = *this;
    frame.unknown_ = &unknown;
    return frame;
  }
  // Whether the host can read a value's numbers.
  bool known(ValueId id) const { return unknown_ == nullptr || !(*unknown_)[id]; }
  plan::Extent extent(ValueId id) const { return plan::extent_of(plan.value(id).shape); }

  // Writes the constant of a channel that is off into its plane, so that it can be read like any
  // other.
  void materialise(ValueId id, std::int64_t sample, std::int64_t channel) const;
  void materialise_all(ValueId id) const;

  // Which of the step's channels are needed for this sample: work.needed; returns whether any is.
  bool find_needed(const plan::Step& step, std::int64_t sample, int channels) const;

  void count(const plan::Step& step, std::int64_t sample, std::int64_t active,
             std::int64_t visited) const;

  // A view of any value with its true strides (planes are strided), for reference operators and for
  // copying out.
  TensorView view(ValueId id) const;

 private:
  std::int64_t turn_ = -1;  // the sample whose turn it is; -1: all
  const std::vector<bool>* unknown_ = nullptr;
};

// Splits kernels x flat pixels into tiles and runs them on the frame's threads: tile(first, last,
// begin, end). Pixels are cut at multiples of `pixel_unit`, itself one of kLanes.
template <typename Tile>
void for_each_tile(const Frame& frame, int kernels, int flat, std::int64_t macs, const Tile& tile,
                   int pixel_unit = kLanes);

}  // namespace pdrt::run

#include "run/tiles.h"
