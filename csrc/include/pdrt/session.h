// A session: a model planned for one device, with its buffers and threads, ready to run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pdrt/model.h"

namespace pdrt {

struct Options {
  // "cpu"; "opencl", or "opencl:1" for one of several devices, as devices() numbers them; "auto":
  // the CPU; "reference": every node naively.
  std::string device = "auto";
  // What becomes of nodes that the device has no program for: "error", or "cpu" to run them there.
  std::string fallback = "error";
  // Where a device's switches are evaluated: "cpu", where the host waits for pooled numbers and
  // enqueues what is active; "device", where nobody waits and all could be active as far as the
  // host knows; "auto": whichever is faster with this model, as measured when it is opened.
  std::string switches = "auto";
  // How a device stores planes: "float32", or "float16", where sums are float32 all the same;
  // "float16-arithmetic": convolutions multiply halves, too, where the device has cl_khr_fp16.
  std::string precision = "float32";
  // 0: as many as the affinity mask and the cgroup quota give this process.
  int threads = 0;
  // Empty: the model's outputs; else any values of the graph, by name.
  std::vector<std::string> outputs;
  // Where results that depend on the machine are kept (see tune). Empty: $PDRT_CACHE_DIR, or pdrt/
  // in $XDG_CACHE_HOME or in ~/.cache.
  std::string cache_dir;
  // An OpenCL context (cl_context) of the caller's with one of its devices (cl_device_id), in place
  // of one that the session makes, and a queue in it (cl_command_queue) or nullptr. All are
  // retained.
  void* opencl_context = nullptr;
  void* opencl_device = nullptr;
  void* opencl_queue = nullptr;
  // False: compute every kernel and multiply afterwards, to measure what skipping gives.
  bool skip = true;
  // True: every run is timed step by step, RunStats::steps.
  bool profile = false;
};

// Counts for one convolution or fully connected layer, one entry per sample of the batch.
struct LayerCounts {
  std::string name;                  // the node's name
  std::int64_t kernels = 0;          // kernels it has
  std::int64_t channels = 0;         // input channels it has (of one group)
  std::int64_t macs_per_pair = 0;    // multiply-adds of one kernel on one input channel, one sample
  std::vector<std::int64_t> active;  // kernels computed
  std::vector<std::int64_t> visited;  // (kernel, input channel) pairs computed
};

// One step of a profiled run.
struct StepTime {
  double milliseconds = 0;         // wall clock
  std::int64_t macs_executed = 0;  // whole batch; 0 where none are counted
};

// Something that happened in a profiled run. Times are the host's, since the run began.
struct TraceEvent {
  std::string track;  // "host", the thread that ran; "device", what its queue carried out
  std::string name;   // of the host: "compute", "decide", "wait" and so on; of the device: a
                      // program, or "read", "write", "copy", "fill", "map", "unmap"
  int step = -1;      // of Explanation::steps; -1: of none
  double start_ms = 0, end_ms = 0;
};

struct RunStats {
  std::int64_t macs_dense = 0;     // every kernel on every input, whole batch
  std::int64_t macs_executed = 0;  // sum over layers of visited * macs_per_pair
  double milliseconds = 0;         // wall clock of the run
  // On a device, beside the wait for the outputs: how often the host waited for the device, how
  // long, and how long it took to decide and to enqueue.
  int synchronisations = 0;
  double waiting_milliseconds = 0, enqueue_milliseconds = 0;
  std::vector<LayerCounts> layers;
  // With Options::profile: what each step of the run's plan took and computed, in the order of
  // Explanation::steps.
  std::vector<StepTime> steps;
  // With Options::profile: what happened when. What the device did is known to within so much.
  std::vector<TraceEvent> events;
  double clock_error_milliseconds = 0;
};

// One line of explain(): a step of the plan.
struct StepReport {
  std::string name;                    // the first node's name
  std::vector<std::string> operators;  // the nodes fused into this step, in order
  std::string implementation;          // what runs it
  std::vector<std::string> refused;    // "implementation: why not", in order of preference
  std::int64_t macs = 0;               // dense multiply-adds, one run
  Shape output;                        // shape of its first output
  std::vector<std::string> switches;   // names of the multipliers that can switch it off
  // What could not be skipped, and why; which steps run together, strip by strip; beside a device,
  // whether its planes are shared or copied.
  std::vector<std::string> notes;
  std::vector<int> decided_by;  // the steps that compute its switches
  // On a device, when all is on: "program options global range in local range".
  std::vector<std::string> launches;
};

struct Explanation {
  std::string device;  // e.g. "cpu (avx512, 2 threads)"
  std::string costs;   // what ways to compute are chosen by: "expected", or a file of measured ones
  std::string switches_at;  // on a device: where switches are evaluated, and why there
  std::string programs;     // on a device: how many were built, how many had been before, and where
  std::vector<StepReport> steps;
  std::int64_t macs = 0;
  std::size_t arena_bytes = 0;   // buffers shared by lifetime
  std::size_t weight_bytes = 0;  // weights, mapped
  std::size_t packed_bytes = 0;  // weights rearranged at plan time
};

class Session {
 public:
  explicit Session(const Model& model, const Options& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  const std::vector<Spec>& inputs() const;
  const std::vector<Spec>& outputs() const;

  // Runs once. Inputs by name, any strides; returns contiguous outputs in the order of outputs().
  // Safe from several threads at once. Throws InputError naming the input and what was expected.
  std::vector<Tensor> run(const std::map<std::string, TensorView>& inputs);
  // The same with the statistics of exactly this run.
  std::vector<Tensor> run(const std::map<std::string, TensorView>& inputs, RunStats& stats);
  // For callers that keep their buffers: nothing is allocated once each shape has been seen. With a
  // session on an OpenCL device, inputs may lie in buffers of its context, with any strides that
  // are not negative, and outputs may go there; they are written when this returns.
  void run_into(const std::vector<TensorView>& inputs, const std::vector<TensorView>& outputs,
                RunStats* stats = nullptr);

  // Throws InputError where an input holds NaN or an infinity, naming it, how many such it holds
  // and the first. Arrays on a device are not looked through. Runs take everything: a caller who
  // wants to be warned asks before.
  void check_finite(const std::map<std::string, TensorView>& inputs) const;

  // Shapes of the outputs for these shapes of the inputs, in the order of inputs().
  std::vector<Shape> output_shapes(const std::vector<Shape>& shapes) const;

  // Statistics of the run that finished last; empty before the first.
  RunStats last_run() const;
  // The plan for these input shapes, in the order of inputs(); without them free dimensions are 1.
  Explanation explain(const std::vector<Shape>& shapes = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What tune measured of one layer.
struct TunedWay {
  std::string name;  // of the implementation, e.g. "planes.winograd F(4x4, 3x3)"
  double all = 0, half = 0, quarter = 0;  // milliseconds with this share of kernels and channels on
};
struct TunedLayer {
  std::string name;  // the first node with it
  std::string key;   // what layers must have in common to cost the same
  std::vector<TunedWay> ways;
};

// Measures every way to compute each of the model's convolutions, on one thread, with all, half and
// a quarter of kernels and channels on, and keeps what was measured in options.cache_dir, where
// sessions find it. Shapes as for Session::explain. `progress` is told how many layers are done, of
// how many. Throws InputError where the folder cannot be written.
std::vector<TunedLayer> tune(const Model& model, const Options& options,
                             const std::vector<Shape>& shapes,
                             const std::function<void(int done, int total)>& progress);

// What this machine offers, and why it does not offer the rest. Never throws.
struct DeviceReport {
  std::string name;  // "cpu"
  bool usable = false;
  std::string details;  // instruction set, threads, or why it cannot be used
};
std::vector<DeviceReport> devices();

}  // namespace pdrt
