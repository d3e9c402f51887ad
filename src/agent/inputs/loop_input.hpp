// An input that lives on the loop, because what it reads comes by itself: a program, a serial line, a GPIO line.
//
// Owned by Inputs. Thread: loop.
#pragma once

#include "agent/inputs/input_status.hpp"

namespace tideline::agent {

class LoopInput {
 public:
  virtual ~LoopInput() = default;
  /// Its interval passed: it starts, or tries again, or looks.
  virtual void run() = 0;
  /// Gives up what it holds; no reading afterwards.
  virtual void stop() = 0;
  /// The sink takes readings again.
  virtual void on_room() {}
  virtual const InputStatus& status() const = 0;
};

}  // namespace tideline::agent
