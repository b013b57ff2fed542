#include "cpu/engine.h"
#include "cpu/pool.h"
#include "opencl/device.h"
#include "pdrt/error.h"
#include "pdrt/session.h"

namespace pdrt {
namespace {

DeviceReport processor() {
  DeviceReport cpu{"cpu", true, "instruction sets "};
  for (const cpu::Engine* engine : cpu::engines()) {
    cpu.details += (engine == cpu::engines().front() ? "" : ", ") + std::string(engine->name);
  }
  cpu.details += "; " + std::to_string(cpu::available_threads()) + " threads; ";
  try {
    cpu.details += "uses " + std::string(cpu::select_engine().name);
  } catch (const DeviceError& error) {
    cpu.usable = false;
    cpu.details += error.what();
  }
  return cpu;
}

DeviceReport opencl_device(const std::string& name, const opencl::DeviceInfo& info) {
  const opencl::Probe probe = opencl::probe(info);
  DeviceReport report{name, probe.works, opencl::summary_of(info)};
  if (!probe.works) report.details += "\n" + probe.why;
  if (!probe.hint.empty()) report.details += "\n" + probe.hint;
  return report;
}

}  // namespace

std::vector<DeviceReport> devices() {
  std::vector<DeviceReport> reports{processor()};
  try {
    const opencl::Inventory& inventory = opencl::inventory();
    for (std::size_t i = 0; i < inventory.devices.size(); ++i) {
      reports.push_back(opencl_device("opencl:" + std::to_string(i), inventory.devices[i]));
    }
    if (inventory.devices.empty()) {
      reports.push_back({"opencl", false, opencl::why_no_devices()});
    } else {
      for (const std::string& fault : inventory.faults) {
        reports.push_back({"opencl", false, fault});
      }
    }
  } catch (const std::exception& error) {  // nothing above should; a list of devices must not fail
    reports.push_back({"opencl", false, error.what()});
  }
  return reports;
}

}  // namespace pdrt
