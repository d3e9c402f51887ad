#include "hub/fleet/fleet.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "clock.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub {
namespace {

constexpr const char* area = "fleet";

void add_link(const DeviceLink& link, Metrics& metrics) {
  const SessionStatus& status = link.session().status();
  metrics.readings_accepted += status.readings_accepted;
  metrics.blocks_accepted += status.blocks_accepted;
  metrics.blocks_duplicate += status.blocks_duplicate;
  metrics.blocks_refused += status.blocks_refused;
  metrics.bytes_in += link.connection().traffic().received_bytes;
  metrics.bytes_out += link.connection().traffic().sent_bytes;
}

}  // namespace

Fleet::Fleet(uv::Loop& loop, StoreThread& store, const Enrolment& enrolment, SessionOptions options, Log& log)
    : loop_(loop), store_(store), enrolment_(enrolment), options_(std::move(options)), log_(log),
      quiet_log_(log, limits::device_log_lines, limits::device_log_window), intake_(*this), turn_end_(loop, *this) {}

Fleet::~Fleet() = default;

// ---- Who connects

void Fleet::accept(std::unique_ptr<net::Connection> connection) {
  const tls::Peer proved = connection->peer();
  SessionPeer peer = identify(*connection);
  const uint64_t id = next_id_++;
  DeviceLink::Host& host = *this;
  Member& member = links_[id];
  member.link = std::make_unique<DeviceLink>(loop_, id, std::move(connection), options_, std::move(peer), host, quiet_log_);
  judge(*member.link, proved);
}

void Fleet::on_refused(const std::string& peer_address, const net::CloseReason& reason) {
  log_info(quiet_log_, area, "connection from %s: %s", peer_address.c_str(), reason.text.c_str());
}

SessionPeer Fleet::identify(const net::Connection& connection) const {
  const tls::Peer& proved = connection.peer();
  SessionPeer peer;
  peer.address = connection.peer_address();
  peer.has_certificate = proved.has_certificate && proved.is_verified;
  if (!peer.has_certificate) return peer;
  peer.certificate_device = proved.common_name;
  peer.fingerprint = proved.fingerprint;
  if (const DeviceEntry* known = registry_.find(proved.common_name)) {
    peer.is_known = true;
    peer.record = known->record;
  }
  return peer;
}

/// What the session cannot know: a certificate that did not verify, or one that is not the one in force.
void Fleet::judge(DeviceLink& link, const tls::Peer& proved) {
  if (proved.has_certificate && !proved.is_verified) {
    return link.session().dismiss(link::ByeCode::not_authorised, proved.problem + "; enrol this device again (tideline enroll)", {}, now());
  }
  const SessionPeer& peer = link.session().peer();
  if (peer.is_known && !peer.record.revoked && peer.record.certificate_fingerprint != peer.fingerprint) confirm_renewed(link);
}

/// Either the first use of a renewed certificate, or a device that was enrolled again elsewhere.
void Fleet::confirm_renewed(DeviceLink& link) {
  link.hold();
  auto decision = std::make_unique<Decision>();
  decision->link = link.id();
  decision->is_confirmation = true;
  const SessionPeer& peer = link.session().peer();
  decide(std::move(decision), [out = decision.get(), record = peer.record, fingerprint = peer.fingerprint](Archive& archive) {
    out->record = admit_renewed(archive, record, fingerprint);
    out->is_done = true;
    return std::string();
  });
}

void Fleet::on_confirmed(DeviceLink& link, const Decision& decision) {
  if (!decision.is_done || !decision.record) {
    return link.session().dismiss(link::ByeCode::unavailable, "the hub's archive is not available", options_.unavailable_retry, now());
  }
  const std::string& device = decision.record->id;
  if (decision.record->certificate_fingerprint != link.session().peer().fingerprint) {
    return link.session().dismiss(link::ByeCode::duplicate_device,
                                  format("another certificate is in force for device '%s': it was enrolled again; if that was not you, two devices use one id", device.c_str()),
                                  {}, now());
  }
  (void)registry_.put(*decision.record);  // it is there already
  log_info(quiet_log_, area, "device '%s' uses its renewed certificate", device.c_str());
  link.admit();
}

