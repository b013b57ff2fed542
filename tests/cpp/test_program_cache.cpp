// The folder of built programs: what is damaged or somebody else's is never used, what is used
// stays, and several processes share it.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "check.h"
#include "opencl/program_cache.h"
#include "opencl_work.h"
#include "pdrt/error.h"

namespace {

namespace files = std::filesystem;
using opencl_work::Folder;
using pdrt::opencl::ProgramCache;
using Bytes = ProgramCache::Bytes;

Bytes some(std::size_t count, unsigned char seed) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<unsigned char>(seed + i * 7);
  return bytes;
}

std::string only_file(const std::string& folder) {
  std::string name;
  int count = 0;
  for (const auto& entry : files::directory_iterator(folder)) {
    name = entry.path().string();
    ++count;
  }
  CHECK(count == 1);
  return name;
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

void test_keeps() {
  const Folder folder;
  const std::string inner = folder.path() + "/a/b/opencl";
  ProgramCache cache(inner);
  CHECK(cache.usable() && cache.why_not().empty());
  CHECK(!cache.find("conv", "key"));
  cache.store("conv", "key", some(1000, 1));
  CHECK(cache.find("conv", "key") == some(1000, 1));
  CHECK(!cache.find("conv", "other key") && !cache.find("pool", "key"));
  cache.store("conv", "key", some(10, 2));
  CHECK(cache.find("conv", "key") == some(10, 2));
  CHECK(ProgramCache(inner).find("conv", "key") == some(10, 2));
  struct stat facts;
  CHECK(::stat(inner.c_str(), &facts) == 0 && (facts.st_mode & 0777) == 0700);
  CHECK(::stat(only_file(inner).c_str(), &facts) == 0 && (facts.st_mode & 0777) == 0600);
}

// A bit that is flipped, in any byte, and every byte that is missing is noticed, and a new entry
// heals it.
void test_damage() {
  const Folder folder;
  ProgramCache cache(folder.path());
  cache.store("conv", "key", some(40, 1));
  const std::string path = only_file(folder.path()), whole = content(path);
  int wrong = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    put(path, damaged);
    wrong += cache.find("conv", "key").has_value();
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    put(path, whole.substr(0, size));
    wrong += cache.find("conv", "key").has_value();
  }
  for (const std::string& garbage :
       {std::string("x"), whole + "x", std::string(5000, '\xff'),
        whole.substr(0, 16) + std::string(24, '\xff') + whole.substr(40)}) {
    put(path, garbage);
    wrong += cache.find("conv", "key").has_value();
  }
  CHECK(wrong == 0);
  cache.store("conv", "key", some(40, 1));
  CHECK(cache.find("conv", "key") == some(40, 1));
  CHECK(content(path) == whole);
}

// Things that are not files of ours in the place of one.
void test_other_things() {
  const Folder folder;
  ProgramCache cache(folder.path());
  cache.store("conv", "key", some(40, 1));
  const std::string path = only_file(folder.path()), whole = content(path);
  const auto replaced = [&] { return !cache.find("conv", "key"); };
  const auto heals = [&] {
    cache.store("conv", "key", some(40, 1));
    return cache.find("conv", "key") == some(40, 1);
  };
  ::unlink(path.c_str());
  CHECK(::mkfifo(path.c_str(), 0600) == 0 && replaced() && heals());
  ::unlink(path.c_str());
  put(folder.path() + "/elsewhere", whole);
  CHECK(::symlink("elsewhere", path.c_str()) == 0 && replaced() && heals());
  CHECK(content(folder.path() + "/elsewhere") == whole);
  ::unlink(path.c_str());
  CHECK(::mkdir(path.c_str(), 0700) == 0 && replaced() && heals());
  ::chmod(path.c_str(), 0622);
  CHECK(replaced() && heals());
  if (::geteuid() == 0) {
    CHECK(::chown(path.c_str(), 12345, 12345) == 0 && replaced() && heals());
  }
  ::unlink(path.c_str());
  CHECK(::mkdir(path.c_str(), 0700) == 0);
  put(path + "/full", "x");
  CHECK(replaced() && !heals());
  CHECK(cache.why_not().find("was not kept") != std::string::npos);
}

