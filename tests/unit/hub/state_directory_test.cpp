#include "hub/state_directory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "small_file.hpp"

namespace tideline::hub {
namespace {

constexpr UtcNanos now{1'800'000'000'000'000'000};
constexpr Duration year = hours(24 * 365);

class HubState : public testing::Test {
 protected:
  HubState() {
    std::string pattern = testing::TempDir() + "hub_state_XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    state_.path = root_ + "/state";
  }
  ~HubState() override { std::filesystem::remove_all(root_); }
  HubKeys make() { return *make_keys(state_, {"hub.example", "192.0.2.7"}, year * 20, year, now); }
  std::string root_;
  StateDirectory state_;
};

unsigned permissions(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
}

TEST_F(HubState, keys_are_made_once_and_readable_by_the_owner_alone) {
  make();
  EXPECT_EQ(permissions(state_.path), 0700u);
  EXPECT_EQ(permissions(state_.authority_key()), 0600u);
  EXPECT_EQ(permissions(state_.server_key()), 0600u);
  EXPECT_TRUE(state_.is_initialised());
  EXPECT_EQ(make_keys(state_, {"x"}, year, year, now).error().code, ErrorCode::exists);
}

TEST_F(HubState, a_name_that_no_client_could_use_is_refused) {
  for (const char* name : {"no name", "", "-x", "a/b"}) EXPECT_EQ(make_keys(state_, {name}, year, year, now).error().code, ErrorCode::invalid) << name;
  EXPECT_FALSE(state_.is_initialised());
}

TEST_F(HubState, what_was_made_is_loaded) {
  const HubKeys made = make();
  const auto loaded = load_keys(state_);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->authority_info.fingerprint, made.authority_info.fingerprint);
  EXPECT_EQ(loaded->server_info.names, (std::vector<std::string>{"hub.example", "192.0.2.7"}));
  EXPECT_EQ(tls::read_certificates(loaded->server.certificate_pem)->size(), 2u) << "the chain, for clients that pin the authority";
}

TEST_F(HubState, the_server_certificate_is_renewed_at_two_thirds_of_its_life) {
  HubKeys keys = make();
  const std::string first = keys.server_info.fingerprint;
  EXPECT_FALSE(*renew_server_certificate(state_, {}, year, now + hours(24 * 200), keys));
  EXPECT_TRUE(*renew_server_certificate(state_, {}, year, now + hours(24 * 250), keys));
  EXPECT_NE(keys.server_info.fingerprint, first);
  EXPECT_EQ(keys.server_info.names.size(), 2u);
  EXPECT_EQ(load_keys(state_)->server_info.fingerprint, keys.server_info.fingerprint);
}

TEST_F(HubState, other_names_in_the_configuration_make_a_new_certificate) {
  HubKeys keys = make();
  EXPECT_FALSE(*renew_server_certificate(state_, {"hub.example", "192.0.2.7"}, year, now, keys));
  EXPECT_TRUE(*renew_server_certificate(state_, {"other.example"}, year, now, keys));
  EXPECT_EQ(keys.server_info.names, std::vector<std::string>{"other.example"});
}

TEST_F(HubState, a_server_key_that_does_not_fit_is_healed) {
  make();
  ASSERT_TRUE(platform::write_small_file(state_.server_key(), tls::make_key(), platform::FileMode::secret));
  auto keys = load_keys(state_);
  ASSERT_TRUE(keys);
  EXPECT_TRUE(*renew_server_certificate(state_, {}, year, now, *keys));
  EXPECT_EQ(keys->server_info.names.size(), 2u);
}

TEST_F(HubState, an_authority_key_that_does_not_fit_is_an_error) {
  make();
  ASSERT_TRUE(platform::write_small_file(state_.authority_key(), tls::make_key(), platform::FileMode::secret));
  EXPECT_EQ(load_keys(state_).error().code, ErrorCode::corrupt);
}

TEST_F(HubState, ticket_keys_are_kept_across_a_restart_and_replaced_when_damaged) {
  make();
  const tls::TicketKeys keys = load_ticket_keys(state_, now);
  ASSERT_TRUE(save_ticket_keys(state_, keys));
  EXPECT_EQ(permissions(state_.ticket_keys()), 0600u);
  const ByteBuffer sealed = keys.seal(as_bytes("ticket"));
  EXPECT_TRUE(load_ticket_keys(state_, now + hours(1)).open(sealed));
  ASSERT_TRUE(platform::write_small_file(state_.ticket_keys(), "short", platform::FileMode::secret));
  EXPECT_FALSE(load_ticket_keys(state_, now).open(sealed));
}

}  // namespace
}  // namespace tideline::hub
