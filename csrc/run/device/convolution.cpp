// Convolutions: tiles of active kernels by pixels, over lists of active channels.

#include <algorithm>

#include "run/device/half_products.h"
#include "run/device/plane_step.h"
#include "run/device/pooled_means.h"
#include "run/device/tiles.h"

namespace pdrt::run::device {
namespace {

using opencl::uint;
using plan::ConvolutionForm;

// One row for each tap of each channel, one column for each kernel: neighbouring work-items load
// neighbouring kernels.
std::vector<float> by_kernels(const ConvolutionForm& form, std::int64_t row) {
  const std::int64_t taps = form.columns();
  std::vector<float> weights(taps * row, 0.0f);
  for (std::int64_t k = 0; k < form.kernels; ++k) {
    for (std::int64_t t = 0; t < taps; ++t) weights[t * row + k] = form.weights[k * taps + t];
  }
  return weights;
}

class ConvolutionStep final : public PlaneStep {
 public:
  ConvolutionStep(Builder& builder, std::size_t step, bool changing,
                  const std::optional<Tile>& tile)
      : PlaneStep(builder, step, changing,
                  std::get<ConvolutionForm>(builder.plan.steps[step].form).groups,
                  std::get<ConvolutionForm>(builder.plan.steps[step].form).group_channels()),
        form_(std::get<ConvolutionForm>(builder.plan.steps[step].form)),
        pixels_(std::int64_t{1} * form_.out_h * form_.out_w),
        tile_(tile ? *tile
                   : tile_for(builder.device, form_.kernels / form_.groups, pixels_,
                              samples_ * form_.groups)),
        watches_zeros_(changing && form_.taps() > 1),
        halves_(half_products(builder, form_, 0)),
        means_(builder, this->step(), static_cast<std::int64_t>(tiles_of(pixels_, tile_.pixels))) {
    const std::int64_t row = weight_row(form_.kernels);
    opencl::ConvolutionArguments arguments{};
    arguments.in = planes_of(plan_, input());
    arguments.out = planes_of(plan_, output());
    arguments.parts = compute_.parts();
    arguments.groups = static_cast<int>(form_.groups);
    arguments.group_channels = static_cast<int>(form_.group_channels());
    arguments.group_kernels = static_cast<int>(form_.kernels / form_.groups);
    arguments.stride_h = form_.stride_h;
    arguments.stride_w = form_.stride_w;
    arguments.dilation_h = form_.dilation_h;
    arguments.dilation_w = form_.dilation_w;
    arguments.pad_top = form_.pad_top;
    arguments.pad_left = form_.pad_left;
    arguments.weights = 0;
    arguments.weights_row = static_cast<uint>(row);
    arguments.bias = builder.constants.parameters(form_.bias, form_.kernels);
    const plan::Placement& in_at = plan_.values[input()];
    arguments.in_flags = watches_zeros_ ? static_cast<uint>(in_at.state) : PDRT_NONE;
    arguments.in_flags_stride = static_cast<uint>(in_at.state_stride);
    arguments.out_flags = out_flags();
    arguments.out_flags_stride = out_flags_stride();
    arguments.epilogue = builder.constants.epilogue(plan_, this->step());
    arguments.pooled = means_.argument();

    LaunchSpec spec;
    spec.program = "convolution";
    spec.options = " -DFILTER_H=" + std::to_string(form_.filter_h) +
                   " -DFILTER_W=" + std::to_string(form_.filter_w) + options_of(tile_);
    if (means_.wanted()) spec.options += " -DPOOLED";
    if (halves_.used) spec.options += kHalfProducts;
    // Chunks of halves are deeper; channels that are zeros are left out by the chunk.
    if (halves_.used && watches_zeros_) spec.options += " -DCHUNK=8";
    spec.arguments = {Role::planes,
                      Role::planes,
                      Role::dense,
                      Role::dense,
                      builder.weights(form_.weights)
                          .get(form_.weights, static_cast<int>(form_.groups), halves_.used,
                               [&] { return by_kernels(form_, row); }),
                      Role::parameters,
                      Role::stages,
                      Role::lists,
                      Role::flags,
                      bytes_of(arguments)};
    spec.local = local_of(tile_);
    main_ = builder.add(std::move(spec));
    if (builder.switched[input()]) list_channels_on_device(builder);
  }

  std::string name() const override {
    return "opencl.convolution " + name_of(tile_) + (halves_.used ? " in halves" : "");
  }
  std::string refused() const override { return halves_.refused; }

  void recount(const Frame& frame, const Workspace& work) const override {
    if (!watches_zeros_ && !lists_on_device_) return;
    const plan::Placement& in_at = plan_.values[input()];
    for (std::int64_t n = 0; n < samples_; ++n) {
      const std::uint8_t* alive = work.flag_bytes.data() + in_at.state + n * in_at.state_stride;
      std::int64_t active = 0, visited = 0;
      for (std::int64_t g = 0; g < groups_; ++g) {
        const opencl::Part part = compute_.part(work.list_numbers, n * groups_ + g);
        const std::int32_t* channels = work.list_numbers.data() + part.channel_first;
        const auto read = std::count_if(channels, channels + part.channel_count, [&](int c) {
          return !watches_zeros_ || alive[g * form_.group_channels() + c] != 0;
        });
        active += part.kernel_count;
        visited += part.kernel_count * read;
      }
      frame.count(step(), n, active, visited);
    }
  }

 protected:
  int channel_of(int) const override { return -1; }

  void list_channels(const Frame& frame, Workspace& work, std::int64_t sample) const override {
    list_active_channels(frame, work, sample, form_.group_channels());
  }

  void count(const Frame& frame, const Workspace& work, std::int64_t sample) const override {
    count_pairs(frame, work, sample);
  }

  void enqueue_after(Workspace& work) const override { means_.enqueue(work); }

  Groups groups_for(std::int64_t kernels) const override {
    return {tiles_of(pixels_, tile_.pixels), tiles_of(kernels, tile_.kernels),
            static_cast<std::size_t>(samples_ * groups_)};
  }

 private:
  const ConvolutionForm& form_;
  const std::int64_t pixels_;
  const Tile tile_;
  const bool watches_zeros_;  // leaves out channels that came out as zeros
  const HalfProducts halves_;
  const PooledMeans means_;
};

}  // namespace

std::unique_ptr<DeviceStep> make_convolution(Builder& builder, std::size_t step, bool changing) {
  const plan::Step& own = builder.plan.steps[step];
  const auto& form = std::get<ConvolutionForm>(own.form);
  const auto measured = builder.ways.ways.find(way_key(form, own.layer->samples));
  Way way;
  if (measured != builder.ways.ways.end())
    way = way_called(measured->second, builder.device).value_or(Way{});
  if (way.winograd != 0 && possible(way, form))
    return make_winograd(builder, step, changing, way.winograd);
  return std::make_unique<ConvolutionStep>(builder, step, changing, way.tile);
}

}  // namespace pdrt::run::device
