#include "opencl/program_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>

namespace pdrt::opencl {
namespace {

constexpr std::uint32_t kFormat = 1;
constexpr char kMagic[8] = {'p', 'd', 'r', 't', 'p', 'r', 'o', 'g'};
constexpr std::string_view kEnding = ".bin", kTemporary = ".tmp-";
constexpr std::time_t kAbandoned = 3600;  // seconds after which nobody writes a temporary any more

// A file is this, the key and the binary, as this machine lays numbers out.
struct Header {
  char magic[8];
  std::uint32_t format;
  std::uint32_t header_bytes;
  std::uint64_t key_bytes, binary_bytes;
  std::uint64_t checksum;  // of key and binary
};
static_assert(sizeof(Header) == 40);

// FNV-1a: against accidents, not against people, whom the folder's permissions keep out.
std::uint64_t hash(std::string_view bytes, std::uint64_t from = 0xcbf29ce484222325u) {
  for (const char c : bytes) from = (from ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return from;
}

std::string_view view(const ProgramCache::Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string file_name(std::string_view name, std::string_view key) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash(key)));
  return std::string(name) + "-" + digits + std::string(kEnding);
}

bool ours_alone(const struct stat& facts) {
  return facts.st_uid == ::geteuid() && (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// Every missing folder of the path, for this user alone. Says what went wrong.
std::string make_folders(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      // A folder that is there may be on a read-only file system, or in one that only lets pass.
      const int error = errno;
      struct stat facts;
      if (::stat(part.c_str(), &facts) != 0) return part + ": " + std::strerror(error);
    }
    if (end == std::string::npos) return {};
  }
}

bool read_all(int file, void* to, std::size_t bytes) {
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = ::read(file, at, bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// What to write, in order; says whether all of it is safely in the file.
bool write_entry(Descriptor& file, std::string_view key, std::string_view binary) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.format = kFormat;
  header.header_bytes = sizeof header;
  header.key_bytes = key.size();
  header.binary_bytes = binary.size();
  header.checksum = hash(binary, hash(key));
  const std::string_view head(reinterpret_cast<const char*>(&header), sizeof header);
  return write_all(file.number(), head) && write_all(file.number(), key) &&
         write_all(file.number(), binary) && file.close();
}

std::optional<ProgramCache::Bytes> read_entry(int file, std::uint64_t size, std::string_view key) {
  Header header;
  if (size < sizeof header || !read_all(file, &header, sizeof header)) return std::nullopt;
  const std::uint64_t rest = size - sizeof header;
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.format != kFormat ||
      header.header_bytes != sizeof header || header.key_bytes != key.size() ||
      header.key_bytes > rest || header.binary_bytes != rest - header.key_bytes) {
    return std::nullopt;
  }
  std::string own_key(key.size(), '\0');
  ProgramCache::Bytes binary(static_cast<std::size_t>(header.binary_bytes));
  if (!read_all(file, own_key.data(), own_key.size()) || own_key != key ||
      !read_all(file, binary.data(), binary.size()) ||
      hash(view(binary), hash(key)) != header.checksum) {
    return std::nullopt;
  }
  return binary;
}

Descriptor open_folder(const std::string& folder, std::string& why_not) {
  if (folder.empty()) {
    why_not = "there is no folder to keep built programs in: set PDRT_CACHE_DIR";
    return Descriptor(-1);
  }
  if (std::string fault = make_folders(folder); !fault.empty()) {
    why_not = "built programs are not kept: " + fault;
    return Descriptor(-1);
  }
  const int number =
      ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (number < 0) {
    why_not = "built programs are not kept: " + folder + ": " + std::strerror(errno);
    return Descriptor(-1);
  }
  struct stat facts;
  if (::fstat(number, &facts) != 0 || !ours_alone(facts)) {
    ::close(number);
    why_not = "built programs are not kept: " + folder +
              " belongs to somebody else, or others may write to it";
    return Descriptor(-1);
  }
  return Descriptor(number);
}

}  // namespace

