// `tideline-hub verify`, `backup`, `restore`.
#include <cstdio>

#include "base/text.hpp"
#include "hub/cli.hpp"
#include "mcp/json_write.hpp"
#include "privileges.hpp"
#include "small_file.hpp"
#include "terminal.hpp"

namespace tideline::hub::cli {
namespace {

/// A bar on stderr when somebody looks; redrawn once per percent.
class ProgressBar {
 public:
  explicit ProgressBar(const char* what) : what_(what), is_shown_(platform::stderr_is_terminal()) {}
  ~ProgressBar() {
    if (last_percent_ >= 0) std::fprintf(stderr, "\r\033[K");
  }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  void show(uint64_t done_count, uint64_t total) {
    const int percent = total == 0 ? 100 : static_cast<int>(static_cast<double>(done_count) / static_cast<double>(total) * 100);
    if (!is_shown_ || percent == last_percent_) return;
    last_percent_ = percent;
    const std::string filled(static_cast<size_t>(percent) / 4, '#');
    std::fprintf(stderr, "\r%s [%-25s] %3d%%", what_, filled.c_str(), percent);
  }

 private:
  const char* what_;
  bool is_shown_;
  int last_percent_ = -1;
};

bool is_sound(const VerifyReport& report) {
  return report.duplicates == 0 && report.unreadable_blocks == 0 && report.missing == 0 && report.problems.empty();
}

std::string report_json(const VerifyReport& report) {
  std::string problems = "[";
  for (const std::string& problem : report.problems) {
    if (problems.size() > 1) problems += ",";
    mcp::append_string(problems, problem);
  }
  const auto number = [](uint64_t value) { return static_cast<int64_t>(value); };
  std::string text;
  mcp::ObjectWriter object(text);
  object.boolean("sound", is_sound(report)).integer("devices", number(report.devices)).integer("blocks", number(report.blocks));
  object.integer("readings", number(report.readings)).integer("duplicates", number(report.duplicates)).integer("missing", number(report.missing));
  object.integer("declared_lost", number(report.declared_lost)).integer("unreadable_blocks", number(report.unreadable_blocks));
  object.raw("problems", problems + "]");
  object.end();
  return text;
}

void print_report(const VerifyReport& report) {
  const auto line = [](const char* what, uint64_t count) { std::printf("%-18s %s\n", what, format_count(count).c_str()); };
  line("devices", report.devices);
  line("blocks", report.blocks);
  line("readings", report.readings);
  line("declared lost", report.declared_lost);
  line("missing", report.missing);
  line("held twice", report.duplicates);
  line("unreadable blocks", report.unreadable_blocks);
  for (const std::string& problem : report.problems) std::printf("problem: %s\n", problem.c_str());
  std::printf("%s\n", is_sound(report) ? "sound: every reading is held once or declared lost" : "NOT sound; a backup can be put back with 'tideline-hub restore'");
}

bool take_file(const Arguments& arguments, std::string_view command, std::string& file) {
  if (arguments.words().size() == 1) {
    file = arguments.words().front();
    return true;
  }
  fail(usage_error, command, "name one FILE; see 'tideline-hub " + std::string(command) + " --help'");
  return false;
}

}  // namespace

int verify(const Arguments& arguments) {
  auto site = load(arguments, "verify");
  if (!site) return usage_error;
  int code = done;
  const auto archive = open_for_reading(*site, "verify", code);
  if (archive == nullptr) return code;
  Result<VerifyReport> report = Error{};
  {
    ProgressBar bar("verify");
    report = archive->verify([&bar](uint64_t done_count, uint64_t total) { bar.show(done_count, total); });
  }
  if (!report) return fail(failed, "verify", site->state.archive() + ": " + describe(report.error()));
  if (arguments.has("json")) {
    std::printf("%s\n", report_json(*report).c_str());
  } else {
    print_report(*report);
  }
  return is_sound(*report) ? done : failed;
}

int backup(const Arguments& arguments) {
  auto site = load(arguments, "backup");
  std::string file;
  if (!site || !take_file(arguments, "backup", file)) return usage_error;
  int code = done;
  const auto archive = open_for_reading(*site, "backup", code);
  if (archive == nullptr) return code;
  Status copied;
  {
    ProgressBar bar("backup");
    copied = archive->backup(file, [&bar](uint64_t done_count, uint64_t total) { bar.show(done_count, total); });
  }
  if (!copied && copied.error().code == ErrorCode::exists) return fail(failed, "backup", file + " exists; a backup never overwrites one");
  if (!copied) return fail(failed, "backup", file + ": " + describe(copied.error()));
  std::printf("archive copied to %s; keys are not in it (%s, %s)\n", file.c_str(), site->state.authority_key().c_str(),
              site->state.authority_certificate().c_str());
  return done;
}

int restore(const Arguments& arguments) {
  auto site = load(arguments, "restore");
  std::string file;
  if (!site || !check_initialised(*site, "restore") || !take_file(arguments, "restore", file)) return usage_error;
  if (!platform::file_exists(file)) return fail(usage_error, "restore", file + ": there is no such file");
  const Status restored = restore_sqlite_archive(file, site->state.archive());
  if (!restored && restored.error().code == ErrorCode::busy) {
    return fail(failed, "restore", "a hub serves " + site->state.path + (restored.error().native != 0 ? " (process " + std::to_string(restored.error().native) + ")" : "") + "; stop it first");
  }
  if (!restored) return fail(failed, "restore", file + ": " + describe(restored.error()));
  if (const Status given = platform::give_files_to_owner(site->state.path); !given) return fail(failed, "restore", site->state.path + ": " + describe(given.error()));
  std::printf("archive restored from %s; the one that was there is %s.replaced\n", file.c_str(), site->state.archive().c_str());
  std::printf("devices enrolled since that backup must be enrolled again\n");
  return done;
}

}  // namespace tideline::hub::cli
