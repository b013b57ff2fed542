#include "opencl/queue.h"

#include <string>

#include "opencl/query.h"

namespace pdrt::opencl {
namespace {

// Lends a place for the command's event where the caller wants it, and hands it over afterwards.
class EventSlot {
 public:
  EventSlot(const Api& cl, Event* event) : cl_(cl), event_(event) {}
  cl_event* place() { return event_ ? &raw_ : nullptr; }
  void done() {
    if (event_) *event_ = Event(Handle<cl_event>::own(cl_, raw_));
  }

 private:
  const Api& cl_;
  Event* event_;
  cl_event raw_ = nullptr;
};

std::string text_of(const std::array<std::size_t, 3>& sizes) {
  return std::to_string(sizes[0]) + "x" + std::to_string(sizes[1]) + "x" + std::to_string(sizes[2]);
}

std::string place_of(const Buffer& buffer, std::size_t offset, std::size_t bytes) {
  return std::to_string(bytes) + " bytes at " + std::to_string(offset) + " of a buffer of " +
         std::to_string(buffer.bytes());
}

}  // namespace

// ---- events

void Event::wait() const {
  cl_event event = handle_.get();
  const cl_int code = handle_.api().wait_for_events(1, &event);
  if (code == kSuccess) return;
  const cl_int own = code == kExecStatusError ? status() : code;
  if (own < 0) fail(own, "a command of the queue");
  fail(code, "clWaitForEvents");
}

bool Event::done() const {
  const cl_int now = status();
  if (now < 0) fail(now, "a command of the queue");
  return now == kComplete;
}

cl_int Event::status() const {
  const auto ask = [&](auto... rest) {
    return handle_.api().get_event_info(handle_.get(), rest...);
  };
  return query<cl_int>(ask, kEventStatus, "clGetEventInfo");
}

cl_uint Event::command() const {
  const auto ask = [&](auto... rest) {
    return handle_.api().get_event_info(handle_.get(), rest...);
  };
  return query<cl_uint>(ask, kEventCommand, "clGetEventInfo");
}

std::uint64_t Event::time(cl_uint which) const {
  const auto ask = [&](auto... rest) {
    return handle_.api().get_event_profiling_info(handle_.get(), rest...);
  };
  return query<cl_ulong>(ask, which, "clGetEventProfilingInfo");
}

// ---- the queue

void Queue::launch(const Kernel& kernel, const Range& range, Event* event) const {
  EventSlot slot(handle_.api(), event);
  const cl_int code = handle_.api().enqueue_nd_range_kernel(handle_.get(), kernel.get(), 3, nullptr,
                                                            range.global.data(), range.local.data(),
                                                            0, nullptr, slot.place());
  if (code != kSuccess) {
    fail(code, "clEnqueueNDRangeKernel",
         "kernel '" + std::string(kernel.name()) + "' over " + text_of(range.global) +
             " work-items in groups of " + text_of(range.local));
  }
  slot.done();
}

void Queue::write(const Buffer& to, std::size_t offset, const void* from, std::size_t bytes,
                  bool blocking, Event* event) const {
  if (bytes == 0) return;
  EventSlot slot(handle_.api(), event);
  const cl_int code = handle_.api().enqueue_write_buffer(handle_.get(), to.get(), blocking, offset,
                                                         bytes, from, 0, nullptr, slot.place());
  if (code != kSuccess) fail(code, "clEnqueueWriteBuffer", place_of(to, offset, bytes));
  slot.done();
}

void Queue::read(const Buffer& from, std::size_t offset, void* to, std::size_t bytes, bool blocking,
                 Event* event) const {
  if (bytes == 0) return;
  EventSlot slot(handle_.api(), event);
  const cl_int code = handle_.api().enqueue_read_buffer(handle_.get(), from.get(), blocking, offset,
                                                        bytes, to, 0, nullptr, slot.place());
  if (code != kSuccess) fail(code, "clEnqueueReadBuffer", place_of(from, offset, bytes));
  slot.done();
}

void Queue::copy(const Buffer& from, std::size_t from_offset, const Buffer& to,
                 std::size_t to_offset, std::size_t bytes, Event* event) const {
  if (bytes == 0) return;
  EventSlot slot(handle_.api(), event);
  const cl_int code = handle_.api().enqueue_copy_buffer(
      handle_.get(), from.get(), to.get(), from_offset, to_offset, bytes, 0, nullptr, slot.place());
  if (code != kSuccess) {
    fail(code, "clEnqueueCopyBuffer",
         place_of(from, from_offset, bytes) + ", to " + place_of(to, to_offset, bytes));
  }
  slot.done();
}

void Queue::fill(const Buffer& buffer, std::size_t offset, std::size_t bytes, std::uint8_t value,
                 Event* event) const {
  if (bytes == 0) return;
  EventSlot slot(handle_.api(), event);
  const cl_int code = handle_.api().enqueue_fill_buffer(
      handle_.get(), buffer.get(), &value, sizeof value, offset, bytes, 0, nullptr, slot.place());
  if (code != kSuccess) fail(code, "clEnqueueFillBuffer", place_of(buffer, offset, bytes));
  slot.done();
}

void Queue::fill_words(const Buffer& buffer, std::size_t offset, std::size_t bytes,
                       std::uint32_t value, Event* event) const {
  if (bytes == 0) return;
  EventSlot slot(handle_.api(), event);
  const cl_int code = handle_.api().enqueue_fill_buffer(
      handle_.get(), buffer.get(), &value, sizeof value, offset, bytes, 0, nullptr, slot.place());
  if (code != kSuccess) fail(code, "clEnqueueFillBuffer", place_of(buffer, offset, bytes));
  slot.done();
}

void* Queue::map(const Buffer& buffer, std::size_t offset, std::size_t bytes, bool for_reading,
                 bool for_writing, bool blocking, Event* event) const {
  EventSlot slot(handle_.api(), event);
  const cl_bitfield access = (for_reading ? kMapRead : 0) | (for_writing ? kMapWrite : 0);
  cl_int code = kSuccess;
  void* mapped = handle_.api().enqueue_map_buffer(handle_.get(), buffer.get(), blocking, access,
                                                  offset, bytes, 0, nullptr, slot.place(), &code);
  if (code != kSuccess) fail(code, "clEnqueueMapBuffer", place_of(buffer, offset, bytes));
  slot.done();
  return mapped;
}

void Queue::unmap(const Buffer& buffer, void* mapped, Event* event) const {
  EventSlot slot(handle_.api(), event);
  check(handle_.api().enqueue_unmap_mem_object(handle_.get(), buffer.get(), mapped, 0, nullptr,
                                               slot.place()),
        "clEnqueueUnmapMemObject");
  slot.done();
}

void Queue::flush() const { check(handle_.api().flush(handle_.get()), "clFlush"); }
void Queue::finish() const { check(handle_.api().finish(handle_.get()), "clFinish"); }

Event Queue::marker() const {
  Event event;
  EventSlot slot(handle_.api(), &event);
  check(handle_.api().enqueue_marker_with_wait_list(handle_.get(), 0, nullptr, slot.place()),
        "clEnqueueMarkerWithWaitList");
  slot.done();
  return event;
}

Drain::~Drain() {
  if (queue_) queue_.api().finish(queue_.get());  // who needs to know calls finish() before
}

}  // namespace pdrt::opencl
