#include "agent/doctor.hpp"

#include "agent/agent_clock.hpp"
#include "agent/identity.hpp"
#include "agent/local_daemon.hpp"
#include "agent/options.hpp"
#include "base/text.hpp"
#include "clock.hpp"
#include "files.hpp"
#include "net/connector.hpp"

namespace tideline::agent {
namespace {

Finding check_daemon(const Config& config) {
  uv::Loop loop;
  const bool runs = daemon_answers(loop, control_socket(config));
  if (runs) return {"daemon", Health::good, "answers on " + control_socket(config), ""};
  return {"daemon", Health::warning, "not running", "start it: tideline run, or systemctl start tideline"};
}

Finding check_store(const Config& config) {
  const std::string directory = state_directory(config);
  const auto space = platform::disk_space(directory);
  if (!space) return {"store", Health::bad, directory + ": " + error_name(space.error().code), "create the directory or name another with --state"};
  const std::string seen = directory + ", " + format_size(space->free_bytes) + " and " + format_count(space->free_inodes) + " inodes free";
  if (space->free_bytes < config.store.free_space || space->free_inodes < limits::free_inodes_least) {
    return {"store", Health::bad, seen, "free some space, or lower [store] free_space: old readings are being dropped"};
  }
  const auto files = platform::list_files(directory);
  size_t bad = 0;
  if (files) {
    for (const auto& file : *files) bad += file.name.starts_with("bad-") ? 1 : 0;
  }
  if (bad > 0) return {"store", Health::warning, seen + "; " + std::to_string(bad) + " damaged files kept aside", "check the storage medium; 'tideline query --gaps' tells what is missing"};
  return {"store", Health::good, seen, ""};
}

Finding check_clock() {
  const model::Anchor anchor = first_anchor();
  const std::string seen = format_utc({anchor.utc_ns / 1'000'000'000 * 1'000'000'000}) + ", quality " + model::time_quality_name(anchor.quality);
  if (anchor.quality == model::TimeQuality::synced) return {"clock", Health::good, seen, ""};
  if (anchor.quality == model::TimeQuality::rtc) return {"clock", Health::warning, seen, "not disciplined by NTP; readings are corrected when the hub or NTP tells the time"};
  return {"clock", Health::bad, seen, "the clock is older than this program; set up NTP or connect to a hub"};
}

Finding check_identity(const Config& config) {
  if (config.hub.address.empty()) return {"identity", Health::good, "not needed without a hub", ""};
  const auto identity = load_identity(state_directory(config));
  if (!identity) return {"identity", Health::bad, std::string(identity.error().context) + ": " + error_name(identity.error().code), "enrol: tideline enroll " + config.hub.address + " --token ... --ca-fingerprint ..."};
  const UtcNanos now{first_anchor().utc_ns};
  const std::string seen = identity->info.common_name + ", certificate until " + format_utc(identity->info.validity.not_after);
  if (identity->info.validity.not_after < now) return {"identity", Health::bad, seen, "expired: enrol again with a new token"};
  return {"identity", Health::good, seen, ""};
}

/// One attempt to reach the hub, with the device's own certificate.
class HubProbe final : net::Connector::Listener, net::Connection::Listener, net::CertificateClock {
 public:
  Finding run(const Config& config) {
    const auto identity = load_identity(state_directory(config));
    net::Target target;
    if (!parse_address(config.hub.address, target)) return {"hub", Health::bad, config.hub.address, "[hub] address must be HOST:PORT"};
    target.server_name = config.hub.server_name;
    if (!identity) return {"hub", Health::warning, config.hub.address + " not tried", "enrol first"};
    auto context = tls::Context::make_client({identity->own, identity->ca_pem, "", {net::link_protocol}});
    if (!context) return {"hub", Health::bad, context.error().context, "enrol again"};
    net::Connector connector(loop_, *this, *this);
    connector.connect(target, **context);
    loop_.run();
    Finding finding{"hub", failure_.empty() ? Health::good : Health::bad, failure_.empty() ? config.hub.address + ", " + protection_ : failure_,
                    failure_.empty() ? "" : "check address, network and firewall; is the hub running?"};
    connection_.reset();
    return finding;
  }

 private:
  void on_connected(std::unique_ptr<net::Connection> connection) override {
    connection->set_listener(*this);
    protection_ = connection->protection();
    connection_ = std::move(connection);
    loop_.stop();
  }
  void on_connect_failed(const net::CloseReason& reason) override {
    failure_ = reason.text;
    loop_.stop();
  }
  void on_frame(net::Connection&, Bytes) override {}
  void on_bytes(net::Connection&, Bytes) override {}
  void on_closed(net::Connection&, const net::CloseReason&) override {}
  tls::CertificateTime certificate_time() override { return {{first_anchor().utc_ns}, first_anchor().quality <= model::TimeQuality::floor}; }

  uv::Loop loop_;
  std::unique_ptr<net::Connection> connection_;
  std::string protection_;
  std::string failure_;
};

}  // namespace

std::vector<Finding> diagnose(const Config& config, Log& log) {
  (void)log;
  std::vector<Finding> findings{check_daemon(config), check_store(config), check_clock(), check_identity(config)};
  if (config.hub.address.empty()) {
    findings.push_back({"hub", Health::warning, "none configured", "set [hub] address to sync; readings queue here until then"});
  } else {
    findings.push_back(HubProbe().run(config));
  }
  return findings;
}

}  // namespace tideline::agent
