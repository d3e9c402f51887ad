#include "fleet.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/log.hpp"
#include "clock.hpp"
#include "identities.hpp"

namespace tideline::bench {
namespace {

constexpr Duration pace = milliseconds(10);

double seconds_now() { return static_cast<double>(platform::now().nanos) / 1e9; }

agent::HubLinkOptions link_options(const FleetOptions& options, unsigned number) {
  agent::HubLinkOptions link;
  link.state_directory = options.identities + "/" + device_name(number);
  link.hub.host = "127.0.0.1";
  link.hub.port = options.port;
  link.uplink.seed = 0x9e37 + uint64_t{number} * 7919;
  link.uplink.agent_version = "load";
  return link;
}

model::Anchor anchor_now() { return {0xb007, platform::now().nanos, platform::wall_clock().nanos, 0, model::TimeQuality::synced}; }

}  // namespace

class Fleet::Device final : private agent::Outbox::Listener {
 public:
  Device(Fleet& fleet, unsigned number)
      : store_(fleet.blocks_, fleet, format("%032x", number + 1), anchor_now()),
        link_(link_options(fleet.options_, number), store_, fleet.loop_, fleet, fleet) {
    store_.set_listener(*this);
  }
  LoadStore& store() { return store_; }
  agent::HubLink& link() { return link_; }
  const agent::HubLink& link() const { return link_; }
  bool is_started = false;

 private:
  void on_appended(agent::Outbox::Token, Status) override {}
  void on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps,
                  model::Seq covered_to) override {
    link_.on_fetched(stream, from, std::move(blocks), std::move(gaps), covered_to);
  }
  void on_answer(agent::Outbox::Token, Result<model::QueryAnswer>) override {}
  void on_committed(model::Stream stream, model::Seq next) override { link_.on_committed(stream, next); }
  void on_rebased(model::Stream stream, Status status) override { link_.on_rebased(stream, status); }

  LoadStore store_;
  agent::HubLink link_;
};

Fleet::Fleet(const FleetOptions& options)
    : options_(options), blocks_(options.block_readings, options.block_series), turn_end_(loop_, *this), pace_(loop_, *this) {
  devices_.reserve(options.devices);
  for (unsigned i = 0; i < options.devices; ++i) devices_.push_back(std::make_unique<Device>(*this, i));
}

Fleet::~Fleet() = default;

Status Fleet::run() {
  ASSIGN_OR_RETURN(input_, uv::StandardInput::open(loop_, *this, 0));
  input_->start_reading();
  say(format("{\"ready\":%zu,\"at\":%.6f}", devices_.size(), seconds_now()));
  loop_.run();
  return {};
}

// ---- Commands

void Fleet::on_input(Bytes bytes) {
  partial_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (size_t end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n')) {
    const std::string line = partial_.substr(0, end);
    partial_.erase(0, end + 1);
    execute(line);
  }
}

void Fleet::execute(std::string_view line) {
  const size_t space = line.find(' ');
  const std::string_view verb = line.substr(0, space);
  const double number = space == std::string_view::npos ? 0 : std::strtod(std::string(line.substr(space)).c_str(), nullptr);
  const double at = seconds_now();
  if (verb == "connect") connect(static_cast<size_t>(number));
  else if (verb == "send") for (auto& device : devices_) device->store().produce(static_cast<size_t>(number));
  else if (verb == "disconnect") {
    for (auto& device : devices_) {
      if (device->is_started) device->link().stop();
      device->is_started = false;
    }
  } else if (verb == "quit") return loop_.stop();
  else if (verb == "status") return say(status());
  else return say("{\"error\":\"connect, send, status, disconnect or quit\"}");
  say(format("{\"at\":%.6f}", at));
}

void Fleet::connect(size_t most) {
  started_ = 0;
  most_ = most;
  connecting_.clear();
  if (most == 0) return start_next(devices_.size());
  pace_.start_repeating(pace);
}

void Fleet::on_timer(uv::Timer&) {
  std::erase_if(connecting_, [](const Device* device) { return device->link().status().state == agent::UplinkState::online; });
  start_next(most_ - std::min(most_, connecting_.size()));
  if (started_ >= devices_.size()) pace_.stop();
}

void Fleet::start_next(size_t count) {
  for (; count > 0 && started_ < devices_.size(); --count, ++started_) {
    Device& device = *devices_[started_];
    if (device.is_started) continue;
    device.is_started = true;
    if (most_ > 0) connecting_.push_back(&device);
    device.link().start();
  }
}

std::string Fleet::status() const {
  size_t online = 0, synced = 0, resumed = 0, idle = 0;
  uint64_t connections = 0, attempts = 0, produced = 0, acknowledged = 0, sent = 0, received = 0;
  std::string problem;
  for (const auto& device : devices_) {
    const agent::UplinkStatus link = device->link().status();
    const bool is_online = link.state == agent::UplinkState::online;
    online += is_online;
    synced += is_online && device->link().is_synced();
    resumed += is_online && device->link().protection().ends_with("resumed");
    connections += link.connections;
    attempts += link.attempts;
    produced += device->store().produced_readings();
    acknowledged += link.readings_acknowledged;
    const net::Traffic traffic = device->link().traffic();
    sent += traffic.sent_bytes;
    received += traffic.received_bytes;
    if (!device->link().idle_reason().empty()) {
      ++idle;
      problem = device->link().idle_reason();
    } else if (!is_online && !link.last_error.empty()) {
      problem = link.last_error;
    }
  }
  std::erase_if(problem, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' '; });
  return format("{\"at\":%.6f,\"devices\":%zu,\"online\":%zu,\"synced\":%zu,\"resumed\":%zu,\"idle\":%zu,\"connections\":%llu,\"attempts\":%llu,"
                "\"produced\":%llu,\"acknowledged\":%llu,\"sent_bytes\":%llu,\"received_bytes\":%llu,\"warnings\":%llu,\"problem\":\"%.200s\"}",
                seconds_now(), devices_.size(), online, synced, resumed, idle, static_cast<unsigned long long>(connections),
                static_cast<unsigned long long>(attempts), static_cast<unsigned long long>(produced), static_cast<unsigned long long>(acknowledged),
                static_cast<unsigned long long>(sent), static_cast<unsigned long long>(received), static_cast<unsigned long long>(warnings_), problem.c_str());
}

void Fleet::say(const std::string& json) {
  std::printf("%s\n", json.c_str());
  std::fflush(stdout);
}

// ---- Devices

void Fleet::want_answer(LoadStore& store) {
  waiting_.push_back(&store);
  turn_end_.request();
}

void Fleet::on_turn_end() {
  std::vector<LoadStore*> waiting;
  waiting.swap(waiting_);
  for (LoadStore* store : waiting) store->answer();
}

tls::CertificateTime Fleet::certificate_time() { return {platform::wall_clock(), false}; }

void Fleet::write(LogLevel level, std::string_view, std::string_view text) {
  if (level < LogLevel::warning) return;
  if (++warnings_ <= 20) std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

}  // namespace tideline::bench
