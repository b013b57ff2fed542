// pdrt-check: runs stored cases and compares, on machines that have no Python.
//
// A case is a model NAME.pdrt and, beside it, NAME.safetensors with tensors "input.<name>" and
// "output.<name>" and metadata "tolerance": reals may differ by that much of the largest finite
// magnitude in the expected output; NaN and infinities must be where they are expected; integers
// and booleans must be equal.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "cpu/engine.h"
#include "model/safetensors.h"
#include "pdrt/pdrt.h"
#include "tools/arguments.h"

namespace {

namespace fs = std::filesystem;
using pdrt::TensorView;

const std::string kAbout =
    "pdrt-check FOLDER... [options]: run stored cases and compare with what they expect.\n"
    "\n"
    "  python tests/make_cases.py cases              writes cases (on a machine with Python)\n"
    "  pdrt-check cases --isa portable --threads 2   runs them (anywhere)\n"
    "\n"
    "Exit code: 0 all passed, 1 some failed, 2 something could not be run at all.\n";

const std::vector<pdrt::tools::Option> kOptions = {
    {"--isa", "NAME", "instruction set, as PDRT_ISA does (the best this machine has)"},
    {"--isas", "", "print the instruction sets this machine can run, best first"},
    {"--threads", "N", "threads; 0: all this process may use (0)"},
    {"--verbose", "", "print the cases that passed too"},
    {"--help", "", "print this"},
};

// The largest difference between two arrays, as a share of the largest finite magnitude expected;
// infinity where NaN or an infinity is out of place.
template <typename T>
double difference(const TensorView& actual, const TensorView& expected) {
  double scale = 0;
  double largest = 0;
  for (std::int64_t i = 0; i < expected.count(); ++i) {
    const auto want = static_cast<double>(expected.as<T>()[i]);
    const auto have = static_cast<double>(actual.as<T>()[i]);
    if (std::isfinite(want)) scale = std::max(scale, std::abs(want));
    if (want == have || (std::isnan(want) && std::isnan(have))) continue;
    const double apart = std::abs(have - want);
    largest =
        std::max(largest, std::isfinite(apart) ? apart : std::numeric_limits<double>::infinity());
  }
  return scale > 0 ? largest / scale : largest;
}

double difference(const TensorView& actual, const TensorView& expected) {
  switch (expected.dtype) {
    case pdrt::DType::f32:
      return difference<float>(actual, expected);
    case pdrt::DType::f64:
      return difference<double>(actual, expected);
    case pdrt::DType::i32:
      return difference<std::int32_t>(actual, expected);
    case pdrt::DType::i64:
      return difference<std::int64_t>(actual, expected);
    case pdrt::DType::u8:
    case pdrt::DType::boolean:
      return difference<std::uint8_t>(actual, expected);
  }
  throw pdrt::InputError("an expected output has an unknown type");
}

bool is_real(pdrt::DType dtype) { return dtype == pdrt::DType::f32 || dtype == pdrt::DType::f64; }

struct Expectation {
  std::shared_ptr<const pdrt::FileBytes> bytes;  // what the views point into
  std::map<std::string, TensorView> inputs;
  std::map<std::string, TensorView> outputs;
  double tolerance = -1;
};

Expectation read_expectation(const std::string& file) {
  Expectation expectation;
  expectation.bytes = pdrt::FileBytes::map(file);
  for (const auto& [name, view] : pdrt::read_safetensors(*expectation.bytes, file).tensors) {
    if (name.rfind("input.", 0) == 0) expectation.inputs[name.substr(6)] = view;
    if (name.rfind("output.", 0) == 0) expectation.outputs[name.substr(7)] = view;
    if (name == "tolerance" && view.dtype == pdrt::DType::f64 && view.count() == 1) {
      expectation.tolerance = *view.as<double>();
    }
  }
  if (expectation.outputs.empty()) {
    throw pdrt::InputError(file + ": holds no tensor 'output.<name>'");
  }
  if (!(expectation.tolerance >= 0)) {
    throw pdrt::InputError(file + ": holds no tensor 'tolerance' with one 64-bit float");
  }
  return expectation;
}

// Runs one case; returns what was wrong with it, or nothing. `largest` is the largest difference
// seen.
std::string run_case(const fs::path& model_path, const pdrt::Options& options, double& largest) {
  const std::string file = fs::path(model_path).replace_extension(".safetensors").string();
  const Expectation expectation = read_expectation(file);
  pdrt::Session session(pdrt::Model::load(model_path.string()), options);
  // Twice: the second run meets the buffers of the first, and must not see what is left in them.
  for (int repeat = 0; repeat < 2; ++repeat) {
    const std::vector<pdrt::Tensor> outputs = session.run(expectation.inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::string& name = session.outputs()[i].name;
      const auto found = expectation.outputs.find(name);
      if (found == expectation.outputs.end())
        throw pdrt::InputError(file + ": no tensor 'output." + name + "'");
      const TensorView actual = outputs[i].view();
      if (actual.dtype != found->second.dtype || actual.shape() != found->second.shape()) {
        return "output '" + name + "' is " + pdrt::name_of(actual.dtype) + " " +
               pdrt::to_string(actual.shape()) + ", expected " +
               pdrt::name_of(found->second.dtype) + " " + pdrt::to_string(found->second.shape());
      }
      const double apart = difference(actual, found->second);
      largest = std::max(largest, apart);
      const double allowed = is_real(actual.dtype) ? expectation.tolerance : 0;
      if (!(apart <= allowed)) {
        std::ostringstream fault;
        fault << "output '" << name << "' differs by " << apart
              << " of its largest value, allowed are " << allowed << " (run " << repeat + 1 << ")";
        return fault.str();
      }
    }
  }
  return "";
}

std::vector<fs::path> find_cases(const std::vector<std::string>& folders) {
  std::vector<fs::path> cases;
  for (const std::string& folder : folders) {
    if (!fs::is_directory(folder)) throw pdrt::InputError("'" + folder + "' is not a folder");
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".pdrt") cases.push_back(entry.path());
    }
  }
  if (cases.empty()) throw pdrt::InputError("no case (*.pdrt) found; --help says what a case is");
  std::sort(cases.begin(), cases.end());
  return cases;
}

