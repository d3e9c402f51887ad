#include "hub/admin_server.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace tideline::hub {

Status AdminServer::listen(const std::string& path) {
  ASSIGN_OR_RETURN(socket_, uv::ListenSocket::listen_local(loop_, *this, path));
  return {};
}

void AdminServer::respond(uint64_t connection, const AdminAnswer& answer) {
  const auto found = peers_.find(connection);
  if (found == peers_.end() || found->second.is_answered) return;
  found->second.is_answered = true;
  const std::string line = encode_admin(answer) + "\n";
  found->second.stream->write(ByteBuffer(line.begin(), line.end()));
  found->second.stream->finish_writing();  // the peer closes when it has read the line, and on_end() follows
}

void AdminServer::stop() {
  socket_.reset();
  for (auto& [id, peer] : peers_) {
    peer.stream->close();
    loop_.retire(std::move(peer.stream));
  }
  peers_.clear();
}

void AdminServer::on_connection(uv::ListenSocket& socket) {
  is_waiting_ = peers_.size() >= limits::admin_connections;
  if (is_waiting_) return;
  auto stream = socket.accept(*this);
  if (!stream) return;
  Peer& peer = peers_[next_id_++];
  peer.stream = std::move(*stream);
  peer.stream->start_reading();
}

void AdminServer::on_read(uv::Stream& stream, Bytes bytes) {
  const auto found = find(stream);
  if (found == peers_.end() || found->second.is_asked) return;
  Peer& peer = found->second;
  peer.line.append(as_text(bytes));
  const size_t end = peer.line.find('\n');
  if (end == std::string::npos) {
    if (peer.line.size() > limits::admin_line_bytes) drop(stream);
    return;
  }
  peer.is_asked = true;
  const auto request = decode_admin_request(std::string_view(peer.line).substr(0, end));
  if (request) {
    listener_.on_admin_request(found->first, *request);
  } else {
    AdminAnswer refusal;
    refusal.exit_code = 2;
    refusal.error = "the hub could not read the command; is it of the same version?";
    respond(found->first, refusal);
  }
}

void AdminServer::on_end(uv::Stream& stream) { drop(stream); }
void AdminServer::on_failed(uv::Stream& stream, Error) { drop(stream); }

void AdminServer::drop(uv::Stream& stream) {
  const auto found = find(stream);
  if (found == peers_.end()) return;
  stream.close();
  loop_.retire(std::move(found->second.stream));
  peers_.erase(found);
  if (is_waiting_ && socket_) on_connection(*socket_);
}

std::map<uint64_t, AdminServer::Peer>::iterator AdminServer::find(const uv::Stream& stream) {
  return std::find_if(peers_.begin(), peers_.end(), [&](const auto& entry) { return entry.second.stream.get() == &stream; });
}

}  // namespace tideline::hub
