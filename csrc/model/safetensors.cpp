#include "model/safetensors.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "model/fault.h"
#include "model/json.h"
#include "model/names.h"
#include "model/sizes.h"

namespace pdrt {

namespace {

// Where a tensor lies, in bytes from the start of the data section.
struct Extent {
  const std::string* name;
  std::uint64_t begin;
  std::uint64_t end;
};

std::optional<DType> dtype_named(const std::string& name) {
  for (const DType dtype :
       {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8, DType::boolean}) {
    if (name == stored_name_of(dtype)) return dtype;
  }
  return std::nullopt;
}

// The header's text, after checks of the frame around it.
std::string_view header_of(const FileBytes& file, const std::string& source) {
  if (file.size() < kLengthBytes) {
    refuse(source, FileFault::file_too_short,
           "the file has " + std::to_string(file.size()) +
               " bytes; the length of the header alone takes 8");
  }
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) length = length << 8 | file.data()[i];
  const std::string says = "the file says its header is " + std::to_string(length) + " bytes long";
  if (length > kMaxHeaderBytes) {
    refuse(source, FileFault::header_too_long,
           says + "; at most " + std::to_string(kMaxHeaderBytes) + " are allowed");
  }
  if (length > file.size() - kLengthBytes) {
    refuse(source, FileFault::header_truncated,
           says + ", but only " + std::to_string(file.size() - kLengthBytes) + " follow");
  }
  const std::string_view header(reinterpret_cast<const char*>(file.data()) + kLengthBytes,
                                static_cast<std::size_t>(length));
  if (header.empty() || header.front() != '{') {
    refuse(source, FileFault::header_start,
           "the header does not start with '{'; this is not a .pdrt file");
  }
  if ((kLengthBytes + length) % kDataAlignment != 0) {
    refuse(source, FileFault::header_padding,
           "data starts at byte " + std::to_string(kLengthBytes + length) +
               ", which is not a multiple of " + std::to_string(kDataAlignment));
  }
  return header;
}

std::map<std::string, std::string> read_metadata(const json::Value& value,
                                                 const std::string& source) {
  const auto* const object = value.get<json::Value::Object>();
  if (!object) {
    refuse(source, FileFault::metadata_type,
           std::string("__metadata__ is ") + json::kind_of(value) + ", not an object");
  }
  std::map<std::string, std::string> metadata;
  for (const json::Member& member : *object) {
    const auto* const text = member.value.get<std::string>();
    if (!text) {
      refuse(source, FileFault::metadata_type,
             "__metadata__ key " + quoted(member.key) + " is " + json::kind_of(member.value) +
                 ", not a string");
    }
    metadata.emplace(member.key, *text);
  }
  return metadata;
}

// The reader of one tensor's entry: {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}.
class Entry {
 public:
  Entry(const json::Member& member, const std::string& source)
      : member_(member), source_(source), what_("tensor " + quoted(member.key)) {}

  StoredTensor read(const unsigned char* data, std::uint64_t data_size, Extent& extent) const {
    check_name(member_.key, source_, "a tensor's name");
    const auto* const object = member_.value.get<json::Value::Object>();
    if (!object)
      fail(FileFault::tensor_entry,
           std::string("is ") + json::kind_of(member_.value) + ", not an object");
    for (const json::Member& member : *object) {
      if (member.key != "dtype" && member.key != "shape" && member.key != "data_offsets") {
        fail(FileFault::tensor_entry, "has an unknown key, " + quoted(member.key));
      }
    }
    const DType dtype = read_dtype(require<std::string>(*object, "dtype", "a string"));
    const Shape shape = read_shape(require<json::Value::Array>(*object, "shape", "a list"));
    const auto bytes = bytes_of(shape, dtype);
    if (!bytes)
      fail(FileFault::tensor_too_large,
           "has the shape " + to_string(shape) + ", which is too large");
    extent = read_extent(require<json::Value::Array>(*object, "data_offsets", "a list"));
    if (extent.begin > extent.end || extent.end > data_size) {
      fail(FileFault::tensor_out_of_file, "lies at " + range(extent) + "; there are " +
                                              std::to_string(data_size) + " bytes of data");
    }
    if (extent.end - extent.begin != static_cast<std::uint64_t>(*bytes)) {
      fail(FileFault::tensor_size, std::string("is ") + name_of(dtype) + ' ' + to_string(shape) +
                                       ", which takes " + std::to_string(*bytes) +
                                       " bytes, but lies at " + range(extent));
    }
    if (extent.begin % size_of(dtype) != 0) {
      fail(FileFault::tensor_alignment,
           "starts at byte " + std::to_string(extent.begin) +
               " of the data, which is not a multiple of its element size, " +
               std::to_string(size_of(dtype)));
    }
    const unsigned char* const first = data + extent.begin;
    if (dtype == DType::boolean &&
        std::any_of(first, data + extent.end, [](unsigned char b) { return b > 1; })) {
      fail(FileFault::tensor_boolean, "is of type BOOL and has a byte which is neither 0 nor 1");
    }
    // The view's pointer is not const because views of buffers share the type; constants are never
    // written to.
    return {member_.key, TensorView(const_cast<unsigned char*>(first), dtype, shape)};
  }

