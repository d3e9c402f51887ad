#include "hub/fleet/enrolment.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace tideline::hub {
namespace {

class Silent : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

constexpr UtcNanos now{1'800'000'000'000'000'000};

class EnrolmentRules : public testing::Test {
 protected:
  EnrolmentRules() : authority_(*tls::make_authority("test", {now - hours(1), now + hours(1000)})), enrolment_(authority_, hours(24 * 90)) {
    std::string pattern = testing::TempDir() + "enrolment_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    archive_ = std::move(*open_sqlite_archive(directory_ + "/hub.db", ArchiveMode::write, log_));
    key_ = tls::make_key();
    csr_ = *tls::make_request(key_, "whatever");
  }
  ~EnrolmentRules() override {
    archive_.reset();
    std::filesystem::remove_all(directory_);
  }
  std::string token_for(const std::string& device, Duration life = hours(24)) {
    const std::string secret = make_token_secret();
    EXPECT_TRUE(archive_->put_token({token_hash(secret), device, (now + life).nanos, 0}));
    return secret;
  }
  EnrolmentOutcome enroll(const std::string& device, const std::string& token, UtcNanos when = now) {
    EnrolmentRequest request;
    request.request = {token, csr_, device, "1.0"};
    request.address = "192.0.2.1:5";
    return enrolment_.decide(*archive_, request, when);
  }
  EnrolmentOutcome renew(const std::string& device, const std::string& fingerprint) {
    EnrolmentRequest request;
    request.request = {"", csr_, device, "1.0"};
    request.is_renewal = true;
    request.certificate_device = device;
    request.fingerprint = fingerprint;
    return enrolment_.decide(*archive_, request, now);
  }
  static tls::CertificateInfo certificate_of(const EnrolmentOutcome& outcome) {
    return tls::read_certificates(outcome.answer.certificate_pem)->front();
  }
  Silent log_;
  tls::Identity authority_;
  Enrolment enrolment_;
  std::string directory_;
  std::unique_ptr<Archive> archive_;
  std::string key_;
  std::string csr_;
};

TEST_F(EnrolmentRules, a_token_gives_a_certificate_that_names_its_device_and_no_other) {
  const EnrolmentOutcome outcome = enroll("pump-7", token_for("pump-7"));
  ASSERT_TRUE(outcome.is_accepted) << outcome.reason;
  const tls::CertificateInfo info = certificate_of(outcome);
  EXPECT_EQ(info.common_name, "pump-7") << "the name in the request does not count";
  EXPECT_EQ(info.validity.not_after, now + hours(24 * 90));
  EXPECT_TRUE(*tls::key_belongs(outcome.answer.certificate_pem, key_));
  EXPECT_EQ(archive_->device("pump-7")->certificate_fingerprint, info.fingerprint);
}

TEST_F(EnrolmentRules, an_unknown_token_is_refused) {
  const EnrolmentOutcome outcome = enroll("pump-7", std::string(43, 'A'));
  EXPECT_FALSE(outcome.is_accepted);
  EXPECT_NE(outcome.reason.find("does not know the token"), std::string::npos) << outcome.reason;
  EXPECT_NE(outcome.log_line.find("192.0.2.1:5"), std::string::npos) << outcome.log_line;
  EXPECT_FALSE(archive_->device("pump-7")) << "a stranger leaves no trace in the list of devices";
}

TEST_F(EnrolmentRules, a_token_works_once) {
  const std::string token = token_for("pump-7");
  ASSERT_TRUE(enroll("pump-7", token).is_accepted);
  EXPECT_NE(enroll("pump-7", token).reason.find("was used"), std::string::npos);
  EXPECT_NE(enroll("pump-8", token).reason.find("was used"), std::string::npos);
}

TEST_F(EnrolmentRules, a_token_expires) {
  const std::string token = token_for("pump-7", minutes(5));
  EXPECT_NE(enroll("pump-7", token, now + minutes(5)).reason.find("expired"), std::string::npos);
  EXPECT_TRUE(enroll("pump-7", token, now + minutes(5) - nanoseconds(1)).is_accepted);
}

TEST_F(EnrolmentRules, a_token_is_for_one_device) {
  const std::string token = token_for("pump-7");
  const EnrolmentOutcome outcome = enroll("pump-8", token);
  EXPECT_NE(outcome.reason.find("'pump-7'"), std::string::npos) << outcome.reason;
  EXPECT_TRUE(enroll("pump-7", token).is_accepted) << "the attempt of another does not spend it";
}

TEST_F(EnrolmentRules, a_request_that_cannot_be_signed_does_not_spend_the_token) {
  const std::string token = token_for("pump-7");
  const std::string good = csr_;
  csr_ = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
  EXPECT_FALSE(enroll("pump-7", token).is_accepted);
  csr_ = good;
  EXPECT_TRUE(enroll("pump-7", token).is_accepted);
}

TEST_F(EnrolmentRules, a_new_token_replaces_the_certificate_and_lifts_a_revocation) {
  const std::string first = certificate_of(enroll("pump-7", token_for("pump-7"))).fingerprint;
  DeviceRecord record = *archive_->device("pump-7");
  record.revoked = true;
  ASSERT_TRUE(archive_->put_device(record));
  const EnrolmentOutcome again = enroll("pump-7", token_for("pump-7"));
  ASSERT_TRUE(again.is_accepted);
  EXPECT_NE(again.record.certificate_fingerprint, first);
  EXPECT_FALSE(archive_->device("pump-7")->revoked);
}

TEST_F(EnrolmentRules, a_renewed_certificate_comes_into_force_when_it_is_first_used) {
  const std::string first = enroll("pump-7", token_for("pump-7")).record.certificate_fingerprint;
  const EnrolmentOutcome renewed = renew("pump-7", first);
  ASSERT_TRUE(renewed.is_accepted) << renewed.reason;
  const std::string second = certificate_of(renewed).fingerprint;
  EXPECT_EQ(archive_->device("pump-7")->certificate_fingerprint, first) << "power may fail before the device has stored it";
  EXPECT_EQ(admit_renewed(*archive_, *archive_->device("pump-7"), "some other")->certificate_fingerprint, first);
  EXPECT_EQ(admit_renewed(*archive_, *archive_->device("pump-7"), second)->certificate_fingerprint, second);
  EXPECT_EQ(archive_->device("pump-7")->certificate_fingerprint, second);
  EXPECT_EQ(admit_renewed(*archive_, *archive_->device("pump-7"), first)->certificate_fingerprint, second) << "the old one is out";
}

TEST_F(EnrolmentRules, only_the_certificate_in_force_is_renewed) {
  const std::string first = enroll("pump-7", token_for("pump-7")).record.certificate_fingerprint;
  ASSERT_TRUE(enroll("pump-7", token_for("pump-7")).is_accepted);
  EXPECT_FALSE(renew("pump-7", first).is_accepted);
  EXPECT_FALSE(renew("nobody", first).is_accepted);
}

TEST_F(EnrolmentRules, enrolling_again_forgets_an_unused_renewal) {
  const std::string first = enroll("pump-7", token_for("pump-7")).record.certificate_fingerprint;
  const std::string stolen = certificate_of(renew("pump-7", first)).fingerprint;
  const std::string current = enroll("pump-7", token_for("pump-7")).record.certificate_fingerprint;
  EXPECT_EQ(admit_renewed(*archive_, *archive_->device("pump-7"), stolen)->certificate_fingerprint, current);
}

TEST_F(EnrolmentRules, a_revoked_device_renews_nothing) {
  const std::string first = enroll("pump-7", token_for("pump-7")).record.certificate_fingerprint;
  DeviceRecord record = *archive_->device("pump-7");
  record.revoked = true;
  ASSERT_TRUE(archive_->put_device(record));
  EXPECT_NE(renew("pump-7", first).reason.find("revoked"), std::string::npos);
}

TEST(TokenSecret, has_256_bits_and_never_the_same) {
  const std::string a = make_token_secret();
  EXPECT_EQ(a.size(), 43u);
  EXPECT_EQ(a.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), std::string::npos);
  EXPECT_NE(a, make_token_secret());
}

}  // namespace
}  // namespace tideline::hub
