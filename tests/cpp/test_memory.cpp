// Memory: runs allocate nothing, not even through malloc, whatever steps they are made of; and
// pages of a file that a plan has done with can be given back.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "model/mapped_file.h"
#include "pdrt/pdrt.h"

namespace {

std::atomic<long> allocations{0};

}  // namespace

// All memory of this program comes through these, except where a sanitizer has its own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr bool kCounting = true;

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  ++allocations;
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}
#else
constexpr bool kCounting = false;
#endif

namespace {

using pdrt::DType;

using Integers = std::vector<std::int64_t>;

// A network with every kind of step: convolutions with and without a stride, grouped and
// depthwise, pools, a concatenation, additions, fully connected layers, an operator that runs as
// its reference; and, with `gated`, a switch on the two widest layers.
class Network {
 public:
  explicit Network(bool gated) {
    writer_.input("image", DType::f32, {"N", 3, 32, 32});
    convolution("stem", "image", 3, 16, 3, 2);
    activate("stem");
    convolution("wide", "stem_on", 16, 48, 3, 1);
    activate("wide");
    const std::string wide = gated ? switched("wide_on", "stem_on", 16, 48) : "wide_on";
    convolution("across", wide, 48, 48, 3, 1, 48);
    activate("across");
    convolution("narrow", "across_on", 48, 16, 1, 1);
    writer_.node("sum", "Add", {"narrow", "stem_on"}, {"sum"});
    writer_.node("pool", "MaxPool", {"sum"}, {"pool"},
                 {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}});
    convolution("left", "pool", 16, 24, 1, 1);
    convolution("right", "pool", 16, 24, 3, 1, 2);
    activate("right");
    const std::string right = gated ? switched("right_on", "pool", 16, 24) : "right_on";
    writer_.node("both", "Concat", {"left", right}, {"both"}, {{"axis", std::int64_t{1}}});
    writer_.node("mean", "GlobalAveragePool", {"both"}, {"mean"});
    writer_.node("flat", "Flatten", {"mean"}, {"flat"});
    writer_.tensor("rows", random({10, 48}).view());
    writer_.node("scores", "Gemm", {"flat", "rows"}, {"scores"}, {{"transB", std::int64_t{1}}});
    writer_.node("shares", "Softmax", {"scores"}, {"shares"}, {{"axis", std::int64_t{1}}});
    writer_.output("shares");
  }

  pdrt::Model model() const { return writer_.model(); }

 private:
  pdrt::Tensor random(const pdrt::Shape& shape) {
    pdrt::Tensor values(DType::f32, shape);
    std::normal_distribution<float> normal(0.0f, 0.3f);
    for (std::int64_t i = 0; i < values.count(); ++i) values.as<float>()[i] = normal(random_);
    return values;
  }

  void convolution(const std::string& name, const std::string& input, std::int64_t channels,
                   std::int64_t kernels, std::int64_t size, std::int64_t stride,
                   std::int64_t groups = 1) {
    writer_.tensor(name + ".w", random({kernels, channels / groups, size, size}).view());
    const std::int64_t pad = size / 2;
    writer_.node(name, "Conv", {input, name + ".w"}, {name},
                 {{"pads", Integers{pad, pad, pad, pad}},
                  {"strides", Integers{stride, stride}},
                  {"group", groups}});
  }

  void activate(const std::string& name) {
    writer_.node(name + "_on", "Relu", {name}, {name + "_on"});
  }

  // `value` times a gate that looks at `source`.
  std::string switched(const std::string& value, const std::string& source, std::int64_t channels,
                       std::int64_t kernels) {
    const std::string name = value + ".gate";
    writer_.node(name + ".mean", "GlobalAveragePool", {source}, {name + ".mean"});
    convolution(name, name + ".mean", channels, kernels, 1, 1);
    pdrt::Tensor zero(DType::f32, {1});
    zero.as<float>()[0] = 0;
    writer_.tensor(name + ".zero", zero.view());
    writer_.node(name + ".above", "Greater", {name, name + ".zero"}, {name + ".above"});
    writer_.node(name + ".number", "Cast", {name + ".above"}, {name + ".number"},
                 {{"to", std::int64_t{1}}});
    writer_.node(name + ".product", "Mul", {value, name + ".number"}, {name + ".product"});
    return name + ".product";
  }

  pdrt::ModelWriter writer_;
  std::mt19937 random_{5};
};

pdrt::Tensor images(std::int64_t count) {
  pdrt::Tensor images(DType::f32, {count, 3, 32, 32});
  std::mt19937 random(8);
  std::normal_distribution<float> normal;
  for (std::int64_t i = 0; i < images.count(); ++i) images.as<float>()[i] = normal(random);
  return images;
}

