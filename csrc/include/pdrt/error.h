// The three ways pdrt can refuse. Every message names the file, node, operator, shape or device.
#pragma once

#include <stdexcept>
#include <string>

namespace pdrt {

// Base of everything pdrt throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The model (its file, graph, operators or weights) cannot be accepted.
class ModelError : public Error {
 public:
  using Error::Error;
};

// The caller's input (name, shape, dtype, option) cannot be accepted.
class InputError : public Error {
 public:
  using Error::Error;
};

// The device, or a part of it that was asked for, cannot do the work.
class DeviceError : public Error {
 public:
  using Error::Error;
};

}  // namespace pdrt
