#include "hub/http/http_connection.hpp"

#include <utility>

#include "base/limits.hpp"

namespace tideline::hub {
namespace {
constexpr std::string_view continue_answer = "HTTP/1.1 100 Continue\r\n\r\n";
}

HttpConnection::HttpConnection(uint64_t id, std::unique_ptr<net::Connection> connection, Handler& handler)
    : id_(id), connection_(std::move(connection)), handler_(handler) {
  connection_->set_listener(*this);
}

void HttpConnection::respond(const http::Response& response) {
  if (state_ != State::answering) return;
  had_progress_ = true;
  const bool sent = connection_->send_bytes(as_bytes(http::encode(response, keep_alive_, head_only_))).has_value();
  if (!sent || !keep_alive_) return give_up();
  state_ = State::reading;
  if (!is_reading_on_) read_on();
}

void HttpConnection::begin_stream(const http::Response& response) {
  if (state_ != State::answering) return;
  state_ = State::streaming;
  had_progress_ = true;
  if (!connection_->send_bytes(as_bytes(http::head(response, http::Framing::chunked, keep_alive_)))) give_up();
}

void HttpConnection::send_chunk(std::string_view data) {
  if (state_ == State::streaming && !connection_->send_bytes(as_bytes(http::chunk(data)))) give_up();
}

void HttpConnection::end_stream() {
  if (state_ != State::streaming) return;
  if (!connection_->send_bytes(as_bytes(http::last_chunk)) || !keep_alive_) return give_up();
  had_progress_ = true;
  state_ = State::reading;
  if (!is_reading_on_) read_on();
}

void HttpConnection::give_up() {
  state_ = State::closing;
  connection_->close();
}

void HttpConnection::on_tick(Instant now) {
  if (state_ == State::streaming) {
    const size_t queued = connection_->queued_bytes();
    if (queued == 0 || queued < queued_before_) had_progress_ = true;
    queued_before_ = queued;
  }
  if (std::exchange(had_progress_, false)) deadline_ = now + limits::http_deadline;
  if (now < deadline_ || state_ == State::answering || state_ == State::closing) return;
  if (state_ == State::streaming) return give_up();
  if (connection_->queued_bytes() == 0 && parser_.state() != http::RequestParser::State::idle) {
    refuse(408, "The request did not arrive in time.");
  } else {
    give_up();
  }
}

void HttpConnection::close() {
  keep_alive_ = false;
  if (state_ == State::streaming) return end_stream();
  if (state_ == State::reading) give_up();
}

void HttpConnection::on_frame(net::Connection&, Bytes) {}

void HttpConnection::on_bytes(net::Connection&, Bytes bytes) {
  unread_.append(as_text(bytes));
  state_ == State::reading ? read_on() : choose_reading();
}

void HttpConnection::on_closed(net::Connection&, const net::CloseReason&) {
  state_ = State::closing;
  handler_.on_http_closed(*this);
}

/// Hands over requests as long as they are complete and answered at once.
void HttpConnection::read_on() {
  is_reading_on_ = true;
  size_t used = 0;
  while (state_ == State::reading && used < unread_.size()) {
    // One deadline for the whole request: a client that drips bytes does not stay for ever.
    if (parser_.state() == http::RequestParser::State::idle) had_progress_ = true;
    used += parser_.feed(as_bytes(unread_).subspan(used));
    if (parser_.take_expects_continue() && !connection_->send_bytes(as_bytes(continue_answer))) close();
    if (parser_.state() == http::RequestParser::State::failed) {
      refuse(parser_.error_status(), parser_.error_text());
    } else if (parser_.state() == http::RequestParser::State::ready) {
      const http::Request request = parser_.take();
      keep_alive_ = request.keep_alive;
      head_only_ = request.method == "HEAD";
      state_ = State::answering;
      handler_.on_http_request(*this, request);
    }
  }
  unread_.erase(0, used);
  is_reading_on_ = false;
  choose_reading();
}

void HttpConnection::choose_reading() {
  const bool wants_more = state_ != State::closing && (state_ == State::reading || unread_.size() < limits::read_buffer_bytes);
  if (wants_more == is_paused_) {
    is_paused_ = !wants_more;
    wants_more ? connection_->resume_reading() : connection_->pause_reading();
  }
}

void HttpConnection::refuse(uint16_t status, const char* text) {
  // Best effort: the connection closes whether the answer fits or not.
  (void)connection_->send_bytes(as_bytes(http::encode(http::text_response(status, text), false)));
  give_up();
}

}  // namespace tideline::hub
