// `tideline doctor`: prints what doctor.hpp found.
#include <algorithm>
#include <cstdio>

#include "agent/cli.hpp"
#include "agent/doctor.hpp"
#include "base/table.hpp"
#include "stderr_log.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::agent::cli {
namespace {

constexpr const char* health_names[] = {"ok", "warning", "BAD"};

}  // namespace

int doctor(const Arguments& arguments) {
  Config config;
  int code = done;
  if (!load(arguments, "doctor", config, code)) return code;
  platform::StderrLog log(LogLevel::error);
  const std::vector<Finding> findings = diagnose(config, log);
  const bool is_bad = std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.health == Health::bad; });
  if (arguments.has("json")) {
    std::string out;
    json::Writer w(out);
    w.begin_object().key("findings").begin_array();
    for (const Finding& f : findings) {
      w.begin_object().key("check").text(f.check).key("health").text(health_names[static_cast<size_t>(f.health)]);
      w.key("what").text(f.what).key("advice").text(f.advice).end_object();
    }
    w.end_array().end_object();
    std::printf("%s\n", out.c_str());
    return is_bad ? failed : done;
  }
  Table table;
  for (const char* title : {"check", "health", "what", "advice"}) table.add_column(title);
  for (const Finding& f : findings) table.add_row({f.check, health_names[static_cast<size_t>(f.health)], f.what, f.advice});
  std::fputs(table.text().c_str(), stdout);
  return is_bad ? failed : done;
}

}  // namespace tideline::agent::cli
