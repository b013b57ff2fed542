// A plan: one model for one set of input shapes on one device. Immutable; sessions run it with
// buffers of their own.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "plan/need.h"
#include "plan/placement.h"
#include "plan/step.h"
#include "plan/strided_winograd.h"
#include "plan/taps.h"
#include "plan/winograd.h"
#include "planes/planes.h"

namespace pdrt::plan {

enum class Place : std::uint8_t {
  nowhere,   // never held in memory: not used, or inside a fused step
  constant,  // in the model's file, or folded
  input,     // in the caller's array
  planes,    // in the zone of planes
  dense,     // in the zone of dense values
};

// Where a value lies and how. Planes: pixel (0,0) of channel c of sample n is at
// base + n * sample_stride + (first_channel + c) * plane->stride + plane->lead floats.
struct Placement {
  Place place = Place::nowhere;
  const Plane* plane = nullptr;  // nullptr: dense
  ValueId root = kAbsent;  // the value whose memory this one shares; itself, where it has its own
  std::int64_t first_channel = 0;  // in the root
  std::int64_t sample_stride = 0;  // floats; planes only
  std::size_t offset = 0;          // bytes into its zone
  std::int64_t state = -1;        // planes: index of the first channel's state, see run/workspace.h
  std::int64_t state_stride = 0;  // states from sample to sample
  bool taken_apart = false;       // planes of an input, of which nothing but their phases is read
  bool in_passing = false;        // planes read by nobody but the step that makes them, as it does
  TensorView view;  // dtype, shape and strides; the data is filled in where a workspace is at hand
};

// What a convolution needs beside its Step.
struct ConvolutionPlan {
  Taps taps;
  Cost direct;  // of visiting every tap
  WinogradPlan winograd;
  StridedPlan strided;
  bool pools_rows = false;  // of its planes as they come, for the next step, which is a pool
  // What its input is rearranged to on the host, one sample: bytes into the planes, and how many.
  std::size_t scratch = 0, scratch_bytes = 0;

  // Whether there is a way that computes tiles of pixels, and writes over the ends of rows.
  bool by_tiles() const { return winograd.possible() || strided.possible(); }
};

// How a step and the next, which alone reads its planes, do both strip by strip.
struct Strips {
  int rows = 0;  // of the planes between them, in one strip; 0: whole planes
  int halo = 0;  // rows above it that the next step still needs
};

// Steps [first, last). With more than one turn, each sample goes through all of them before the
// next one begins, so that what they hand on is still in the caches, and needs memory for one
// sample only.
struct Stretch {
  int first = 0, last = 0;
  std::int64_t turns = 1;
};

struct Plan {
  Program program;
  std::vector<bool> planes;
  std::vector<Step> steps;                    // in execution order
  std::vector<Stretch> stretches;             // all steps, in order
  std::vector<ConvolutionPlan> convolutions;  // by step; empty where it is not a convolution
  std::vector<Strips> strips;                 // by step: with the one after it
  std::vector<bool> near_only;                // by step: not for threads whose caches lie apart
  std::vector<Placement> values;              // by value
  std::deque<Plane> geometries;
  std::deque<std::vector<std::uint32_t>> masks;
  std::deque<Tensor> packed;  // weights rearranged and parameters folded when the plan was made
  Needs needs;
  // Two zones, because a device keeps planes in a memory and a form of its own.
  std::size_t planes_bytes = 0, dense_bytes = 0;
  std::size_t arena_bytes() const { return planes_bytes + dense_bytes; }
  std::int64_t states = 0;  // channel states, all samples of all planes values
  int max_channels = 1;     // of any value, also of one group's list
  std::int64_t max_samples = 1;

  const Value& value(ValueId id) const { return program.values[id]; }
  bool is_output(ValueId id) const {
    const std::vector<ValueId>& all = program.outputs;
    return std::find(all.begin(), all.end(), id) != all.end();
  }
  bool has_switches() const {
    return std::any_of(steps.begin(), steps.end(),
                       [](const Step& step) { return step.switches(); });
  }
  // The step that reads a value, if it is the only one, and the caller does not get it; else -1.
  int only_reader(ValueId id) const;
  // Whether numbers are the plan's own and go with it; else the model has them as long as sessions.
  bool owns(const void* numbers) const;
  // Whether the step's work on channels that are on was done strip by strip with the step before.
  bool done_in_strips(std::size_t step) const { return step > 0 && strips[step - 1].rows > 0; }
  // Whether the step is a pool, and that was done as the step before made the rows it reads.
  bool done_by_rows(std::size_t step) const {
    return step > 0 && convolutions[step - 1].pools_rows;
  }
};

struct PlanOptions {
  bool reference = false;  // every node as its reference, nothing fused, nothing skipped
  Core core;               // of the host
  std::shared_ptr<const CostTable> measured;  // costs on this machine; nullptr: the expected ones
  DeviceCheck on_device;            // where there is a device beside the host: what it can run
  bool switches_on_device = false;  // the device decides by itself what runs
  // Planes go round and round in their zone, for threads that write slowly what others have read.
  bool memory_apart = false;
  // 0: chosen by cost; else tiles of this size wherever they can be used, and nothing that other
  // ways could not do, too: so that each can be measured.
  int winograd_tile = 0;
};

// `shapes` in the order of graph.inputs; `outputs` are values of the graph.
std::unique_ptr<const Plan> make_plan(const Graph& graph, const std::vector<Shape>& shapes,
                                      const std::vector<ValueId>& outputs,
                                      const PlanOptions& options);

// The passes of make_plan after the steps are in order.
void lay_out(Plan& plan, const PlanOptions& options);  // geometries, taps, ways to compute
void fold_normalisations(Plan& plan);
void centre_channels(Plan& plan);                        // behind fold_normalisations
void choose_weight_forms(Plan& plan, const Core& core);  // before lay_out
void find_inputs_apart(Plan& plan);
void find_stretches(Plan& plan);
void find_strips(Plan& plan);
void find_pooled_rows(Plan& plan);
void find_only_pooled(Plan& plan);
void find_near_only(Plan& plan);
void assign_memory(Plan& plan, const PlanOptions& options);  // placements, zones

}  // namespace pdrt::plan
