#include "cpu/engine.h"
#include "cpu/pool.h"
#include "pdrt/error.h"
#include "pdrt/session.h"

namespace pdrt {

std::vector<DeviceReport> devices() {
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
  return {cpu, {"opencl", false, "this version computes on the CPU only"}};
}

}  // namespace pdrt
