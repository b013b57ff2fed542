// The model below Python: JSON, tensors and views, loading, saving, shape inference. That each
// fault of a file is named is tested in tests/test_format.py.
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "check.h"
#include "model/graph.h"
#include "model/infer.h"
#include "model/json.h"
#include "pdrt/pdrt.h"

namespace {

using pdrt::DType;
using pdrt::Model;
using pdrt::ModelError;
using pdrt::Shape;
using pdrt::Tensor;
using pdrt::TensorView;
namespace json = pdrt::json;

json::Value parse(const std::string& text) { return json::parse(text, "f", "text"); }

std::string text_of(const std::string& text) { return *parse(text).get<std::string>(); }

void test_json_values() {
  const json::Value value = parse(R"( {"a": [1, -2.5, true, null], "b": {"c": "d"}} )");
  const auto& object = *value.get<json::Value::Object>();
  const auto& list = *json::find(object, "a")->get<json::Value::Array>();
  CHECK(list.size() == 4);
  CHECK(*list[0].get<std::int64_t>() == 1);
  CHECK(*list[1].get<double>() == -2.5);
  CHECK(*list[2].get<bool>());
  CHECK(list[3].get<std::nullptr_t>() != nullptr);
  CHECK(json::find(object, "z") == nullptr);
  CHECK(std::string(json::kind_of(list[1])) == "a real number");
  CHECK(parse("[]").get<json::Value::Array>()->empty());
  CHECK(parse("{ }").get<json::Value::Object>()->empty());
}

void test_json_numbers() {
  CHECK(*parse("9223372036854775807").get<std::int64_t>() == INT64_MAX);
  CHECK(*parse("-9223372036854775808").get<std::int64_t>() == INT64_MIN);
  CHECK(*parse("0").get<std::int64_t>() == 0);
  CHECK(std::signbit(*parse("-0").get<double>()));
  CHECK(*parse("1e3").get<double>() == 1000);
  CHECK(*parse("1.5E-1").get<double>() == 0.15);
  CHECK(*parse("0.1").get<double>() == 0.1);
  CHECK_THROWS(parse("9223372036854775808"), ModelError,
               "f: json_number_range: text, byte 0: '9223372036854775808'");
  CHECK_THROWS(parse("[1, 1e999]"), ModelError, "json_number_range: text, byte 4");
  CHECK_THROWS(parse("1e-999"), ModelError, "json_number_range");
  for (const char* const bad :
       {"01", "+1", "1.", ".5", "-", "1e", "0x1", "NaN", "Infinity", "--1"}) {
    CHECK_THROWS(parse(bad), ModelError, "json_syntax");
  }
}

void test_json_strings() {
  CHECK(text_of(R"("a\"\\\/\b\f\n\r\t")") == "a\"\\/\b\f\n\r\t");
  CHECK(text_of(R"("\u0041\u00e9\u20AC\ud83d\ude00")") == "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  CHECK(text_of("\"\xF0\x9F\x98\x80\"") == "\xF0\x9F\x98\x80");
  CHECK_THROWS(parse("\"\xC3\""), ModelError, "json_encoding: text, byte 1");
  for (const char* const bad :
       {"\"\x80\"", "\"\xC0\x80\"", "\"\xE0\x80\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"",
        "\"\xF5\x80\x80\x80\"", R"("\ud83d")", R"("\ude00")", R"("\ud83d\u0041")"}) {
    CHECK_THROWS(parse(bad), ModelError, "json_encoding");
  }
  for (const char* const bad : {"\"a", "\"\n\"", R"("\x")", R"("\u12")", R"("\u12g4")", "\"\\"}) {
    CHECK_THROWS(parse(bad), ModelError, "json_syntax");
  }
}

