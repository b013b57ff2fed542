#include "run/tuning.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cpu/processor.h"
#include "model/json.h"
#include "model/new_file.h"
#include "pdrt/error.h"

namespace pdrt::run {
namespace {

namespace files = std::filesystem;
using plan::Cost;
using plan::CostTable;
using plan::LayerCosts;

constexpr std::int64_t kFormat = 1;
const char* const kWinogradNames[] = {"winograd2", "winograd4", "winograd6"};
const char* const kOfActiveNames[] = {"winograd2_of_active", "winograd4_of_active",
                                      "winograd6_of_active"};
const char* const kStridedName = "strided_winograd";

// The processor's name as the system gives it: figures of another one are worth nothing here.
std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    for (const char* label : {"model name", "CPU part"}) {
      if (line.rfind(label, 0) != 0) continue;
      const std::size_t at = line.find(':');
      return at == std::string::npos ? "" : line.substr(std::min(line.size(), at + 2));
    }
  }
  return "unknown";
}

std::string file_name(const cpu::Engine& engine) {
  std::string name = "tuning-" + std::string(engine.name) + "-" + processor();
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '-';
  }
  return name + ".json";
}

json::Value written(const Cost& cost) {
  json::Value::Array parts(3);
  parts[0].data = cost.pair;
  parts[1].data = cost.channel;
  parts[2].data = cost.kernel;
  return {std::move(parts)};
}

Cost read_cost(const json::Value& value) {
  const auto* parts = value.get<json::Value::Array>();
  if (!parts || parts->size() != 3) throw InputError("a cost is not three numbers");
  double numbers[3];
  for (int i = 0; i < 3; ++i) {
    const json::Value& part = (*parts)[i];
    if (const auto* real = part.get<double>()) {
      numbers[i] = *real;
    } else if (const auto* integer = part.get<std::int64_t>()) {
      numbers[i] = static_cast<double>(*integer);
    } else {
      throw InputError("a cost is not three numbers");
    }
    if (numbers[i] < 0) throw InputError("a cost is negative");
  }
  return {numbers[0], numbers[1], numbers[2]};
}

CostTable parse(const std::string& text, const std::string& path) {
  const json::Value document = json::parse(text, path, "tuning");
  const auto* top = document.get<json::Value::Object>();
  const json::Value* format = top ? json::find(*top, "pdrt.tuning") : nullptr;
  const auto* number = format ? format->get<std::int64_t>() : nullptr;
  if (!number || *number != kFormat) throw InputError("it is no tuning of this version");
  const json::Value* layers = json::find(*top, "layers");
  const auto* entries = layers ? layers->get<json::Value::Object>() : nullptr;
  if (!entries) throw InputError("it has no layers");
  CostTable table;
  for (const json::Member& entry : *entries) {
    const auto* ways = entry.value.get<json::Value::Object>();
    const json::Value* direct = ways ? json::find(*ways, "direct") : nullptr;
    if (!direct) throw InputError("layer '" + entry.key + "' has no direct cost");
    LayerCosts& costs = table[entry.key];
    costs.direct = read_cost(*direct);
    for (std::size_t i = 0; i < costs.winograd.size(); ++i) {
      if (const json::Value* way = json::find(*ways, kWinogradNames[i]))
        costs.winograd[i] = read_cost(*way);
      if (const json::Value* way = json::find(*ways, kOfActiveNames[i]))
        costs.of_active[i] = read_cost(*way);
    }
    if (const json::Value* way = json::find(*ways, kStridedName)) costs.strided = read_cost(*way);
  }
  return table;
}

std::string text_of(const CostTable& table) {
  json::Value::Object layers;
  for (const auto& [key, costs] : table) {
    json::Value::Object ways;
    ways.push_back({"direct", written(costs.direct)});
    for (std::size_t i = 0; i < costs.winograd.size(); ++i) {
      if (costs.winograd[i]) ways.push_back({kWinogradNames[i], written(*costs.winograd[i])});
      if (costs.of_active[i]) ways.push_back({kOfActiveNames[i], written(*costs.of_active[i])});
    }
    if (costs.strided) ways.push_back({kStridedName, written(*costs.strided)});
    layers.push_back({key, {std::move(ways)}});
  }
  json::Value::Object top;
  top.push_back({"pdrt.tuning", {kFormat}});
  top.push_back({"unit", {std::string("microseconds: for each pair, channel, kernel")}});
  top.push_back({"layers", {std::move(layers)}});
  return json::write({std::move(top)});
}

}  // namespace

plan::Core core_of(const cpu::Engine& engine) {
  return {cpu::multiply_adds_per_cycle(engine), cpu::has_wide_tiles(engine)};
}

Tuning read_tuning(const std::string& folder, const cpu::Engine& engine) {
  Tuning tuning;
  if (folder.empty()) return tuning;
  tuning.file = folder + "/" + file_name(engine);
  std::ifstream file(tuning.file, std::ios::binary);
  if (!file) return tuning;
  std::ostringstream text;
  text << file.rdbuf();
  try {
    tuning.costs = std::make_shared<const CostTable>(parse(text.str(), tuning.file));
  } catch (const Error& error) {
    tuning.ignored = error.what();
  }
  return tuning;
}

void write_tuning(const Tuning& known, const CostTable& layers) {
  if (known.file.empty()) {
    throw InputError(
        "there is no folder to keep the tuning in: give cache_dir, or set "
        "PDRT_CACHE_DIR");
  }
  const files::path folder = files::path(known.file).parent_path();
  std::error_code failed;
  if (files::create_directories(folder, failed)) {
    files::permissions(folder, files::perms::owner_all, failed);
  }
  if (failed) throw InputError(folder.string() + " cannot be made: " + failed.message());
  CostTable all = known.costs ? *known.costs : CostTable{};
  for (const auto& [key, costs] : layers) all[key] = costs;
  const std::string text = text_of(all);
  write_file(known.file, text.data(), text.size());
}

}  // namespace pdrt::run