void test_refused_folders() {
  const auto refused = [](const std::string& path, const char* why) {
    ProgramCache cache(path);
    cache.store("conv", "key", some(40, 1));
    return !cache.usable() && cache.why_not().find(why) != std::string::npos &&
           !cache.find("conv", "key");
  };
  const Folder folder;
  const std::string path = folder.path() + "/opencl";
  CHECK(::mkdir(path.c_str(), 0700) == 0);
  for (const mode_t mode : {0770, 0702, 0777}) {
    ::chmod(path.c_str(), mode);
    CHECK(refused(path, "others may write to it"));
  }
  ::chmod(path.c_str(), 0755);
  CHECK(ProgramCache(path).usable());
  if (::geteuid() == 0) {
    CHECK(::chown(path.c_str(), 12345, 12345) == 0 && refused(path, "belongs to somebody else"));
  }
  CHECK(::symlink("/tmp", (folder.path() + "/link").c_str()) == 0);
  CHECK(refused(folder.path() + "/link", "not kept"));
  put(folder.path() + "/file", "x");
  CHECK(refused(folder.path() + "/file", "not kept"));
  CHECK(refused(folder.path() + "/file/opencl", "not kept"));
  CHECK(refused("/proc/no/such", "not kept"));
  CHECK(refused("", "PDRT_CACHE_DIR"));
}

void age(const std::string& path, int seconds) {
  files::last_write_time(path, files::file_time_type::clock::now() - std::chrono::seconds(seconds));
}

// The entries that were used longest ago go, and temporaries that nobody finished.
void test_size() {
  const Folder folder;
  ProgramCache cache(folder.path(), 4000);
  for (const char* name : {"a", "b", "c"}) cache.store(name, "key", some(1000, 1));
  int seconds = 1000;
  for (const char* name : {"a", "b", "c"}) {
    for (const auto& entry : files::directory_iterator(folder.path())) {
      if (entry.path().filename().string()[0] == *name) age(entry.path().string(), seconds -= 100);
    }
  }
  const std::string left = folder.path() + "/x.bin.tmp-1-1",
                    fresh = folder.path() + "/x.bin.tmp-1-2";
  put(left, "x");
  put(fresh, "x");
  age(left, 7200);
  CHECK(cache.find("a", "key"));  // used: b is the oldest now
  cache.store("d", "key", some(1000, 1));
  CHECK(cache.find("a", "key") && !cache.find("b", "key") && cache.find("c", "key"));
  CHECK(cache.find("d", "key"));
  CHECK(!files::exists(left) && files::exists(fresh));
  cache.store("e", "key", some(5000, 1));  // larger than all there may be
  CHECK(!cache.find("e", "key") && cache.find("d", "key"));
}

// Processes that begin together in an empty folder: each one is this program anew, since OpenCL
// does not survive a fork.
int build_all(const char* folder) {
  using namespace pdrt::opencl;
  try {
    for (const DeviceInfo& info : all_devices()) {
      if (probe(info).works && !opencl_work::runs(Context(info, folder))) return 1;
    }
  } catch (const pdrt::DeviceError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

void test_processes(const char* program) {
  using namespace pdrt::opencl;
  const Folder folder;
  if (all_devices().empty()) return;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl(program, program, folder.path().c_str(), nullptr);
      ::_exit(127);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  for (const DeviceInfo& info : all_devices()) {
    if (!probe(info).works) continue;
    const Context context(info, folder.path());
    CHECK(opencl_work::runs(context));
    CHECK(context.programs().from_disk == 1 && context.programs().built == 0);
    CHECK(context.programs().folder == folder.path() + "/opencl");
  }
  if (!files::exists(folder.path() + "/opencl")) return;  // no device works
  // A folder full of rubbish costs a build, and is mended by it.
  for (const auto& entry : files::directory_iterator(folder.path() + "/opencl")) {
    CHECK(entry.path().string().find(".tmp-") == std::string::npos);
    put(entry.path().string(), "rubbish");
  }
  for (const DeviceInfo& info : all_devices()) {
    if (!probe(info).works) continue;
    for (const int built : {1, 0}) {
      const Context again(info, folder.path());
      CHECK(opencl_work::runs(again) && again.programs().built == built);
    }
  }
}

// Where nothing can be kept everything works all the same.
void test_without_a_folder() {
  using namespace pdrt::opencl;
  for (const DeviceInfo& info : all_devices()) {
    if (!probe(info).works) continue;
    const Context context(info, "/proc/no/such");
    CHECK(opencl_work::runs(context));
    CHECK(context.programs().built == 1 && context.programs().folder.empty());
    CHECK(context.programs().not_kept.find("/proc/no") != std::string::npos);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2) return build_all(arguments[1]);
  test_keeps();
  test_damage();
  test_other_things();
  test_refused_folders();
  test_size();
  test_processes(arguments[0]);
  test_without_a_folder();
  return check::report();
}
