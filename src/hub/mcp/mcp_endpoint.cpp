#include "hub/mcp/mcp_endpoint.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "hub/mcp/router.hpp"
#include "mcp/header_params.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub {
namespace {

constexpr std::string_view device_path = "/mcp/device/";
constexpr const char* session_header = "Mcp-Session-Id";
constexpr const char* fleet_instructions =
    "A fleet of edge devices. Readings and gaps of all devices are answered by this hub (latest, query, list_gaps), also while a device is "
    "offline. Tools of devices take a 'device' argument: an id, a glob such as pump-*, or labels such as {site=berlin}. Use list_devices "
    "and find_tools to find your way.";

class Headers final : public mcp::HeaderSource {
 public:
  explicit Headers(const http::Request& request) : request_(request) {}
  size_t count(std::string_view name) const override {
    return static_cast<size_t>(std::count_if(request_.headers.begin(), request_.headers.end(), [name](const http::Header& h) { return mcp::equals_ignoring_case(h.name, name); }));
  }
  std::string_view value(std::string_view name) const override { return request_.header(name); }

 private:
  const http::Request& request_;
};

/// Whether the connection comes from this machine: "127.0.0.1:port", "[::1]:port" or an IPv4 address mapped into IPv6.
bool is_loopback(std::string_view peer) { return peer.starts_with("127.") || peer.starts_with("[::1]") || peer.starts_with("[::ffff:127."); }

bool takes_stream(const http::Request& request) {
  const std::string_view accept = request.header("Accept");
  return accept.find("text/event-stream") != std::string_view::npos || accept.find("*/*") != std::string_view::npos || accept.find("text/*") != std::string_view::npos;
}

http::Response refusal(const mcp::HttpRefusal& refused) {
  http::Response response;
  if (refused.body.empty()) {
    const char* text = refused.status == 403   ? "This host or origin is not allowed here; see [http] hosts and origins in the hub's configuration."
                       : refused.status == 405 ? "Use POST."
                       : refused.status == 415 ? "Content-Type must be application/json."
                                               : "Accept must name application/json and text/event-stream.";
    response = http::text_response(static_cast<uint16_t>(refused.status), text);
  } else {
    response = http::json_response(static_cast<uint16_t>(refused.status), refused.body);
  }
  if (!refused.allow.empty()) response.headers.push_back({"Allow", std::string(refused.allow)});
  return response;
}

http::Response not_found(const char* text) { return http::text_response(404, text); }

std::string event_of(const std::string& line) { return "event: message\ndata: " + line + "\n\n"; }

}  // namespace

McpEndpoint::McpEndpoint(Options options, Backend& backend, const Access& access, const Registry& registry)
    : options_(std::move(options)), backend_(backend), access_(access), registry_(registry) {}
McpEndpoint::~McpEndpoint() = default;

// ---- Requests

void McpEndpoint::on_request(HttpConnection& connection, const http::Request& request, Instant now, UtcNanos wall) {
  now_ = now;
  const Headers headers(request);
  const mcp::HostRules rules{options_.hosts, options_.origins, is_loopback(connection.peer_address())};
  const bool is_post = request.method == "POST";
  // Host and origin count for every verb; the rest of the front is about posts.
  const mcp::HttpRefusal front = mcp::check_front(is_post ? mcp::HttpVerb::post : mcp::HttpVerb::get, headers, rules);
  if (front.status == 403 || (is_post && front.status != 0)) return connection.respond(refusal(front));
  Principal principal;
  if (!find_principal(connection, request, wall, principal)) return;
  Target target;
  if (!find_target(request, principal, target)) return connection.respond(not_found("No such endpoint or device. Use /mcp, or /mcp/device/<id>."));
  if (is_post) return on_post(connection, request, principal, target, now);
  if (request.method == "GET") return on_get(connection, request, principal, target, now);
  if (request.method == "DELETE") return on_delete(connection, request, principal, target);
  connection.respond(refusal(front));
}

/// Answers and returns false when nobody may be served.
bool McpEndpoint::find_principal(HttpConnection& connection, const http::Request& request, UtcNanos wall, Principal& out) {
  Authentication found = access_.authenticate(request.header("Authorization"), is_loopback(connection.peer_address()), wall);
  if (found.verdict == Authentication::Verdict::accepted) {
    out = std::move(found.principal);
    return true;
  }
  const bool is_missing = found.verdict == Authentication::Verdict::missing;
  http::Response response = http::text_response(
      401, is_missing ? "An API key is needed: 'Authorization: Bearer <key>'; keys are made with 'tideline-hub key create'." : "The API key is not valid: unknown, revoked or expired.");
  response.headers.push_back({"WWW-Authenticate", is_missing ? "Bearer realm=\"tideline\"" : "Bearer realm=\"tideline\", error=\"invalid_token\""});
  connection.respond(response);
  return false;
}