/// Runs `command` on the store thread; it writes into the decision, which stays ours.
void Fleet::decide(std::unique_ptr<Decision> decision, StoreThread::Command command) {
  const StoreToken token = next_id_++;
  const Decision& kept = *(decisions_[token] = std::move(decision));
  if (store_.run(token, std::move(command))) return;
  log_warning(quiet_log_, area, "the store cannot take more work: link %llu is refused", static_cast<unsigned long long>(kept.link));
  on_command(token);
}

bool Fleet::on_command(StoreToken token) {
  const auto found = decisions_.find(token);
  if (found == decisions_.end()) return false;
  const std::unique_ptr<Decision> decision = std::move(found->second);
  decisions_.erase(found);
  const auto member = links_.find(decision->link);
  DeviceLink* const link = member == links_.end() ? nullptr : member->second.link.get();
  if (!decision->is_confirmation) {
    on_enrolment_decided(link, *decision);
  } else if (link != nullptr && !link->session().is_closed()) {
    on_confirmed(*link, *decision);
  }
  return true;
}

// ---- Enrolment

void Fleet::enroll(DeviceLink& link, const link::Enroll& request, bool is_renewal) {
  auto decision = std::make_unique<Decision>();
  decision->link = link.id();
  decision->is_renewal = is_renewal;
  const SessionPeer& peer = link.session().peer();
  const EnrolmentRequest asked{request, is_renewal, peer.certificate_device, peer.fingerprint, peer.address};
  const UtcNanos when = wall_time();
  decide(std::move(decision), [out = decision.get(), asked, when, &rules = enrolment_](Archive& archive) {
    out->outcome = rules.decide(archive, asked, when);
    out->is_done = true;
    return std::string();
  });
}

void Fleet::on_enrolment_decided(DeviceLink* link, const Decision& decision) {
  const EnrolmentOutcome& outcome = decision.outcome;
  if (!outcome.log_line.empty()) {
    outcome.is_accepted ? log_info(log_, area, "%s", outcome.log_line.c_str()) : log_warning(quiet_log_, area, "%s", outcome.log_line.c_str());
  }
  ++(outcome.is_accepted ? past_.enrolments : past_.enrolments_refused);
  if (outcome.is_accepted) {
    if (const Status put = registry_.put(outcome.record); !put) log_error(log_, area, "%s", put.error().context);
    if (!decision.is_renewal) send_away_others(outcome.record);
  }
  if (link == nullptr || link->session().is_closed()) return;
  if (outcome.is_accepted) {
    links_[decision.link].was_welcome = true;
    link->session().on_enrolled(outcome.answer, now());
  } else {
    link->session().on_enrol_refused(decision.is_done ? outcome.reason : "the hub's archive is not available; try again later", now());
  }
}

/// Links of `record`'s device under another certificate than the one now in force, or of a device that was revoked.
void Fleet::send_away_others(const DeviceRecord& record) {
  for (auto& [id, member] : links_) {
    Session& session = member.link->session();
    if (session.is_closed() || session.peer().certificate_device != record.id) continue;
    if (record.revoked) {
      session.dismiss(link::ByeCode::revoked, "the device was revoked at this hub", {}, now());
    } else if (session.peer().fingerprint != record.certificate_fingerprint) {
      session.dismiss(link::ByeCode::duplicate_device, format("device '%s' was enrolled again with another certificate", record.id.c_str()), {}, now());
    }
  }
}

void Fleet::on_record_changed(const DeviceRecord& record) {
  (void)registry_.put(record);
  if (record.revoked) send_away_others(record);
}

// ---- Data

