#include "hub/mcp/mcp_service.hpp"

#include "clock.hpp"
#include "mcp/content.hpp"
#include "mcp/message.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::hub {
namespace {

constexpr const char* area = "mcp";
constexpr std::string_view catalog_notice = "notifications/tideline/catalog";
constexpr size_t session_id_bytes = 24;

FleetOffer whole_offer() {
  FleetOffer offer = fleet_offer();
  for (mcp::Tool& tool : context_tools()) offer.tools.push_back(std::move(tool));
  for (mcp::ResourceTemplate& one : context_templates()) offer.templates.push_back(std::move(one));
  return offer;
}

}  // namespace

McpService::McpService(Options options, uv::Loop& loop, const Parts& parts, Log& log)
    : fleet_(parts.fleet), http_(parts.http), log_(log), desk_(parts.desk),
      calls_(static_cast<DeviceCalls::Links&>(*this), options.endpoint.name, options.endpoint.version),
      watches_(calls_, [this](DeviceKey device, const std::string& uri) { on_updated(device, uri); }),
      router_(static_cast<Router::Host&>(*this), calls_, fleet_.registry(), audit_),
      fleet_catalogs_(catalogs_, fleet_.registry(), whole_offer()), fleet_desk_(router_, calls_, fleet_catalogs_, catalogs_, fleet_.registry()),
      book_(desk_, calls_, fleet_.registry(), static_cast<TaskBook::Listener&>(*this), log), task_desk_(router_, book_, catalogs_, fleet_.registry()),
      fleet_answers_(router_, desk_, fleet_catalogs_, catalogs_, fleet_.registry()),
      context_desk_({router_, desk_, parts.context_syncs, parts.context_writes, book_, fleet_.registry(), [this](const ContextDesk::Visit& visit) { endpoint_.for_each(visit); }}),
      endpoint_(std::move(options.endpoint), static_cast<McpEndpoint::Backend&>(*this), access_, fleet_.registry()), turn_end_(loop, *this),
      announce_(loop, *this), audit_due_(loop, *this) {
  fleet_.set_call_events(this);
}

McpService::~McpService() { fleet_.set_call_events(nullptr); }

Result<McpService::State> McpService::read(Archive& archive) {
  State state;
  ASSIGN_OR_RETURN(state.keys, archive.keys());
  ASSIGN_OR_RETURN(state.tasks, archive.open_tasks());
  RETURN_IF_ERROR(archive.each_catalog([&state](const std::vector<DeviceKey>& devices, uint64_t, std::string_view json) {
    state.catalogs.push_back({devices, std::string(json)});
  }));
  return state;
}

void McpService::load(const State& state) {
  for (const State::Catalog& kept : state.catalogs) {
    const auto json = mcp::check_json(kept.json);
    // One that cannot be read any more is as good as none: its devices send theirs when they come.
    for (const DeviceKey device : kept.devices) {
      if (json) (void)catalogs_.put(device, *json);
    }
  }
  book_.load(state.tasks);
  context_desk_.load(state.tasks);
  set_keys(state.keys);
}

/// Whoever came in by a key that is gone is sent away at once, not at his next request.
void McpService::set_keys(const std::vector<ApiKey>& keys) {
  access_.load(keys);
  fleet_catalogs_.clear();
  endpoint_.end_unless([this](const Principal& principal) { return access_.is_in_force(principal); });
}

void McpService::on_http_request(HttpConnection& connection, const http::Request& request) {
  endpoint_.on_request(connection, request, platform::now(), platform::wall_clock());
  turn_end_.request();
}

void McpService::on_tick(Instant now) {
  calls_.on_tick(now);
  fleet_desk_.on_tick(now);
  context_desk_.on_tick(now);
  book_.on_tick(now, platform::wall_clock());
  endpoint_.on_tick(now);
}

void McpService::on_audit() {
  if (is_closing_ || audit_.size() >= audit_batch_rows) return turn_end_.request();
  if (audit_.size() == 1) audit_due_.start(audit_interval);
}

