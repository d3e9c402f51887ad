#include "net/connection.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace tideline::net {
namespace {

constexpr size_t encrypt_at_once_bytes = 128 * 1024;  // then the kernel gets it: ciphertext need not exist twice for long
constexpr size_t idle_capacity_bytes = 2048;          // an idle connection keeps no more of a buffer

void empty(ByteBuffer& buffer) {
  if (buffer.capacity() > idle_capacity_bytes) ByteBuffer().swap(buffer);
  buffer.clear();
}

}  // namespace

Connection::Connection(uv::Loop& loop, Opener& opener, std::unique_ptr<tls::Session> session, Slot slot)
    : loop_(loop), opener_(&opener), slot_(std::move(slot)), session_(std::move(session)), turn_end_(loop, *this) {}

Connection::~Connection() = default;

void Connection::start(std::unique_ptr<uv::Stream> stream, Duration deadline) {
  stream_ = std::move(stream);
  stream_->set_listener(*this);
  stream_->set_no_delay();
  stream_->set_unsent_limit(limits::socket_unsent_bytes);
  const uv::Address address = stream_->peer();
  peer_address_ = address.is_empty() ? "local" : address.text();
  if (session_ == nullptr) {
    state_ = State::open;
    stream_->start_reading();
    return;
  }
  deadline_.reset(new uv::Timer(loop_, *this));
  deadline_->start(deadline);
  continue_handshake();  // a client speaks first; a server learns that it has to wait
}

void Connection::continue_handshake() {
  if (state_ != State::opening) return;
  const Result<bool> done = session_->handshake();
  send_output();
  if (!done) return end_by_tls(done.error());
  if (!*done) return stream_->start_reading();
  deadline_.reset();
  state_ = State::open;
  speaks_link_ = session_->alpn() == link_protocol;
  opener_->on_ready(*this);
  if (listener_ == nullptr) {  // refused: on its way to Loop::retire
    return abandon();
  }
  read_input();  // what came together with the end of the handshake
  if (may_deliver()) stream_->start_reading();
}

void Connection::abandon() {
  state_ = State::closed;
  if (stream_ != nullptr) stream_->close();
  if (deadline_ != nullptr) deadline_->stop();
  turn_end_.cancel();
}

// Sending

Status Connection::send_frame(Bytes payload) {
  if (payload.empty() || payload.size() > limits::frame_bytes) return Error{ErrorCode::limit, 0, "size of a link frame"};
  RETURN_IF_ERROR(check_room(payload.size() + link::frame_header_bytes));
  link::append_frame(plain_, payload);
  ++traffic_.sent_frames;
  if (queued_bytes() > limits::send_queue_bytes / 2) was_above_half_ = true;
  turn_end_.request();
  return {};
}

Status Connection::send_bytes(Bytes bytes) {
  if (state_ != State::open || queued_bytes() > 0) RETURN_IF_ERROR(check_room(bytes.size()));
  append(plain_, bytes);
  if (queued_bytes() > limits::send_queue_bytes / 2) was_above_half_ = true;
  turn_end_.request();
  return {};
}

Status Connection::check_room(size_t bytes) const {
  if (state_ != State::open) return Error{ErrorCode::closed, 0, "connection"};
  if (queued_bytes() + bytes > limits::send_queue_bytes) return Error{ErrorCode::full, 0, "send queue of a connection"};
  return {};
}

size_t Connection::queued_bytes() const {
  return plain_.size() - sent_ + (stream_ != nullptr ? stream_->queued_bytes() : 0);
}

void Connection::flush() {
  if (state_ == State::open) send_queued();
}

/// Encrypts only what the kernel takes: the rest stays in the queue, where it costs once.
void Connection::send_queued() {
  while (sent_ < plain_.size() && stream_->queued_bytes() == 0 && !stream_->is_closed()) {
    const Bytes part = Bytes(plain_).subspan(sent_, std::min(plain_.size() - sent_, encrypt_at_once_bytes));
    sent_ += part.size();
    if (session_ == nullptr) {
      traffic_.sent_bytes += part.size();
      stream_->write(ByteBuffer(part.begin(), part.end()));
    } else if (const Status written = session_->write(part); !written) {
      return end_by_tls(written.error());
    } else {
      send_output();
    }
  }
  if (sent_ == plain_.size()) {
    empty(plain_);
    sent_ = 0;
  } else if (sent_ >= encrypt_at_once_bytes) {
    plain_.erase(plain_.begin(), plain_.begin() + static_cast<ptrdiff_t>(sent_));
    sent_ = 0;
  }
}

void Connection::send_output() {
  ByteBuffer& output = session_->output();
  if (output.empty()) return;
  ByteBuffer bytes;
  bytes.swap(output);
  traffic_.sent_bytes += bytes.size();
  stream_->write(std::move(bytes));
}

void Connection::note_room() {
  if (!was_above_half_ || queued_bytes() > limits::send_queue_bytes / 2 || state_ != State::open) return;
  was_above_half_ = false;
  listener_->on_writable(*this);
}

void Connection::on_drained(uv::Stream&) {
  if (state_ == State::open || state_ == State::closing) send_queued();
  if (state_ == State::closing) continue_close();
  note_room();
}

void Connection::on_turn_end() {
  if (resuming_) {
    resuming_ = false;
    ByteBuffer unread;
    unread.swap(unread_);
    deliver(unread);
    if (may_deliver()) read_input();
    if (may_deliver()) stream_->start_reading();
  }
  if (state_ == State::open) send_queued();
  if (state_ == State::closing) continue_close();
  note_room();
}

// Receiving

