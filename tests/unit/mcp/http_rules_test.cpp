#include "mcp/http_rules.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "mcp/header_params.hpp"

namespace tideline::mcp {
namespace {

class FakeHeaders final : public HeaderSource {
 public:
  std::vector<std::pair<std::string, std::string>> fields;
  FakeHeaders& set(std::string_view name, std::string_view value) {
    remove(name);
    fields.emplace_back(name, value);
    return *this;
  }
  void remove(std::string_view name) {
    std::erase_if(fields, [name](const auto& field) { return equals_ignoring_case(field.first, name); });
  }
  size_t count(std::string_view name) const override {
    size_t found = 0;
    for (const auto& field : fields) found += equals_ignoring_case(field.first, name);
    return found;
  }
  std::string_view value(std::string_view name) const override {
    for (const auto& field : fields) {
      if (equals_ignoring_case(field.first, name)) return field.second;
    }
    return {};
  }
};

class HttpFrontTest : public testing::Test {
 protected:
  HttpFrontTest() { headers.set("host", "127.0.0.1:8080").set("content-type", "application/json"); }
  int status(HttpVerb verb = HttpVerb::post) { return check_front(verb, headers, rules).status; }
  FakeHeaders headers;
  HostRules rules{{"hub.example", "api.example:8443"}, {"https://app.example"}, true};
};

TEST_F(HttpFrontTest, LoopbackNamesAreOursOnLoopbackOnly) {
  for (const char* host : {"localhost", "LOCALHOST:9", "127.0.0.1:8080", "[::1]:8080", "[::1]"}) {
    headers.set("host", host);
    EXPECT_EQ(status(), 0) << host;
  }
  rules.is_loopback = false;
  EXPECT_EQ(status(), 403);
}

TEST_F(HttpFrontTest, OtherHostsMustBeListed) {
  for (const char* host : {"evil.example.com", "localhost.evil.com", "127.0.0.1.evil.com", "hub.example.evil", "api.example:1", "api.example", ""}) {
    headers.set("host", host);
    EXPECT_EQ(status(), 403) << host;
  }
  for (const char* host : {"hub.example", "Hub.Example:1", "api.example:8443"}) {
    headers.set("host", host);
    EXPECT_EQ(status(), 0) << host;
  }
  headers.fields.emplace_back("Host", "hub.example");
  EXPECT_EQ(status(), 403);
  headers.remove("host");
  EXPECT_EQ(status(), 403);
}

TEST_F(HttpFrontTest, AnOriginThatIsPresentMustBeAllowed) {
  for (const char* origin : {"http://evil.example.com", "http://localhost.evil.com", "null", "", "https://app.example.evil", "http://127.0.0.1@evil.com"}) {
    headers.set("origin", origin);
    EXPECT_EQ(status(), 403) << origin;
  }
  for (const char* origin : {"http://127.0.0.1:8080", "http://localhost:5173", "http://[::1]:80", "https://app.example", "HTTPS://APP.example"}) {
    headers.set("origin", origin);
    EXPECT_EQ(status(), 0) << origin;
  }
  headers.set("host", "hub.example").set("origin", "https://hub.example");
  EXPECT_EQ(status(), 0);
}

TEST_F(HttpFrontTest, OnlyPostIsServed) {
  for (const HttpVerb verb : {HttpVerb::get, HttpVerb::erase, HttpVerb::other}) {
    EXPECT_EQ(status(verb), 405);
    EXPECT_EQ(check_front(verb, headers, rules).allow, "POST");
  }
}

TEST_F(HttpFrontTest, ContentMustBeJson) {
  headers.set("content-type", "Application/JSON; charset=utf-8");
  EXPECT_EQ(status(), 0);
  headers.set("content-type", "text/plain");
  EXPECT_EQ(status(), 415);
  headers.remove("content-type");
  EXPECT_EQ(status(), 415);
}

TEST_F(HttpFrontTest, AcceptMayBeMissingOrNameEitherOfOurTypes) {
  for (const char* accept : {"application/json", "text/event-stream", "application/json, text/event-stream", "text/html, */*;q=0.1"}) {
    headers.set("accept", accept);
    EXPECT_EQ(status(), 0) << accept;
  }
  headers.set("accept", "text/html");
  EXPECT_EQ(status(), 406);
}

class HttpMessageTest : public testing::Test {
 protected:
  HttpMessageTest() {
    catalog.set_tools({Tool{.name = "echo"},
                       Tool{.name = "regional",
                            .input_schema_json =
                                R"({"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"n":{"type":"integer","x-mcp-header":"N"}}})"}});
    headers.set("MCP-Protocol-Version", "2026-07-28").set("Mcp-Method", "tools/call").set("Mcp-Name", "echo");
  }
  static std::string call(const std::string& more = "", const std::string& version = "2026-07-28", const std::string& name = "echo") {
    return R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" + name + "\"" + more +
           R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":")" + version + R"(","io.modelcontextprotocol/clientCapabilities":{}}}})";
  }
  HttpDecision decide(std::string line) {
    text = std::move(line);
    return check_message(parse_message(text), headers, catalog);
  }
  /// Status and JSON-RPC code of the refusal, as "400 -32020"; "" when accepted.
  std::string refusal(std::string line) {
    const HttpDecision decision = decide(std::move(line));
    if (decision.refusal.status == 0) return "";
    const Slice code = find_member(find_member(Slice(decision.refusal.body), "error"), "code");
    return std::to_string(decision.refusal.status) + " " + std::string(code.raw());
  }
  FakeHeaders headers;
  ListCatalog catalog;
  std::string text;
};

TEST_F(HttpMessageTest, AcceptsARequestWhoseHeadersSayWhatItsBodySays) {
  EXPECT_EQ(refusal(call()), "");
  EXPECT_EQ(decide(call()).era, Era::modern);
  headers.set("mcp-name", "  echo ").set("Mcp-Session-Id", "ignored");
  EXPECT_EQ(refusal(call()), "");
  headers.set("mcp-name", "=?base64?ZWNobw==?=");
  EXPECT_EQ(refusal(call()), "");
}

TEST_F(HttpMessageTest, RefusesBatchesAndMalformedMessages) {
  EXPECT_EQ(refusal("[" + call() + "]"), "400 -32600");
  EXPECT_EQ(refusal("{"), "400 -32700");
  EXPECT_EQ(refusal("5"), "400 -32600");
}

TEST_F(HttpMessageTest, MissingEnvelopeIsInvalidParamsBeforeAnyHeaderIsJudged) {
  headers.set("Mcp-Method", "wrong");
  EXPECT_EQ(refusal(R"({"jsonrpc":"2.0","id":1,"method":"server/discover"})"), "400 -32602");
  EXPECT_EQ(refusal(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})"), "400 -32602");
  EXPECT_EQ(refusal(call(R"(,"name":"other")")), "400 -32602");
}

TEST_F(HttpMessageTest, VersionHeaderMustEqualTheEnvelope) {
  headers.set("MCP-Protocol-Version", "2025-11-25");
  EXPECT_EQ(refusal(call()), "400 -32020");
  headers.remove("MCP-Protocol-Version");
  EXPECT_EQ(refusal(call()), "400 -32020");
}

TEST_F(HttpMessageTest, AnUnsupportedVersionIsSaidOnceHeaderAndBodyAgree) {
  EXPECT_EQ(refusal(call("", "2030-01-01")), "400 -32020");
  headers.set("MCP-Protocol-Version", "2030-01-01");
  EXPECT_EQ(refusal(call("", "2030-01-01")), "400 -32022");
}

TEST_F(HttpMessageTest, MethodAndNameHeadersMustBeThereAndEqual) {
  for (const char* method : {"Tools/Call", "tools/list", ""}) {
    headers.set("Mcp-Method", method);
    EXPECT_EQ(refusal(call()), "400 -32020") << method;
  }
  headers.remove("Mcp-Method");
  EXPECT_EQ(refusal(call()), "400 -32020");
  headers.set("Mcp-Method", "tools/call");
  for (const char* name : {"Echo", "other", "=?base64?ZWNobw=?="}) {
    headers.set("Mcp-Name", name);
    EXPECT_EQ(refusal(call()), "400 -32020") << name;
  }
  headers.remove("Mcp-Name");
  EXPECT_EQ(refusal(call()), "400 -32020");
  headers.set("Mcp-Name", "echo");
  headers.fields.emplace_back("mcp-name", "echo");
  EXPECT_EQ(refusal(call()), "400 -32020");
}

TEST_F(HttpMessageTest, UnknownAndRemovedMethodsAre404) {
  for (const char* method : {"ping", "initialize", "logging/setLevel", "resources/subscribe", "tasks/list", "nope"}) {
    headers.set("Mcp-Method", method);
    std::string line = call();
    line.replace(line.find("tools/call"), 10, method);
    EXPECT_EQ(refusal(line), "404 -32601") << method;
  }
}

TEST_F(HttpMessageTest, InitializeWithAModernHeaderOnlyIsAMismatch) {
  EXPECT_EQ(refusal(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})"), "400 -32020");
}

TEST_F(HttpMessageTest, AnnotatedArgumentsMustBeRepeatedAsHeaders) {
  headers.set("Mcp-Name", "regional");
  const std::string line = call(R"(,"arguments":{"region":"h\u00e9","n":42})", "2026-07-28", "regional");
  EXPECT_EQ(refusal(line), "400 -32020");
  headers.set("mcp-param-region", "=?base64?aMOp?=").set("Mcp-Param-N", "42");
  EXPECT_EQ(refusal(line), "");
  headers.set("Mcp-Param-N", "43");
  EXPECT_EQ(refusal(line), "400 -32020");
  EXPECT_EQ(refusal(call(R"(,"arguments":{"region":null})", "2026-07-28", "regional")), "400 -32020") << "header without a value";
  headers.remove("Mcp-Param-Region");
  headers.remove("Mcp-Param-N");
  EXPECT_EQ(refusal(call(R"(,"arguments":{"region":null})", "2026-07-28", "regional")), "");
  EXPECT_EQ(refusal(call("", "2026-07-28", "regional")), "");
}

TEST_F(HttpMessageTest, UnknownParamHeadersAreIgnored) {
  headers.set("Mcp-Param-Other", "x");
  EXPECT_EQ(refusal(call()), "");
}

TEST_F(HttpMessageTest, LegacyMessagesAreJudgedByTheirHeaderAlone) {
  headers = {};
  const std::string line = R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})";
  EXPECT_EQ(refusal(line), "");
  EXPECT_EQ(decide(line).revision, Revision::r2025_03_26);
  headers.set("MCP-Protocol-Version", "2025-11-25");
  EXPECT_EQ(decide(line).revision, Revision::r2025_11_25);
  EXPECT_EQ(decide(line).era, Era::legacy);
  headers.set("MCP-Protocol-Version", "1999-01-01");
  EXPECT_EQ(refusal(line), "400 -32600");
  EXPECT_EQ(refusal(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{}})"), "");
}

