// pdrt._core: the runtime as Python sees it. Arrays cross without a copy in either direction; the
// interpreter lock is released wherever the runtime works. What belongs to Python's own manners
// (paths, ONNX, DLPack, text) is in python/pdrt.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cpu/engine.h"
#include "cpu/peak.h"
#include "cpu/pool.h"
#include "cpu/two_threads.h"
#include "model/operators.h"
#include "opencl/library.h"
#include "opencl/measure.h"
#include "pdrt/pdrt.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace {

// ---- errors

struct ErrorTypes {
  py::object error, model, input, device;
};
PYBIND11_CONSTINIT py::gil_safe_call_once_and_store<ErrorTypes> error_types;

py::object make_error(py::module_& module, const char* name, const char* doc,
                      const py::handle& base) {
  const std::string qualified = std::string("pdrt.") + name;
  auto type = py::reinterpret_steal<py::object>(
      PyErr_NewExceptionWithDoc(qualified.c_str(), doc, base.ptr(), nullptr));
  if (!type) throw py::error_already_set();
  module.attr(name) = type;
  return type;
}

// A message may quote bytes of a stranger's file: whatever is not UTF-8 is shown as the replacement
// character.
void raise(const py::object& type, const char* message) {
  auto text = py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
      message, static_cast<Py_ssize_t>(std::string_view(message).size()), "replace"));
  if (text) PyErr_SetObject(type.ptr(), text.ptr());
}

void bind_errors(py::module_& module) {
  error_types.call_once_and_store_result([&module] {
    ErrorTypes types;
    types.error =
        make_error(module, "Error", "Base of everything pdrt raises on purpose.", PyExc_Exception);
    types.model = make_error(
        module, "ModelError",
        "The model (its file, graph, operators or weights) cannot be accepted.", types.error);
    types.input = make_error(module, "InputError",
                             "The caller's input (name, shape, dtype, option) cannot be accepted.",
                             types.error);
    types.device = make_error(module, "DeviceError",
                              "The device, or a part of it that was asked for, cannot do the work.",
                              types.error);
    return types;
  });
  py::register_exception_translator([](std::exception_ptr pointer) {
    if (!pointer) return;
    const ErrorTypes& types = error_types.get_stored();
    try {
      std::rethrow_exception(pointer);
    } catch (const pdrt::ModelError& error) {
      raise(types.model, error.what());
    } catch (const pdrt::InputError& error) {
      raise(types.input, error.what());
    } catch (const pdrt::DeviceError& error) {
      raise(types.device, error.what());
    } catch (const pdrt::Error& error) {
      raise(types.error, error.what());
    }
  });
}

// ---- arrays

pdrt::DType dtype_of(const py::dtype& dtype, const std::string& input) {
  const char order = dtype.byteorder();
  if (order == '=' || order == '|') {
    const char kind = dtype.kind();
    const py::ssize_t size = dtype.itemsize();
    if (kind == 'f' && size == 4) return pdrt::DType::f32;
    if (kind == 'f' && size == 8) return pdrt::DType::f64;
    if (kind == 'i' && size == 4) return pdrt::DType::i32;
    if (kind == 'i' && size == 8) return pdrt::DType::i64;
    if (kind == 'u' && size == 1) return pdrt::DType::u8;
    if (kind == 'b') return pdrt::DType::boolean;
  }
  throw pdrt::InputError(
      "input '" + input + "' has dtype " + std::string(py::str(dtype)) +
      "; pdrt takes float32, float64, int32, int64, uint8 and bool, in the machine's byte order");
}