void Connection::on_read(uv::Stream& stream, Bytes bytes) {
  traffic_.received_bytes += bytes.size();
  if (state_ == State::opening) {
    session_->feed(bytes);
    session_->hold_input();
    stream.stop_reading();  // until it was this connection's turn
    return opener_->on_handshake_input(*this);
  }
  if (state_ != State::open) return;  // closing: only the peer's end matters
  if (session_ == nullptr) return deliver(bytes);
  session_->feed(bytes);
  read_input();
}

/// Decrypts as much as the work buffer holds, so that frames of several records lie in one piece, and hands it on.
void Connection::read_input() {
  if (session_ == nullptr) return;
  while (may_deliver()) {
    const std::span<uint8_t> buffer = loop_.work_buffer();
    size_t filled = 0;
    Result<size_t> count = size_t{0};
    while (filled < buffer.size()) {
      count = session_->read(buffer.subspan(filled));
      if (!count || *count == 0) break;
      filled += *count;
    }
    deliver(buffer.first(filled));
    if (!may_deliver()) break;  // the session tells its end again when reading goes on
    if (!count) return end_by_tls(count.error());
    if (*count == 0) break;
  }
  if (state_ == State::closed) return;
  session_->hold_input();
  send_output();  // answers of TLS itself
}

void Connection::deliver(Bytes plain) {
  if (!speaks_link_ && !plain.empty() && may_deliver()) return listener_->on_bytes(*this, plain);
  while (!plain.empty() && may_deliver()) {
    const Result<std::optional<Bytes>> frame = frames_.next(plain);
    if (!frame) return end(frame.error(), format("%s sent a link frame that is empty or too large", peer_address_.c_str()));
    if (!*frame) return;
    ++traffic_.received_frames;
    listener_->on_frame(*this, **frame);
  }
  if (paused_) append(unread_, plain);
}

void Connection::pause_reading() {
  paused_ = true;
  resuming_ = false;
  if (state_ == State::open) stream_->stop_reading();
}

/// Goes on at the end of the turn: the caller may be inside an event of another connection, or of this one.
void Connection::resume_reading() {
  if (!paused_) return;
  paused_ = false;
  if (state_ != State::open) return;
  resuming_ = true;
  turn_end_.request();
}

// Ending

void Connection::close() {
  if (state_ == State::closing || state_ == State::closed) return;
  state_ = State::closing;
  if (deadline_ == nullptr) deadline_.reset(new uv::Timer(loop_, *this));
  deadline_->start(limits::close_deadline);
  turn_end_.request();
}

/// Reads on after the goodbye: closing a socket with unread bytes would reset it and could take our last words with it.
void Connection::continue_close() {
  send_queued();
  if (said_goodbye_ || sent_ < plain_.size()) return;
  said_goodbye_ = true;
  if (session_ != nullptr) {
    session_->close();
    send_output();
  }
  stream_->finish_writing();
  stream_->start_reading();
}

void Connection::on_end(uv::Stream&) {
  if (state_ == State::closing) return end({ErrorCode::closed, 0, "connection"}, "closed");
  if (session_ == nullptr) return end({ErrorCode::closed, 0, "connection"}, peer_address_ + " closed the connection");
  const char* const text = state_ == State::opening ? "%s closed the connection during the TLS handshake"
                                                    : "%s ended the connection without a goodbye: it stopped or was cut off";
  end({ErrorCode::io, 0, "connection"}, std::string(text).replace(0, 2, peer_address_));
}

void Connection::on_failed(uv::Stream&, Error error) {
  if (state_ == State::closing) return end({ErrorCode::closed, 0, "connection"}, "closed");
  if (error.code == ErrorCode::closed) error.code = ErrorCode::io;  // reset: no goodbye was said
  end(error, format("connection with %s is lost: %s", peer_address_.c_str(), uv::error_text(error.native)));
}

void Connection::on_timer(uv::Timer&) {
  if (state_ == State::closing) return end({ErrorCode::closed, 0, "connection"}, "closed; the peer did not answer the goodbye");
  end({ErrorCode::timeout, 0, "TLS handshake"}, format("TLS handshake with %s took too long", peer_address_.c_str()));
}

void Connection::end_by_tls(const Error& error) {
  if (state_ == State::open) {  // the peer's goodbye deserves ours, and a failure its alert
    session_->close();
    send_output();
  }
  if (error.code == ErrorCode::closed && state_ == State::open) return end(error, peer_address_ + " closed the connection");
  end(error, format("%s: %s", peer_address_.c_str(), session_->reason().c_str()));
}

void Connection::end(Error error, std::string text) {
  if (state_ == State::closed) return;
  const bool was_open = state_ != State::opening;
  abandon();
  const CloseReason reason{error, std::move(text)};
  if (was_open) listener_->on_closed(*this, reason);
  else opener_->on_open_failed(*this, reason);
}

// Asking

std::string Connection::alpn() const { return session_ != nullptr ? session_->alpn() : ""; }

std::string Connection::protection() const {
  if (session_ == nullptr) return "";
  return session_->version() + ", " + session_->suite() + (session_->was_resumed() ? ", resumed" : "");
}

bool Connection::was_resumed() const { return session_ != nullptr && session_->was_resumed(); }

const tls::Peer& Connection::peer() const {
  static const tls::Peer nobody;
  return session_ != nullptr ? session_->peer() : nobody;
}

ByteBuffer Connection::save_session() const { return session_ != nullptr ? session_->save() : ByteBuffer(); }

void Connection::set_keepalive(Duration idle, Duration give_up) {
  if (stream_ != nullptr) stream_->set_keepalive(idle, give_up);
}

}  // namespace tideline::net
