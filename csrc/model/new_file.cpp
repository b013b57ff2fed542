#include "model/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "model/descriptor.h"
#include "pdrt/error.h"

namespace pdrt {

namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw ModelError(path + ": the file cannot be written: " + std::strerror(error));
}

// Removes the temporary unless it has become the file.
class Temporary {
 public:
  explicit Temporary(std::string path) : path_(std::move(path)) {}
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  const char* path() const { return path_.c_str(); }
  bool rename_to(const std::string& target) {
    if (std::rename(path_.c_str(), target.c_str()) != 0) return false;
    path_.clear();
    return true;
  }

 private:
  std::string path_;
};

// Unlike mkstemp's, the file gets the permissions the process gives to new files. A name may be
// taken by what a process of the same number left behind when it was killed: the next one is tried.
int create_temporary(const std::string& path, std::string& name) {
  static std::atomic<unsigned> counter{0};
  int file = -1;
  do {
    name = path + ".tmp-" + std::to_string(::getpid()) + '-' + std::to_string(counter++);
    file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file < 0 && errno == EEXIST);
  return file;
}

bool write_all(int file, const char* bytes, std::size_t size) {
  constexpr std::size_t kChunk = std::size_t{1} << 30;  // Linux writes no more than 2 GiB at once
  while (size > 0) {
    const ssize_t written = ::write(file, bytes, size < kChunk ? size : kChunk);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

// So that the new name, too, outlives a loss of power. Not every file system allows it; the file
// itself is safe already.
void sync_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.valid()) ::fsync(handle.number());
}

}  // namespace

void write_file(const std::string& path, const void* bytes, std::size_t size) {
  std::string name;
  const int number = create_temporary(path, name);
  if (number < 0) fail(path, errno);
  Descriptor file(number);
  Temporary temporary(name);
  if (!write_all(file.number(), static_cast<const char*>(bytes), size) ||
      ::fsync(file.number()) != 0 || !file.close() || !temporary.rename_to(path)) {
    fail(path, errno);
  }
  sync_folder(path);
}

}  // namespace pdrt