// A window on the array's own memory. `array` is replaced by a copy in the one case a view cannot
// express: elements that do not lie on their own boundary, such as a field of a packed record.
pdrt::TensorView view_of(py::array& array, const std::string& input) {
  pdrt::TensorView view;
  view.dtype = dtype_of(array.dtype(), input);
  if (array.ndim() > pdrt::kMaxRank) {
    throw pdrt::InputError("input '" + input + "' has " + std::to_string(array.ndim()) +
                           " dimensions; pdrt takes at most " + std::to_string(pdrt::kMaxRank));
  }
  const auto size = static_cast<py::ssize_t>(pdrt::size_of(view.dtype));
  bool whole = (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
  for (py::ssize_t axis = 0; axis < array.ndim(); ++axis)
    whole = whole && array.strides(axis) % size == 0;
  if (!whole) array = array.attr("copy")();

  view.data = const_cast<void*>(array.data());  // inputs are only read
  view.rank = static_cast<int>(array.ndim());
  for (int axis = 0; axis < view.rank; ++axis) {
    view.dims[axis] = array.shape(axis);
    view.strides[axis] = array.strides(axis) / size;
  }
  return view;
}

py::dtype numpy_dtype(pdrt::DType dtype) {
  switch (dtype) {
    case pdrt::DType::f32:
      return py::dtype::of<float>();
    case pdrt::DType::f64:
      return py::dtype::of<double>();
    case pdrt::DType::i32:
      return py::dtype::of<std::int32_t>();
    case pdrt::DType::i64:
      return py::dtype::of<std::int64_t>();
    case pdrt::DType::u8:
      return py::dtype::of<std::uint8_t>();
    case pdrt::DType::boolean:
      return py::dtype::of<bool>();
  }
  throw std::logic_error("numpy_dtype: no such dtype");
}

// An array on the tensor's memory, which lives as long as the array and its views do.
py::array array_of(pdrt::Tensor&& tensor) {
  auto owned = std::make_unique<pdrt::Tensor>(std::move(tensor));
  pdrt::Tensor* raw = owned.get();
  py::capsule owner(raw, [](void* memory) { delete static_cast<pdrt::Tensor*>(memory); });
  owned.release();  // NOLINT(bugprone-unused-return-value): the capsule deletes it
  return py::array(numpy_dtype(raw->dtype()), raw->shape(), raw->data(), owner);
}

py::array_t<std::int64_t> array_of(const std::vector<std::int64_t>& numbers) {
  return py::array_t<std::int64_t>(static_cast<py::ssize_t>(numbers.size()), numbers.data());
}

// (None, 3, 224, 224): a free dimension is None.
py::tuple tuple_of(const pdrt::Shape& shape) {
  py::tuple dims(shape.size());
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    dims[axis] = shape[axis] < 0 ? py::object(py::none()) : py::object(py::int_(shape[axis]));
  }
  return dims;
}

// ---- what a session says, as plain dictionaries: python/pdrt/reports.py gives them their classes

py::dict stats_of(const pdrt::RunStats& stats) {
  py::list layers;
  for (const pdrt::LayerCounts& layer : stats.layers) {
    layers.append(py::dict("name"_a = layer.name, "kernels"_a = layer.kernels,
                           "channels"_a = layer.channels, "macs_per_pair"_a = layer.macs_per_pair,
                           "active"_a = array_of(layer.active),
                           "visited"_a = array_of(layer.visited)));
  }
  py::list steps;
  for (const pdrt::StepTime& step : stats.steps) {
    steps.append(
        py::dict("milliseconds"_a = step.milliseconds, "macs_executed"_a = step.macs_executed));
  }
  py::list events;
  for (const pdrt::TraceEvent& event : stats.events) {
    events.append(py::dict("track"_a = event.track, "name"_a = event.name, "step"_a = event.step,
                           "start_ms"_a = event.start_ms, "end_ms"_a = event.end_ms));
  }
  return py::dict(
      "macs_dense"_a = stats.macs_dense, "macs_executed"_a = stats.macs_executed,
      "milliseconds"_a = stats.milliseconds, "synchronisations"_a = stats.synchronisations,
      "waiting_milliseconds"_a = stats.waiting_milliseconds,
      "enqueue_milliseconds"_a = stats.enqueue_milliseconds, "layers"_a = layers, "steps"_a = steps,
      "events"_a = events, "clock_error_milliseconds"_a = stats.clock_error_milliseconds);
}

py::dict explanation_of(const pdrt::Explanation& explanation) {
  py::list steps;
  for (const pdrt::StepReport& step : explanation.steps) {
    steps.append(py::dict("name"_a = step.name, "operators"_a = step.operators,
                          "implementation"_a = step.implementation, "refused"_a = step.refused,
                          "macs"_a = step.macs, "output"_a = step.output,
                          "switches"_a = step.switches, "notes"_a = step.notes,
                          "decided_by"_a = step.decided_by, "launches"_a = step.launches));
  }
  return py::dict(
      "device"_a = explanation.device, "costs"_a = explanation.costs,
      "switches_at"_a = explanation.switches_at, "programs"_a = explanation.programs,
      "steps"_a = steps, "macs"_a = explanation.macs, "arena_bytes"_a = explanation.arena_bytes,
      "weight_bytes"_a = explanation.weight_bytes, "packed_bytes"_a = explanation.packed_bytes);
}

