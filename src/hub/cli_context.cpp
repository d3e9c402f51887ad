// `tideline-hub context ...`.
#include <chrono>
#include <cstdio>
#include <thread>

#include "base/table.hpp"
#include "clock.hpp"
#include "context/entry_json.hpp"
#include "context/json_values.hpp"
#include "context/limits.hpp"
#include "context/path.hpp"
#include "hub/admin_client.hpp"
#include "hub/cli.hpp"
#include "hub/mcp/context_reading.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/json_write.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::hub::cli {
namespace {

constexpr std::chrono::milliseconds watch_interval{500};
constexpr size_t devices_at_once = 1000;

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fputc('\n', stdout);
  return std::fflush(stdout) == 0 ? done : failed;
}

int wrong_words(std::string_view command, const char* wanted) { return fail(usage_error, command, std::string("write: tideline-hub ") + std::string(command) + " " + wanted); }

/// What the commands that read start from.
struct Reading {
  std::optional<Site> site;
  std::unique_ptr<Archive> archive;
  int code = done;
};

Reading begin(const Arguments& arguments, std::string_view command) {
  Reading reading;
  reading.site = load(arguments, command);
  if (!reading.site) {
    reading.code = usage_error;
    return reading;
  }
  reading.archive = open_for_reading(*reading.site, command, reading.code);
  return reading;
}

/// Whether a device is connected is known to the hub's process alone: left out here.
std::optional<ContextTarget> find_device(Archive& archive, const std::string& id, std::string_view command, int& code) {
  const auto record = archive.device(id);
  if (record) return ContextTarget{record->key, record->id, false};
  code = record.error().code == ErrorCode::not_found ? fail(failed, command, "there is no device '" + id + "'; see 'tideline-hub devices'") : fail(failed, command, describe(record.error()));
  return std::nullopt;
}

int write(const Arguments& arguments, const std::string& command, const std::string& path, const std::string& value) {
  auto site = load(arguments, command);
  if (!site || !check_initialised(*site, command)) return usage_error;
  AdminRequest request{command, {{"devices", arguments.words()[0]}, {"path", path}}};
  if (command == "context set") request.arguments["value"] = value;
  if (arguments.has("merge")) request.arguments["merge"] = "1";
  if (arguments.has("if-version")) request.arguments["if_version"] = arguments.get("if-version");
  Duration life;
  if (arguments.has("ttl")) {
    if (!parse_duration(arguments.get("ttl"), life) || life.nanos < 1'000'000) return fail(usage_error, command, "--ttl '" + arguments.get("ttl") + "' is not a time such as 90s, 15m or 24h");
    request.arguments["ttl_ms"] = std::to_string(life.nanos / 1'000'000);
  }
  if (const std::string problem = context::path_problem(path); !problem.empty()) return fail(usage_error, command, "'" + path + "': " + problem);
  if (encode_admin(request).size() >= limits::admin_line_bytes) return fail(usage_error, command, "the value is too long for this command; the tool context_set takes 64 KiB");
  const AdminAnswer answer = run_admin(site->state, request, platform::wall_clock(), site->log);
  if (answer.exit_code != 0) return fail(answer.exit_code, command, answer.error);
  if (arguments.has("json")) return print(answer.result);
  const mcp::Slice result(answer.result);
  if (const std::string version = mcp::find_member(result, "version").text(); !version.empty()) return print(path + " of '" + mcp::find_member(result, "device").text() + (command == "context set" ? "' is written, version " : "' is deleted, version ") + version);
  std::string text = format("%s: written for %lld of %lld devices", path.c_str(), static_cast<long long>(mcp::find_member(result, "written").integer().value_or(0)),
                            static_cast<long long>(mcp::find_member(result, "devices").integer().value_or(0)));
  for (mcp::Walk walk(mcp::find_member(result, "refusals")); walk.next();) {
    text += "\n  refused for '" + mcp::find_member(walk.value(), "device").text() + "': " + mcp::find_member(walk.value(), "reason").text();
  }
  return print(text);
}

/// Everything, page after page.
template <class Print>
Status read_all(ContextArchive& archive, ContextReading::Kind kind, const ContextListRequest& request, const std::vector<ContextTarget>& targets, UtcNanos now, Print print_page) {
  ContextListRequest page = request;
  page.limit = context_rows_most;
  for (;;) {
    ContextReading reading(kind, page, targets, now);
    for (bool is_done = false; !is_done;) {
      ASSIGN_OR_RETURN(is_done, reading.advance(archive, devices_at_once));
    }
    const ContextAnswer answer = reading.take();
    print_page(answer);
    if (answer.next_cursor.empty()) return {};
    const size_t space = answer.next_cursor.find(' ');
    page.after_device = answer.next_cursor.substr(0, space);
    page.after_path = answer.next_cursor.substr(space + 1);
  }
}

std::vector<ContextTarget> online_targets(const Site& site, Archive& archive, const model::DeviceSelector& selector) {
  const auto online = ask_hub(site.state, {"online", {}});
  const mcp::Slice devices = online ? mcp::find_member(mcp::Slice(online->result), "devices") : mcp::Slice();
  std::vector<ContextTarget> targets;
  const auto all = archive.devices();
  if (!all) return targets;
  for (const DeviceRecord& record : *all) {
    if (selector.matches(record.id, record.labels)) targets.push_back({record.key, record.id, mcp::find_member(devices, record.id).is_present()});
  }
  return targets;
}

