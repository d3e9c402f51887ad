// Who is let in, as whom, and what they see.
#include "hub/mcp/access.hpp"

#include <gtest/gtest.h>

namespace tideline::hub {
namespace {

using Verdict = Authentication::Verdict;

class AccessTest : public testing::Test {
 protected:
  /// Makes a key and loads it beside those made before.
  std::string make(Role role = Role::viewer, const std::string& devices = "", int64_t expires_ns = 0) {
    NewKey key = make_api_key();
    key.record.role = role;
    key.record.devices = devices;
    key.record.expires_ns = expires_ns;
    keys.push_back(key.record);
    access.load(keys);
    return "Bearer " + key.text;
  }
  Verdict verdict(std::string_view authorization, bool is_loopback = false) const { return access.authenticate(authorization, is_loopback, {now}).verdict; }
  static DeviceRecord device(const std::string& id, const std::string& site) {
    DeviceRecord record;
    record.id = id;
    record.labels = {{"site", site}};
    return record;
  }

  std::vector<ApiKey> keys;
  Access access;
  int64_t now = 1000;
};

TEST_F(AccessTest, without_keys_only_this_machine_is_let_in) {
  EXPECT_FALSE(access.has_keys());
  const Authentication local = access.authenticate("", true, {now});
  EXPECT_EQ(local.verdict, Verdict::accepted);
  EXPECT_EQ(local.principal.id, "local");
  EXPECT_EQ(local.principal.role, Role::admin);
  EXPECT_EQ(verdict(""), Verdict::missing);
  EXPECT_EQ(verdict("Bearer tlk_a_b"), Verdict::invalid);
}

TEST_F(AccessTest, once_there_is_a_key_nobody_comes_in_without) {
  make();
  EXPECT_TRUE(access.has_keys());
  EXPECT_EQ(verdict("", true), Verdict::missing);
  keys[0].revoked_ns = 1;
  access.load(keys);
  EXPECT_EQ(verdict("", true), Verdict::missing) << "revoking the last key must not open the door";
}

TEST_F(AccessTest, a_key_gives_its_role_and_its_devices) {
  const std::string header = make(Role::operator_, "pump-*{site=berlin}");
  make(Role::admin);
  const Authentication found = access.authenticate(header, false, {now});
  ASSERT_EQ(found.verdict, Verdict::accepted);
  EXPECT_EQ(found.principal.id, "key:" + keys[0].id);
  EXPECT_EQ(found.principal.role, Role::operator_);
  EXPECT_TRUE(found.principal.sees(device("pump-7", "berlin")));
  EXPECT_FALSE(found.principal.sees(device("pump-7", "bern")));
  EXPECT_FALSE(found.principal.sees(device("fan-1", "berlin")));
}

TEST_F(AccessTest, viewers_call_only_what_reads) {
  const auto may_call = [this](Role role, bool is_read_only) { return access.authenticate(make(role), false, {now}).principal.may_call(is_read_only); };
  EXPECT_TRUE(may_call(Role::viewer, true));
  EXPECT_FALSE(may_call(Role::viewer, false));
  EXPECT_TRUE(may_call(Role::operator_, false));
  EXPECT_TRUE(may_call(Role::admin, false));
}

TEST_F(AccessTest, a_wrong_secret_or_id_is_invalid) {
  const std::string header = make();
  std::string wrong = header;
  wrong.back() = wrong.back() == 'A' ? 'B' : 'A';
  EXPECT_EQ(verdict(wrong), Verdict::invalid);
  EXPECT_EQ(verdict("Bearer tlk_000000000000_" + header.substr(header.rfind('_') + 1)), Verdict::invalid);
  for (const char* text : {"Bearer", "Bearer ", "Bearer tlk_", "Bearer tlk__x", "Bearer tlk_a_", "Basic dXNlcjpwYXNz", "tlk_a_b"}) {
    EXPECT_EQ(verdict(text), Verdict::invalid) << text;
  }
  EXPECT_EQ(verdict(header + "x"), Verdict::invalid);
}

TEST_F(AccessTest, the_scheme_has_any_case) {
  const std::string key = make().substr(7);
  for (const char* scheme : {"bearer ", "BEARER ", "Bearer   "}) EXPECT_EQ(verdict(scheme + key), Verdict::accepted) << scheme;
  EXPECT_EQ(verdict("Token " + key), Verdict::invalid);
}

TEST_F(AccessTest, a_key_works_until_it_expires_and_only_its_holder_is_told) {
  const std::string header = make(Role::viewer, "", 1000);
  now = 999;
  EXPECT_EQ(verdict(header), Verdict::accepted);
  now = 1000;
  EXPECT_EQ(verdict(header), Verdict::expired);
  EXPECT_EQ(verdict(header + "x"), Verdict::invalid);
}

TEST_F(AccessTest, a_revoked_key_opens_nothing) {
  const std::string header = make(Role::admin);
  keys[0].revoked_ns = 5;
  access.load(keys);
  EXPECT_EQ(verdict(header), Verdict::invalid);
}

TEST_F(AccessTest, a_key_with_a_selector_that_cannot_be_read_opens_nothing) {
  const std::string header = make(Role::admin, "{site=");
  EXPECT_EQ(verdict(header), Verdict::invalid);
}

TEST_F(AccessTest, keys_differ_and_their_secret_is_not_kept) {
  const NewKey a = make_api_key();
  const NewKey b = make_api_key();
  EXPECT_NE(a.record.id, b.record.id);
  EXPECT_NE(a.record.hash, b.record.hash);
  std::string_view id;
  std::string_view secret;
  ASSERT_TRUE(split_api_key(a.text, id, secret));
  EXPECT_EQ(id, a.record.id);
  EXPECT_EQ(api_key_hash(secret), a.record.hash);
  EXPECT_GE(secret.size(), 43u);
}

}  // namespace
}  // namespace tideline::hub
