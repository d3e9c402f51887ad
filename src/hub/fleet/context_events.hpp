// Between the links and the context of devices: pieces of messages, and nothing of what they say (hub/context does).
//
// Thread: loop. Views end with the call.
#pragma once

#include <string>

#include "hub/store/archive.hpp"
#include "link/message.hpp"

namespace tideline::hub {

class ContextEvents {
 public:
  virtual ~ContextEvents() = default;
  virtual void on_context(DeviceKey device, const link::ContextFrame& frame) = 0;
  /// A link of the device began or ended: what was said on an older one counts no more.
  virtual void on_context_link(DeviceKey device, bool is_online) = 0;
};

class ContextLinks {
 public:
  virtual ~ContextLinks() = default;
  /// Bytes that may be queued to a device now: 0 when it is not online or does not read what it was sent.
  virtual size_t call_room(DeviceKey device) = 0;
  /// Errors: closed.
  virtual Status send(DeviceKey device, const link::ContextFrame& frame) = 0;
  /// Not within on_context().
  virtual void dismiss(DeviceKey device, link::ByeCode code, const std::string& reason) = 0;
};

}  // namespace tideline::hub
