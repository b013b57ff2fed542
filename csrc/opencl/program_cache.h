// Built programs on disk, so that the next process need not compile them. What is there is never
// trusted: an entry that is not exactly what was written, or not this user's, counts as missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/descriptor.h"

namespace pdrt::opencl {

// Nothing here throws: a cache that cannot be used says why and holds nothing.
class ProgramCache {
 public:
  static constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;

  // `folder` is made if need be, for this user alone. It is not used where somebody else can write
  // to it.
  explicit ProgramCache(std::string folder, std::uint64_t most_bytes = kMostBytes);

  bool usable() const { return handle_.valid(); }
  // Why nothing is kept, or why the last program was not; or empty.
  const std::string& why_not() const { return why_not_; }
  const std::string& folder() const { return folder_; }

  using Bytes = std::vector<unsigned char>;
  // `key` holds all that the binary depends on; `name` is for people who look at the folder.
  std::optional<Bytes> find(std::string_view name, std::string_view key) const;
  // Replaces what is there, at once or not at all. The entries that were used longest ago go where
  // the folder has grown too large.
  void store(std::string_view name, std::string_view key, const Bytes& binary);

 private:
  void trim() const;

  std::string folder_;
  std::uint64_t most_bytes_;
  std::string why_not_;
  Descriptor handle_;  // all is done through it: the path may come to mean another folder
};

}  // namespace pdrt::opencl
