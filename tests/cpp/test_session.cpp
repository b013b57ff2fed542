// Sessions from C++: results that do not depend on threads, sharing between callers, and runs that
// allocate nothing. argv[1], if given, is the model; else the digits network of the package.

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <thread>

#include "check.h"
#include "pdrt/pdrt.h"

namespace {

std::atomic<long> allocations{0};

}  // namespace

// Counts what C++ code allocates in this program; the sanitizers' own checks stay in force below.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const auto step = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(step, (size + step - 1) / step * step)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace {

pdrt::Tensor random_images(std::int64_t count, unsigned seed) {
  pdrt::Tensor images(pdrt::DType::f32, {count, 1, 16, 16});
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> level(0.0f, 1.0f);
  for (std::int64_t i = 0; i < images.count(); ++i) images.as<float>()[i] = level(random);
  return images;
}

bool same_bits(const pdrt::Tensor& a, const pdrt::Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

pdrt::Tensor answer(pdrt::Session& session, const pdrt::Tensor& images) {
  return std::move(session.run({{"image", images.view()}})[0]);
}

void threads_do_not_change_a_bit(const pdrt::Model& model) {
  const pdrt::Tensor images = random_images(3, 1);
  pdrt::Options one;
  one.threads = 1;
  pdrt::Session serial(model, one);
  const pdrt::Tensor expected = answer(serial, images);
  for (int threads : {2, 3, 5}) {
    pdrt::Options several;
    several.threads = threads;
    pdrt::Session session(model, several);
    CHECK(same_bits(answer(session, images), expected));
  }
}

// Several callers on one session and on one pool, with batches of different sizes.
void callers_share(const pdrt::Model& model) {
  pdrt::Options options;
  options.threads = 2;
  pdrt::Session session(model, options);
  constexpr int kCallers = 4, kRounds = 12;
  std::vector<pdrt::Tensor> images, expected;
  for (unsigned caller = 0; caller < kCallers; ++caller) {
    images.push_back(random_images(1 + caller % 2 * 5, caller));
    expected.push_back(answer(session, images.back()));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int round = 0; round < kRounds; ++round) {
        if (!same_bits(answer(session, images[caller]), expected[caller])) ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

void runs_allocate_nothing(const pdrt::Model& model) {
  for (int threads : {1, 2}) {
    pdrt::Options options;
    options.threads = threads;
    pdrt::Session session(model, options);
    const pdrt::Tensor images = random_images(4, 7);
    pdrt::Tensor logits(pdrt::DType::f32, {4, 10});
    const std::vector<pdrt::TensorView> inputs{images.view()}, outputs{logits.view()};
    pdrt::RunStats stats;
    for (int warm = 0; warm < 3; ++warm) session.run_into(inputs, outputs, &stats);
    const long before = allocations.load();
    for (int round = 0; round < 20; ++round) session.run_into(inputs, outputs, &stats);
    CHECK(allocations.load() == before);
    CHECK(stats.macs_executed > 0);
    CHECK(stats.macs_executed < stats.macs_dense);
  }
}

void buffers_are_checked(const pdrt::Model& model) {
  pdrt::Session session(model);
  const pdrt::Tensor images = random_images(2, 9);
  pdrt::Tensor small(pdrt::DType::f32, {1, 10});
  CHECK_THROWS(session.run_into({images.view()}, {small.view()}), pdrt::InputError, "2x10");
  CHECK_THROWS(session.run_into({}, {small.view()}), pdrt::InputError, "0 inputs given");
  CHECK_THROWS(session.run({{"picture", images.view()}}), pdrt::InputError, "'picture'");
  CHECK_THROWS(session.run({}), pdrt::InputError, "'image'");
  const pdrt::Tensor empty(pdrt::DType::f32, {0, 1, 16, 16});
  CHECK_THROWS(session.run({{"image", empty.view()}}), pdrt::InputError, "nothing to compute");
}

void options_are_checked(const pdrt::Model& model) {
  pdrt::Options options;
  options.threads = -1;
  CHECK_THROWS(pdrt::Session(model, options), pdrt::InputError, "-1");
  options = {};
  options.device = "opencl:99";
  CHECK_THROWS(pdrt::Session(model, options), pdrt::DeviceError, "opencl");
  options = {};
  options.precision = "float16";
  CHECK_THROWS(pdrt::Session(model, options), pdrt::InputError, "'float16'");
  options = {};
  options.switches = "everywhere";
  CHECK_THROWS(pdrt::Session(model, options), pdrt::InputError, "'everywhere'");
  options = {};
  options.fallback = "silence";
  CHECK_THROWS(pdrt::Session(model, options), pdrt::InputError, "'silence'");
  options = {};
  options.outputs = {"nothing"};
  CHECK_THROWS(pdrt::Session(model, options), pdrt::InputError, "'nothing'");
}

// Saved and loaded again, the model gives the same bits; the session outlives the Model it was made
// from.
void sessions_keep_their_model(const pdrt::Model& model) {
  const pdrt::Tensor images = random_images(1, 3);
  pdrt::Session first(model);
  auto second = [&] { return pdrt::Session(pdrt::Model(model)); }();
  CHECK(same_bits(answer(first, images), answer(second, images)));
}

}  // namespace

int main(int argc, char** argv) {
  const pdrt::Model model = pdrt::Model::load(argc > 1 ? argv[1] : PDRT_DIGITS);
  threads_do_not_change_a_bit(model);
  callers_share(model);
  runs_allocate_nothing(model);
  buffers_are_checked(model);
  options_are_checked(model);
  sessions_keep_their_model(model);
  return check::report();
}
