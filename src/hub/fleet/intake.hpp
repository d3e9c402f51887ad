// Gathers what the sessions received in one loop turn into one transaction, and brings the verdicts back. While a transaction is
// under way the next one fills: the slower the disk, the larger the batches.
//
// Pure; owned by the hub's composition. Thread: loop. Bounded by limits::intake_queue_bytes, what is being applied included.
// Holds nothing durable: a session acknowledges only what deliver() brought (law 2).
#pragma once

#include <string>
#include <vector>

#include "hub/store/archive.hpp"

namespace tideline::hub {

/// Number of a session within this process, never used twice.
using SessionId = uint64_t;

class IntakeActions {
 public:
  virtual ~IntakeActions() = default;
  /// One transaction: StoreThread::apply(). Answered by Intake::on_applied(), one at a time.
  virtual void apply(std::vector<IntakeBatch>&& batches) = 0;
  /// StoreThread::load_state(); the answer goes to the session directly.
  virtual void load_state(SessionId session, DeviceKey device, const std::string& epoch) = 0;
  /// What became of one put(), in the order of the puts. The session may be gone.
  virtual void deliver(SessionId session, Result<std::vector<BlockVerdict>> verdicts) = 0;
};

class Intake {
 public:
  explicit Intake(IntakeActions& actions) : actions_(actions) {}
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  /// Takes `batch` for the next transaction. Errors: full; then nothing was taken, and the session should end: the device will
  /// send it again.
  Status put(SessionId session, IntakeBatch&& batch);
  /// Asked of the store after all that was put before, so that it says what those made of it.
  void load_state(SessionId session, DeviceKey device, const std::string& epoch);
  /// End of a loop turn: hands over what waits, unless a transaction is under way.
  void flush();
  /// The transaction ended: delivers its verdicts, then hands over what gathered meanwhile.
  void on_applied(Result<std::vector<std::vector<BlockVerdict>>> verdicts);

  /// False above half of the bound: stop reading from devices until it is true again.
  bool has_room() const;
  size_t pending_bytes() const { return waiting_bytes_ + applying_bytes_; }
  bool is_applying() const { return is_applying_; }

 private:
  struct Load {
    SessionId session = 0;
    DeviceKey device = 0;
    std::string epoch;
  };

  IntakeActions& actions_;
  std::vector<IntakeBatch> waiting_;
  std::vector<SessionId> waiting_sessions_;
  std::vector<Load> waiting_loads_;
  std::vector<SessionId> applying_sessions_;
  size_t waiting_bytes_ = 0;
  size_t applying_bytes_ = 0;
  bool is_applying_ = false;
};

/// Memory that a batch holds, about.
size_t size_bytes(const IntakeBatch& batch);

}  // namespace tideline::hub
