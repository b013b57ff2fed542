#include "model/fault.h"

#include "pdrt/error.h"

namespace pdrt {

const char* name_of(FileFault fault) {
  switch (fault) {
    case FileFault::file_unreadable:
      return "file_unreadable";
    case FileFault::file_not_regular:
      return "file_not_regular";
    case FileFault::file_empty:
      return "file_empty";
    case FileFault::file_too_short:
      return "file_too_short";
    case FileFault::header_too_long:
      return "header_too_long";
    case FileFault::header_truncated:
      return "header_truncated";
    case FileFault::header_start:
      return "header_start";
    case FileFault::header_padding:
      return "header_padding";
    case FileFault::json_encoding:
      return "json_encoding";
    case FileFault::json_syntax:
      return "json_syntax";
    case FileFault::json_depth:
      return "json_depth";
    case FileFault::json_duplicate_key:
      return "json_duplicate_key";
    case FileFault::json_number_range:
      return "json_number_range";
    case FileFault::json_too_large:
      return "json_too_large";
    case FileFault::metadata_missing:
      return "metadata_missing";
    case FileFault::metadata_type:
      return "metadata_type";
    case FileFault::metadata_key_missing:
      return "metadata_key_missing";
    case FileFault::metadata_key_unknown:
      return "metadata_key_unknown";
    case FileFault::metadata_source_hash:
      return "metadata_source_hash";
    case FileFault::format_malformed:
      return "format_malformed";
    case FileFault::format_unsupported:
      return "format_unsupported";
    case FileFault::tensor_entry:
      return "tensor_entry";
    case FileFault::tensor_dtype:
      return "tensor_dtype";
    case FileFault::tensor_shape:
      return "tensor_shape";
    case FileFault::tensor_too_large:
      return "tensor_too_large";
    case FileFault::tensor_out_of_file:
      return "tensor_out_of_file";
    case FileFault::tensor_size:
      return "tensor_size";
    case FileFault::tensor_alignment:
      return "tensor_alignment";
    case FileFault::tensor_overlap:
      return "tensor_overlap";
    case FileFault::tensor_hole:
      return "tensor_hole";
    case FileFault::tensor_boolean:
      return "tensor_boolean";
    case FileFault::graph_key_missing:
      return "graph_key_missing";
    case FileFault::graph_key_unknown:
      return "graph_key_unknown";
    case FileFault::graph_type:
      return "graph_type";
    case FileFault::graph_too_large:
      return "graph_too_large";
    case FileFault::name_invalid:
      return "name_invalid";
    case FileFault::input_dtype:
      return "input_dtype";
    case FileFault::input_shape:
      return "input_shape";
    case FileFault::node_duplicate:
      return "node_duplicate";
    case FileFault::value_duplicate:
      return "value_duplicate";
    case FileFault::value_undefined:
      return "value_undefined";
    case FileFault::value_order:
      return "value_order";
    case FileFault::output_missing:
      return "output_missing";
    case FileFault::output_duplicate:
      return "output_duplicate";
    case FileFault::operator_unknown:
      return "operator_unknown";
    case FileFault::arity:
      return "arity";
    case FileFault::attribute_unknown:
      return "attribute_unknown";
    case FileFault::attribute_type:
      return "attribute_type";
    case FileFault::attribute_range:
      return "attribute_range";
    case FileFault::attribute_missing:
      return "attribute_missing";
    case FileFault::shape_inference:
      return "shape_inference";
  }
  return "unknown";
}

void refuse(const std::string& source, FileFault fault, const std::string& sentence) {
  throw ModelError(source + ": " + name_of(fault) + ": " + sentence);
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kLongest = 160;
  constexpr char kHex[] = "0123456789abcdef";
  std::string result = "'";
  std::size_t end = text.size();
  if (end > kLongest) {
    end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end;  // whole characters only
  }
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      result += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      result += c;
    }
  }
  return result + (end < text.size() ? "...'" : "'");
}

}  // namespace pdrt
