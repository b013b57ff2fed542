// Owners of OpenCL objects: a copy retains, the end releases.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "opencl/error.h"
#include "opencl/library.h"

namespace pdrt::opencl {

// How an object is retained and released.
template <typename Object>
struct Lifetime;
template <>
struct Lifetime<cl_context> {
  static constexpr auto retain = &Api::retain_context;
  static constexpr auto release = &Api::release_context;
  static constexpr std::string_view retaining = "clRetainContext";
};
template <>
struct Lifetime<cl_command_queue> {
  static constexpr auto retain = &Api::retain_command_queue;
  static constexpr auto release = &Api::release_command_queue;
  static constexpr std::string_view retaining = "clRetainCommandQueue";
};
template <>
struct Lifetime<cl_mem> {
  static constexpr auto retain = &Api::retain_mem_object;
  static constexpr auto release = &Api::release_mem_object;
  static constexpr std::string_view retaining = "clRetainMemObject";
};
template <>
struct Lifetime<cl_program> {
  static constexpr auto retain = &Api::retain_program;
  static constexpr auto release = &Api::release_program;
  static constexpr std::string_view retaining = "clRetainProgram";
};
template <>
struct Lifetime<cl_kernel> {
  static constexpr auto retain = &Api::retain_kernel;
  static constexpr auto release = &Api::release_kernel;
  static constexpr std::string_view retaining = "clRetainKernel";
};
template <>
struct Lifetime<cl_event> {
  static constexpr auto retain = &Api::retain_event;
  static constexpr auto release = &Api::release_event;
  static constexpr std::string_view retaining = "clRetainEvent";
};

// How many handles this process holds, for tests that look for leaks.
std::int64_t live_objects();
void count_objects(std::int64_t change) noexcept;

template <typename Object>
class Handle {
 public:
  Handle() = default;
  // Takes over what the caller created.
  static Handle own(const Api& api, Object object) {
    Handle handle;
    handle.api_ = &api;
    handle.object_ = object;
    if (object != nullptr) count_objects(1);
    return handle;
  }
  // Shares what belongs to somebody else.
  static Handle share(const Api& api, Object object) {
    check((api.*Lifetime<Object>::retain)(object), Lifetime<Object>::retaining);
    return own(api, object);
  }

  Handle(const Handle& other) {
    *this = other.object_ ? share(*other.api_, other.object_) : Handle();
  }
  Handle(Handle&& other) noexcept
      : api_(other.api_), object_(std::exchange(other.object_, nullptr)) {}
  Handle& operator=(const Handle& other) {
    Handle copy(other);
    swap(copy);
    return *this;
  }
  Handle& operator=(Handle&& other) noexcept {
    Handle taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Handle() {
    if (object_ == nullptr) return;
    (api_->*Lifetime<Object>::release)(object_);  // nothing sensible follows from a failure
    count_objects(-1);
  }

  Object get() const { return object_; }
  const Api& api() const { return *api_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  void swap(Handle& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(object_, other.object_);
  }

  const Api* api_ = nullptr;
  Object object_ = nullptr;
};

}  // namespace pdrt::opencl
