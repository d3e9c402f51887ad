// The commands of `tideline`: names, options, help, and which function runs them. Output for people goes to stdout, everything
// else to stderr; with --json stdout holds one JSON document.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "agent/config.hpp"
#include "base/arguments.hpp"

namespace tideline::agent::cli {

// Exit codes, a contract with scripts.
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int usage_error = 2;
inline constexpr int not_authorised = 3;
inline constexpr int unreachable = 4;

/// Finds the command in `words`, parses its options, runs it; returns the exit code.
int run(std::span<const char* const> words);
std::string overview();

/// "tideline record: <text>" on stderr; returns `code`.
int fail(int code, std::string_view command, const std::string& text);
/// The exit code that belongs to a kind of error.
int exit_code(const Error& error);
/// "open store: no space (os error 28)": what, kind, native code.
std::string describe(const Error& error);

/// Configuration as given by --config and --state (or their defaults); false after having said what is wrong.
bool load(const Arguments& arguments, std::string_view command, Config& out, int& code);

int run_daemon(const Arguments& arguments);
int mcp(const Arguments& arguments);
int record(const Arguments& arguments);
int ingest(const Arguments& arguments);
int query(const Arguments& arguments);
int status(const Arguments& arguments);
int enroll(const Arguments& arguments);
int doctor(const Arguments& arguments);
int verify(const Arguments& arguments);
int context_get(const Arguments& arguments);
int context_set(const Arguments& arguments);
int context_delete(const Arguments& arguments);
int context_list(const Arguments& arguments);
int context_watch(const Arguments& arguments);

}  // namespace tideline::agent::cli