// An array in a buffer of an OpenCL context. Handles and offsets are numbers here; the owner, which
// python/pdrt/opencl_arrays.py knows, outlives the run.
struct DeviceArray {
  std::uintptr_t buffer = 0;
  std::size_t offset = 0;                   // bytes
  std::vector<py::ssize_t> shape, strides;  // strides: bytes
  py::dtype dtype;
};

pdrt::TensorView view_of(const DeviceArray& array, const std::string& name) {
  pdrt::TensorView view;
  view.buffer = reinterpret_cast<void*>(array.buffer);
  view.offset = array.offset;
  view.dtype = dtype_of(array.dtype, name);
  if (array.shape.size() > static_cast<std::size_t>(pdrt::kMaxRank)) {
    throw pdrt::InputError("'" + name + "' has " + std::to_string(array.shape.size()) +
                           " dimensions; pdrt takes at most " + std::to_string(pdrt::kMaxRank));
  }
  view.rank = static_cast<int>(array.shape.size());
  const auto size = static_cast<py::ssize_t>(pdrt::size_of(view.dtype));
  for (int axis = 0; axis < view.rank; ++axis) {
    if (array.strides[axis] % size != 0)
      throw pdrt::InputError("'" + name + "' has strides that are no whole elements");
    view.dims[axis] = array.shape[axis];
    view.strides[axis] = array.strides[axis] / size;
  }
  return view;
}

// Arrays of any kind in, outputs into arrays that are there.
void run_into(pdrt::Session& session, std::vector<std::variant<DeviceArray, py::array>> inputs,
              std::vector<std::variant<DeviceArray, py::array>> outputs, bool check_finite) {
  const auto views_of = [](auto& arrays, const std::vector<pdrt::Spec>& specs) {
    std::vector<pdrt::TensorView> views;
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      const std::string& name = specs.at(i).name;
      views.push_back(std::visit([&](auto& array) { return view_of(array, name); }, arrays[i]));
    }
    return views;
  };
  const std::vector<pdrt::TensorView> from = views_of(inputs, session.inputs()),
                                      to = views_of(outputs, session.outputs());
  std::map<std::string, pdrt::TensorView> named;
  for (std::size_t i = 0; i < from.size(); ++i) named.emplace(session.inputs()[i].name, from[i]);
  py::gil_scoped_release unlocked;
  if (check_finite) session.check_finite(named);
  session.run_into(from, to);
}

// Takes the map by value: it keeps the arrays alive, and those that view_of had to copy.
py::dict run(pdrt::Session& session, std::map<std::string, py::array> inputs, bool check_finite) {
  std::map<std::string, pdrt::TensorView> views;
  for (auto& [name, array] : inputs) views.emplace(name, view_of(array, name));

  std::vector<pdrt::Tensor> results;
  {
    py::gil_scoped_release unlocked;
    if (check_finite) session.check_finite(views);
    results = session.run(views);
  }
  py::dict outputs;
  for (std::size_t i = 0; i < results.size(); ++i) {
    outputs[py::str(session.outputs()[i].name)] = array_of(std::move(results[i]));
  }
  return outputs;
}

// ---- the module's parts

