// Models made in C++: they run, are saved whole or not at all, and are refused as files are.
// With two arguments: writes the file argv[1] anew, through ModelWriter alone, to argv[2];
// tests/test_format.py compares the bytes with those Python wrote.
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "check.h"
#include "model/json.h"
#include "model/metadata.h"
#include "model/safetensors.h"
#include "pdrt/pdrt.h"

namespace {

using pdrt::Attribute;
using pdrt::Attributes;
using pdrt::DType;
using pdrt::Model;
using pdrt::ModelError;
using pdrt::ModelWriter;
using pdrt::Shape;
using pdrt::Tensor;
using pdrt::TensorView;
namespace fs = std::filesystem;
namespace json = pdrt::json;

Tensor floats(const Shape& shape, std::vector<float> values) {
  return Tensor::copy_of(TensorView(values.data(), DType::f32, shape));
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Two kernels, times 2 and times 3, of which the sign of the image's mean picks one.
ModelWriter gated_network() {
  return ModelWriter()
      .metadata("test")
      .input("image", DType::f32, {"N", 1, 2, "W"})
      .tensor("gate.w", floats({2, 1, 1, 1}, {1, -1}).view())
      .tensor("zero", floats({}, {0}).view())
      .tensor("conv.w", floats({2, 1, 1, 1}, {2, 3}).view())
      .tensor("sum.w", floats({1, 2, 1, 1}, {1, 1}).view())
      .node("pool", "GlobalAveragePool", {"image"}, {"mean"})
      .node("gate", "Conv", {"mean", "gate.w"}, {"logits"})
      .node("above", "Greater", {"logits", "zero"}, {"on"})
      .node("switch", "Cast", {"on"}, {"multiplier"}, {{"to", 1}})
      .node("conv", "Conv", {"image", "conv.w", ""}, {"planes"}, {{"group", 1}})
      .node("mul", "Mul", {"planes", "multiplier"}, {"gated"})
      .node("sum", "Conv", {"gated", "sum.w"}, {"y"}, {{"auto_pad", "VALID"}})
      .output("y");
}

void check_answers(const Model& model) {
  pdrt::Session session(model);
  const Tensor images = floats({2, 1, 2, 2}, {1, 2, 3, 4, -1, -2, -3, 4});
  pdrt::RunStats stats;
  const Tensor y = std::move(session.run({{"image", images.view()}}, stats).at(0));
  const float expected[] = {2, 4, 6, 8, -3, -6, -9, 12};
  CHECK(y.shape() == Shape{2, 1, 2, 2});
  CHECK(std::equal(expected, expected + 8, y.as<float>()));
  CHECK(stats.macs_executed < stats.macs_dense);
}

void test_a_model_made_here_runs() {
  const ModelWriter writer = gated_network();
  const Model model = writer.model();
  CHECK(model.inputs().at(0).shape == Shape{-1, 1, 2, -1});
  CHECK(model.metadata().at("pdrt.producer") == "test");
  check_answers(model);
  CHECK(writer.bytes() == gated_network().bytes());
}

void test_saving() {
  const fs::path folder =
      fs::temp_directory_path() / ("pdrt-test-writer-" + std::to_string(::getpid()));
  fs::remove_all(folder);  // what a killed process of the same number may have left
  fs::create_directory(folder);
  const fs::path path = folder / "net.pdrt";
  ModelWriter writer = gated_network();
  writer.save(path);
  const std::string saved = contents(path);
  CHECK(saved == text_of(writer.bytes()));
  check_answers(Model::load(path));

  // What cannot be accepted or written leaves the old file, and nothing beside it.
  writer.output("nothing");
  CHECK_THROWS(writer.save(path), ModelError, path.string() + ": value_undefined: ");
  CHECK_THROWS(gated_network().save(folder / "absent" / "net.pdrt"), ModelError,
               "cannot be written: No such file");
  fs::create_directory(folder / "occupied");
  CHECK_THROWS(gated_network().save(folder / "occupied"), ModelError, "cannot be written");
  CHECK(contents(path) == saved);
  CHECK(std::distance(fs::directory_iterator(folder), {}) == 2);
  fs::remove_all(folder);
}

void test_the_bytes() {
  std::vector<std::int32_t> values{1, 2, 3};
  const std::string file = text_of(ModelWriter()
                                       .metadata("\xC3\xA9\x7F\n", std::string(64, '0'))
                                       .input("x", DType::u8, {"N", 3})
                                       .tensor("b", TensorView(values.data(), DType::i32, {3}))
                                       .tensor("a", TensorView(values.data(), DType::i32, {1}))
                                       .tensor("c", TensorView(values.data(), DType::i32, {2}))
                                       .tensor("none", TensorView(nullptr, DType::i32, {0, 2}))
                                       .output("x")
                                       .bytes());
  const std::string header =
      R"({"__metadata__":{"pdrt.format":"1.0","pdrt.graph":"{\"inputs\":[{\"dtype\":\"uint8\",)"
      R"(\"name\":\"x\",\"shape\":[\"N\",3]}],\"nodes\":[],\"outputs\":[\"x\"]}",)"
      R"("pdrt.producer":"\u00e9\u007f\n","pdrt.source_sha256":")" +
      std::string(64, '0') +
      R"("},"none":{"dtype":"I32","shape":[0,2],"data_offsets":[0,0]},)"
      R"("c":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},)"
      R"("a":{"dtype":"I32","shape":[1],"data_offsets":[8,12]},)"
      R"("b":{"dtype":"I32","shape":[3],"data_offsets":[12,24]}})";
  const std::size_t padded = (8 + header.size() + 63) / 64 * 64;
  CHECK(file.substr(8, padded - 8) == header + std::string(padded - 8 - header.size(), ' '));
  CHECK(static_cast<unsigned char>(file[0]) + 256 * static_cast<unsigned char>(file[1]) ==
        static_cast<int>(padded) - 8);
  CHECK(file.size() == padded + 24);
  const char expected[] = {1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0};
  CHECK(file.substr(padded) == std::string(expected, sizeof expected));
}

