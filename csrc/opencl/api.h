// The part of OpenCL 1.2 that pdrt calls: types, numbers and functions as the specification gives
// them. Nothing is linked; library.h finds the functions at run time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pdrt::opencl {

using cl_int = std::int32_t;
using cl_uint = std::uint32_t;
using cl_ulong = std::uint64_t;
using cl_bool = cl_uint;
using cl_bitfield = cl_ulong;
using cl_properties = std::intptr_t;

using cl_platform_id = struct PlatformObject*;
using cl_device_id = struct DeviceObject*;
using cl_context = struct ContextObject*;
using cl_command_queue = struct QueueObject*;
using cl_mem = struct MemoryObject*;
using cl_program = struct ProgramObject*;
using cl_kernel = struct KernelObject*;
using cl_event = struct EventObject*;

// Status codes that pdrt looks at; error.cpp has the names of all.
constexpr cl_int kSuccess = 0, kDeviceNotFound = -1, kMemObjectAllocationFailure = -4,
                 kOutOfResources = -5, kOutOfHostMemory = -6, kBuildProgramFailure = -11,
                 kExecStatusError = -14, kInvalidValue = -30, kInvalidBinary = -42,
                 kInvalidBufferSize = -61, kPlatformNotFound = -1001;

// Questions about platforms and devices.
constexpr cl_uint kPlatformVersion = 0x0901, kPlatformName = 0x0902;
constexpr cl_bitfield kDeviceTypeCpu = 2, kDeviceTypeGpu = 4, kDeviceTypeAccelerator = 8,
                      kDeviceTypeAll = 0xFFFFFFFF;
constexpr cl_uint kDeviceType = 0x1000, kDeviceVendorId = 0x1001, kDeviceComputeUnits = 0x1002,
                  kDeviceMaxGroupSize = 0x1004, kDeviceMaxItemSizes = 0x1005,
                  kDeviceClockMhz = 0x100C, kDeviceMaxAllocation = 0x1010,
                  kDeviceGlobalMemory = 0x101F, kDeviceLocalMemory = 0x1023,
                  kDeviceAvailable = 0x1027, kDeviceCompilerAvailable = 0x1028,
                  kDeviceName = 0x102B, kDeviceVendor = 0x102C, kDriverVersion = 0x102D,
                  kDeviceVersion = 0x102F, kDeviceExtensions = 0x1030, kDevicePlatform = 0x1031,
                  kDeviceUnifiedMemory = 0x1035;

// Questions about objects.
constexpr cl_uint kContextDevices = 0x1081, kQueueContext = 0x1090, kQueueDevice = 0x1091,
                  kQueueProperties = 0x1093, kMemSize = 0x1102, kMemContext = 0x1106,
                  kProgramBinarySizes = 0x1165, kProgramBinaries = 0x1166, kBuildLog = 0x1183,
                  kKernelGroupSize = 0x11B0, kKernelPreferredMultiple = 0x11B3,
                  kEventCommand = 0x11D1, kEventStatus = 0x11D3;
constexpr cl_uint kCommandLaunch = 0x11F0, kCommandRead = 0x11F3, kCommandWrite = 0x11F4,
                  kCommandCopy = 0x11F5, kCommandMap = 0x11FB, kCommandUnmap = 0x11FD,
                  kCommandFill = 0x1207;
constexpr cl_uint kProfilingQueued = 0x1280, kProfilingSubmit = 0x1281, kProfilingStart = 0x1282,
                  kProfilingEnd = 0x1283;

constexpr cl_properties kContextPlatform = 0x1084;
constexpr cl_bitfield kQueueOutOfOrder = 1, kQueueProfiling = 2;
constexpr cl_bitfield kMemReadWrite = 1, kMemAllocHost = 16;
constexpr cl_bitfield kMapRead = 1, kMapWrite = 2;
constexpr cl_int kComplete = 0;

// One pointer for each function pdrt calls, named like it: create_buffer is clCreateBuffer.
struct Api {
  cl_int (*get_platform_ids)(cl_uint, cl_platform_id*, cl_uint*);
  cl_int (*get_platform_info)(cl_platform_id, cl_uint, std::size_t, void*, std::size_t*);
  cl_int (*get_device_ids)(cl_platform_id, cl_bitfield, cl_uint, cl_device_id*, cl_uint*);
  cl_int (*get_device_info)(cl_device_id, cl_uint, std::size_t, void*, std::size_t*);

