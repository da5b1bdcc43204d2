// While one exists, the device works: its memory may be touched.
#pragma once

#include "device.hpp"

namespace standin {

class Device::Turn {
 public:
  explicit Turn(Device& device);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Device& device_;
};

}  // namespace standin
