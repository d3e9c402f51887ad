// `tideline-hub token create`, `token list`, `device revoke`.
#include <cstdio>

#include "base/table.hpp"
#include "clock.hpp"
#include "hub/admin_client.hpp"
#include "hub/cli.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/json_write.hpp"
#include "small_file.hpp"

namespace tideline::hub::cli {
namespace {

Result<tls::CertificateInfo> authority_of(const StateDirectory& state) {
  ASSIGN_OR_RETURN(const std::string pem, platform::read_small_file(state.authority_certificate(), 64 * 1024));
  ASSIGN_OR_RETURN(const std::vector<tls::CertificateInfo> certificates, tls::read_certificates(pem));
  return certificates.front();
}

const char* token_state(const Token& token, UtcNanos now) {
  if (token.used_ns != 0) return "used";
  return token.expires_ns <= now.nanos ? "expired" : "open";
}

void print_token_json(const mcp::Slice& result, const std::string& fingerprint) {
  std::string text;
  mcp::ObjectWriter object(text);
  for (const char* name : {"device", "token", "expires", "address"}) object.raw(name, mcp::find_member(result, name).raw());
  object.text("ca_fingerprint", fingerprint);
  object.end();
  std::printf("%s\n", text.c_str());
}

void print_token(const mcp::Slice& result, const std::string& fingerprint) {
  const std::string device = mcp::find_member(result, "device").text();
  const std::string token = mcp::find_member(result, "token").text();
  std::printf("token for '%s', works once until %s. On the device, run:\n\n", device.c_str(), mcp::find_member(result, "expires").text().c_str());
  // A token may begin with a dash: joined by '=' it is never taken for an option.
  std::printf("  tideline enroll %s --device %s --token=%s --ca-fingerprint %s\n", mcp::find_member(result, "address").text().c_str(), device.c_str(),
              token.c_str(), fingerprint.c_str());
  if (mcp::find_member(result, "replaces").is_true()) std::printf("\nThe device is enrolled already: the new certificate will replace the present one.\n");
}

}  // namespace

int token_create(const Arguments& arguments) {
  auto site = load(arguments, "token create");
  if (!site || !check_initialised(*site, "token create")) return usage_error;
  if (!arguments.has("device")) return fail(usage_error, "token create", "--device ID is missing; see 'tideline-hub token create --help'");
  const auto authority = authority_of(site->state);
  if (!authority) return fail(failed, "token create", site->state.authority_certificate() + ": " + describe(authority.error()));
  const AdminRequest request{"token create",
                             {{"device", arguments.get("device")}, {"labels", arguments.get("labels")}, {"ttl", arguments.get("ttl")}}};
  const AdminAnswer answer = run_admin(site->state, request, platform::wall_clock(), site->log);
  if (answer.exit_code != 0) return fail(answer.exit_code, "token create", answer.error);
  const mcp::Slice result(answer.result);
  arguments.has("json") ? print_token_json(result, authority->fingerprint) : print_token(result, authority->fingerprint);
  return done;
}

int token_list(const Arguments& arguments) {
  auto site = load(arguments, "token list");
  if (!site) return usage_error;
  int code = done;
  const auto archive = open_for_reading(*site, "token list", code);
  if (archive == nullptr) return code;
  const auto tokens = archive->tokens();
  if (!tokens) return fail(failed, "token list", describe(tokens.error()));
  const UtcNanos now = platform::wall_clock();
  Table table;
  for (const char* title : {"device", "state", "expires", "used"}) table.add_column(title);
  std::string items;
  for (const Token& token : *tokens) {
    const std::string used = token.used_ns == 0 ? "" : format_utc({token.used_ns / 1'000'000'000 * 1'000'000'000});
    const std::string expires = format_utc({token.expires_ns / 1'000'000'000 * 1'000'000'000});
    table.add_row({token.device, token_state(token, now), expires, used});
    if (!items.empty()) items += ",";
    mcp::ObjectWriter object(items);
    object.text("device", token.device).text("state", token_state(token, now)).text("expires", expires);
    used.empty() ? object.raw("used", "null") : object.text("used", used);
    object.end();
  }
  if (arguments.has("json")) {
    std::printf("{\"tokens\":[%s]}\n", items.c_str());
  } else {
    std::fputs(table.text().c_str(), stdout);
  }
  return done;
}

int device_revoke(const Arguments& arguments) {
  auto site = load(arguments, "device revoke");
  if (!site || !check_initialised(*site, "device revoke")) return usage_error;
  if (arguments.words().size() != 1) return fail(usage_error, "device revoke", "name one device; see 'tideline-hub devices'");
  const AdminAnswer answer = run_admin(site->state, {"device revoke", {{"device", arguments.words().front()}}}, platform::wall_clock(), site->log);
  if (answer.exit_code != 0) return fail(answer.exit_code, "device revoke", answer.error);
  std::printf("device '%s' is revoked; 'tideline-hub token create --device %s' would let it enrol again\n", arguments.words().front().c_str(),
              arguments.words().front().c_str());
  return done;
}

}  // namespace tideline::hub::cli
