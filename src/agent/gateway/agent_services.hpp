// What the built-in tools, resources and prompts need of the agent they belong to. The agent implements it (agent/local_services.hpp);
// tests fake it.
//
// Thread: loop. Questions and records are answered through the Listener, never from within the call.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "agent/store/store_types.hpp"
#include "base/result.hpp"
#include "model/query.hpp"

namespace tideline::agent {

/// One look at time as this device knows it.
struct Moment {
  UtcNanos utc;
  model::TimeQuality quality = model::TimeQuality::none;
  int64_t offset_ns = 0;     ///< wall minus monotonic; when it changes, what the agent stamped moves with it
  UtcNanos listening_since;  ///< when this process began to take readings
};

/// How syncing to the hub goes.
struct SyncView {
  std::string hub;              ///< "host:port", "" without one
  std::string state;            ///< "online", "waiting", ...; "idle" when there is no uplink
  std::string idle_reason;      ///< why there is none
  std::string last_error;
  std::optional<Duration> last_ack_age;
  std::optional<Duration> next_attempt;
  std::array<uint64_t, model::stream_count> backlog{};  ///< readings to send, per class
  bool backlog_is_upper_bound = false;
  bool is_synced = false;
  uint64_t readings_acknowledged = 0;
  Duration loss_window;         ///< what a power cut may cost readings whose producer does not wait
};

enum class Health : unsigned char { good, warning, bad };

struct Finding {
  std::string check;    ///< "store", "clock", ...
  Health health = Health::good;
  std::string what;     ///< what was seen
  std::string advice;   ///< what to do, "" when all is well
};
const char* health_name(Health health);

/// A reading to store. The operator's series rules still apply to it.
struct NewReading {
  model::Series series;
  bool chooses_class = false;       ///< series.stream was asked for: rules leave it alone
  model::ValueType type = model::ValueType::f64;
  uint64_t bits = 0;                ///< of numbers and booleans
  std::string text;
  std::optional<UtcNanos> time;     ///< absent: now
};

class AgentServices {
 public:
  using Token = uint64_t;
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_answer(Token token, const Result<model::QueryAnswer>& answer) = 0;
    /// All readings of the record() are on the disk, or why not all.
    virtual void on_recorded(Token token, const Status& status) = 0;
  };
  virtual ~AgentServices() = default;

  virtual std::string device() const = 0;
  virtual Moment moment() const = 0;
  virtual const model::SeriesDictionary& dictionary() const = 0;
  virtual const StoreStatus& store() const = 0;
  virtual std::vector<model::Gap> gaps(model::Stream stream) const = 0;
  virtual SyncView sync() const = 0;
  virtual std::string status_json() const = 0;
  virtual std::vector<Finding> diagnose() const = 0;

  /// Commits what is pending and connects to the hub now.
  virtual void sync_now() = 0;
  virtual void ask(model::Query query, Token token) = 0;
  /// All or nothing is taken; on_recorded() follows when it was. Errors: full (no room now), invalid, limit (number of series), io.
  virtual Status record(const std::vector<NewReading>& readings, Token token) = 0;
};

}  // namespace tideline::agent