void test_json_structure() {
  CHECK_THROWS(parse(R"({"a": 1, "b": 2, "a": 3})"), ModelError,
               "json_duplicate_key: text, byte 17: the key 'a' was given before, at byte 1");
  CHECK_THROWS(parse(R"({"a": 1, "\u0061": 3})"), ModelError, "json_duplicate_key");
  for (const char* const bad : {"", " ", "[1,]", "[1 2]", "[,]", "{\"a\"}", "{\"a\":}", "{a: 1}",
                                "{\"a\": 1,}", "1 2", "[1", "{", "nul", "true1", "// x", "[1]]"}) {
    CHECK_THROWS(parse(bad), ModelError, "json_syntax");
  }
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse(nested(json::kMaxDepth)).get<json::Value::Array>() != nullptr);
  CHECK_THROWS(parse(nested(json::kMaxDepth + 1)), ModelError, "json_depth");
  CHECK_THROWS(parse(std::string(10'000'000, '[')), ModelError, "json_depth");
  std::string many = "[0";
  for (int i = 0; i < json::kMaxValues; ++i) many += ",0";
  CHECK_THROWS(parse(many + "]"), ModelError, "json_too_large");
}

void test_tensors() {
  CHECK(pdrt::to_string(Shape{1, 3, 224, 224}) == "1x3x224x224");
  CHECK(pdrt::to_string(Shape{}) == "scalar");
  CHECK(pdrt::to_string(Shape{-1, 3}) == "-1x3");
  CHECK(pdrt::count_of({}) == 1);
  CHECK(pdrt::count_of({2, 0, 3}) == 0);
  CHECK(pdrt::contiguous_strides({2, 3, 4}) == Shape{12, 4, 1});
  const Tensor tensor(DType::f64, {3, 5});
  CHECK(tensor.bytes() == 120);
  CHECK(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64 == 0);
  CHECK(Tensor(DType::u8, {0}).view().present());
  CHECK_THROWS(Tensor(DType::f32, {std::int64_t{1} << 40, std::int64_t{1} << 40}),
               std::length_error, "shape");
  CHECK_THROWS(Tensor(DType::f32, Shape(9, 1)), std::length_error, "shape");
  CHECK(std::string(pdrt::name_of(DType::boolean)) == "bool");
  CHECK(TensorView(tensor.data(), DType::f64, {3, 5}, {5, 1}).contiguous());
  CHECK(!TensorView(tensor.data(), DType::f64, {5, 3}, {1, 5}).contiguous());
  CHECK(TensorView(tensor.data(), DType::f64, {1, 5}, {99, 1}).contiguous());
}

// copy() against an element-by-element walk, for one dtype.
template <typename T>
void test_copy(DType dtype) {
  std::vector<T> source(2 * 3 * 4 * 5);
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<T>(i);
  const TensorView whole(source.data(), dtype, {2, 3, 4, 5});
  CHECK(std::memcmp(Tensor::copy_of(whole).data(), source.data(), source.size() * sizeof(T)) == 0);

  // transposed, every second, backwards, broadcast: {4, 2, 3, 2} with one stride each
  TensorView strided(source.data() + 4, dtype, {4, 2, 3, 2}, {5, 60, 0, -2});
  const Tensor dense = Tensor::copy_of(strided);
  std::size_t at = 0;
  bool equal = true;
  for (int a = 0; a < 4; ++a) {
    for (int b = 0; b < 2; ++b) {
      for (int c = 0; c < 3; ++c) {
        for (int d = 0; d < 2; ++d)
          equal = equal && dense.as<T>()[at++] == source[4 + a * 5 + b * 60 - d * 2];
      }
    }
  }
  CHECK(equal);

  std::vector<T> target(source.size(), T{0});
  strided = TensorView(source.data(), dtype, {2, 3, 4, 3}, {60, 20, 5, 1});  // a window of the rows
  pdrt::copy(strided, TensorView(target.data() + 2, dtype, {2, 3, 4, 3}, {60, 20, 5, 1}));
  CHECK(target[2] == source[0] && target[4] == source[2] && target[5] == T{0});
  CHECK(target[2 + 60 + 20 + 5] == source[60 + 20 + 5] && target[1] == T{0});

  T scalar{7};
  CHECK(*Tensor::copy_of(TensorView(&scalar, dtype, {})).as<T>() == T{7});
  CHECK(Tensor::copy_of(TensorView(&scalar, dtype, {3, 0})).count() == 0);
  CHECK_THROWS(pdrt::copy(whole, TensorView(&scalar, dtype, {1})), std::logic_error, "2x3x4x5");
}

