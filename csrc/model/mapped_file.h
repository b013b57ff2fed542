// The bytes of a .pdrt file: mapped from disk, or copied from memory.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace pdrt {

// Read-only and 64-byte aligned. The mapping lives as long as the object.
class FileBytes {
 public:
  // Maps a regular file. Throws ModelError (file_unreadable, file_not_regular, file_empty).
  // The file must not be changed in place while it is mapped; replacing it by a rename is fine.
  static std::shared_ptr<const FileBytes> map(const std::string& path);
  static std::shared_ptr<const FileBytes> copy_of(const void* bytes, std::size_t size,
                                                  const std::string& name);

  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  // Fetches the pages of these bytes now, which are all about to be read: many at a time, where
  // reading them would fetch a few at a time. Does nothing where `release` would do nothing.
  void fetch(const void* first, std::size_t bytes) const;

  // Gives back the memory of whole pages within these bytes, which a plan has copied in another
  // order and will hardly read again. They can be read all the same: the system fetches them anew.
  // Does nothing to a copy from memory, nor to memory that is not this file's.
  void release(const void* first, std::size_t bytes) const;

  const unsigned char* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  FileBytes() = default;

  // Where in the mapping `bytes` bytes from `first` on begin; size() where they are not all in it.
  std::size_t place_of(const void* first, std::size_t bytes) const;
  // Tells the system what pages [begin, end) are wanted for; nothing depends on whether it listens.
  void advise(std::size_t begin, std::size_t end, int advice) const;

  const unsigned char* data_ = nullptr;
  std::size_t size_ = 0;
  bool mapped_ = false;
};

}  // namespace pdrt
