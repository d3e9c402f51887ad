// The way to devices, kept instead of sent. Device 1 is online.
#pragma once

#include <string>
#include <vector>

#include "hub/mcp/device_calls.hpp"

namespace tideline::test {

class FakeLinks final : public hub::DeviceCalls::Links {
 public:
  size_t call_room(hub::DeviceKey device) override { return device == 1 ? room : 0; }
  Status send(hub::DeviceKey, const link::CallFrame& frame) override {
    pieces.push_back(frame.text.size());
    text.append(as_text(frame.text));
    last = frame;
    names.push_back(frame.task);
    return {};
  }
  Status send(hub::DeviceKey, const link::CancelFrame& frame) override {
    cancelled.push_back(frame.call);
    return {};
  }
  size_t room = limits::link_call_queue_bytes;
  std::vector<size_t> pieces;
  std::string text;
  std::vector<std::string> names;
  link::CallFrame last;
  std::vector<uint64_t> cancelled;
};

}  // namespace tideline::test