void bind_model(py::module_& module) {
  py::class_<pdrt::Spec>(module, "Spec")
      .def_readonly("name", &pdrt::Spec::name)
      .def_property_readonly("shape", [](const pdrt::Spec& spec) { return tuple_of(spec.shape); })
      .def_property_readonly("dtype",
                             [](const pdrt::Spec& spec) { return numpy_dtype(spec.dtype); })
      .def("__repr__", [](const pdrt::Spec& spec) {
        return py::str("Spec(name={!r}, shape={!r}, dtype='{}')")
            .format(spec.name, tuple_of(spec.shape), pdrt::name_of(spec.dtype));
      });

  py::class_<pdrt::Model>(module, "Model")
      .def_static(
          "load",
          [](const std::filesystem::path& path) { return pdrt::Model::load(path.string()); },
          "path"_a, py::call_guard<py::gil_scoped_release>())
      .def_static(
          "from_bytes",
          [](const py::bytes& data, const std::string& name) {
            const auto bytes = static_cast<std::string_view>(data);
            py::gil_scoped_release unlocked;
            return pdrt::Model::from_bytes(bytes.data(), bytes.size(), name);
          },
          "data"_a, "name"_a = "<bytes>")
      .def(
          "save",
          [](const pdrt::Model& model, const std::filesystem::path& path) {
            model.save(path.string());
          },
          "path"_a, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly(
          "inputs", [](const pdrt::Model& model) { return py::tuple(py::cast(model.inputs())); })
      .def_property_readonly(
          "outputs", [](const pdrt::Model& model) { return py::tuple(py::cast(model.outputs())); })
      .def_property_readonly("metadata", &pdrt::Model::metadata);
}

py::list tune(const pdrt::Model& model, std::string device, std::string cache_dir,
              const std::vector<pdrt::Shape>& shapes, const py::object& progress,
              std::string precision) {
  pdrt::Options options;
  options.device = std::move(device);
  options.cache_dir = std::move(cache_dir);
  options.precision = std::move(precision);
  std::vector<pdrt::TunedLayer> layers;
  {
    py::gil_scoped_release unlocked;
    layers = pdrt::tune(model, options, shapes, [&](int done, int total) {
      py::gil_scoped_acquire locked;
      progress(done, total);
    });
  }
  py::list rows;
  for (const pdrt::TunedLayer& layer : layers) {
    py::list ways;
    for (const pdrt::TunedWay& way : layer.ways) {
      ways.append(py::dict("name"_a = way.name, "all_ms"_a = way.all, "half_ms"_a = way.half,
                           "quarter_ms"_a = way.quarter));
    }
    rows.append(py::dict("name"_a = layer.name, "key"_a = layer.key, "ways"_a = ways));
  }
  return rows;
}

void bind_session(py::module_& module) {
  module.def("tune", &tune, "model"_a, "device"_a, "cache_dir"_a, "shapes"_a, "progress"_a,
             "precision"_a = "float32");

  py::class_<DeviceArray>(module, "DeviceArray")
      .def(py::init([](std::uintptr_t buffer, std::size_t offset, std::vector<py::ssize_t> shape,
                       std::vector<py::ssize_t> strides, py::dtype dtype) {
             return DeviceArray{buffer, offset, std::move(shape), std::move(strides),
                                std::move(dtype)};
           }),
           "buffer"_a, "offset"_a, "shape"_a, "strides"_a, "dtype"_a)
      .def_readonly("shape", &DeviceArray::shape);

  py::class_<pdrt::Session>(module, "Session")
      .def(
          py::init([](const pdrt::Model& model, std::string device, int threads,
                      std::vector<std::string> outputs, std::string cache_dir, std::string fallback,
                      std::string switches, std::string precision, bool skip, bool profile,
                      std::uintptr_t context, std::uintptr_t device_id, std::uintptr_t queue) {
            pdrt::Options options;
            options.device = std::move(device);
            options.threads = threads;
            options.outputs = std::move(outputs);
            options.cache_dir = std::move(cache_dir);
            options.fallback = std::move(fallback);
            options.switches = std::move(switches);
            options.precision = std::move(precision);
            options.skip = skip;
            options.profile = profile;
            options.opencl_context = reinterpret_cast<void*>(context);
            options.opencl_device = reinterpret_cast<void*>(device_id);
            options.opencl_queue = reinterpret_cast<void*>(queue);
            py::gil_scoped_release unlocked;
            return std::make_unique<pdrt::Session>(model, options);
          }),
          "model"_a, py::kw_only(), "device"_a, "threads"_a, "outputs"_a, "cache_dir"_a,
          "fallback"_a, "switches"_a, "precision"_a, "skip"_a, "profile"_a, "context"_a,
          "device_id"_a, "queue"_a)
      .def_property_readonly(
          "inputs",
          [](const pdrt::Session& session) { return py::tuple(py::cast(session.inputs())); })
      .def_property_readonly(
          "outputs",
          [](const pdrt::Session& session) { return py::tuple(py::cast(session.outputs())); })
      .def("run", &run, "inputs"_a, py::kw_only(), "check_finite"_a = false)
      .def("run_into", &run_into, "inputs"_a, "outputs"_a, py::kw_only(), "check_finite"_a = false)
      .def(
          "output_shapes",
          [](const pdrt::Session& session, const std::vector<pdrt::Shape>& shapes) {
            return session.output_shapes(shapes);
          },
          "shapes"_a, py::call_guard<py::gil_scoped_release>())
      .def("last_run", [](const pdrt::Session& session) { return stats_of(session.last_run()); })
      .def(
          "explain",
          [](const pdrt::Session& session, const std::vector<pdrt::Shape>& shapes) {
            pdrt::Explanation explanation;
            {
              py::gil_scoped_release unlocked;
              explanation = session.explain(shapes);
            }
            return explanation_of(explanation);
          },
          "shapes"_a);
}

const char* name_of(pdrt::AttributeType type) {
  switch (type) {
    case pdrt::AttributeType::integer:
      return "integer";
    case pdrt::AttributeType::real:
      return "real";
    case pdrt::AttributeType::text:
      return "text";
    case pdrt::AttributeType::integers:
      return "integers";
    case pdrt::AttributeType::reals:
      return "reals";
  }
  return "";
}

py::list operators() {
  py::list rows;
  for (const pdrt::Operator& row : pdrt::operators()) {
    py::dict attributes;
    for (const pdrt::AttributeSpec& attribute : row.attributes) {
      py::object fallback =
          attribute.required ? py::object(py::none()) : py::object(py::cast(attribute.fallback));
      attributes[py::str(attribute.name)] =
          py::dict("type"_a = name_of(attribute.type), "default"_a = fallback,
                   "required"_a = attribute.required);
    }
    rows.append(py::dict("name"_a = row.name, "min_inputs"_a = row.min_inputs,
                         "max_inputs"_a = row.max_inputs, "min_outputs"_a = row.min_outputs,
                         "max_outputs"_a = row.max_outputs, "attributes"_a = attributes));
  }
  return rows;
}

py::list devices() {
  py::list reports;
  std::vector<pdrt::DeviceReport> devices;
  {
    py::gil_scoped_release unlocked;
    devices = pdrt::devices();
  }
  for (const pdrt::DeviceReport& device : devices) {
    reports.append(
        py::dict("name"_a = device.name, "usable"_a = device.usable, "details"_a = device.details));
  }
  return reports;
}

py::dict device_peaks(const std::string& device) {
  pdrt::opencl::Peaks peaks;
  {
    py::gil_scoped_release unlocked;
    const pdrt::opencl::DeviceInfo& info = pdrt::opencl::select(device);
    peaks = pdrt::opencl::measure_peaks(pdrt::opencl::Context::without_cache(info));
  }
  return py::dict("gflops"_a = peaks.gflops, "gigabytes_per_second"_a = peaks.gigabytes_per_second,
                  "to_device"_a = peaks.to_device, "to_host"_a = peaks.to_host,
                  "launch_microseconds"_a = peaks.launch_microseconds);
}

std::vector<std::string> engines() {
  std::vector<std::string> names;
  for (const pdrt::cpu::Engine* engine : pdrt::cpu::engines()) names.emplace_back(engine->name);
  return names;
}

void bind_machine(py::module_& module) {
  module.def("operators", &operators);
  module.def("devices", &devices);
  module.def("add_opencl_library", &pdrt::opencl::add_library_candidate, "path"_a);
  module.def("available_threads", &pdrt::cpu::available_threads);
  module.def("engines", &engines);
  module.def("device_peaks", &device_peaks, "device"_a);
  module.def("selected_engine", [] { return std::string(pdrt::cpu::select_engine().name); });
  module.def(
      "measured_fma_peak", [] { return pdrt::cpu::measured_fma_peak(pdrt::cpu::select_engine()); },
      py::call_guard<py::gil_scoped_release>());
  module.def("measured_two_threads", [] {
    const pdrt::cpu::Engine& engine = pdrt::cpu::select_engine();
    const py::gil_scoped_release release;
    const pdrt::cpu::TwoThreads found = pdrt::cpu::measured_two_threads(engine);
    return std::make_pair(found.round_trip_ns, found.slowdown);
  });
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ runtime behind pdrt. Use it through the pdrt package.";
  module.attr("__version__") = PDRT_VERSION;
  bind_errors(module);
  bind_model(module);
  bind_session(module);
  bind_machine(module);
}
