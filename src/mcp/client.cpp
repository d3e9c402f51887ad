#include "mcp/client.hpp"

#include <algorithm>
#include <utility>

#include "mcp/envelope.hpp"
#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

std::string client_info(const ClientOptions& options) {
  std::string out;
  ObjectWriter(out).text("name", options.name).text("version", options.version).end();
  return out;
}

bool contains_text(Slice array, std::string_view text) {
  for (Walk walk(array); walk.next();) {
    if (walk.value().equals(text)) return true;
  }
  return false;
}

}  // namespace

Client::Client(ClientOptions options, ClientListener& listener)
    : options_(std::move(options)), listener_(listener), skips_probe_(options_.era == EraChoice::legacy) {}

void Client::on_started(Instant now) {
  probed_this_process_ = false;
  if (skips_probe_) return greet(now);
  probe(now);
}

void Client::probe(Instant now) {
  state_ = State::probing;
  probed_this_process_ = true;
  // A server that must be modern gets the whole time to start; one that may be legacy is greeted when it stays silent.
  const Duration timeout = options_.era == EraChoice::modern ? options_.start_timeout : options_.probe_timeout;
  send_request(Purpose::discover, Method::discover, {}, {}, now, timeout);
}

void Client::greet(Instant now) {
  state_ = State::greeting;
  std::string members;
  ObjectWriter(members)
      .text("protocolVersion", revision_text(newest_legacy))
      .raw("capabilities", options_.capabilities_json)
      .raw("clientInfo", client_info(options_));
  send_request(Purpose::initialize, Method::initialize, std::string_view(members).substr(1), {}, now, options_.start_timeout);
}

void Client::on_discovered(const Message& message, Instant now) {
  const bool is_early = state_ == State::probing;
  // A slow starter may answer the probe after we went on to initialize: the answer still decides, unless initialize did.
  if (!is_early && state_ != State::greeting) return;
  const bool is_modern = message.result.is_present() && contains_text(find_member(message.result, "supportedVersions"), revision_text(newest_modern));
  if (!is_modern) {
    // Not keyed to one error code: servers answer a method they do not know in many ways. -32022 comes here too: we speak one
    // modern revision only, and such a server may still know a legacy one.
    if (!is_early) return;
    if (options_.era == EraChoice::modern) return give_up("the server does not speak revision 2026-07-28");
    return greet(now);
  }
  std::erase_if(pending_, [](const Pending& p) { return p.purpose == Purpose::initialize; });
  server_info_ = find_member(find_member(message.result, "_meta"), key::server_info).raw();
  instructions_ = find_member(message.result, "instructions").text();
  become_ready(newest_modern, find_member(message.result, "capabilities"), now);
}

void Client::on_greeted(const Message& message, Instant now) {
  if (state_ != State::greeting) return;
  if (!message.result.is_present()) return give_up("the server refused initialize: " + find_member(message.error, "message").text());
  const std::optional<Revision> revision = parse_revision(find_member(message.result, "protocolVersion").text());
  if (!revision || era_of(*revision) != Era::legacy) return give_up("the server wants a protocol version we do not speak");
  std::erase_if(pending_, [](const Pending& p) { return p.purpose == Purpose::discover; });
  skips_probe_ = true;
  server_info_ = find_member(message.result, "serverInfo").raw();
  instructions_ = find_member(message.result, "instructions").text();
  listener_.on_line_out(notification_line(method_text(Method::initialized), {}));
  become_ready(*revision, find_member(message.result, "capabilities"), now);
}

void Client::become_ready(Revision revision, Slice capabilities, Instant now) {
  state_ = State::ready;
  revision_ = revision;
  capabilities_ = capabilities.raw();
  listener_.on_ready();
  for (const ListKind kind : {ListKind::tools, ListKind::resources, ListKind::templates, ListKind::prompts}) refresh(kind, now);
  if (era_of(revision) == Era::modern) {
    listen(now);
  } else {
    watch_legacy({}, now);
  }
}

void Client::give_up(std::string_view why) {
  state_ = State::unusable;
  pending_.clear();
  listener_.on_unusable(why);
}

void Client::forget_all(const Error& why) {
  lists_ = {};
  listen_id_ = 0;
  listen_at_ = never;
  for (const Pending& pending : std::exchange(pending_, {})) {
    if (pending.purpose == Purpose::call) listener_.on_outcome({pending.id, {}, {}, why});
  }
}

void Client::on_exit(Instant) {
  const State before = std::exchange(state_, State::idle);
  forget_all({ErrorCode::closed, 0, "the server ended"});
  // Servers on some SDKs exit on any request before initialize; the next process is greeted at once.
  const bool blames_probe = probed_this_process_ && options_.era == EraChoice::automatic && (before == State::probing || before == State::greeting);
  if (!blames_probe) return;
  skips_probe_ = true;
  listener_.on_respawn_wanted();
}

void Client::on_timer(Instant now) {
  while (true) {
    const auto found = std::find_if(pending_.begin(), pending_.end(), [now](const Pending& p) { return p.deadline <= now; });
    if (found == pending_.end()) break;
    const Pending pending = *found;
    expire(pending, now);
  }
  if (listen_at_ <= now) listen(now);
}

Instant Client::next_deadline() const {
  Instant next = listen_at_;
  for (const Pending& pending : pending_) next = std::min(next, pending.deadline);
  return next;
}

}  // namespace tideline::mcp