/// A device that the caller may not see does not exist for him.
bool McpEndpoint::find_target(const http::Request& request, const Principal& principal, Target& out) const {
  const std::string_view path = request.path();
  if (path == "/mcp") return true;
  if (!path.starts_with(device_path)) return false;
  const DeviceEntry* entry = registry_.find(std::string(path.substr(device_path.size())));
  if (entry == nullptr || !principal.sees(entry->record)) return false;
  out = {entry->record.key, entry->record.id};
  return true;
}

McpEndpoint::Session* McpEndpoint::find_session(const http::Request& request, const Principal& principal, const Target& target) {
  const auto found = sessions_.find(request.header(session_header));
  if (found == sessions_.end()) return nullptr;
  const Conversation* conversation = find(found->second.conversation);
  const bool is_theirs = conversation != nullptr && conversation->principal().id == principal.id && conversation->target() == target;
  return is_theirs ? &found->second : nullptr;
}

void McpEndpoint::on_post(HttpConnection& connection, const http::Request& request, const Principal& principal, const Target& target, Instant now) {
  const mcp::Message message = mcp::parse_message(request.body);
  std::unique_ptr<mcp::Catalog> view = backend_.view(principal, target);
  const mcp::HttpDecision decision = mcp::check_message(message, Headers(request), *view);
  if (decision.refusal.status != 0) return connection.respond(refusal(decision.refusal));
  const bool is_legacy = decision.era == mcp::Era::legacy;
  Session* session = nullptr;
  if (is_legacy && request.has_header(session_header)) {
    session = find_session(request, principal, target);
    if (session == nullptr) return connection.respond(not_found("This session has ended or never was; send initialize again."));
    session->used = now;
  }
  const bool opens = is_legacy && session == nullptr && message.kind == mcp::MessageKind::request && message.method == mcp::Method::initialize;
  const bool has_answer = message.kind == mcp::MessageKind::request || message.kind == mcp::MessageKind::batch;
  if (!has_answer) {
    if (Conversation* known = session == nullptr ? nullptr : find(session->conversation)) known->on_message(message, 0, now);
    return connection.respond({202, {}, {}});
  }
  Conversation* conversation = session != nullptr ? find(session->conversation) : open(principal, target, std::move(view), opens ? backend_.random_id() : "", decision, now);
  if (conversation == nullptr) return connection.respond(http::text_response(503, "This hub has as many sessions as it can hold; try again later."));
  Exchange exchange;
  exchange.conversation = conversation->id();
  exchange.era = decision.era;
  exchange.accepts_stream = takes_stream(request);
  exchange.shows_session = opens;
  exchange.wants_stream = decision.prefers_stream;
  exchange.quiet_since = now;
  exchanges_[connection.id()] = exchange;
  conversation->on_message(message, connection.id(), now);
}

/// The stream on which a legacy client hears of changes. A second one takes over from the first.
void McpEndpoint::on_get(HttpConnection& connection, const http::Request& request, const Principal& principal, const Target& target, Instant now) {
  http::Response wrong = http::text_response(405, "GET opens the stream of a session: send its Mcp-Session-Id. This endpoint is used with POST.");
  wrong.headers.push_back({"Allow", "POST"});
  if (!request.has_header(session_header)) return connection.respond(wrong);
  Session* session = find_session(request, principal, target);
  if (session == nullptr) return connection.respond(not_found("This session has ended or never was; send initialize again."));
  if (!takes_stream(request)) return connection.respond(http::text_response(406, "Accept must name text/event-stream."));
  if (HttpConnection* before = session->stream == 0 ? nullptr : backend_.find_connection(session->stream)) before->end_stream();
  exchanges_.erase(session->stream);
  session->stream = connection.id();
  session->used = now;
  Exchange exchange;
  exchange.conversation = session->conversation;
  exchange.era = mcp::Era::legacy;
  exchange.accepts_stream = true;
  exchange.is_session_stream = true;
  exchange.wants_stream = true;
  begin_stream(connection, exchanges_[connection.id()] = exchange, *find(session->conversation));
}