ProgramCache::ProgramCache(std::string folder, std::uint64_t most_bytes)
    : folder_(std::move(folder)),
      most_bytes_(most_bytes),
      handle_(open_folder(folder_, why_not_)) {}

std::optional<ProgramCache::Bytes> ProgramCache::find(std::string_view name,
                                                      std::string_view key) const {
  if (!handle_.valid()) return std::nullopt;
  // Without waiting: somebody may have put a pipe in the file's place.
  const Descriptor file(::openat(handle_.number(), file_name(name, key).c_str(),
                                 O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat facts;
  if (!file.valid() || ::fstat(file.number(), &facts) != 0 || !S_ISREG(facts.st_mode) ||
      !ours_alone(facts) || static_cast<std::uint64_t>(facts.st_size) > most_bytes_) {
    return std::nullopt;
  }
  auto binary = read_entry(file.number(), static_cast<std::uint64_t>(facts.st_size), key);
  if (binary) ::futimens(file.number(), nullptr);  // used just now: trim() goes by it
  return binary;
}

void ProgramCache::store(std::string_view name, std::string_view key, const Bytes& binary) {
  if (!handle_.valid() || sizeof(Header) + key.size() + binary.size() > most_bytes_) return;
  static std::atomic<unsigned> counter{0};
  const std::string target = file_name(name, key);
  std::string temporary;
  int number = -1;
  do {  // a process of our number may have left one behind
    temporary = target + std::string(kTemporary) + std::to_string(::getpid()) + "-" +
                std::to_string(counter++);
    number = ::openat(handle_.number(), temporary.c_str(),
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  } while (number < 0 && errno == EEXIST);
  Descriptor file(number);
  const bool written = file.valid() && write_entry(file, key, view(binary));
  const auto rename = [&] {
    return ::renameat(handle_.number(), temporary.c_str(), handle_.number(), target.c_str()) == 0;
  };
  // An empty folder in the file's place goes; one with something in it is somebody's.
  if (!written || (!rename() && (::unlinkat(handle_.number(), target.c_str(), AT_REMOVEDIR) != 0 ||
                                 !rename()))) {
    why_not_ =
        "a built program was not kept: " + folder_ + "/" + target + ": " + std::strerror(errno);
    ::unlinkat(handle_.number(), temporary.c_str(), 0);
  }
  trim();
}

void ProgramCache::trim() const {
  struct Entry {
    std::string name;
    std::uint64_t bytes;
    timespec used;
  };
  const int copy = ::openat(handle_.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(copy), ::closedir);
  if (!folder) {
    ::close(copy);
    return;
  }
  std::vector<Entry> entries;
  std::uint64_t total = 0;
  while (const dirent* found = ::readdir(folder.get())) {  // NOLINT: the stream is this call's own
    const std::string name = found->d_name;
    struct stat facts;
    if (::fstatat(handle_.number(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(facts.st_mode) || name.find(kEnding) == std::string::npos) {
      continue;
    }
    if (name.find(kTemporary) != std::string::npos) {
      if (facts.st_mtime + kAbandoned < std::time(nullptr))
        ::unlinkat(handle_.number(), name.c_str(), 0);
      continue;
    }
    total += static_cast<std::uint64_t>(facts.st_size);
    entries.push_back({name, static_cast<std::uint64_t>(facts.st_size), facts.st_mtim});
  }
  if (total <= most_bytes_) return;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.used.tv_sec != b.used.tv_sec ? a.used.tv_sec < b.used.tv_sec
                                          : a.used.tv_nsec < b.used.tv_nsec;
  });
  for (const Entry& entry : entries) {
    if (total <= most_bytes_) break;
    ::unlinkat(handle_.number(), entry.name.c_str(), 0);
    total -= entry.bytes;
  }
}

}  // namespace pdrt::opencl