void Fleet::load_state(DeviceLink& link, DeviceKey device, const std::string& epoch) {
  const std::string& name = link.session().peer().certificate_device;
  const auto [older, is_new] = current_.try_emplace(name, link.id());
  if (!is_new && older->second != link.id()) {
    if (Session* session = find_session(older->second)) session->on_replaced(now());
    older->second = link.id();
  }
  intake_.load_state(link.id(), device, epoch);
}

void Fleet::load_state(SessionId session, DeviceKey device, const std::string& epoch) {
  if (!store_.load_state(session, device, epoch)) without_room_.push_back(session);
}

void Fleet::store(DeviceLink& link, IntakeBatch&& batch) {
  turn_end_.request();
  if (!intake_.put(link.id(), std::move(batch))) return without_room_.push_back(link.id());
  if (intake_.has_room()) return;
  link.hold();
  held_.push_back(link.id());
}

/// After every link of this turn has handed over what came in.
void Fleet::on_turn_end() {
  intake_.flush();
  std::vector<uint64_t> refused;
  refused.swap(without_room_);
  constexpr Error full{ErrorCode::full, 0, "the hub's store is behind"};
  for (const uint64_t id : refused) {
    Session* session = find_session(id);
    if (session == nullptr) continue;
    if (session->status().state == SessionState::loading) session->on_state_loaded(full, now());
    else session->on_applied(full, now());
  }
}

void Fleet::apply(std::vector<IntakeBatch>&& batches) {
  applying_gaps_ = {};
  for (const IntakeBatch& batch : batches) {
    applying_gaps_.gaps += batch.gaps.size();
    for (const model::Gap& gap : batch.gaps) applying_gaps_.readings += gap.count;
  }
  if (const Status taken = store_.apply(0, std::move(batches)); !taken) intake_.on_applied(taken.error());
}

void Fleet::on_applied(Verdicts verdicts) {
  if (verdicts) {
    past_.gaps_accepted += applying_gaps_.gaps;
    past_.readings_declared_lost += applying_gaps_.readings;
  }
  intake_.on_applied(std::move(verdicts));
  turn_end_.request();
  if (!intake_.has_room()) return;
  std::vector<uint64_t> held;
  held.swap(held_);
  for (const uint64_t id : held) {
    if (const auto found = links_.find(id); found != links_.end()) found->second.link->admit();
  }
}

void Fleet::deliver(SessionId session, Result<std::vector<BlockVerdict>> verdicts) {
  Session* const found = find_session(session);
  if (found == nullptr) return;
  found->on_applied(std::move(verdicts), now());
  if (!slots_.has(session) || found->has_backlog()) return;
  slots_.leave(session);
  grant_slots(now());
}

void Fleet::grant_slots(Instant now) {
  for (const uint64_t id : slots_.next(now)) {
    if (Session* const session = find_session(id)) session->grant();
  }
}

void Fleet::on_state_loaded(StoreToken token, Result<DeviceState> state) {
  Session* session = find_session(token);
  if (session == nullptr) return;
  if (state && call_events_ != nullptr) state->catalog_hash = call_events_->catalog_hash(session->peer().record.key);
  session->on_state_loaded(std::move(state), now());
}

// ---- Coming and going

void Fleet::on_presence(DeviceLink& link, bool is_online) {
  const SessionPeer& peer = link.session().peer();
  Member& member = links_[link.id()];
  member.is_online = is_online;
  member.was_welcome = true;
  const UtcNanos when = wall_time();
  const std::string& version = link.session().agent_version();
  if (is_online) {
    registry_.go_online(peer.record.key, link.id(), version, when);
    log_info(quiet_log_, area, "device '%s' is online: %s, %s", peer.certificate_device.c_str(), peer.address.c_str(), link.connection().protection().c_str());
    if (call_events_ != nullptr) call_events_->on_device_up(peer.record.key, link.session().hello());
    if (context_events_ != nullptr) context_events_->on_context_link(peer.record.key, true);
  } else if (registry_.go_offline(peer.record.key, link.id(), when)) {
    if (call_events_ != nullptr) call_events_->on_device_down(peer.record.key);
    if (context_events_ != nullptr) context_events_->on_context_link(peer.record.key, false);
  } else {
    return;  // a newer link took over: it is the one to be seen
  }
  // Best effort: last seen is also written with every block.
  (void)store_.touch_device(0, peer.record.key, when.nanos, version);
}