TEST_F(HttpMessageTest, BatchesPassOnlyInTheirRevision) {
  headers = {};
  EXPECT_EQ(refusal("[]"), "");
  headers.set("MCP-Protocol-Version", "2025-06-18");
  EXPECT_EQ(refusal("[]"), "400 -32600");
}

TEST_F(HttpMessageTest, NotificationsNeedNoHeadersAndResponsesHaveNoPlaceOnModern) {
  EXPECT_EQ(refusal(R"({"jsonrpc":"2.0","id":1,"result":{}})"), "400 -32600");
  headers = {};
  EXPECT_EQ(refusal(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})"), "");
  EXPECT_EQ(refusal(R"({"jsonrpc":"2.0","id":1,"result":{}})"), "");
}

TEST_F(HttpMessageTest, StreamsWhenSomethingMayComeBeforeTheResult) {
  EXPECT_FALSE(decide(call()).prefers_stream);
  std::string line = call();
  line.insert(line.find("\"io."), "\"progressToken\":1,");
  EXPECT_TRUE(decide(line).prefers_stream);
}

TEST(HttpStatus, FollowsTheTableOfEachEra) {
  EXPECT_EQ(http_status(Era::modern, 0), 200);
  EXPECT_EQ(http_status(Era::modern, -32601), 404);
  EXPECT_EQ(http_status(Era::legacy, -32601), 200);
  for (const int code : {-32700, -32600, -32020, -32021, -32022}) EXPECT_EQ(http_status(Era::modern, code), 400) << code;
  for (const int code : {-32602, -32603, -32002, 7}) EXPECT_EQ(http_status(Era::modern, code), 200) << code;
}

}  // namespace
}  // namespace tideline::mcp
