#include "run/ways.h"

#include "run/direct.h"
#include "run/winograd.h"

namespace pdrt::run {
namespace {

constexpr Way kTable[kWays] = {
    {"planes.convolution", direct::possible, direct::cost, direct::pack, direct::run},
    {"planes.winograd", winograd::possible, winograd::cost, winograd::pack, winograd::run},
};

}  // namespace

const Way& way(int index) { return kTable[index]; }

int cheapest_way(const plan::Plan& plan, std::size_t step, std::int64_t kernels,
                 std::int64_t channels) {
  int best = -1;
  double least = 0;
  for (int index = 0; index < kWays; ++index) {
    if (!kTable[index].possible(plan, step)) continue;
    const double cost = kTable[index].cost(plan, step, kernels, channels);
    if (best < 0 || cost < least) {
      best = index;
      least = cost;
    }
  }
  return best;
}

}  // namespace pdrt::run