void test_attributes() {
  pdrt::Attributes attributes;
  attributes.set("group", std::int64_t{2});
  attributes.set("alpha", 0.5);
  CHECK(attributes.integer("group") == 2);
  CHECK(attributes.real("alpha") == 0.5);
  CHECK_THROWS(attributes.real("group"), std::logic_error, "'group' is not declared as real");
  CHECK_THROWS(attributes.text("missing"), std::logic_error, "'missing'");
}

// ---- models

std::string quote(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string frame(std::string header, const std::string& data) {
  while ((8 + header.size()) % 64 != 0) header += ' ';
  std::string file(8, '\0');
  for (int i = 0; i < 8; ++i) file[i] = static_cast<char>(header.size() >> (8 * i));
  return file + header + data;
}

// A file around a graph, with one stored tensor: "w", float32 [4], 1 2 3 4.
std::string file_with(const std::string& graph) {
  const float weights[] = {1, 2, 3, 4};
  return frame(
      R"({"__metadata__": {"pdrt.format": "1.0", "pdrt.producer": "test", "pdrt.source_sha256": "", )"
      R"("note": "mine", "pdrt.graph": )" +
          quote(graph) + R"(}, "w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}})",
      std::string(reinterpret_cast<const char*>(weights), sizeof weights));
}

std::string graph_with(const std::string& shape, const std::string& nodes,
                       const std::string& outputs) {
  return R"({"inputs": [{"name": "x", "dtype": "float32", "shape": )" + shape +
         R"(}], "nodes": [)" + nodes + R"(], "outputs": [)" + outputs + "]}";
}

Model load(const std::string& file) {
  return Model::from_bytes(file.data(), file.size(), "net.pdrt");
}

const std::string kAdd = R"({"name": "add", "op": "Add", "inputs": ["x", "w"], "outputs": ["y"]})";
const std::string kRelu =
    R"({"name": "relu", "op": "Relu", "inputs": ["y"], "outputs": ["z"], "attributes": {}})";

void test_loading() {
  const Model model = load(file_with(graph_with(R"(["N", 4])", kAdd + "," + kRelu, R"("z", "y")")));
  CHECK(model.inputs().size() == 1);
  CHECK(model.inputs()[0].shape == Shape{-1, 4});
  CHECK(model.outputs().size() == 2);
  CHECK(model.outputs()[0].name == "z");
  CHECK(model.outputs()[0].shape == Shape{-1, 4});
  CHECK(model.metadata().at("note") == "mine");
  CHECK(model.metadata().at("pdrt.producer") == "test");
  CHECK(model.metadata().count("pdrt.graph") == 0);

  const pdrt::Graph& graph = model.graph();
  CHECK(graph.source == "net.pdrt");
  CHECK(graph.weight_bytes == 16);
  CHECK(graph.nodes.size() == 2);
  CHECK(graph.nodes[1].op->name == "Relu");
  CHECK(graph.nodes[1].inputs == graph.nodes[0].outputs);
  CHECK(graph.values[graph.outputs[0]].producer == 1);
  const pdrt::GraphValue& weights = graph.values[graph.nodes[0].inputs[1]];
  CHECK(weights.name == "w" && weights.producer == -1);
  CHECK(weights.constant.as<float>()[3] == 4);
}

void test_attributes_of_nodes() {
  const auto leaky_relu = [](const std::string& attributes) {
    return load(file_with(
        graph_with("[4]",
                   R"({"name": "n", "op": "LeakyRelu", "inputs": ["x"], "outputs": ["y"], )"
                   R"("attributes": {)" +
                       attributes + "}}",
                   R"("y")")));
  };
  CHECK(leaky_relu("").graph().nodes[0].attributes.real("alpha") > 0.0099);
  CHECK(leaky_relu(R"("alpha": 2)").graph().nodes[0].attributes.real("alpha") ==
        2);  // an integer where a real is declared
  CHECK_THROWS(leaky_relu(R"("alpha": "2")"), ModelError,
               "attribute_type: node 'n' (LeakyRelu): attribute 'alpha'");
  CHECK_THROWS(leaky_relu(R"("beta": 2)"), ModelError,
               "attribute_unknown: node 'n' (LeakyRelu): attribute 'beta'");
}

