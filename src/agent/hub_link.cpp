#include "agent/hub_link.hpp"

#include <algorithm>

#include "agent/options.hpp"
#include "clock.hpp"
#include "network.hpp"

namespace tideline::agent {
namespace {

constexpr Duration renewal_check_interval = minutes(10);

}  // namespace

HubLink::HubLink(HubLinkOptions options, Outbox& outbox, uv::Loop& loop, net::CertificateClock& clock, Log& log)
    : options_(std::move(options)), outbox_(outbox), loop_(loop), clock_(clock), log_(log), connector_(loop, clock, *this), wake_(loop, *this), turn_end_(loop, *this) {}

HubLink::~HubLink() {
  if (calls_ != nullptr) calls_->set_wire(nullptr);
  if (context_link_ != nullptr) context_link_->set_wire(nullptr);
}

void HubLink::start() {
  if (options_.hub.host.empty()) {
    idle_reason_ = "no hub configured: set [hub] address";
    return;
  }
  if (const Status adopted = adopt_identity(); !adopted) {
    idle_reason_ = adopted.error().code == ErrorCode::not_found
                       ? "not enrolled: run 'tideline enroll " + options_.hub.host + ":" + std::to_string(options_.hub.port) + " --token ...'"
                       : std::string(adopted.error().context) + ": " + error_name(adopted.error().code);
    log_warning(log_, "link", "%s", idle_reason_.c_str());
    return;
  }
  if (options_.device.empty()) options_.device = identity_.info.common_name;
  options_.uplink.device = options_.device;
  if (options_.device != identity_.info.common_name) {
    idle_reason_ = "[device] id is '" + options_.device + "' but the certificate is for '" + identity_.info.common_name + "': enrol again or correct the id";
    log_error(log_, "link", "%s", idle_reason_.c_str());
    return;
  }
  uplink_ = std::make_unique<Uplink>(options_.uplink, outbox_, static_cast<UplinkWire&>(*this), log_);
  if (calls_ != nullptr) uplink_->set_catalog_hash(calls_->catalog_hash());
  uplink_->start(platform::now());
  after_event();
}

void HubLink::set_calls(LinkCalls& calls) {
  calls_ = &calls;
  calls.set_wire(this);
}

void HubLink::set_context(ContextLink& context) {
  context_link_ = &context;
  context.set_wire(this);
}

void HubLink::on_catalog_changed() {
  if (calls_ == nullptr || uplink_ == nullptr) return;
  uplink_->set_catalog_hash(calls_->catalog_hash());
  calls_->on_catalog_changed();
}

void HubLink::link_up(uint64_t catalog_hash) {
  if (context_link_ != nullptr) context_link_->on_up();
  if (calls_ != nullptr) calls_->on_up(catalog_hash);
}
void HubLink::say(const link::ReplyFrame& frame) { uplink_->say(frame, platform::now()); }
void HubLink::say(const link::NotifyFrame& frame) { uplink_->say(frame, platform::now()); }
void HubLink::say(const link::ContextFrame& frame) { uplink_->say(frame, platform::now()); }

void HubLink::link_down() {
  if (context_link_ != nullptr) context_link_->on_down();
  if (calls_ != nullptr) calls_->on_down();
}
void HubLink::called(const link::CallFrame& frame) {
  if (calls_ != nullptr) calls_->on_call(frame);
}
void HubLink::cancelled(uint64_t call) {
  if (calls_ != nullptr) calls_->on_cancel(call);
}

Status HubLink::context_came(const link::ContextFrame& frame) { return context_link_ == nullptr ? Status{} : context_link_->on_frame(frame, platform::now()); }
bool HubLink::has_something_to_say() const { return (context_link_ != nullptr && context_link_->has_something_to_say()) || (calls_ != nullptr && calls_->has_something_to_say()); }

Status HubLink::adopt_identity() {
  ASSIGN_OR_RETURN(identity_, load_identity(options_.state_directory));
  tls::ClientOptions client;
  client.identity = identity_.own;
  client.ca_pem = identity_.ca_pem;
  client.alpn = {net::link_protocol};
  ASSIGN_OR_RETURN(auto context, tls::Context::make_client(client));
  if (connection_ != nullptr || connector_.is_connecting()) old_context_ = std::move(context_);
  context_ = std::move(context);
  return {};
}

void HubLink::stop() {
  wake_.stop();
  if (uplink_ != nullptr) uplink_->stop(platform::now());
}

void HubLink::sync_now() {
  if (uplink_ == nullptr) {
    start();  // it may have been enrolled since
    return;
  }
  uplink_->sync_now(platform::now());
  after_event();
}

void HubLink::on_committed(model::Stream stream, model::Seq next) {
  if (uplink_ == nullptr) return;
  uplink_->on_committed(stream, next, platform::now());
  after_event();
}

void HubLink::on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps,
                         model::Seq covered_to) {
  if (uplink_ == nullptr) return;
  uplink_->on_fetched(stream, from, std::move(blocks), std::move(gaps), covered_to, platform::now());
  after_event();
}

void HubLink::on_rebased(model::Stream stream, Status status) {
  if (uplink_ == nullptr) return;
  uplink_->on_rebased(stream, status, platform::now());
  after_event();
}

void HubLink::on_anchor(const model::Anchor& anchor) {
  if (uplink_ == nullptr) return;
  uplink_->on_anchor(anchor, platform::now());
  after_event();
}

UplinkStatus HubLink::status() const { return uplink_ != nullptr ? uplink_->status() : UplinkStatus{}; }
std::string HubLink::protection() const { return connection_ != nullptr ? connection_->protection() : std::string(); }

