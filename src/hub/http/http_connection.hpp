// One HTTP client on the hub's port: requests in, answers out, one at a time.
//
// Owned by the hub, given up with Loop::retire after on_http_closed(). Thread: loop. Bounds: what RequestParser allows, one answer
// in the send queue, limits::http_deadline for a request to arrive, for an answer to leave and for an idle connection. While a
// request is being answered at most limits::read_buffer_bytes of the next ones are read, to notice a client that leaves.
#pragma once

#include <memory>
#include <string>

#include "base/time.hpp"
#include "net/connection.hpp"
#include "wrap/http/request_parser.hpp"

namespace tideline::hub {

class HttpConnection final : private net::Connection::Listener {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    /// Answer with respond(), now or later; the next request comes only after that.
    virtual void on_http_request(HttpConnection& connection, const http::Request& request) = 0;
    /// The last event.
    virtual void on_http_closed(HttpConnection& connection) = 0;
  };

  /// `id` is the owner's name for it: an answer made later finds the connection by it, or finds that it has gone.
  HttpConnection(uint64_t id, std::unique_ptr<net::Connection> connection, Handler& handler);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  uint64_t id() const { return id_; }
  /// For a request that was handed over. An answer that does not fit closes the connection.
  void respond(const http::Response& response);
  /// Instead of respond(): a head now, pieces as they come, and an end. A client that does not read is given up.
  void begin_stream(const http::Response& response);
  void send_chunk(std::string_view data);
  void end_stream();
  bool is_streaming() const { return state_ == State::streaming; }
  /// Not yet taken by the kernel.
  size_t queued_bytes() const { return connection_->queued_bytes(); }
  const std::string& peer_address() const { return connection_->peer_address(); }
  /// About once a second: deadlines are that coarse.
  void on_tick(Instant now);
  /// After the present answer, if there is one.
  void close();
  const net::Traffic& traffic() const { return connection_->traffic(); }

 private:
  enum class State : uint8_t { reading, answering, streaming, closing };

  void on_frame(net::Connection& connection, Bytes payload) override;
  void on_bytes(net::Connection& connection, Bytes bytes) override;
  void on_closed(net::Connection& connection, const net::CloseReason& reason) override;
  void read_on();
  void choose_reading();
  void give_up();
  void refuse(uint16_t status, const char* text);

  uint64_t id_;
  std::unique_ptr<net::Connection> connection_;
  Handler& handler_;
  http::RequestParser parser_;
  std::string unread_;          ///< behind the request that is being answered
  size_t queued_before_ = 0;    ///< at the last tick of a stream
  State state_ = State::reading;
  Instant deadline_ = never;    ///< set at the first tick after a request began or was answered
  bool had_progress_ = true;
  bool is_paused_ = false;
  bool is_reading_on_ = false;  ///< guards against recursion when a handler answers at once
  bool keep_alive_ = true;
  bool head_only_ = false;
};

}  // namespace tideline::hub
