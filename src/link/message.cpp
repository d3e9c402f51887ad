#include "link/message.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace tideline::link {

const char* frame_name(FrameType type) {
  switch (type) {
    case FrameType::hello: return "hello";
    case FrameType::welcome: return "welcome";
    case FrameType::series: return "series";
    case FrameType::block: return "block";
    case FrameType::gap: return "gap";
    case FrameType::ack: return "ack";
    case FrameType::nack: return "nack";
    case FrameType::credit: return "credit";
    case FrameType::anchor: return "anchor";
    case FrameType::ping: return "ping";
    case FrameType::pong: return "pong";
    case FrameType::bye: return "bye";
    case FrameType::enroll: return "enroll";
    case FrameType::enrolled: return "enrolled";
    case FrameType::context: return "context";
    case FrameType::call: return "call";
    case FrameType::reply: return "reply";
    case FrameType::notify: return "notify";
    case FrameType::cancel: return "cancel";
  }
  return "unknown";
}

const char* lane_name(Lane lane) { return lane == Lane::live ? "live" : "backfill"; }

const char* bye_name(ByeCode code) {
  switch (code) {
    case ByeCode::shutting_down: return "shutting down";
    case ByeCode::protocol_error: return "protocol error";
    case ByeCode::too_old: return "too old";
    case ByeCode::not_authorised: return "not authorised";
    case ByeCode::unknown_device: return "unknown device";
    case ByeCode::duplicate_device: return "duplicate device";
    case ByeCode::revoked: return "revoked";
    case ByeCode::unavailable: return "unavailable";
    case ByeCode::idle: return "idle";
    case ByeCode::replaced: return "replaced";
    case ByeCode::enrol_refused: return "enrolment refused";
    case ByeCode::other: return "other";
  }
  return "other";
}

bool is_device_id(std::string_view id) {
  const auto is_alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !id.empty() && id.size() <= limits::device_id_bytes && is_alphanumeric(id.front()) &&
         std::all_of(id.begin(), id.end(), [&](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace tideline::link