void runs_allocate_nothing() {
  for (const bool gated : {false, true}) {
    const pdrt::Model model = Network(gated).model();
    for (const int threads : {1, 2}) {
      for (const bool profile : {false, true}) {
        pdrt::Options options;
        options.threads = threads;
        options.profile = profile;
        pdrt::Session session(model, options);
        for (const std::int64_t count : {1, 3}) {
          const pdrt::Tensor batch = images(count);
          pdrt::Tensor shares(DType::f32, {count, 10});
          const std::vector<pdrt::TensorView> inputs{batch.view()}, outputs{shares.view()};
          pdrt::RunStats stats;
          for (int warm = 0; warm < 3; ++warm) session.run_into(inputs, outputs, &stats);
          const long before = allocations.load();
          for (int round = 0; round < 10; ++round) session.run_into(inputs, outputs, &stats);
          for (int round = 0; round < 10; ++round) session.run_into(inputs, outputs);
          CHECK(allocations.load() == before);
          CHECK((allocations.load() > 0) == kCounting);
          CHECK((stats.macs_executed < stats.macs_dense) == gated);
        }
      }
    }
  }
}

// Two batch sizes in turn: each plan keeps what it has, the second is not made anew.
void changing_shapes_allocates_little() {
  pdrt::Session session(Network(true).model());
  const pdrt::Tensor one = images(1), three = images(3);
  pdrt::Tensor shares(DType::f32, {1, 10}), more(DType::f32, {3, 10});
  const auto both = [&] {
    session.run_into({one.view()}, {shares.view()});
    session.run_into({three.view()}, {more.view()});
  };
  for (int warm = 0; warm < 3; ++warm) both();
  const long before = allocations.load();
  both();
  CHECK(allocations.load() - before < 60);  // lists of views and shapes; a plan takes thousands
}

// Whether the page is in this process's own table of pages.
bool present(const void* at) {
  const int file = ::open("/proc/self/pagemap", O_RDONLY);
  if (file < 0) return false;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  std::uint64_t entry = 0;
  const auto place = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(at) / page * 8);
  const bool read = ::pread(file, &entry, sizeof entry, place) == sizeof entry;
  ::close(file);
  return read && (entry >> 63) != 0;
}

void pages_are_given_back() {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::string path =
      (std::filesystem::temp_directory_path() / ("pdrt-pages-" + std::to_string(::getpid())))
          .string();
  std::vector<unsigned char> content(64 * page);
  std::mt19937 random(3);
  for (unsigned char& byte : content) byte = static_cast<unsigned char>(random());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CHECK(::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  ::close(file);
  {
    const auto bytes = pdrt::FileBytes::map(path);
    const auto same = [&] {
      return std::memcmp(bytes->data(), content.data(), content.size()) == 0;
    };
    CHECK(same());
    const bool visible = present(bytes->data());  // not where /proc is not mounted
    // Starts and ends within pages: these hold something else, too, and stay.
    bytes->release(bytes->data() + 8 * page + 1, 20 * page);
    if (visible) {
      CHECK(present(bytes->data() + 8 * page));
      CHECK(!present(bytes->data() + 9 * page));
      CHECK(!present(bytes->data() + 27 * page));
      CHECK(present(bytes->data() + 28 * page));
    }
    // All pages that are touched; neighbours may come along. Linux can from 5.14 on.
    bytes->fetch(bytes->data() + 12 * page + 5, 2 * page);
    const bool fetched = present(bytes->data() + 12 * page) && present(bytes->data() + 13 * page) &&
                         present(bytes->data() + 14 * page);
    constexpr int kPopulateRead = 22;
    void* const probe = const_cast<unsigned char*>(bytes->data());
    if (visible && ::madvise(probe, page, kPopulateRead) == 0) CHECK(fetched);
    bytes->release(bytes->data() + 40 * page + 1, page);  // no whole page
    if (visible) CHECK(present(bytes->data() + 40 * page) && present(bytes->data() + 41 * page));
    // Elsewhere, or only partly this file's.
    std::vector<unsigned char> heap(content);
    bytes->release(heap.data(), heap.size());
    bytes->fetch(heap.data(), heap.size());
    bytes->fetch(bytes->data() + 63 * page, 2 * page);
    bytes->release(bytes->data() + 60 * page, 5 * page);
    CHECK(heap == content);
    if (visible) CHECK(present(bytes->data() + 62 * page));
    CHECK(same());
    const auto copy = pdrt::FileBytes::copy_of(content.data(), content.size(), "copy");
    copy->release(copy->data(), copy->size());
    CHECK(std::memcmp(copy->data(), content.data(), content.size()) == 0);
  }
  std::filesystem::remove(path);
}

}  // namespace

int main() {
  runs_allocate_nothing();
  changing_shapes_allocates_little();
  pages_are_given_back();
  return check::report();
}
