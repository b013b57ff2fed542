#include "run/device/ways.h"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "model/json.h"
#include "model/new_file.h"
#include "pdrt/error.h"
#include "plan/cost.h"

namespace pdrt::run::device {
namespace {

namespace files = std::filesystem;

constexpr std::int64_t kFormat = 1;
constexpr int kWinogradTiles[] = {2, 4};

// Measurements hold for a device with its driver.
std::string description_of(const opencl::DeviceInfo& device) {
  return device.name + ", " + device.platform_name + ", " + device.driver;
}

std::string file_name(const opencl::DeviceInfo& device, bool halves) {
  std::string name = "tuning-opencl-" + description_of(device) + (halves ? ", halves" : "");
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.') c = '-';
  }
  return name + ".json";
}

WayTable parse(const std::string& text, const std::string& path, const opencl::DeviceInfo& device) {
  const json::Value document = json::parse(text, path, "tuning");
  const auto* top = document.get<json::Value::Object>();
  const json::Value* format = top ? json::find(*top, "pdrt.device_tuning") : nullptr;
  const auto* number = format ? format->get<std::int64_t>() : nullptr;
  if (!number || *number != kFormat) throw InputError("it is no tuning of this version");
  const json::Value* layers = json::find(*top, "layers");
  const auto* entries = layers ? layers->get<json::Value::Object>() : nullptr;
  if (!entries) throw InputError("it has no layers");
  WayTable table;
  for (const json::Member& entry : *entries) {
    const auto* name = entry.value.get<std::string>();
    if (!name || !way_called(*name, device))
      throw InputError("layer '" + entry.key + "' has no way that this device knows");
    table[entry.key] = *name;
  }
  return table;
}

}  // namespace

std::string name_of(const Way& way) {
  if (way.host) return "cpu";
  if (way.winograd != 0) return "winograd " + std::to_string(way.winograd);
  return way.tile ? name_of(*way.tile) : "expected";
}

std::vector<Way> ways_on(const opencl::DeviceInfo& device) {
  std::vector<Way> ways;
  for (const Tile& tile : tiles_for(device)) ways.push_back({0, false, tile});
  for (int tile : kWinogradTiles) ways.push_back({tile, false, std::nullopt});
  return ways;
}

std::optional<Way> way_called(const std::string& name, const opencl::DeviceInfo& device) {
  if (name == "cpu") return Way{0, true, std::nullopt};
  for (const Way& way : ways_on(device)) {
    if (name_of(way) == name) return way;
  }
  return std::nullopt;
}

bool possible(const Way& way, const plan::ConvolutionForm& form) {
  if (form.depthwise()) return false;
  return way.winograd == 0 || (form.filter_h == 3 && form.filter_w == 3 && form.stride_h == 1 &&
                               form.stride_w == 1 && form.dilation_h == 1 && form.dilation_w == 1);
}

std::string way_key(const plan::ConvolutionForm& form, std::int64_t samples) {
  return plan::layer_key(form, false) + " x" + std::to_string(samples);
}

WayTuning read_ways(const std::string& folder, const opencl::DeviceInfo& device, bool halves) {
  WayTuning tuning;
  if (folder.empty()) return tuning;
  tuning.file = folder + "/" + file_name(device, halves);
  std::ifstream file(tuning.file, std::ios::binary);
  if (!file) return tuning;
  std::ostringstream text;
  text << file.rdbuf();
  try {
    tuning.ways = parse(text.str(), tuning.file, device);
  } catch (const Error& error) {
    tuning.ignored = error.what();
  }
  return tuning;
}

void write_ways(const WayTuning& known, const WayTable& measured,
                const opencl::DeviceInfo& device) {
  if (known.file.empty()) {
    throw InputError(
        "there is no folder to keep the tuning in: give cache_dir, or set PDRT_CACHE_DIR");
  }
  const files::path folder = files::path(known.file).parent_path();
  std::error_code failed;
  if (files::create_directories(folder, failed))
    files::permissions(folder, files::perms::owner_all, failed);
  if (failed) throw InputError(folder.string() + " cannot be made: " + failed.message());
  WayTable all = known.ways;
  for (const auto& [key, name] : measured) all[key] = name;
  json::Value::Object layers;
  for (const auto& [key, name] : all) layers.push_back({key, {name}});
  json::Value::Object top;
  top.push_back({"pdrt.device_tuning", {kFormat}});
  top.push_back({"device", {description_of(device)}});
  top.push_back({"layers", {std::move(layers)}});
  const std::string text = json::write({std::move(top)});
  write_file(known.file, text.data(), text.size());
}

}  // namespace pdrt::run::device