  cl_context (*create_context)(const cl_properties*, cl_uint, const cl_device_id*,
                               void (*)(const char*, const void*, std::size_t, void*), void*,
                               cl_int*);
  cl_int (*retain_context)(cl_context);
  cl_int (*release_context)(cl_context);
  cl_int (*get_context_info)(cl_context, cl_uint, std::size_t, void*, std::size_t*);

  cl_command_queue (*create_command_queue)(cl_context, cl_device_id, cl_bitfield, cl_int*);
  cl_int (*retain_command_queue)(cl_command_queue);
  cl_int (*release_command_queue)(cl_command_queue);
  cl_int (*get_command_queue_info)(cl_command_queue, cl_uint, std::size_t, void*, std::size_t*);

  cl_mem (*create_buffer)(cl_context, cl_bitfield, std::size_t, void*, cl_int*);
  cl_int (*retain_mem_object)(cl_mem);
  cl_int (*release_mem_object)(cl_mem);
  cl_int (*get_mem_object_info)(cl_mem, cl_uint, std::size_t, void*, std::size_t*);

  cl_program (*create_program_with_source)(cl_context, cl_uint, const char**, const std::size_t*,
                                           cl_int*);
  cl_program (*create_program_with_binary)(cl_context, cl_uint, const cl_device_id*,
                                           const std::size_t*, const unsigned char**, cl_int*,
                                           cl_int*);
  cl_int (*retain_program)(cl_program);
  cl_int (*release_program)(cl_program);
  cl_int (*build_program)(cl_program, cl_uint, const cl_device_id*, const char*,
                          void (*)(cl_program, void*), void*);
  cl_int (*get_program_info)(cl_program, cl_uint, std::size_t, void*, std::size_t*);
  cl_int (*get_program_build_info)(cl_program, cl_device_id, cl_uint, std::size_t, void*,
                                   std::size_t*);

  cl_kernel (*create_kernel)(cl_program, const char*, cl_int*);
  cl_int (*retain_kernel)(cl_kernel);
  cl_int (*release_kernel)(cl_kernel);
  cl_int (*set_kernel_arg)(cl_kernel, cl_uint, std::size_t, const void*);
  cl_int (*get_kernel_work_group_info)(cl_kernel, cl_device_id, cl_uint, std::size_t, void*,
                                       std::size_t*);

  cl_int (*enqueue_nd_range_kernel)(cl_command_queue, cl_kernel, cl_uint, const std::size_t*,
                                    const std::size_t*, const std::size_t*, cl_uint,
                                    const cl_event*, cl_event*);
  cl_int (*enqueue_read_buffer)(cl_command_queue, cl_mem, cl_bool, std::size_t, std::size_t, void*,
                                cl_uint, const cl_event*, cl_event*);
  cl_int (*enqueue_write_buffer)(cl_command_queue, cl_mem, cl_bool, std::size_t, std::size_t,
                                 const void*, cl_uint, const cl_event*, cl_event*);
  cl_int (*enqueue_copy_buffer)(cl_command_queue, cl_mem, cl_mem, std::size_t, std::size_t,
                                std::size_t, cl_uint, const cl_event*, cl_event*);
  cl_int (*enqueue_fill_buffer)(cl_command_queue, cl_mem, const void*, std::size_t, std::size_t,
                                std::size_t, cl_uint, const cl_event*, cl_event*);
  void* (*enqueue_map_buffer)(cl_command_queue, cl_mem, cl_bool, cl_bitfield, std::size_t,
                              std::size_t, cl_uint, const cl_event*, cl_event*, cl_int*);
  cl_int (*enqueue_unmap_mem_object)(cl_command_queue, cl_mem, void*, cl_uint, const cl_event*,
                                     cl_event*);
  cl_int (*enqueue_marker_with_wait_list)(cl_command_queue, cl_uint, const cl_event*, cl_event*);
  cl_int (*flush)(cl_command_queue);
  cl_int (*finish)(cl_command_queue);

  cl_int (*wait_for_events)(cl_uint, const cl_event*);
  cl_int (*retain_event)(cl_event);
  cl_int (*release_event)(cl_event);
  cl_int (*get_event_info)(cl_event, cl_uint, std::size_t, void*, std::size_t*);
  cl_int (*get_event_profiling_info)(cl_event, cl_uint, std::size_t, void*, std::size_t*);
};

}  // namespace pdrt::opencl