int check(const pdrt::tools::Arguments& arguments) {
  pdrt::Options options;
  options.device = "cpu";
  options.threads = arguments.integer("--threads", 0, 0);
  const std::vector<fs::path> cases = find_cases(arguments.files());
  std::cout << cases.size() << " cases on " << pdrt::cpu::select_engine().name << "\n";
  int failed = 0;
  for (const fs::path& path : cases) {
    double largest = 0;
    std::string fault;
    try {
      fault = run_case(path, options, largest);
    } catch (const pdrt::Error& error) {
      fault = error.what();
    }
    if (!fault.empty()) {
      ++failed;
      std::cout << "FAIL  " << path.stem().string() << ": " << fault << "\n";
    } else if (arguments.has("--verbose")) {
      std::cout << "pass  " << path.stem().string() << "  (largest difference " << largest << ")\n";
    }
  }
  std::cout << cases.size() - static_cast<std::size_t>(failed) << " passed, " << failed
            << " failed\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const pdrt::tools::Arguments arguments(argc, argv, kOptions);
    if (arguments.has("--help")) {
      std::cout << pdrt::tools::help(kAbout, kOptions);
      return 0;
    }
    if (arguments.has("--isas")) {
      for (const pdrt::cpu::Engine* engine : pdrt::cpu::engines())
        std::cout << engine->name << "\n";
      return 0;
    }
    // Before anything asks for an engine, so that the whole process uses this one.
    if (arguments.has("--isa")) setenv("PDRT_ISA", arguments.all("--isa").back().c_str(), 1);
    return check(arguments);
  } catch (const std::exception& error) {
    std::cerr << "pdrt-check: " << error.what() << "\n";
    return 2;
  }
}