void McpEndpoint::on_delete(HttpConnection& connection, const http::Request& request, const Principal& principal, const Target& target) {
  if (!request.has_header(session_header)) {
    http::Response wrong = http::text_response(405, "DELETE ends a session: send its Mcp-Session-Id.");
    wrong.headers.push_back({"Allow", "POST"});
    return connection.respond(wrong);
  }
  if (find_session(request, principal, target) == nullptr) return connection.respond(not_found("This session has ended or never was."));
  end_session(std::string(request.header(session_header)));
  connection.respond({204, {}, {}});
}

// ---- Conversations

mcp::ServerOptions McpEndpoint::server_options(const Target& target) const {
  mcp::ServerOptions options;
  options.name = options_.name;
  options.version = options_.version;
  options.instructions = target.is_fleet() ? fleet_instructions : "One edge device, reached through its hub. While it is offline its last readings are answered by the hub.";
  options.resources = true;
  options.prompts = true;
  options.completions = true;
  options.logging = true;
  options.tasks = true;
  options.announced_tasks = own_task;  // devices tell of theirs only when asked
  return options;
}

Conversation* McpEndpoint::open(const Principal& principal, const Target& target, std::unique_ptr<mcp::Catalog> view, std::string session,
                                const mcp::HttpDecision& decision, Instant now) {
  if (!session.empty()) {
    make_room(principal);
    if (sessions_.size() >= limits::hub_sessions) return nullptr;
  }
  mcp::ServerOptions options = server_options(target);
  const uint64_t id = next_++;
  options.principal = principal.id;
  options.request_prefix = "h" + std::to_string(id) + "-";
  options.is_http = session.empty();
  // A legacy client without a session: every POST stands for itself.
  if (session.empty() && decision.era == mcp::Era::legacy) options.session = mcp::LegacySession{.revision = decision.revision, .is_initialized = true};
  if (!session.empty()) sessions_[session] = {id, 0, now};
  auto conversation = std::make_unique<Conversation>(Conversation::Identity{id, principal, target, std::move(session)}, std::move(view), std::move(options),
                                                     static_cast<Conversation::Owner&>(*this));
  return (conversations_[id] = std::move(conversation)).get();
}

/// Clients that never end their sessions lose the one used longest ago, those with an open stream last; a new one is always let in.
void McpEndpoint::make_room(const Principal& principal) {
  size_t count = 0;
  const std::string* oldest = nullptr;
  std::pair<bool, Instant> least{};
  for (const auto& [id, session] : sessions_) {
    const Conversation* known = find(session.conversation);
    if (known == nullptr || known->principal().id != principal.id) continue;
    const std::pair<bool, Instant> rank{session.stream != 0, session.used};
    if (count++ == 0 || rank < least) {
      least = rank;
      oldest = &id;
    }
  }
  if (count >= limits::hub_sessions_per_principal) end_session(std::string(*oldest));
}

Conversation* McpEndpoint::find(uint64_t conversation) {
  const auto found = conversations_.find(conversation);
  return found == conversations_.end() ? nullptr : found->second.get();
}

void McpEndpoint::for_each(const std::function<void(Conversation&)>& visit) {
  std::vector<uint64_t> ids;
  ids.reserve(conversations_.size());
  for (const auto& [id, conversation] : conversations_) ids.push_back(id);
  for (const uint64_t id : ids) {
    if (Conversation* conversation = find(id)) visit(*conversation);
  }
}

void McpEndpoint::end_session(const std::string& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const Session session = found->second;
  sessions_.erase(found);
  if (Conversation* conversation = find(session.conversation)) conversation->close();
  if (HttpConnection* stream = session.stream == 0 ? nullptr : backend_.find_connection(session.stream)) stream->end_stream();
  exchanges_.erase(session.stream);
  retire(session.conversation);
}

void McpEndpoint::retire(uint64_t conversation) { ended_.push_back(conversation); }

void McpEndpoint::collect() {
  for (const uint64_t id : ended_) conversations_.erase(id);
  ended_.clear();
}

void McpEndpoint::on_connection_gone(uint64_t connection) {
  const auto found = exchanges_.find(connection);
  if (found == exchanges_.end()) return;
  const Exchange exchange = found->second;
  exchanges_.erase(found);
  Conversation* conversation = find(exchange.conversation);
  if (conversation == nullptr) return;
  if (exchange.is_session_stream) {
    const auto session = sessions_.find(conversation->session());
    if (session != sessions_.end() && session->second.stream == connection) session->second.stream = 0;
    return;
  }
  conversation->on_connection_gone(connection);
  if (!conversation->is_session()) retire(exchange.conversation);
}