int watch_device(Archive& archive, const ContextTarget& target, const std::string& prefix, bool as_json) {
  context::Tops shown;
  for (bool is_first = true;; is_first = false) {
    const auto state = archive.context().state(target.key);
    if (!state) return fail(failed, "context watch", describe(state.error()));
    for (const context::Side side : context::sides) {
      while (!is_first && shown[side] < state->replica.tops[side]) {
        const auto page = archive.context().page(target.key, side, shown[side], context::limits::message_bytes);
        if (!page) return fail(failed, "context watch", describe(page.error()));
        if (page->registers.empty()) break;
        for (const context::Register& reg : page->registers) {
          shown[side] = reg.write.stamp;
          if (!context::is_under(reg.path, prefix)) continue;
          std::string line;
          json::Writer w(line);
          if (as_json) {
            w.begin_object().key("device").text(target.id).key("path").text(reg.path);
            context::write_write(w, reg.side, reg.write);
            w.end_object();
          } else {
            line = reg.path + " = " + context::write_text(reg.side, reg.write);
          }
          if (print(line) != done) return failed;
        }
      }
      shown[side] = std::max(shown[side], state->replica.tops[side]);
    }
    std::this_thread::sleep_for(watch_interval);
  }
}

}  // namespace

int context_get(const Arguments& arguments) {
  if (arguments.words().size() != 2) return wrong_words("context get", "DEVICE PATH");
  Reading reading = begin(arguments, "context get");
  if (reading.archive == nullptr) return reading.code;
  const auto target = find_device(*reading.archive, arguments.words()[0], "context get", reading.code);
  if (!target) return reading.code;
  const auto row = read_context_row(reading.archive->context(), *target, arguments.words()[1]);
  const auto history = reading.archive->context().history(target->key, arguments.words()[1]);
  if (!row || !history) return fail(failed, "context get", describe(row ? history.error() : row.error()));
  const UtcNanos now = platform::wall_clock();
  const bool is_there = is_listed(*row, now.nanos / 1'000'000);
  const bool with_history = arguments.has("history");
  if (arguments.has("json")) {
    (void)print(context_row_json(*row, with_history ? &*history : nullptr, now));
    return is_there ? done : failed;
  }
  if (!is_there && !with_history) return fail(failed, "context get", context::entry_text(row->held.path, row->held.entry, row->rule, now.nanos / 1'000'000));
  std::string text = context::entry_text(row->held.path, row->held.entry, row->rule, now.nanos / 1'000'000);
  for (size_t i = 0; with_history && i < history->size(); ++i) text += "\n  " + context::write_text((*history)[i].side, (*history)[i].write);
  return print(text);
}

int context_set(const Arguments& arguments) {
  if (arguments.words().size() != 3) return wrong_words("context set", "DEVICE|SELECTOR PATH VALUE");
  const std::string& word = arguments.words()[2];
  if (arguments.has("text")) return write(arguments, "context set", arguments.words()[1], mcp::json_string(word));
  const auto value = context::compact(word);
  if (!value) return fail(usage_error, "context set", "'" + word.substr(0, 60) + "' is not JSON (" + value.error().context + "); --text takes it as a text");
  return write(arguments, "context set", arguments.words()[1], *value);
}

int context_delete(const Arguments& arguments) {
  if (arguments.words().size() != 2) return wrong_words("context delete", "DEVICE|SELECTOR PATH");
  return write(arguments, "context delete", arguments.words()[1], "");
}

int context_list(const Arguments& arguments) {
  if (arguments.words().empty() || arguments.words().size() > 2) return wrong_words("context list", "DEVICE [PREFIX]");
  Reading reading = begin(arguments, "context list");
  if (reading.archive == nullptr) return reading.code;
  const auto target = find_device(*reading.archive, arguments.words()[0], "context list", reading.code);
  if (!target) return reading.code;
  ContextListRequest request;
  if (arguments.words().size() == 2) request.prefix = arguments.words()[1];
  request.conflicts_only = arguments.has("conflicts");
  const UtcNanos now = platform::wall_clock();
  const Status read = read_all(reading.archive->context(), ContextReading::Kind::list, request, {*target}, now, [&](const ContextAnswer& answer) {
    if (arguments.has("json")) return (void)print(context_rows_json(answer, now));
    for (const ContextRow& row : answer.rows) (void)print(context::entry_text(row.held.path, row.held.entry, row.rule, now.nanos / 1'000'000));
  });
  return read ? done : fail(failed, "context list", describe(read.error()));
}

int context_diff(const Arguments& arguments) {
  if (arguments.words().size() > 1) return wrong_words("context diff", "[SELECTOR]");
  const std::string text = arguments.words().empty() ? "*" : arguments.words()[0];
  const auto selector = model::parse_device_selector(text);
  if (!selector) return fail(usage_error, "context diff", "'" + text + "': " + selector.error().context);
  Reading reading = begin(arguments, "context diff");
  if (reading.archive == nullptr) return reading.code;
  ContextListRequest request;
  request.shows_all = arguments.has("all");
  const UtcNanos now = platform::wall_clock();
  const Status read = read_all(reading.archive->context(), ContextReading::Kind::diff, request, online_targets(*reading.site, *reading.archive, *selector), now,
                               [&](const ContextAnswer& answer) { (void)print(arguments.has("json") ? context_diff_json(answer, now) : context_diff_text(answer, now)); });
  return read ? done : fail(failed, "context diff", describe(read.error()));
}

int context_watch(const Arguments& arguments) {
  if (arguments.words().empty() || arguments.words().size() > 2) return wrong_words("context watch", "DEVICE [PREFIX]");
  Reading reading = begin(arguments, "context watch");
  if (reading.archive == nullptr) return reading.code;
  const auto target = find_device(*reading.archive, arguments.words()[0], "context watch", reading.code);
  if (!target) return reading.code;
  return watch_device(*reading.archive, *target, arguments.words().size() == 2 ? arguments.words()[1] : "", arguments.has("json"));
}

}  // namespace tideline::hub::cli