void McpService::close() {
  is_closing_ = true;
  endpoint_.end_listens();
  turn_end_.request();
}

/// Conversations that ended are freed outside their own events.
void McpService::on_turn_end() {
  endpoint_.collect();
  if (is_closing_ || audit_.size() >= audit_batch_rows) write_audit();
  if (!is_announcing_ && (!watches_.is_settled() || !changes_.empty() || has_presence_changed_)) {
    is_announcing_ = true;
    announce_.start(limits::hub_announce_interval);
  }
}

void McpService::on_timer(uv::Timer& timer) {
  if (&timer == &audit_due_) return write_audit();
  is_announcing_ = false;
  watches_.settle(platform::now());
  std::map<DeviceKey, Catalogs::Change> changes;
  changes.swap(changes_);
  for (const auto& [device, change] : changes) announce(device, change);
  if (std::exchange(has_presence_changed_, false)) {
    endpoint_.for_each([](Conversation& conversation) {
      if (conversation.target().is_fleet()) conversation.server().announce_resource(fleet_uri::devices);
    });
  }
  turn_end_.request();
}

void McpService::write_audit() {
  audit_due_.stop();
  if (audit_.size() == 0) return;
  std::vector<AuditRow> rows;
  for (AuditLine& line : audit_.take()) {
    AuditRow& row = rows.emplace_back();
    row.time_ns = line.entry.begun.nanos;
    row.principal = std::move(line.entry.principal);
    row.device = std::move(line.entry.device);
    row.method = std::move(line.entry.method);
    row.target = std::move(line.entry.target);
    row.arguments_digest = std::move(line.entry.arguments_digest);
    row.outcome = std::move(line.outcome);
    row.duration_us = line.took.nanos / 1000;
    row.trace = std::move(line.entry.trace);
  }
  desk_.fetch<bool>(
      [rows = std::move(rows)](Archive& archive) -> Result<bool> {
        RETURN_IF_ERROR(archive.add_audit(rows));
        return true;
      },
      [this](Result<bool> kept) {
        if (!kept) log_error(log_, area, "lines of the audit were lost: %s: %s", kept.error().context, error_name(kept.error().code));
      },
      StoreDesk::Changes::no_readings);
}

// ---- Devices

void McpService::on_device_up(DeviceKey device, const link::Hello& hello) {
  calls_.on_device_down(device);  // of an older link that was replaced
  has_presence_changed_ = true;
  notices_.erase(device);
  watches_.on_device_up(device);
  book_.on_device_up(device, hello.device, hello.epoch + "/" + std::to_string(hello.incarnation));
  turn_end_.request();
}

void McpService::on_device_down(DeviceKey device) {
  has_presence_changed_ = true;
  notices_.erase(device);
  book_.on_device_down(device);
  calls_.on_device_down(device);
  turn_end_.request();
}

void McpService::on_reply(DeviceKey device, const link::ReplyFrame& frame) {
  calls_.on_reply(device, frame, platform::now());
  turn_end_.request();
}

void McpService::on_notify(DeviceKey device, const link::NotifyFrame& frame) {
  std::string& text = notices_[device];
  if (text.size() <= limits::hub_catalog_bytes + limits::link_piece_bytes) text.append(as_text(frame.text));
  if (!frame.is_last) return;
  const std::string whole = std::move(text);
  notices_.erase(device);
  take_catalog(device, whole);
}

