// The commands of `tideline-hub`: names, options, help, and which function runs them. Output for people goes to stdout, everything
// else to stderr; with --json stdout holds one JSON document.
//
// Commands that read open the archive read-only beside a hub that runs; those that change it go through that hub (admin_client.hpp).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/arguments.hpp"
#include "hub/store/archive.hpp"
#include "hub/config.hpp"
#include "hub/state_directory.hpp"
#include "stderr_log.hpp"

namespace tideline::hub::cli {

// Exit codes, a contract with scripts.
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int usage_error = 2;
inline constexpr int not_authorised = 3;
inline constexpr int unreachable = 4;

inline constexpr const char* default_config = "/etc/tideline/hub.toml";

/// Finds the command in `words`, parses its options, runs it; returns the exit code.
int run(std::span<const char* const> words);
std::string overview();

/// "tideline-hub token create: <text>" on stderr; returns `code`.
int fail(int code, std::string_view command, const std::string& text);
/// "write file: no space left (28)".
std::string describe(const Error& error);

/// What every command starts from.
struct Site {
  Config config;
  StateDirectory state;
  platform::StderrLog log{LogLevel::warning};
};
/// Configuration as given by --config, state directory by --state, then the configuration. Nothing after having said what is wrong.
std::optional<Site> load(const Arguments& arguments, std::string_view command);
/// The archive for reading; null, and `code` set, after having said what is wrong. `site` outlives it.
std::unique_ptr<Archive> open_for_reading(Site& site, std::string_view command, int& code);
/// False, after having said that `init` comes first.
bool check_initialised(const Site& site, std::string_view command);

int init(const Arguments& arguments);
int serve(const Arguments& arguments);
int token_create(const Arguments& arguments);
int token_list(const Arguments& arguments);
int key_create(const Arguments& arguments);
int key_list(const Arguments& arguments);
int key_revoke(const Arguments& arguments);
int audit(const Arguments& arguments);
int devices(const Arguments& arguments);
int device_revoke(const Arguments& arguments);
int query(const Arguments& arguments);
int context_get(const Arguments& arguments);
int context_set(const Arguments& arguments);
int context_delete(const Arguments& arguments);
int context_list(const Arguments& arguments);
int context_diff(const Arguments& arguments);
int context_watch(const Arguments& arguments);
int verify(const Arguments& arguments);
int backup(const Arguments& arguments);
int restore(const Arguments& arguments);

}  // namespace tideline::hub::cli
