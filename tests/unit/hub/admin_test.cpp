#include "hub/admin.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/limits.hpp"
#include "hub/fleet/enrolment.hpp"
#include "hub/mcp/access.hpp"
#include "mcp/json_slice.hpp"

namespace tideline::hub {
namespace {

class Silent : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

constexpr UtcNanos now{1'800'000'000'000'000'000};

class Admin : public testing::Test {
 protected:
  Admin() {
    std::string pattern = testing::TempDir() + "admin_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    archive_ = std::move(*open_sqlite_archive(directory_ + "/hub.db", ArchiveMode::write, log_));
  }
  ~Admin() override {
    archive_.reset();
    std::filesystem::remove_all(directory_);
  }
  AdminAnswer create(std::map<std::string, std::string> arguments) { return execute_admin(*archive_, {"token create", std::move(arguments)}, now); }
  Silent log_;
  std::string directory_;
  std::unique_ptr<Archive> archive_;
};

TEST_F(Admin, a_token_is_shown_once_and_kept_as_its_hash) {
  const AdminAnswer answer = create({{"device", "pump-7"}});
  ASSERT_EQ(answer.exit_code, 0) << answer.error;
  const std::string secret = mcp::find_member(mcp::Slice(answer.result), "token").text();
  EXPECT_EQ(secret.size(), 43u);
  const auto tokens = archive_->tokens();
  ASSERT_EQ(tokens->size(), 1u);
  EXPECT_EQ(tokens->front().hash, token_hash(secret));
  EXPECT_EQ(tokens->front().device, "pump-7");
  EXPECT_EQ(tokens->front().expires_ns, (now + limits::token_life).nanos);
}

TEST_F(Admin, labels_are_kept_with_the_device) {
  ASSERT_EQ(create({{"device", "pump-7"}, {"labels", "site=berlin,line=3"}}).exit_code, 0);
  const auto device = archive_->device("pump-7");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->labels, (std::vector<std::pair<std::string, std::string>>{{"line", "3"}, {"site", "berlin"}}));
  ASSERT_EQ(create({{"device", "pump-7"}}).exit_code, 0);
  EXPECT_EQ(archive_->device("pump-7")->labels.size(), 2u) << "a second token without labels leaves them";
}

TEST_F(Admin, wrong_words_are_usage_errors_that_name_them) {
  EXPECT_EQ(create({{"device", "Pump 7"}}).exit_code, 2);
  EXPECT_EQ(create({}).exit_code, 2);
  for (const char* ttl : {"24", "30s", "31d", "soon"}) {
    const AdminAnswer answer = create({{"device", "a"}, {"ttl", ttl}});
    EXPECT_EQ(answer.exit_code, 2) << ttl;
    EXPECT_NE(answer.error.find(ttl), std::string::npos) << answer.error;
  }
  EXPECT_EQ(create({{"device", "a"}, {"labels", "site"}}).exit_code, 2);
  EXPECT_EQ(execute_admin(*archive_, {"format disk", {}}, now).exit_code, 2);
  EXPECT_TRUE(archive_->tokens()->empty());
}

TEST_F(Admin, revoking_refuses_the_device_and_the_tokens_made_before) {
  const AdminAnswer made = create({{"device", "pump-7"}});
  const std::string secret = mcp::find_member(mcp::Slice(made.result), "token").text();
  ASSERT_EQ(execute_admin(*archive_, {"device revoke", {{"device", "pump-7"}}}, now).exit_code, 0);
  EXPECT_TRUE(archive_->device("pump-7")->revoked);
  EXPECT_FALSE(archive_->use_token(token_hash(secret), "pump-7", now.nanos));
  EXPECT_EQ(execute_admin(*archive_, {"device revoke", {{"device", "nobody"}}}, now).exit_code, 1);
}

class AdminKeys : public Admin {
 protected:
  AdminAnswer make(std::map<std::string, std::string> arguments) { return execute_admin(*archive_, {"key create", std::move(arguments)}, now); }
  static std::string member(const AdminAnswer& answer, std::string_view name) { return mcp::find_member(mcp::Slice(answer.result), name).text(); }
  Authentication present(const std::string& key, UtcNanos when = now) {
    Access access;
    access.load(*archive_->keys());
    return access.authenticate("Bearer " + key, false, when);
  }
};

TEST_F(AdminKeys, a_key_is_shown_once_and_lets_its_holder_in) {
  const AdminAnswer answer = make({{"role", "operator"}, {"devices", "{site=berlin}"}, {"name", "line 3"}, {"ttl", "90d"}});
  ASSERT_EQ(answer.exit_code, 0) << answer.error;
  EXPECT_TRUE(answer.keys_changed);
  const Authentication holder = present(member(answer, "key"));
  EXPECT_EQ(holder.verdict, Authentication::Verdict::accepted);
  EXPECT_EQ(holder.principal.role, Role::operator_);
  EXPECT_EQ(present(member(answer, "key"), now + hours(24 * 90)).verdict, Authentication::Verdict::expired);
  EXPECT_EQ(archive_->keys()->front().name, "line 3");
  EXPECT_TRUE(mcp::find_member(mcp::Slice(answer.result), "is_first").is_true());
  EXPECT_FALSE(mcp::find_member(mcp::Slice(make({{"role", "admin"}}).result), "is_first").is_true());
}

TEST_F(AdminKeys, wrong_words_are_usage_errors_that_name_them) {
  EXPECT_EQ(make({}).exit_code, 2);
  EXPECT_NE(make({{"role", "root"}}).error.find("root"), std::string::npos);
  EXPECT_EQ(make({{"role", "viewer"}, {"devices", "{site"}}).exit_code, 2);
  EXPECT_EQ(make({{"role", "viewer"}, {"name", "a\nb"}}).exit_code, 2);
  for (const char* ttl : {"90", "59s", "soon"}) EXPECT_EQ(make({{"role", "viewer"}, {"ttl", ttl}}).exit_code, 2) << ttl;
  EXPECT_TRUE(archive_->keys()->empty());
}

TEST_F(AdminKeys, a_revoked_key_stays_in_the_list_and_opens_nothing) {
  const AdminAnswer made = make({{"role", "admin"}});
  const AdminRequest revoke{"key revoke", {{"id", member(made, "id")}}};
  const AdminAnswer revoked = execute_admin(*archive_, revoke, now);
  ASSERT_EQ(revoked.exit_code, 0) << revoked.error;
  EXPECT_TRUE(revoked.keys_changed);
  EXPECT_EQ(present(member(made, "key")).verdict, Authentication::Verdict::invalid);
  EXPECT_EQ(execute_admin(*archive_, revoke, now + hours(1)).exit_code, 0) << "twice is the same";
  EXPECT_EQ(archive_->keys()->front().revoked_ns, now.nanos);
  EXPECT_EQ(execute_admin(*archive_, {"key revoke", {{"id", "nobody"}}}, now).exit_code, 1);
}

TEST(AdminLines, requests_and_answers_survive_the_socket) {
  const AdminRequest request{"token create", {{"device", "a\"b\n"}, {"labels", ""}}};
  const auto back = decode_admin_request(encode_admin(request));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->command, request.command);
  EXPECT_EQ(back->arguments, request.arguments);
  AdminAnswer answer;
  answer.exit_code = 3;
  answer.error = "no\tway";
  answer.result = R"({"a":1})";
  const auto answer_back = decode_admin_answer(encode_admin(answer));
  ASSERT_TRUE(answer_back);
  EXPECT_EQ(answer_back->exit_code, 3);
  EXPECT_EQ(answer_back->error, answer.error);
  EXPECT_EQ(answer_back->result, answer.result);
}

