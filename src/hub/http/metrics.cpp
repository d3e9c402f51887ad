#include "hub/http/metrics.hpp"

#include <cinttypes>
#include <cstdio>

#include "base/log.hpp"
#include "base/text.hpp"

namespace tideline::hub {
namespace {

class Page {
 public:
  void counter(std::string_view name, std::string_view help, uint64_t value) { single(name, "counter", help, value); }
  void gauge(std::string_view name, std::string_view help, uint64_t value) { single(name, "gauge", help, value); }
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
  }
  void sample(std::string_view name, std::string_view labels, const std::string& value) {
    text_.append(name);
    if (!labels.empty()) text_.append("{").append(labels).append("}");
    text_.append(" ").append(value).append("\n");
  }
  std::string take() { return std::move(text_); }

 private:
  void single(std::string_view name, std::string_view type, std::string_view help, uint64_t value) {
    begin(name, type, help);
    sample(name, "", std::to_string(value));
  }
  std::string text_;
};

void add_devices(Page& page, const Metrics& m) {
  page.gauge("tideline_hub_devices_known", "Devices enrolled and not removed.", m.devices_known);
  page.gauge("tideline_hub_devices_online", "Devices with a link right now.", m.devices_online);
  page.counter("tideline_hub_enrolments_total", "Certificates issued, first ones and renewals.", m.enrolments);
  page.counter("tideline_hub_enrolments_refused_total", "Enrolments refused: wrong, used or expired token, other device.", m.enrolments_refused);
  page.counter("tideline_hub_links_refused_total", "Links refused: unknown, revoked or expired device.", m.links_refused);
  page.counter("tideline_hub_links_closed_total", "Device links that ended, for whatever reason.", m.links_closed);
}

void add_data(Page& page, const Metrics& m) {
  page.counter("tideline_hub_readings_accepted_total", "Readings stored, without duplicates.", m.readings_accepted);
  page.begin("tideline_hub_blocks_total", "counter", "Blocks received, by what became of them.");
  page.sample("tideline_hub_blocks_total", "result=\"accepted\"", std::to_string(m.blocks_accepted));
  page.sample("tideline_hub_blocks_total", "result=\"duplicate\"", std::to_string(m.blocks_duplicate));
  page.sample("tideline_hub_blocks_total", "result=\"refused\"", std::to_string(m.blocks_refused));
  page.counter("tideline_hub_gaps_total", "Gap records stored.", m.gaps_accepted);
  page.counter("tideline_hub_readings_declared_lost_total", "Readings that devices declared lost.", m.readings_declared_lost);
  page.begin("tideline_hub_backlog_readings", "gauge", "Readings that online devices hold and the hub does not.");
  for (const model::Stream stream : model::streams) {
    page.sample("tideline_hub_backlog_readings", format("stream=\"%s\"", model::stream_name(stream)),
                std::to_string(m.backlog_readings[model::index_of(stream)]));
  }
}

void add_store(Page& page, const Metrics& m) {
  constexpr std::string_view name = "tideline_hub_commit_seconds";
  page.counter("tideline_hub_commits_failed_total", "Commits that failed; the store stays failed until the hub is restarted.", m.commits_failed);
  page.begin(name, "histogram", "Duration of synced commits.");
  for (size_t i = 0; i < SecondsHistogram::bounds.size(); ++i) {
    page.sample("tideline_hub_commit_seconds_bucket", "le=\"" + format_number(SecondsHistogram::bounds[i]) + "\"",
                std::to_string(m.commit_seconds.at_most(i)));
  }
  page.sample("tideline_hub_commit_seconds_bucket", "le=\"+Inf\"", std::to_string(m.commit_seconds.count()));
  page.sample("tideline_hub_commit_seconds_sum", "", format_number(m.commit_seconds.sum()));
  page.sample("tideline_hub_commit_seconds_count", "", std::to_string(m.commit_seconds.count()));
}

void add_network(Page& page, const Metrics& m) {
  page.begin("tideline_hub_connections", "gauge", "Open connections by kind.");
  page.sample("tideline_hub_connections", "kind=\"device\"", std::to_string(m.device_connections));
  page.sample("tideline_hub_connections", "kind=\"http\"", std::to_string(m.http_connections));
  page.counter("tideline_hub_bytes_received_total", "Bytes received, after decryption.", m.bytes_in);
  page.counter("tideline_hub_bytes_sent_total", "Bytes sent, before encryption.", m.bytes_out);
  page.begin("tideline_hub_tls_handshakes_total", "counter", "TLS handshakes by kind; a full one costs about 10 ms of processor time.");
  page.sample("tideline_hub_tls_handshakes_total", "kind=\"full\"", std::to_string(m.handshakes_full));
  page.sample("tideline_hub_tls_handshakes_total", "kind=\"resumed\"", std::to_string(m.handshakes_resumed));
  page.sample("tideline_hub_tls_handshakes_total", "kind=\"failed\"", std::to_string(m.handshakes_failed));
  page.counter("tideline_hub_http_requests_total", "HTTP requests answered.", m.http_requests);
}

}  // namespace

void SecondsHistogram::add(Duration duration) {
  const double seconds = duration.seconds();
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (seconds <= bounds[i]) ++buckets_[i];
  }
  ++count_;
  sum_seconds_ += seconds;
}

std::string prometheus_text(const Metrics& metrics) {
  Page page;
  page.begin("tideline_hub_build_info", "gauge", "Always 1; the label tells the version.");
  page.sample("tideline_hub_build_info", "version=\"" TIDELINE_VERSION "\"", "1");
  page.begin("tideline_hub_uptime_seconds", "gauge", "Time since the hub began to serve.");
  page.sample("tideline_hub_uptime_seconds", "", format_number(metrics.uptime.seconds()));
  add_devices(page, metrics);
  add_data(page, metrics);
  add_store(page, metrics);
  add_network(page, metrics);
  page.gauge("process_resident_memory_bytes", "Resident memory.", metrics.resident_bytes);
  return page.take();
}

uint64_t read_resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  uint64_t pages = 0;
  uint64_t resident_pages = 0;
  const int read = std::fscanf(file, "%" SCNu64 " %" SCNu64, &pages, &resident_pages);
  std::fclose(file);
  return read == 2 ? resident_pages * 4096 : 0;
}

}  // namespace tideline::hub
