#include "run/device/workspace.h"

#include <cstring>

#include "pdrt/error.h"
#include "run/device/builder.h"

namespace pdrt::run::device {
namespace {

using Memory = opencl::Context::Memory;

constexpr std::size_t kBehind = 64;  // whole vectors may be read to the end

template <typename... Cases>
struct Visitor : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Visitor(Cases...) -> Visitor<Cases...>;

// "128x64x2"
std::string text_of(const std::array<std::size_t, 3>& sizes) {
  return std::to_string(sizes[0]) + "x" + std::to_string(sizes[1]) + "x" + std::to_string(sizes[2]);
}

}  // namespace

Workspace::Workspace(const plan::Plan& plan, const opencl::Context& context,
                     opencl::Queue own_queue, const Builder& builder, const Sizes& sizes,
                     SharedBuffer parameters, SharedBuffer stages, bool traced)
    : run::Workspace(plan, {sizes.shared_planes, true}),
      queue(std::move(own_queue)),
      planes_on_device(
          context.make_buffer(sizes.planes, sizes.shared_planes ? Memory::mapped : Memory::device)),
      dense_on_device(context.make_buffer(sizes.dense)),
      arrays(context.make_buffer(sizes.arrays)),
      lists(context.make_buffer(sizes.lists * sizeof(std::int32_t))),
      flags(context.make_buffer(sizes.flags)),
      list_numbers(sizes.lists, 0),
      flag_bytes(sizes.flags, 0),
      arrived(plan.values.size()),
      contiguous(plan.program.inputs.size()),
      builder_(builder),
      parameters_(std::move(parameters)),
      stages_(std::move(stages)),
      traced_(traced),
      staged_(sizes.staged),
      host_dense_(context.make_buffer(plan.dense_bytes + kBehind, Memory::mapped)),
      dense_mapping_(queue, host_dense_, 0, host_dense_.bytes()) {
  dense_ = dense_mapping_.data();
  if (sizes.shared_planes) {  // fails now, if it does at all
    take_planes({0, 1});
    give_planes();
  }
  for (const LaunchSpec& spec : builder.launches()) {
    opencl::Kernel& kernel =
        kernels_.emplace_back(context.kernel(spec.program, spec.program, spec.options));
    int index = 0;
    for (const Argument& argument : spec.arguments) {
      std::visit(Visitor{[&](Role role) { kernel.set(index, buffer(role)); },
                         [&](const SharedBuffer& shared) { kernel.set(index, *shared); },
                         [&](const Bytes& bytes) {
                           kernel.set_bytes(index, bytes.data.size(), bytes.data.data());
                         }},
                 argument);
      ++index;
    }
  }
}

// A run that broke off may have commands under way that read or write the caller's memory, or this.
Workspace::~Workspace() {
  if (!under_way_) return;
  try {
    queue.finish();
  } catch (const DeviceError&) {  // the device is lost: nothing is under way
  }
}

const opencl::Buffer& Workspace::buffer(Role role) const {
  switch (role) {
    case Role::planes:
      return planes_on_device;
    case Role::dense:
      return dense_on_device;
    case Role::parameters:
      return *parameters_;
    case Role::stages:
      return *stages_;
    case Role::lists:
      return lists;
    case Role::flags:
      return flags;
    case Role::arrays:
      break;
  }
  return arrays;
}

void Workspace::finish() {
  queue.finish();
  under_way_ = false;
}

// Where planes lie is asked by steps of the device, too, which never look there: the pointer stays.
bool Workspace::take_planes(const ByteRange& range) {
  const std::size_t bytes = range.last - range.first;
  if (planes_mapping_.covers(range.first, bytes)) return false;
  give_planes();
  planes_mapping_ = opencl::Mapping(queue, planes_on_device, range.first, bytes, trace_event());
  planes_ = planes_mapping_.data() - range.first;
  return true;
}

void Workspace::give_planes() {
  if (planes_mapping_) planes_mapping_.unmap(trace_event());
}

void Workspace::begin_run() {
  under_way_ = true;
  waits = {};
  trace.clear();
  step = kNoStep;
  staged_bytes_ = 0;
  if (traced_) step_milliseconds.assign(calls.size(), 0);
}

std::byte* Workspace::stage(const void* from, std::size_t bytes) {
  std::byte* to = staged_.data() + staged_bytes_;
  std::memcpy(to, from, bytes);
  staged_bytes_ += bytes;
  return to;
}

opencl::Event* Workspace::trace_event() {
  if (!traced_) return nullptr;
  trace.push_back({step, -1, {}});
  return &trace.back().event;
}

void Workspace::trace_too(const opencl::Event& event) {
  if (traced_) trace.push_back({step, -1, event});
}

void Workspace::send_constants(std::size_t offset, std::size_t first, std::size_t count) {
  if (record_ != nullptr) return;
  queue.write(dense_on_device, offset, list_numbers.data() + first, count * sizeof(float), false,
              trace_event());
}

void Workspace::launch(int launch, const Groups& groups) {
  if (groups[0] == 0 || groups[1] == 0 || groups[2] == 0) return;
  opencl::Range range;
  range.local = builder_.launches()[launch].local;
  for (int axis = 0; axis < 3; ++axis) range.global[axis] = groups[axis] * range.local[axis];
  if (record_ != nullptr) {
    const LaunchSpec& spec = builder_.launches()[launch];
    const std::string options = spec.options.empty() ? "" : " " + spec.options;
    record_->push_back(spec.program + options + " " + text_of(range.global) + " in " +
                       text_of(range.local));
    return;
  }
  if (traced_) trace.push_back({step, launch, {}});
  queue.launch(kernels_[launch], range, traced_ ? &trace.back().event : nullptr);
}

}  // namespace pdrt::run::device