net::Traffic HubLink::traffic() const {
  net::Traffic sum = past_traffic_;
  if (connection_ != nullptr) {
    sum.received_bytes += connection_->traffic().received_bytes;
    sum.sent_bytes += connection_->traffic().sent_bytes;
  }
  return sum;
}

void HubLink::connect() { connector_.connect(options_.hub, *context_); }

void HubLink::send(Bytes payload) {
  if (connection_ == nullptr) return;
  const Status sent = connection_->send_frame(payload);
  // The uplink keeps itself below the queue's bound, so a refusal means that the connection is already ending.
  if (!sent) log_debug(log_, "link", "frame not sent: %s", error_name(sent.error().code));
  turn_end_.request();
}

/// What was sent in this turn has been handed to the kernel, or not: the uplink hears how much is left.
void HubLink::on_turn_end() {
  while (context_link_ != nullptr && context_link_->has_something_to_say() && uplink_ != nullptr && uplink_->may_say()) context_link_->say_next();
  if (calls_ != nullptr && uplink_ != nullptr) {
    calls_->collect();
    while (calls_->has_something_to_say() && uplink_->may_say()) calls_->say_next();
  }
  if (connection_ == nullptr) return;
  uplink_->on_send_queue(connection_->queued_bytes(), platform::now());
  after_event();
}

void HubLink::close() {
  connector_.cancel();
  if (connection_ == nullptr) return;
  remember(*connection_);
  if (closing_ != nullptr) loop_.retire(std::move(closing_));
  closing_ = std::move(connection_);
  closing_->close();
}

void HubLink::enrolled(const link::Enrolled& answer) {
  const Status stored = store_identity(options_.state_directory, {answer.certificate_pem, renewal_key_pem_}, answer.ca_pem);
  renewal_key_pem_.clear();
  if (!stored || !adopt_identity()) {
    log_error(log_, "link", "the renewed certificate could not be kept; trying again later");
    return;
  }
  log_info(log_, "link", "certificate renewed, valid until %s", format_utc(identity_.info.validity.not_after).c_str());
}

void HubLink::on_connected(std::unique_ptr<net::Connection> connection) {
  connection->set_listener(*this);
  connection_ = std::move(connection);
  connection_->set_keepalive(limits::ping_interval, limits::ack_deadline);
  log_debug(log_, "link", "connected to %s, %s", connection_->peer_address().c_str(), connection_->protection().c_str());
  judge_way(*connection_);
  uplink_->on_connected(platform::now());
  after_event();
}

/// The way to the hub may be another one each time: Ethernet at the desk, a modem in the field.
void HubLink::judge_way(const net::Connection& connection) {
  net::Target peer;
  interface_ = parse_address(connection.peer_address(), peer) ? platform::interface_towards(peer.host) : "";
  uplink_->set_rate(options_.cost.rate_on(interface_), platform::now());
  log_debug(log_, "link", "the way to the hub is %s, %s", interface_.empty() ? "not known" : interface_.c_str(), is_metered() ? "metered" : "not metered");
}

void HubLink::on_connect_failed(const net::CloseReason& reason) {
  uplink_->on_closed(reason.text, platform::now());
  after_event();
}

void HubLink::on_frame(net::Connection& connection, Bytes payload) {
  (void)connection;
  uplink_->on_frame(payload, platform::now());
  after_event();
}

void HubLink::on_bytes(net::Connection& connection, Bytes bytes) {
  (void)bytes;
  (void)connection;
  close();
  uplink_->on_closed("the hub does not speak tideline/1", platform::now());
  after_event();
}

void HubLink::on_writable(net::Connection& connection) {
  uplink_->on_send_queue(connection.queued_bytes(), platform::now());
  if (has_something_to_say()) turn_end_.request();
  after_event();
}

void HubLink::on_closed(net::Connection& connection, const net::CloseReason& reason) {
  if (&connection == closing_.get()) {
    loop_.retire(std::move(closing_));
    return;
  }
  remember(connection);
  loop_.retire(std::move(connection_));
  uplink_->on_closed(reason.text, platform::now());
  after_event();
}

/// Before a connection goes: what resumes it later, and its share of the traffic.
void HubLink::remember(const net::Connection& connection) {
  if (ByteBuffer saved = connection.save_session(); !saved.empty()) connector_.set_session(std::move(saved));
  past_traffic_.received_bytes += connection.traffic().received_bytes;
  past_traffic_.sent_bytes += connection.traffic().sent_bytes;
  interface_.clear();
}

void HubLink::on_timer(uv::Timer& timer) {
  (void)timer;
  uplink_->on_tick(platform::now());
  if (context_link_ != nullptr) context_link_->on_tick(platform::now());
  renew_if_due();
  after_event();
}

/// The uplink decides when it wants to be woken; the queue may have shrunk in the event just handled.
void HubLink::after_event() {
  if (uplink_ == nullptr) return;
  const Instant now = platform::now();
  const Instant context = context_link_ == nullptr ? never : context_link_->next_wake();
  const Instant wake = std::min({uplink_->next_wake(), context, now + renewal_check_interval});
  wake_.start(wake <= now ? milliseconds(1) : wake - now);
}

void HubLink::renew_if_due() {
  const Instant now = platform::now();
  if (!uplink_->is_online() || now - renewal_checked_ < renewal_check_interval) return;
  renewal_checked_ = now;
  if (clock_.certificate_time().now < renewal_time(identity_.info)) return;
  std::string key = tls::make_key();
  const auto request = tls::make_request(key, options_.device);
  if (!request || !uplink_->renew(*request, now)) return;
  renewal_key_pem_ = std::move(key);
  log_info(log_, "link", "asking the hub for a new certificate; the present one ends %s", format_utc(identity_.info.validity.not_after).c_str());
}

}  // namespace tideline::agent