void Fleet::on_link_closed(DeviceLink& link) {
  const auto found = links_.find(link.id());
  if (found == links_.end()) return;
  add_link(link, past_);
  ++(found->second.was_welcome ? past_.links_closed : past_.links_refused);
  const auto current = current_.find(link.session().peer().certificate_device);
  if (current != current_.end() && current->second == link.id()) current_.erase(current);
  loop_.retire(std::move(found->second.link));
  slots_.leave(link.id());
  links_.erase(found);
}

void Fleet::on_tick(Instant now) {
  quiet_log_.on_tick(now);
  grant_slots(now);
  for (auto& [id, member] : links_) {
    member.link->on_tick(now);
    if (!member.is_online) continue;
    std::array<uint64_t, model::stream_count> backlog{};
    for (const model::Stream stream : model::streams) backlog[model::index_of(stream)] = member.link->session().backlog(stream);
    registry_.set_backlog(member.link->session().peer().record.key, backlog);
  }
}

void Fleet::dismiss_all(const std::string& reason, Duration retry_after) {
  for (auto& [id, member] : links_) member.link->session().dismiss(link::ByeCode::shutting_down, reason, retry_after, now());
}

// ---- Asking

void Fleet::add_to(Metrics& metrics) const {
  metrics.enrolments = past_.enrolments;
  metrics.enrolments_refused = past_.enrolments_refused;
  metrics.links_closed = past_.links_closed;
  metrics.links_refused = past_.links_refused;
  metrics.gaps_accepted = past_.gaps_accepted;
  metrics.readings_declared_lost = past_.readings_declared_lost;
  metrics.readings_accepted = past_.readings_accepted;
  metrics.blocks_accepted = past_.blocks_accepted;
  metrics.blocks_duplicate = past_.blocks_duplicate;
  metrics.blocks_refused = past_.blocks_refused;
  metrics.bytes_in += past_.bytes_in;
  metrics.bytes_out += past_.bytes_out;
  for (const auto& [id, member] : links_) add_link(*member.link, metrics);
  metrics.devices_known = registry_.size();
  metrics.devices_online = registry_.online();
  metrics.device_connections = links_.size();
  metrics.backlog_readings = registry_.backlog();
}

std::string Fleet::online_json() const {
  std::string devices;
  mcp::ObjectWriter members(devices);
  const UtcNanos when = platform::wall_clock();
  for (const auto& [id, member] : links_) {
    if (!member.is_online) continue;
    const SessionPeer& peer = member.link->session().peer();
    const DeviceEntry* entry = registry_.find(peer.certificate_device);
    uint64_t backlog = 0;
    for (const model::Stream stream : model::streams) backlog += member.link->session().backlog(stream);
    std::string item;
    mcp::ObjectWriter object(item);
    object.real("since_seconds", entry == nullptr ? 0 : (when - entry->presence.since).seconds());
    object.integer("backlog_readings", static_cast<int64_t>(backlog)).text("address", peer.address);
    object.end();
    members.raw(peer.certificate_device, item);
  }
  members.end();
  return "{\"devices\":" + devices + "}";
}

Session* Fleet::find_session(uint64_t id) {
  const auto found = links_.find(id);
  return found == links_.end() || found->second.link->session().is_closed() ? nullptr : &found->second.link->session();
}

Instant Fleet::now() { return platform::now(); }
UtcNanos Fleet::wall_time() { return platform::wall_clock(); }

}  // namespace tideline::hub
