// desired/config of the device's context, followed: RemoteConfig's decisions put into effect and reported back under reported/.
//
//   reported/config          what of it is in force (so that it equals desired/config when all is well)
//   reported/_state/config   {"state":"applied|trying|refused","version":"..."} of the desired one
//   reported/_error/config   why not; absent when it is in force
//
// Owned by Agent. Thread: loop. Durable: remote-config.json in the state directory, written before a change is tried.
#pragma once

#include <string>

#include "agent/gateway/context_keeper.hpp"
#include "agent/reload.hpp"
#include "agent/remote_config.hpp"

namespace tideline::agent {

/// What the last process left; counts this start. For the process that owns the store, before it reads its configuration in full.
RemoteConfigState begin_remote_config(const std::string& state_directory, Log& log);

class ConfigFromHub final : private RemoteConfig::Host, private ContextKeeper::Watcher {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    /// Takes `fresh` over while running. False, and nothing changed: it needs a restart.
    virtual bool take_config(const ConfigResult& fresh) = 0;
    /// The process is to begin anew, in good order.
    virtual void restart() = 0;
  };
  /// All references outlive this. `running` says whether the hub may configure this device, and for how long a change is tried.
  ConfigFromHub(RemoteConfigState state, const Config& running, std::string state_directory, ConfigLoader load, ContextKeeper& keeper, Owner& owner, Log& log);
  ~ConfigFromHub() override;
  ConfigFromHub(const ConfigFromHub&) = delete;
  ConfigFromHub& operator=(const ConfigFromHub&) = delete;

  void start(Instant now);
  /// Once a second.
  void on_tick(Instant now);
  /// In force now, also to be laid over the file when that is read again.
  const std::string& overlay() const { return RemoteConfig::overlay_of(remote_.state()); }

 private:
  std::vector<std::string> check(const std::string& overlay) override;
  bool apply(const std::string& overlay) override;
  void restart() override { owner_.restart(); }
  Status save(const RemoteConfigState& state) override;
  void report(const std::string& overlay, std::string_view state, const std::string& version, const std::string& error) override;
  void on_context_changed(const std::string& path) override;
  void write(const char* path, const std::string& value);
  void look(bool is_start);

  const Config& running_;
  std::string state_directory_;
  ConfigLoader load_;
  ContextKeeper& keeper_;
  Owner& owner_;
  RemoteConfig remote_;
  Instant now_{};
  context::Stamp reported_ = 0;  ///< of the newest report that is durable here
  uint64_t reports_ = 0;         ///< made and not yet durable
};

}  // namespace tideline::agent