void test_numbers_as_text() {
  const auto text = [](double number) { return json::write({number}); };
  CHECK(text(3) == "3.0");
  CHECK(text(-0.0) == "-0.0");
  CHECK(text(0.1) == "0.1");
  CHECK(text(0.0001) == "0.0001");
  CHECK(text(1e-5) == "1e-05");
  CHECK(text(1234567890123456) == "1234567890123456.0");
  CHECK(text(1e16) == "1e+16");
  CHECK(text(-1.5e300) == "-1.5e+300");
  CHECK(text(std::numeric_limits<double>::denorm_min()) == "5e-324");
  CHECK(json::write({std::numeric_limits<std::int64_t>::min()}) == "-9223372036854775808");
  CHECK(json::write({json::Value::Array{{nullptr}, {true}, {false}}}) == "[null,true,false]");
}

// Tensors are copied as they are when they are given, and copies of a writer go their own ways.
void test_writers_are_values() {
  float values[] = {1, 2, 3, 4, 5, 6};
  ModelWriter first;
  first.tensor("w", TensorView(values, DType::f32, {3, 2}, {1, 3}));  // transposed
  values[3] = 0;
  const ModelWriter second = first;
  CHECK_THROWS(first.model(), ModelError, "<written>: output_missing: ");
  first.output("w");
  CHECK_THROWS(second.model(), ModelError, "output_missing");
  pdrt::Session session(first.model());
  const Tensor w = std::move(session.run({}).at(0));
  const float expected[] = {1, 4, 2, 5, 3, 6};
  CHECK(w.shape() == Shape{3, 2} && std::equal(expected, expected + 6, w.as<float>()));
  CHECK(first.model().metadata().at("pdrt.producer").rfind("pdrt ", 0) == 0);
}

