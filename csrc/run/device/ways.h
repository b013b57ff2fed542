// The ways there are to compute a convolution with OpenCL, and which was fastest for which layer.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "opencl/device.h"
#include "plan/step.h"
#include "run/device/tiles.h"

namespace pdrt::run::device {

struct Way {
  int winograd = 0;          // tiles of so many pixels across; 0: taps are visited
  bool host = false;         // the CPU engine beside the device
  std::optional<Tile> tile;  // nothing: as tile_for() has it
};

// "64x64", "winograd 4", "cpu".
std::string name_of(const Way& way);
// Nothing where the name is none of this device's.
std::optional<Way> way_called(const std::string& name, const opencl::DeviceInfo& device);

bool possible(const Way& way, const plan::ConvolutionForm& form);

// All on the device that could be tried.
std::vector<Way> ways_on(const opencl::DeviceInfo& device);

// What was measured, by layer_key and samples: the name of the fastest way.
using WayTable = std::map<std::string, std::string>;
std::string way_key(const plan::ConvolutionForm& form, std::int64_t samples);

struct WayTuning {
  std::string file;  // where it is, or would be; empty without a folder
  WayTable ways;
  std::string ignored;  // why a file that is there is not used; or empty
};
// `halves`: of products of halves, which are measured apart.
WayTuning read_ways(const std::string& folder, const opencl::DeviceInfo& device, bool halves);
// Adds to what is known. Throws InputError where the file cannot be written.
void write_ways(const WayTuning& known, const WayTable& measured, const opencl::DeviceInfo& device);

}  // namespace pdrt::run::device
