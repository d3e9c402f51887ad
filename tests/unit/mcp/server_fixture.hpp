// A server with a few scripted tools, and verbs to talk to it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "mcp/content.hpp"
#include "mcp/json_write.hpp"
#include "mcp/server.hpp"

namespace tideline::mcp {

inline const std::string modern_meta =
    R"("io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":)";
inline const std::string all_capabilities =
    R"({"sampling":{},"elicitation":{},"roots":{"listChanged":true},"extensions":{"io.modelcontextprotocol/tasks":{}}})";

/// Marks what it seals; refuses what it did not mark for that context.
class FakeSealer final : public Sealer {
 public:
  std::string seal(std::string_view state, std::string_view context) override {
    return "sealed:" + std::to_string(std::hash<std::string_view>{}(context)) + ":" + std::string(state);
  }
  Result<std::string> open(std::string_view sealed, std::string_view context) override {
    const std::string head = seal("", context);
    if (!sealed.starts_with(head)) return Error{ErrorCode::denied, 0, "seal"};
    return std::string(sealed.substr(head.size()));
  }
};

/// The tools: echo answers with its arguments; hold keeps the token; ask asks for a name; any other target is not found.
class FakeHandler final : public Handler {
 public:
  Server* server = nullptr;
  std::map<std::string, CallToken> held;
  std::vector<CallToken> cancelled;
  std::vector<std::string> watches;
  std::string seen_meta, seen_state, seen_responses;
  size_t calls = 0;
  Question question{{{"who", Method::elicit, R"({"mode":"form","message":"Who?"})"}}, "step1"};

  void on_call(const Call& call) override {
    ++calls;
    seen_meta = call.meta.raw();
    seen_state = call.state;
    seen_responses = call.input_responses.raw();
    const std::string target(call.target);
    if (target.starts_with("hold")) {
      held[target] = call.token;
    } else if (target.starts_with("ask")) {
      ask(call);
    } else if (target == "echo") {
      server->reply(call.token, tool_answer(call.arguments.raw()), Instant{});
    } else if (target == "test://a") {
      server->reply(call.token, read_result({text_resource(target, "text/plain", "x")}), Instant{});
    } else if (target == "greet") {
      server->reply(call.token, call.method == Method::complete ? completion_result({"a"}) : prompt_result("", {text_content("hi")}), Instant{});
    } else {
      server->fail_not_found(call.token, call.target);
    }
  }
  void on_cancel(CallToken token) override { cancelled.push_back(token); }
  void on_watch(std::string_view uri, bool is_watched) override { watches.push_back((is_watched ? "+" : "-") + std::string(uri)); }

 private:
  void ask(const Call& call) {
    const Slice answer = find_member(call.input_responses, question.requests.empty() ? "" : question.requests.front().key);
    if (!answer.is_present()) {
      server->ask(call.token, question, Instant{});
    } else {
      server->reply(call.token, tool_answer(std::string(call.state) + " " + std::string(answer.raw())), Instant{});
    }
  }
};

class ServerTest : public testing::Test, public Output {
 protected:
  ServerTest() {
    std::vector<Tool> tools;
    for (const char* name : {"echo", "hold", "hold2", "ask", "relay_ask"}) {
      tools.push_back(Tool{.name = name, .description = "d", .may_ask = true, .is_relayed = std::string(name).starts_with("relay")});
    }
    for (int i = 0; i < 80; ++i) tools.push_back(Tool{.name = "holdn" + std::to_string(i), .description = "d"});
    tools.push_back(Tool{.name = "strict",
                         .description = "d",
                         .input_schema_json = R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})"});
    catalog.set_tools(std::move(tools));
    catalog.set_resources({Resource{.uri = "test://a", .name = "a"}});
    catalog.set_templates({ResourceTemplate{.uri_template = "test://{id}", .name = "t"}});
    catalog.set_prompts({Prompt{.name = "greet", .description = "d"}, Prompt{.name = "ask_prompt", .arguments = {{"who", "", true}}}});
    catalog.set_cache_hint({60'000, true});
    options.name = "s";
    options.version = "1";
    options.resources = options.prompts = options.completions = options.logging = options.tasks = true;
    restart();
  }
  void restart() {
    server = std::make_unique<Server>(options, catalog, handler, *this, &sealer);
    handler.server = server.get();
    lines.clear();
  }
  void on_outgoing(Outgoing outgoing) override {
    EXPECT_TRUE(check_json(outgoing.line).has_value()) << outgoing.line;
    EXPECT_EQ(outgoing.line.find('\n'), std::string::npos);
    last = outgoing;
    lines.push_back(std::move(outgoing.line));
  }

  /// Sends a line; gives what came out of it, joined by newlines.
  std::string send(std::string_view line) {
    lines.clear();
    server->on_line(line, now);
    return joined();
  }
  std::string joined() const {
    std::string out;
    for (const std::string& line : lines) out += (out.empty() ? "" : "\n") + line;
    return out;
  }
  static std::string request(std::string_view id, std::string_view method, std::string_view params = "") {
    return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":")" + std::string(method) + "\"" +
           (params.empty() ? std::string() : ",\"params\":{" + std::string(params) + "}") + "}";
  }
  /// `params` without braces; the envelope is added. `meta` is further members of _meta.
  static std::string modern(std::string_view id, std::string_view method, std::string params = "", std::string meta = "",
                            const std::string& capabilities = all_capabilities) {
    if (!params.empty()) params += ",";
    if (!meta.empty()) meta = "," + meta;
    return request(id, method, params + "\"_meta\":{" + modern_meta + capabilities + meta + "}");
  }
  static std::string notification(std::string_view method, std::string_view params = "{}") {
    return R"({"jsonrpc":"2.0","method":")" + std::string(method) + R"(","params":)" + std::string(params) + "}";
  }
  void open_session(const std::string& version = "2025-11-25", const std::string& capabilities = "{}") {
    send(request("0", "initialize", R"("protocolVersion":")" + version + R"(","capabilities":)" + capabilities + R"(,"clientInfo":{"name":"c","version":"1"})"));
    send(notification("notifications/initialized"));
    lines.clear();
  }
  static Slice result(const std::string& line) { return find_member(Slice(line), "result"); }
  static int code(const std::string& line) {
    return static_cast<int>(find_member(find_member(Slice(line), "error"), "code").integer().value_or(0));
  }
  static bool has(const std::string& line, std::string_view text) { return line.find(text) != std::string::npos; }

  ServerOptions options;
  ListCatalog catalog;
  FakeHandler handler;
  FakeSealer sealer;
  std::unique_ptr<Server> server;
  std::vector<std::string> lines;
  Outgoing last;
  Instant now{};
};

}  // namespace tideline::mcp