void test_what_is_refused() {
  const auto refused = [](ModelWriter writer, const std::string& fault) {
    CHECK_THROWS(writer.model("net"), ModelError, "net: " + fault);
  };
  const Tensor w = floats({1}, {1});
  refused(gated_network().tensor("zero", w.view()), "json_duplicate_key: header");
  refused(gated_network().tensor("image", w.view()), "value_duplicate: value 'image'");
  refused(gated_network().tensor("", w.view()), "name_invalid");
  refused(gated_network().tensor("__metadata__", w.view()), "json_duplicate_key");
  refused(gated_network().input("image", DType::f32, {1}), "value_duplicate");
  refused(gated_network().input("z", DType::f32, {-1}), "input_shape: input 'z'");
  refused(gated_network().input("z\n", DType::f32, {1}), "name_invalid");
  refused(gated_network().input("\xC3", DType::f32, {1}), "json_encoding: header");
  refused(gated_network().node("sum", "Relu", {"y"}, {"z"}), "node_duplicate: two nodes");
  refused(gated_network().node("n", "Relu", {"y"}, {"gated"}), "value_duplicate");
  refused(gated_network().node("n", "Relu", {"z"}, {"z"}), "value_order");
  refused(gated_network().node("n", "Relu", {"q"}, {"z"}), "value_undefined: node 'n'");
  refused(gated_network().node("n", "Loop", {"y"}, {"z"}), "operator_unknown: ");
  refused(gated_network().node("n", "Relu", {"y", "y"}, {"z"}), "arity: node 'n'");
  refused(gated_network().node("n", "Elu", {"y"}, {"z"}, {{"beta", 1}}), "attribute_unknown");
  refused(gated_network().node("n", "Elu", {"y"}, {"z"}, {{"alpha", "1"}}), "attribute_type");
  refused(gated_network().output("y"), "output_duplicate");
  refused(gated_network().metadata("me", "12"), "metadata_source_hash");

  for (const double number : {std::nan(""), HUGE_VAL}) {
    for (const Attribute& attribute : {Attribute(number), Attribute(std::vector{1.0, number})}) {
      CHECK_THROWS(ModelWriter().node("n", "Elu", {"y"}, {"z"}, {{"alpha", attribute}}), ModelError,
                   "node 'n' (Elu): attribute 'alpha' is not finite");
    }
  }
  CHECK_THROWS(ModelWriter().tensor("w", TensorView(nullptr, DType::f32, {2})), ModelError,
               "tensor 'w' has no data");
  CHECK_THROWS(ModelWriter().tensor("w", TensorView(w.data(), DType::f32, {-1})), std::length_error,
               "-1");
  const auto unknown = static_cast<DType>(99);
  CHECK_THROWS(ModelWriter().tensor("w", TensorView(w.data(), unknown, {1})), std::logic_error,
               "not a dtype");
  CHECK_THROWS(ModelWriter().input("x", unknown, {1}).bytes(), std::logic_error, "not a dtype");
}

// ---- rewriting

template <typename T>
const T& member(const json::Value& object, const char* key) {
  return *json::find(*object.get<json::Value::Object>(), key)->get<T>();
}

template <typename T>
std::vector<T> list_of(const json::Value::Array& items) {
  std::vector<T> list;
  for (const json::Value& item : items) list.push_back(*item.get<T>());
  return list;
}

template <typename Either>
Either one_of(const json::Value& value) {
  if (const auto* const integer = value.get<std::int64_t>()) return *integer;
  return *value.get<std::string>();
}

Attribute attribute_of(const json::Value& value) {
  if (const auto* const real = value.get<double>()) return *real;
  const auto* const items = value.get<json::Value::Array>();
  if (!items) return one_of<Attribute>(value);
  if (!items->empty() && items->front().get<double>()) return list_of<double>(*items);
  return list_of<std::int64_t>(*items);
}

void rewrite(const std::string& from, const std::string& to) {
  using Array = json::Value::Array;
  const auto file = pdrt::FileBytes::map(from);
  const pdrt::Safetensors stored = pdrt::read_safetensors(*file, from);
  const auto note = [&](const char* key) { return stored.metadata.at(key); };
  ModelWriter writer;
  writer.metadata(note(pdrt::metadata::kProducer), note(pdrt::metadata::kSourceHash));
  for (auto tensor = stored.tensors.rbegin(); tensor != stored.tensors.rend(); ++tensor)
    writer.tensor(tensor->name, tensor->view);
  const json::Value graph = json::parse(note(pdrt::metadata::kGraph), from, "graph");
  for (const json::Value& input : member<Array>(graph, "inputs")) {
    std::vector<pdrt::Dimension> shape;
    for (const json::Value& dim : member<Array>(input, "shape"))
      shape.push_back(one_of<pdrt::Dimension>(dim));
    const auto& name = member<std::string>(input, "dtype");
    for (const DType dtype :
         {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8, DType::boolean}) {
      if (name == pdrt::name_of(dtype))
        writer.input(member<std::string>(input, "name"), dtype, shape);
    }
  }
  for (const json::Value& node : member<Array>(graph, "nodes")) {
    Attributes attributes;
    for (const json::Member& attribute : member<json::Value::Object>(node, "attributes"))
      attributes.set(attribute.key, attribute_of(attribute.value));
    writer.node(member<std::string>(node, "name"), member<std::string>(node, "op"),
                list_of<std::string>(member<Array>(node, "inputs")),
                list_of<std::string>(member<Array>(node, "outputs")), attributes);
  }
  for (const std::string& output : list_of<std::string>(member<Array>(graph, "outputs")))
    writer.output(output);
  std::ofstream(to, std::ios::binary) << text_of(writer.bytes());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    rewrite(argv[1], argv[2]);
    return 0;
  }
  test_a_model_made_here_runs();
  test_saving();
  test_the_bytes();
  test_numbers_as_text();
  test_writers_are_values();
  test_what_is_refused();
  return check::report();
}
