#include <algorithm>
#include <cstring>

#include "model/json.h"
#include "model/safetensors.h"

namespace pdrt {

namespace {

std::int64_t bytes_of(const StoredTensor& tensor) {
  return tensor.view.count() * static_cast<std::int64_t>(size_of(tensor.view.dtype));
}

// The largest power of two, up to a cache line, that divides the tensor's size. Laid out by falling
// alignment, each tensor starts at a multiple of its own: every size before it is one.
std::uint64_t alignment_of(const StoredTensor& tensor) {
  const auto size = static_cast<std::uint64_t>(bytes_of(tensor));
  return size == 0 ? kDataAlignment : std::min(size & (~size + 1), kDataAlignment);
}

json::Value list_of(const std::vector<std::int64_t>& numbers) {
  json::Value::Array items(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) items[i].data = numbers[i];
  return {std::move(items)};
}

json::Value entry_of(const StoredTensor& tensor, std::int64_t begin, std::int64_t end) {
  return {json::Value::Object{
      {"dtype", {std::string(stored_name_of(tensor.view.dtype))}},
      {"shape", list_of(tensor.view.shape())},
      {"data_offsets", list_of({begin, end})},
  }};
}

}  // namespace

std::vector<std::byte> write_safetensors(const std::map<std::string, std::string>& metadata,
                                         std::vector<StoredTensor> tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
    const std::uint64_t first = alignment_of(a), second = alignment_of(b);
    return first != second ? first > second : a.name < b.name;
  });
  json::Value::Object notes;
  for (const auto& [key, text] : metadata) notes.push_back({key, {text}});
  json::Value::Object header{{"__metadata__", {std::move(notes)}}};
  std::int64_t end = 0;
  for (const StoredTensor& tensor : tensors) {
    const std::int64_t begin = end;
    end += bytes_of(tensor);
    header.push_back({tensor.name, entry_of(tensor, begin, end)});
  }
  std::string text = json::write({std::move(header)});
  const std::size_t frame = kLengthBytes + text.size();
  text.append((kDataAlignment - frame % kDataAlignment) % kDataAlignment, ' ');

  std::vector<std::byte> file(kLengthBytes + text.size() + static_cast<std::size_t>(end));
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    file[i] = static_cast<std::byte>(text.size() >> (8 * i));
  std::memcpy(file.data() + kLengthBytes, text.data(), text.size());
  std::byte* data = file.data() + kLengthBytes + text.size();
  for (const StoredTensor& tensor : tensors) {
    copy(tensor.view, TensorView(data, tensor.view.dtype, tensor.view.shape()));
    data += bytes_of(tensor);
  }
  return file;
}

}  // namespace pdrt
