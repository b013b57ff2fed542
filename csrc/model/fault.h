// Every way a .pdrt file can be bad has a name. The name is part of the message and never changes
// its meaning; docs/format.md says what each stands for, tests/attacks/ makes a file with it.
#pragma once

#include <string>
#include <string_view>

namespace pdrt {

enum class FileFault {
  // the file
  file_unreadable,
  file_not_regular,
  file_empty,
  file_too_short,
  // the header's frame
  header_too_long,
  header_truncated,
  header_start,
  header_padding,
  // JSON, in the header or in pdrt.graph
  json_encoding,
  json_syntax,
  json_depth,
  json_duplicate_key,
  json_number_range,
  json_too_large,
  // __metadata__
  metadata_missing,
  metadata_type,
  metadata_key_missing,
  metadata_key_unknown,
  metadata_source_hash,
  format_malformed,
  format_unsupported,
  // stored tensors
  tensor_entry,
  tensor_dtype,
  tensor_shape,
  tensor_too_large,
  tensor_out_of_file,
  tensor_size,
  tensor_alignment,
  tensor_overlap,
  tensor_hole,
  tensor_boolean,
  // the graph
  graph_key_missing,
  graph_key_unknown,
  graph_type,
  graph_too_large,
  name_invalid,
  input_dtype,
  input_shape,
  node_duplicate,
  value_duplicate,
  value_undefined,
  value_order,
  output_missing,
  output_duplicate,
  // nodes against the operator table
  operator_unknown,
  arity,
  attribute_unknown,
  attribute_type,
  attribute_range,
  attribute_missing,
  shape_inference,
};

// The name as it is written in messages: "tensor_hole".
const char* name_of(FileFault fault);

// Throws ModelError("<source>: <fault>: <sentence>").
[[noreturn]] void refuse(const std::string& source, FileFault fault, const std::string& sentence);

// Text of the file as it may stand in a message: in quotes, control characters escaped, cut where
// it is long. The text must be valid UTF-8; so is the result.
std::string quoted(std::string_view text);

}  // namespace pdrt
