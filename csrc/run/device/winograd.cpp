// Winograd's algorithm for 3x3 filters of stride 1: active channels to positions, products for
// active kernels there, sums to pixels.

#include "run/device/half_products.h"
#include "run/device/plane_step.h"
#include "run/device/planewise.h"
#include "run/device/pooled_means.h"
#include "run/device/tiles.h"

namespace pdrt::run::device {
namespace {

using opencl::uint;
using plan::ConvolutionForm;

class WinogradStep final : public PlaneStep {
 public:
  WinogradStep(Builder& builder, std::size_t step, bool changing, int tile)
      : PlaneStep(builder, step, changing, form_of(builder, step).groups,
                  form_of(builder, step).group_channels()),
        form_(form_of(builder, step)),
        tile_(tile),
        tiles_(std::int64_t{1} * across(form_.out_w) * across(form_.out_h)),
        product_tile_(tile_for(builder.device, form_.kernels / form_.groups, tiles_,
                               samples_ * form_.groups * positions())),
        halves_(half_products(builder, form_, tile)),
        means_(builder, this->step(), static_cast<std::int64_t>(groups_over(tiles_, 1, 1)[0]),
               input_floats() + rows() * form_.kernels) {
    opencl::WinogradArguments arguments{};
    arguments.in = planes_of(plan_, input());
    arguments.out = planes_of(plan_, output());
    arguments.parts = compute_.parts();
    arguments.groups = static_cast<int>(form_.groups);
    arguments.group_channels = static_cast<int>(form_.group_channels());
    arguments.group_kernels = static_cast<int>(form_.kernels / form_.groups);
    arguments.pad_top = form_.pad_top;
    arguments.pad_left = form_.pad_left;
    arguments.tiles_x = across(form_.out_w);
    arguments.tiles = static_cast<int>(tiles_);
    arguments.row = static_cast<uint>(tiles_);
    // Inputs, then sums.
    const uint room = builder.scratch(input_floats() + rows() * form_.kernels);
    arguments.inputs = room * static_cast<uint>(halves_.used ? 2 : 1);
    arguments.sums = room + static_cast<uint>(input_floats());
    const std::int64_t row = weight_row(form_.kernels);
    arguments.weights_row = static_cast<uint>(row);
    arguments.bias = builder.constants.parameters(form_.bias, form_.kernels);
    arguments.in_flags = PDRT_NONE;
    arguments.out_flags = out_flags();
    arguments.out_flags_stride = out_flags_stride();
    arguments.epilogue = builder.constants.epilogue(plan_, this->step());
    arguments.pooled = means_.argument();
    const std::string size = " -DTILE=" + std::to_string(tile_);
    const std::string products = halves_.used ? size + kHalfProducts : size;

    LaunchSpec transform;
    transform.program = "winograd_input";
    transform.options = products;
    transform.arguments = {Role::planes, Role::dense, Role::lists, bytes_of(arguments)};
    transform.local = {kPlaneGroup, 1, 1};
    input_ = builder.add(std::move(transform));

    LaunchSpec product;
    product.program = "winograd_product";
    product.options = products + options_of(product_tile_);
    product.arguments = {Role::dense,
                         Role::dense,
                         builder.weights(form_.weights)
                             .get_winograd(form_.weights, form_.kernels, form_.group_channels(),
                                           row, tile_, halves_.used),
                         Role::lists,
                         Role::flags,
                         bytes_of(arguments)};
    product.local = local_of(product_tile_);
    product_ = builder.add(std::move(product));

    LaunchSpec finish;
    finish.program = "winograd_output";
    finish.options =
        size + (means_.wanted() ? " -DPOOLED=" + std::to_string(kPlaneGroup) : std::string());
    finish.arguments = {Role::planes, Role::planes,     Role::dense,
                        Role::dense,  Role::parameters, Role::stages,
                        Role::lists,  Role::flags,      bytes_of(arguments)};
    finish.local = {kPlaneGroup, 1, 1};
    main_ = builder.add(std::move(finish));
    if (builder.switched[input()]) list_channels_on_device(builder);
  }

  std::string name() const override {
    const std::string m = std::to_string(tile_);
    return "opencl.winograd F(" + m + "x" + m + ", 3x3) " + name_of(product_tile_) +
           (halves_.used ? " in halves" : "");
  }
  std::string refused() const override { return halves_.refused; }

  void recount(const Frame& frame, const Workspace& work) const override {
    for (std::int64_t n = 0; lists_on_device_ && n < samples_; ++n) count(frame, work, n);
  }

 protected:
  int channel_of(int) const override { return -1; }

  void list_channels(const Frame& frame, Workspace& work, std::int64_t sample) const override {
    list_active_channels(frame, work, sample, form_.group_channels());
  }

  void count(const Frame& frame, const Workspace& work, std::int64_t sample) const override {
    count_pairs(frame, work, sample);
  }

  void enqueue_before(Workspace& work) const override {
    const ListNumbers& numbers = work.list_numbers;
    const auto entries = static_cast<std::size_t>(samples_ * groups_);
    const std::int64_t kernels = lists_on_device_ ? kernels_ / groups_ : compute_.longest(numbers),
                       channels = lists_on_device_ ? form_.group_channels()
                                                   : compute_.longest_channels(numbers);
    if (kernels == 0) return;
    work.launch(input_, groups_over(tiles_, channels, samples_ * groups_));
    work.launch(product_,
                {tiles_of(tiles_, product_tile_.pixels), tiles_of(kernels, product_tile_.kernels),
                 entries * static_cast<std::size_t>(positions())});
  }

  void enqueue_after(Workspace& work) const override { means_.enqueue(work); }

  Groups groups_for(std::int64_t kernels) const override {
    return groups_over(tiles_, kernels, samples_ * groups_);
  }

 private:
  static const ConvolutionForm& form_of(const Builder& builder, std::size_t step) {
    return std::get<ConvolutionForm>(builder.plan.steps[step].form);
  }
  int across(int pixels) const { return (pixels + tile_ - 1) / tile_; }
  int positions() const { return (tile_ + 2) * (tile_ + 2); }
  std::int64_t rows() const { return samples_ * positions() * tiles_; }  // of each channel
  std::int64_t input_floats() const {
    const std::int64_t per_float = halves_.used ? 2 : 1;
    return (rows() * form_.channels + per_float - 1) / per_float;
  }

  const ConvolutionForm& form_;
  const int tile_;  // pixels across, of the output
  const std::int64_t tiles_;
  const Tile product_tile_;
  const HalfProducts halves_;
  const PooledMeans means_;
  int input_ = -1, product_ = -1;
};

}  // namespace

std::unique_ptr<DeviceStep> make_winograd(Builder& builder, std::size_t step, bool changing,
                                          int tile) {
  return std::make_unique<WinogradStep>(builder, step, changing, tile);
}

}  // namespace pdrt::run::device
