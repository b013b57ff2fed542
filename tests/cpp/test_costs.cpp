// Expected costs: what they make of a core's multiply-adds, and of channels that are off.
#include "check.h"
#include "plan/cost.h"
#include "plan/winograd.h"
#include "planes.h"

namespace {

using pdrt::plan::ConvolutionForm;
using pdrt::plan::Core;
using pdrt::plan::Cost;

ConvolutionForm three_by_three(int channels, int kernels, int size) {
  ConvolutionForm form;
  form.channels = channels;
  form.kernels = kernels;
  form.in_h = form.in_w = form.out_h = form.out_w = size;
  form.filter_h = form.filter_w = 3;
  form.pad_top = form.pad_left = 1;
  return form;
}

Cost direct_cost(const ConvolutionForm& form, const Core& core) {
  pdrt::Plane plane;
  plane.row = form.out_w;
  plane.flat = planes::round_up(form.out_h * form.out_w);
  return pdrt::plan::direct_cost(form, plane, 0, core);
}

// The size of Winograd's tiles; 0: taps are visited.
int chosen_tile(const ConvolutionForm& form, const Core& core) {
  return pdrt::plan::plan_winograd(form, direct_cost(form, core), nullptr, false, core).tile;
}

// Transforms pay earlier where multiplying takes longer, larger tiles included.
void test_slow_multipliers() {
  const Core fast{2}, slow{1};
  CHECK(chosen_tile(three_by_three(24, 64, 13), fast) == 0);
  CHECK(chosen_tile(three_by_three(24, 64, 13), slow) == 4);
  CHECK(chosen_tile(three_by_three(128, 128, 112), fast) == 4);
  CHECK(chosen_tile(three_by_three(128, 128, 112), slow) == 6);
}

// Costs with a share of the channels on, less what is paid for each of them before the products.
double products(const Cost& cost, const ConvolutionForm& form, std::int64_t share) {
  const std::int64_t channels = form.channels / share;
  return cost.of(form.kernels, channels) - cost.channel * static_cast<double>(channels);
}

// Products on a few pixels wait for their weights, and those of channels that are off lie between
// the others: half of the channels take nearly as long as all. In panels, and on many pixels, they
// take half as long.
void test_reading_weights() {
  const Core core;
  const ConvolutionForm few = three_by_three(256, 256, 13), many = three_by_three(256, 256, 56);
  const auto half_of_all = [&](const ConvolutionForm& form, bool in_panels) {
    const Cost cost = pdrt::plan::plan_winograd(form, 4, in_panels, core).cost;
    return products(cost, form, 2) / products(cost, form, 1);
  };
  CHECK(half_of_all(few, false) > 0.9);
  CHECK(half_of_all(few, true) < 0.65);
  CHECK(half_of_all(many, false) < 0.65);
}

}  // namespace

int main() {
  test_slow_multipliers();
  test_reading_weights();
  return check::report();
}
