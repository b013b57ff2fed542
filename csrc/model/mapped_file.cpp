#include "model/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <new>

#include "model/descriptor.h"
#include "model/fault.h"

namespace pdrt {

namespace {

constexpr std::align_val_t kAlignment{64};

// MADV_POPULATE_READ of Linux 5.14, which not every system's headers know; an older kernel refuses.
constexpr int kPopulateRead = 22;

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t rounded_down(std::size_t bytes) { return bytes / page_size() * page_size(); }

[[noreturn]] void refuse_unreadable(const std::string& path, int error) {
  refuse(path, FileFault::file_unreadable,
         "the file cannot be read: " + std::string(std::strerror(error)));
}

}  // namespace

std::shared_ptr<const FileBytes> FileBytes::map(const std::string& path) {
  // O_NONBLOCK: opening a pipe nobody writes to must not wait for ever.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) refuse_unreadable(path, errno);
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) refuse_unreadable(path, errno);
  if (S_ISDIR(status.st_mode)) refuse(path, FileFault::file_not_regular, "this is a directory");
  if (!S_ISREG(status.st_mode))
    refuse(path, FileFault::file_not_regular, "this is not a regular file");
  if (status.st_size == 0) refuse(path, FileFault::file_empty, "the file is empty");
  if (static_cast<std::uint64_t>(status.st_size) > SIZE_MAX) refuse_unreadable(path, EFBIG);

  const std::shared_ptr<FileBytes> bytes(new FileBytes);
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (data == MAP_FAILED) refuse_unreadable(path, errno);
  bytes->data_ = static_cast<const unsigned char*>(data);
  bytes->size_ = size;
  bytes->mapped_ = true;
#ifdef MADV_HUGEPAGE
  // What the page cache does not have yet comes from the disk as huge pages where the file system
  // has them: a core keeps the addresses of few small ones.
  bytes->advise(0, size, MADV_HUGEPAGE);
#endif
  return bytes;
}

std::shared_ptr<const FileBytes> FileBytes::copy_of(const void* bytes, std::size_t size,
                                                    const std::string& name) {
  if (size == 0) refuse(name, FileFault::file_empty, "there are no bytes");
  const std::shared_ptr<FileBytes> copy(new FileBytes);
  void* const data = ::operator new(size, kAlignment);
  copy->data_ = static_cast<const unsigned char*>(std::memcpy(data, bytes, size));
  copy->size_ = size;
  return copy;
}

std::size_t FileBytes::place_of(const void* first, std::size_t bytes) const {
  const auto* const from = static_cast<const unsigned char*>(first);
  const std::less<> before;  // defined for any two pointers
  if (!mapped_ || before(from, data_) || before(data_ + size_, from + bytes)) return size_;
  return static_cast<std::size_t>(from - data_);
}

void FileBytes::advise(std::size_t begin, std::size_t end, int advice) const {
  // The mapping begins with a page.
  if (begin < end) ::madvise(const_cast<unsigned char*>(data_ + begin), end - begin, advice);
}

void FileBytes::fetch(const void* first, std::size_t bytes) const {
  const std::size_t at = place_of(first, bytes);
  if (at < size_) advise(rounded_down(at), at + bytes, kPopulateRead);
}

void FileBytes::release(const void* first, std::size_t bytes) const {
  const std::size_t at = place_of(first, bytes);
  // Nobody writes to a private mapping of a file, so what is dropped is what the file holds.
  if (at < size_)
    advise(rounded_down(at + page_size() - 1), rounded_down(at + bytes), MADV_DONTNEED);
}

FileBytes::~FileBytes() {
  void* const data = const_cast<unsigned char*>(data_);
  if (mapped_) {
    ::munmap(data, size_);
  } else {
    ::operator delete(data, kAlignment);
  }
}

}  // namespace pdrt