void McpService::take_catalog(DeviceKey device, const std::string& text) {
  const DeviceEntry* entry = fleet_.registry().find(device);
  const mcp::Message message = mcp::parse_message(text);
  if (entry == nullptr || message.kind != mcp::MessageKind::notification || !message.method_name.equals(catalog_notice)) return;
  const auto change = catalogs_.put(device, message.params);
  if (!change) return log_warning(log_, area, "device '%s': its catalog is not taken: %s", entry->record.id.c_str(), change.error().context);
  for (const std::string& problem : catalogs_.of(device).problems) log_warning(log_, area, "device '%s': %s", entry->record.id.c_str(), problem.c_str());
  const uint64_t hash = catalogs_.hash(device);
  desk_.fetch<bool>(
      [device, hash, json = std::string(message.params.raw())](Archive& archive) -> Result<bool> {
        RETURN_IF_ERROR(archive.put_catalog(device, hash, json));
        return true;
      },
      [this](Result<bool> kept) {
        if (!kept) log_warning(log_, area, "a catalog was not kept: %s", kept.error().context);
      });
  Catalogs::Change& sum = changes_[device];
  sum.tools |= change->tools;
  sum.resources |= change->resources;
  sum.templates |= change->templates;
  sum.prompts |= change->prompts;
  turn_end_.request();
}

void McpService::announce(DeviceKey device, const Catalogs::Change& change) {
  endpoint_.for_each([&](Conversation& conversation) {
    if (!conversation.target().is_fleet() && conversation.target().device != device) return;
    if (change.tools) conversation.server().announce_list(mcp::ListKind::tools);
    if (conversation.target().is_fleet()) return;
    if (change.resources || change.templates) conversation.server().announce_list(mcp::ListKind::resources);
    if (change.prompts) conversation.server().announce_list(mcp::ListKind::prompts);
  });
}

void McpService::on_updated(DeviceKey device, const std::string& uri) {
  endpoint_.for_each([&](Conversation& conversation) {
    if (conversation.target().device == device) conversation.server().announce_resource(uri);
  });
}

// ---- Clients

std::unique_ptr<mcp::Catalog> McpService::view(const Principal& principal, const Target& target) {
  if (target.is_fleet()) return std::make_unique<FleetView>(fleet_catalogs_, principal);
  return std::make_unique<DeviceView>(catalogs_, target.device, principal.may_change());
}

void McpService::on_call(Conversation& conversation, const mcp::Call& call) { router_.on_call(conversation, call, platform::now()); }

void McpService::on_cancel(const CallRef& call) {
  router_.on_cancel(call, platform::now());
  turn_end_.request();
}

void McpService::on_watch(Conversation& conversation, const std::string& uri, bool is_watched) {
  // Of context the hub hears without being told again.
  if (!conversation.target().is_fleet() && !is_context_uri(uri)) watches_.watch(conversation.target().device, uri, is_watched);
  watches_.settle(platform::now());
}

std::string McpService::random_id() { return tls::random_hex(session_id_bytes); }

void McpService::on_fleet_call(const CallRef& ref, Conversation& conversation, const mcp::Call& call) {
  if (call.method == mcp::Method::call_tool && task_desk_.on_tool(ref, conversation, call)) return;
  if (context_desk_.on_call(ref, conversation.principal(), call)) return;
  if (fleet_answers_.on_call(ref, conversation.principal(), call)) return;
  fleet_desk_.on_call(ref, conversation, call, platform::now());
}

void McpService::on_offline_call(const CallRef& ref, Conversation& conversation, const mcp::Call& call, const Target& device, const RelayChange& change) {
  const DeviceEntry* entry = fleet_.registry().find(device.device);
  if (entry != nullptr && !conversation.target().is_fleet() &&
      (context_desk_.on_offline_call(ref, conversation.principal(), call, *entry) || fleet_answers_.on_offline_call(ref, call, *entry))) {
    return;
  }
  task_desk_.on_offline_call(ref, conversation, call, device, change);
}

void McpService::on_task_call(const CallRef& ref, Conversation& conversation, const mcp::Call& call) { task_desk_.on_task_call(ref, conversation, call); }

void McpService::on_task_changed(const TaskRecord& record) {
  const mcp::Task task = shown_task(record);
  endpoint_.for_each([&](Conversation& conversation) {
    if (conversation.principal().id == record.principal) conversation.server().announce_task(task);
  });
}

void McpService::on_call_cancelled(const CallRef& ref) {
  fleet_desk_.on_cancelled(ref);
  fleet_answers_.on_cancelled(ref);
  context_desk_.on_cancelled(ref);
}

}  // namespace tideline::hub
