#include "hub/fleet/device_link.hpp"

namespace tideline::hub {

DeviceLink::DeviceLink(uv::Loop& loop, uint64_t id, std::unique_ptr<net::Connection> connection, SessionOptions options,
                       SessionPeer peer, Host& host, Log& log)
    : id_(id),
      connection_(std::move(connection)),
      host_(host),
      session_(std::move(options), std::move(peer), *this, log, host.now()),
      turn_end_(loop, *this) {
  connection_->set_listener(*this);
}

void DeviceLink::hold() { connection_->pause_reading(); }
void DeviceLink::admit() { connection_->resume_reading(); }

void DeviceLink::on_tick(Instant now) {
  if (session_.next_wake() <= now) session_.on_tick(now);
}

void DeviceLink::on_frame(net::Connection&, Bytes payload) {
  session_.on_frame(payload, host_.now());
  turn_end_.request();
}

/// A peer that negotiated the link's protocol is never handed over as anything else.
void DeviceLink::on_bytes(net::Connection&, Bytes) {}

void DeviceLink::on_closed(net::Connection&, const net::CloseReason&) {
  session_.on_closed(host_.now());
  host_.on_link_closed(*this);
}

void DeviceLink::on_turn_end() { session_.flush(host_.now()); }

void DeviceLink::send(Bytes payload) {
  if (connection_->is_closing()) return;
  // A device that does not read what it is sent is given up; it comes back and begins from what the hub holds.
  if (!connection_->send_frame(payload)) connection_->close();
}

void DeviceLink::close() { connection_->close(); }

}  // namespace tideline::hub