// ---- Answers

void McpEndpoint::begin_stream(HttpConnection& connection, Exchange& exchange, const Conversation& conversation) {
  http::Response response{200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}, {}};
  if (exchange.shows_session) response.headers.push_back({session_header, conversation.session()});
  exchange.quiet_since = now_;
  connection.begin_stream(response);
}

void McpEndpoint::on_message_out(Conversation& conversation, uint64_t connection_id, mcp::Outgoing&& message) {
  if (connection_id == 0) {
    const auto session = sessions_.find(conversation.session());
    if (session == sessions_.end() || session->second.stream == 0 || message.is_answer) return;
    connection_id = session->second.stream;
  }
  HttpConnection* connection = backend_.find_connection(connection_id);
  const auto found = exchanges_.find(connection_id);
  if (connection == nullptr || found == exchanges_.end()) return;
  Exchange& exchange = found->second;
  if (!message.is_answer) {
    // What a client cannot or does not read is left out, never the answer.
    if (!exchange.accepts_stream || connection->queued_bytes() > limits::sse_progress_queue_bytes) return;
    if (!connection->is_streaming()) begin_stream(*connection, exchange, conversation);
    exchange.quiet_since = now_;
    return connection->send_chunk(event_of(message.line));
  }
  const Exchange ended = exchange;
  exchanges_.erase(found);
  if (!conversation.is_session()) retire(conversation.id());
  if (connection->is_streaming()) {
    connection->send_chunk(event_of(message.line));
    return connection->end_stream();
  }
  http::Response response = http::json_response(static_cast<uint16_t>(mcp::http_status(ended.era, message.error_code)), std::move(message.line));
  if (ended.shows_session && message.error_code == 0) response.headers.push_back({session_header, conversation.session()});
  if (ended.shows_session && message.error_code != 0) end_session(conversation.session());
  connection->respond(response);
}

// ---- Time

void McpEndpoint::on_tick(Instant now) {
  now_ = now;
  for_each([now](Conversation& conversation) {
    if (conversation.server().next_deadline() <= now) conversation.server().on_timer(now);
  });
  std::vector<uint64_t> quiet;
  for (const auto& [id, exchange] : exchanges_) {
    if (exchange.wants_stream && exchange.accepts_stream && now - exchange.quiet_since >= limits::sse_keepalive) quiet.push_back(id);
  }
  for (const uint64_t id : quiet) keep_alive(id);
  std::vector<std::string> idle;
  for (const auto& [id, session] : sessions_) {
    const Conversation* conversation = find(session.conversation);
    if (session.stream == 0 && now - session.used > limits::hub_session_idle && conversation != nullptr) idle.push_back(id);
  }
  for (const std::string& id : idle) end_session(id);
  collect();
}

/// Proxies close streams on which nothing comes.
void McpEndpoint::keep_alive(uint64_t id) {
  const auto found = exchanges_.find(id);
  HttpConnection* connection = backend_.find_connection(id);
  if (found == exchanges_.end() || connection == nullptr) return;
  const Conversation* conversation = find(found->second.conversation);
  if (conversation == nullptr) return;
  if (!connection->is_streaming()) begin_stream(*connection, found->second, *conversation);
  found->second.quiet_since = now_;
  connection->send_chunk(": still here\n\n");
}

void McpEndpoint::end_unless(const std::function<bool(const Principal&)>& may_stay) {
  std::vector<uint64_t> streams;
  for (const auto& [connection, exchange] : exchanges_) {
    const Conversation* conversation = find(exchange.conversation);
    if (conversation != nullptr && !may_stay(conversation->principal())) streams.push_back(connection);
  }
  std::vector<std::string> sessions;
  for (const auto& [id, session] : sessions_) {
    const Conversation* conversation = find(session.conversation);
    if (conversation != nullptr && !may_stay(conversation->principal())) sessions.push_back(id);
  }
  for (const std::string& id : sessions) end_session(id);
  for (const uint64_t connection : streams) {
    if (HttpConnection* open = backend_.find_connection(connection)) open->close();
    on_connection_gone(connection);
  }
}

void McpEndpoint::end_listens() {
  for_each([](Conversation& conversation) { conversation.server().end_listens(); });
}

}  // namespace tideline::hub
