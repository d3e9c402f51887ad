// N devices in one process and one loop: the agent's own HubLink (TLS, tickets, Uplink, backoff) over a store that is made up.
//
// Commands come on standard input, one a line; each is answered by one line of JSON on standard output. "at" is CLOCK_MONOTONIC in seconds,
// so that the caller can set it against its own clock.
//
//   connect [MOST]   starts the devices, at most MOST on their way at a time (0: all at once)
//   send BLOCKS      each device has BLOCKS blocks more
//   status           counts over all devices
//   disconnect       every device says goodbye at once; session tickets are kept
//   quit
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/hub_link.hpp"
#include "load_store.hpp"
#include "wrap/uv/standard_io.hpp"

namespace tideline::bench {

struct FleetOptions {
  std::string identities;  ///< directory of make_identities()
  unsigned devices = 0;
  uint16_t port = 0;
  uint32_t block_readings = 250;
  uint32_t block_series = 4;
};

class Fleet final : private uv::StandardInput::Listener,
                    private uv::Timer::Listener,
                    private uv::TurnEnd::Listener,
                    private LoadStore::Later,
                    private net::CertificateClock,
                    private Log {
 public:
  explicit Fleet(const FleetOptions& options);
  ~Fleet() override;
  /// Until "quit" or the end of standard input.
  Status run();

 private:
  class Device;

  void on_input(Bytes bytes) override;
  void on_input_end() override { loop_.stop(); }
  void on_input_failed(Error) override { loop_.stop(); }
  void on_timer(uv::Timer& timer) override;
  void on_turn_end() override;
  void want_answer(LoadStore& store) override;
  tls::CertificateTime certificate_time() override;
  void write(LogLevel level, std::string_view area, std::string_view text) override;

  void execute(std::string_view line);
  void connect(size_t most);
  void start_next(size_t count);
  std::string status() const;
  void say(const std::string& json);

  FleetOptions options_;
  uv::Loop loop_;
  SharedBlocks blocks_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<LoadStore*> waiting_;  // for an answer at the end of the turn
  uv::TurnEnd turn_end_;
  uv::Timer pace_;
  std::unique_ptr<uv::StandardInput> input_;
  std::string partial_;
  size_t started_ = 0;
  size_t most_ = 0;                   // devices on their way at a time
  std::vector<Device*> connecting_;
  uint64_t warnings_ = 0;
};

}  // namespace tideline::bench