TEST(AdminLines, what_is_not_a_request_is_refused) {
  for (const char* line : {"", "{}", "[]", "{\"command\":1}", "{\"command\":\"a\"} x", "nonsense"}) {
    EXPECT_FALSE(decode_admin_request(line)) << line;
  }
}

TEST(AdminLabels, are_sorted_unique_and_bounded) {
  EXPECT_EQ(parse_labels("b=2,a=1")->front().first, "a");
  EXPECT_TRUE(parse_labels("")->empty());
  EXPECT_EQ(parse_labels("a=")->front().second, "");
  for (const char* wrong : {"a", "=1", "a=1,a=2", "a=1,,b=2", "a={x}", "a=\"x\""}) EXPECT_FALSE(parse_labels(wrong)) << wrong;
  std::string many;
  for (size_t i = 0; i < limits::labels; ++i) many += (i ? "," : "") + std::string("l") + std::to_string(i) + "=v";
  EXPECT_TRUE(parse_labels(many));
  EXPECT_FALSE(parse_labels(many + ",more=v"));
  EXPECT_TRUE(parse_labels("a=" + std::string(limits::label_bytes, 'x')));
  EXPECT_FALSE(parse_labels("a=" + std::string(limits::label_bytes + 1, 'x')));
}

}  // namespace
}  // namespace tideline::hub
