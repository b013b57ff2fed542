// Finding OpenCL at run time. Nothing is linked against it: a machine without it runs on the CPU.
#pragma once

#include <string>
#include <vector>

#include "opencl/api.h"

namespace pdrt::opencl {

struct Library {
  std::string path;  // as dlopen was given it
  Api api;
};

// A place that was looked at, and why nothing came of it; empty where it is the one in use.
struct Attempt {
  std::string path, why;
};

inline constexpr char kNotThere[] = "not there";  // the commonest `why`

// The library in use, or nullptr where there is none. $PDRT_OPENCL_LIBRARY, where it is set, is the
// only place looked at. Else the first of the system's places and the candidates that knows a
// platform, or the first that loads where none does. Once found it stays, and is never unloaded.
const Library* library();

// One more place to look at, behind the system's own. Of no effect once a library was found.
void add_library_candidate(std::string path);

// Everything looked at so far, in order.
std::vector<Attempt> tried();

// The functions; throws DeviceError naming the places where there is no library.
const Api& api();

}  // namespace pdrt::opencl