 private:
  [[noreturn]] void fail(FileFault fault, const std::string& predicate) const {
    refuse(source_, fault, what_ + ' ' + predicate);
  }

  static std::string range(const Extent& extent) {
    return "bytes " + std::to_string(extent.begin) + " to " + std::to_string(extent.end);
  }

  template <typename T>
  const T& require(const json::Value::Object& object, const char* key, const char* kind) const {
    const json::Value* const value = json::find(object, key);
    if (!value) fail(FileFault::tensor_entry, std::string("has no '") + key + "'");
    const T* const content = value->get<T>();
    if (!content) {
      fail(FileFault::tensor_entry,
           std::string("has a '") + key + "' which is " + json::kind_of(*value) + ", not " + kind);
    }
    return *content;
  }

  DType read_dtype(const std::string& name) const {
    const auto dtype = dtype_named(name);
    if (!dtype) {
      fail(FileFault::tensor_dtype,
           "has the dtype " + quoted(name) + "; known are F32, F64, I32, I64, U8 and BOOL");
    }
    return *dtype;
  }

  Shape read_shape(const json::Value::Array& items) const {
    if (items.size() > kMaxRank) {
      fail(FileFault::tensor_shape, "has " + std::to_string(items.size()) +
                                        " dimensions; at most " + std::to_string(kMaxRank) +
                                        " are allowed");
    }
    Shape shape;
    for (const json::Value& item : items) {
      const auto* const dim = item.get<std::int64_t>();
      if (!dim || *dim < 0)
        fail(FileFault::tensor_shape, "has a dimension which is not an integer of at least 0");
      shape.push_back(*dim);
    }
    return shape;
  }

  Extent read_extent(const json::Value::Array& items) const {
    const auto* const begin = items.size() == 2 ? items[0].get<std::int64_t>() : nullptr;
    const auto* const end = items.size() == 2 ? items[1].get<std::int64_t>() : nullptr;
    if (!begin || !end || *begin < 0 || *end < 0) {
      fail(FileFault::tensor_entry, "has 'data_offsets' which are not two integers of at least 0");
    }
    return {&member_.key, static_cast<std::uint64_t>(*begin), static_cast<std::uint64_t>(*end)};
  }

  const json::Member& member_;
  const std::string& source_;
  std::string what_;
};

// Every byte of the data belongs to exactly one tensor.
void check_cover(std::vector<Extent> extents, std::uint64_t data_size, const std::string& source) {
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t covered = 0;
  const Extent* last = nullptr;  // the one that ends at `covered`
  const auto hole = [&](std::uint64_t end) {
    refuse(source, FileFault::tensor_hole,
           "bytes " + std::to_string(covered) + " to " + std::to_string(end) +
               " of the data belong to no tensor");
  };
  for (const Extent& extent : extents) {
    if (extent.begin < covered) {
      refuse(source, FileFault::tensor_overlap,
             "tensors " + quoted(*last->name) + " and " + quoted(*extent.name) + " share bytes " +
                 std::to_string(extent.begin) + " to " +
                 std::to_string(std::min(covered, extent.end)) + " of the data");
    }
    if (extent.begin > covered) hole(extent.begin);
    covered = extent.end;
    last = &extent;
  }
  if (covered < data_size) hole(data_size);
}

}  // namespace

const char* stored_name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "F32";
    case DType::f64:
      return "F64";
    case DType::i32:
      return "I32";
    case DType::i64:
      return "I64";
    case DType::u8:
      return "U8";
    case DType::boolean:
      return "BOOL";
  }
  throw std::logic_error("stored_name_of: not a dtype");
}

Safetensors read_safetensors(const FileBytes& file, const std::string& source) {
  const std::string_view header = header_of(file, source);
  const unsigned char* const data = file.data() + kLengthBytes + header.size();
  const std::uint64_t data_size = file.size() - kLengthBytes - header.size();

  const json::Value root = json::parse(header, source, "header");
  const auto& entries = *root.get<json::Value::Object>();  // it starts with '{' and was parsed
  Safetensors result;
  std::vector<Extent> extents;
  bool has_metadata = false;
  for (const json::Member& member : entries) {
    if (member.key == "__metadata__") {
      result.metadata = read_metadata(member.value, source);
      has_metadata = true;
    } else {
      result.tensors.push_back(Entry(member, source).read(data, data_size, extents.emplace_back()));
    }
  }
  if (!has_metadata) {
    refuse(source, FileFault::metadata_missing,
           "the header has no __metadata__: this safetensors file holds tensors, but no graph");
  }
  check_cover(std::move(extents), data_size, source);
  result.tensor_bytes = static_cast<std::size_t>(data_size);
  return result;
}

}  // namespace pdrt