void test_inference() {
  const auto reshape =
      R"({"name": "shape", "op": "Shape", "inputs": ["x"], "outputs": ["s"]}, )"
      R"({"name": "reshape", "op": "Reshape", "inputs": ["w", "s"], "outputs": ["y"]})";
  // The shape is arithmetic on constants: it must be folded to be known.
  CHECK(load(file_with(graph_with("[2, 2]", reshape, R"("y")"))).outputs()[0].shape == Shape{2, 2});
  // Concrete and wrong: an error at once. Free and not known to be right: not an error yet.
  CHECK_THROWS(load(file_with(graph_with("[3, 3]", reshape, R"("y")"))), ModelError,
               "net.pdrt: shape_inference: node 'reshape' (Reshape): ");
  CHECK_THROWS(load(file_with(graph_with("[3]", kAdd, R"("y")"))), ModelError,
               "its inputs are float32 3, float32 4");
  CHECK(load(file_with(graph_with(R"(["A"])", kAdd, R"("y")"))).outputs()[0].shape.empty());
  // Where an output is an input or a constant.
  const Model identity = load(file_with(graph_with(R"(["A", 3])", "", R"("x", "w")")));
  CHECK(identity.outputs()[0].shape == Shape{-1, 3});
  CHECK(identity.outputs()[1].shape == Shape{4});
  const pdrt::Inference all = pdrt::infer_all(identity.graph(), {{5, 3}});
  CHECK(all.values[identity.graph().inputs[0]].shape == Shape{5, 3});
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void test_files() {
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::temp_directory_path() / ("pdrt-test-model-" + std::to_string(::getpid()));
  fs::remove_all(folder);  // what a killed process of the same number may have left
  fs::create_directory(folder);
  const std::string path = (folder / "net.pdrt").string();
  const std::string file = file_with(graph_with("[4]", kAdd, R"("y")"));

  load(file).save(path);
  CHECK(contents(path) == file);
  const Model model = Model::load(path);
  CHECK(model.graph().source == path);
  model.save(path);  // over the file it is mapped from
  CHECK(contents(path) == file);
  CHECK(model.graph().values[model.graph().nodes[0].inputs[1]].constant.as<float>()[3] == 4);
  CHECK(std::distance(fs::directory_iterator(folder), {}) == 1);  // no temporary is left

  CHECK_THROWS(model.save((folder / "absent" / "net.pdrt").string()), ModelError,
               "cannot be written: No such file");
  fs::create_directory(folder / "occupied");
  CHECK_THROWS(model.save((folder / "occupied").string()), ModelError, "cannot be written");
  CHECK(std::distance(fs::directory_iterator(folder), {}) == 2);

  std::ofstream(folder / "empty").close();
  CHECK_THROWS(Model::load((folder / "empty").string()), ModelError, "file_empty");
  CHECK_THROWS(Model::load((folder / "missing").string()), ModelError, "file_unreadable");
  CHECK_THROWS(Model::load(folder.string()), ModelError, "file_not_regular");
  CHECK_THROWS(Model::load("/dev/null"), ModelError, "file_not_regular");
  CHECK_THROWS(Model::from_bytes(nullptr, 0), ModelError, "<bytes>: file_empty");
  fs::remove_all(folder);
}

}  // namespace

int main() {
  test_json_values();
  test_json_numbers();
  test_json_strings();
  test_json_structure();
  test_tensors();
  test_copy<float>(DType::f32);
  test_copy<std::int64_t>(DType::i64);
  test_copy<std::uint8_t>(DType::u8);
  test_attributes();
  test_loading();
  test_attributes_of_nodes();
  test_inference();
  test_files();
  return check::report();
}
