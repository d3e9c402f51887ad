#include "unit/wrap/tls_fixture.hpp"

#include "wrap/tls/crypto.hpp"

namespace tideline::tls {
namespace {

TEST(Certificates, AuthorityDescribesItself) {
  const Identity made = *make_authority("Tideline CA (hub-1)", test_year);
  const auto info = *read_certificates(made.certificate_pem);
  ASSERT_EQ(info.size(), 1u);
  EXPECT_EQ(info[0].common_name, "Tideline CA (hub-1)");
  EXPECT_EQ(info[0].issuer, info[0].common_name);
  EXPECT_TRUE(info[0].is_authority);
  EXPECT_EQ(info[0].validity.not_before, test_year.not_before);
  EXPECT_EQ(info[0].validity.not_after, test_year.not_after);
  EXPECT_EQ(info[0].fingerprint.size(), 64u);
  EXPECT_TRUE(*key_belongs(made.certificate_pem, made.key_pem));
  EXPECT_FALSE(*key_belongs(made.certificate_pem, make_key()));
}

TEST(Certificates, ServerNamesAreDnsNamesAndAddresses) {
  const auto& pki = TestPki::get();
  const std::vector<std::string> names{"hub.example", "*.edge.example", "192.0.2.7", "2001:db8::7"};
  const auto info = *read_certificates(make_server_certificate(pki.authority, names, test_year)->certificate_pem);
  EXPECT_EQ(info[0].names, names);
  EXPECT_EQ(info[0].common_name, "hub.example");
  EXPECT_EQ(info[0].issuer, "test authority");
  EXPECT_FALSE(info[0].is_authority);
}

TEST(Certificates, ManyNamesNeedALongLength) {
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back("host-number-" + std::to_string(i) + ".example");
  const auto made = make_server_certificate(TestPki::get().authority, names, test_year);
  ASSERT_TRUE(made);
  EXPECT_EQ((*read_certificates(made->certificate_pem))[0].names, names);
}

TEST(Certificates, CommonNameIsTheHubsNotTheRequests) {
  const auto& pki = TestPki::get();
  const std::string request = *make_request(make_key(), "admin");
  const auto info = *read_certificates(*sign_request(pki.authority, request, "device-9", test_year));
  EXPECT_EQ(info[0].common_name, "device-9");
}

TEST(Certificates, SerialsDiffer) {
  const auto& pki = TestPki::get();
  const std::string request = *make_request(make_key(), "d");
  const auto one = *read_certificates(*sign_request(pki.authority, request, "d", test_year));
  const auto two = *read_certificates(*sign_request(pki.authority, request, "d", test_year));
  EXPECT_NE(one[0].serial, two[0].serial);
}

TEST(Certificates, DatesBeyond2049AndBefore1970Hold) {
  const Validity long_life{UtcNanos{-5}, UtcNanos{} + hours(24 * 366) * 130};
  const auto info = *read_certificates(make_authority("old", long_life)->certificate_pem);
  EXPECT_EQ(info[0].validity.not_before, UtcNanos{});
  EXPECT_EQ(info[0].validity.not_after, long_life.not_after);
}

/// The body of one request with the end of another's signature.
TEST(Certificates, RequestWithoutProofOfPossessionIsDenied) {
  const auto& pki = TestPki::get();
  const std::string good = *make_request(make_key(), "device");
  std::string other = *make_request(make_key(), "device");
  while (other.size() != good.size()) other = *make_request(make_key(), "device");  // signatures are 70 to 72 bytes long
  const size_t tail = 40;
  const size_t start = good.rfind("-----END") - tail;
  const std::string mixed = std::string(good).replace(start, tail, other.substr(start, tail));
  EXPECT_FALSE(sign_request(pki.authority, mixed, "device", test_year));
  EXPECT_TRUE(sign_request(pki.authority, good, "device", test_year));
}

TEST(Certificates, WrongInputIsAnErrorNotACrash) {
  const auto& pki = TestPki::get();
  EXPECT_EQ(read_certificates("").error().code, ErrorCode::invalid);
  EXPECT_EQ(read_certificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").error().code, ErrorCode::invalid);
  EXPECT_EQ(read_certificates(std::string(limits::certificate_chain_bytes + 1, 'x')).error().code, ErrorCode::limit);
  EXPECT_FALSE(sign_request(pki.authority, "nonsense", "d", test_year));
  EXPECT_FALSE(sign_request({pki.authority.certificate_pem, make_key()}, *make_request(make_key(), "d"), "d", test_year));
  for (const char* name : {"", "a,O=b", "a=b", "a+b", "tab\t", "\"", " lead", "nul\\00"}) {
    EXPECT_FALSE(make_authority(name, test_year)) << name;
    EXPECT_FALSE(make_request(make_key(), name)) << name;
  }
  EXPECT_TRUE(make_authority(std::string(64, 'a'), test_year));
  EXPECT_FALSE(make_authority(std::string(65, 'a'), test_year));
  EXPECT_FALSE(make_server_certificate(pki.authority, {}, test_year));
}

TEST(Crypto, KnownAnswers) {
  EXPECT_EQ(sha256_hex(as_bytes("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const Digest mac = hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"));  // RFC 4231, case 2
  EXPECT_EQ(mac[0], 0x5b);
  EXPECT_EQ(mac[31], 0x43);
  EXPECT_TRUE(equal_in_constant_time(as_bytes("same"), as_bytes("same")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("same"), as_bytes("sane")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("same"), as_bytes("sam")));
  EXPECT_EQ(random_hex(16).size(), 32u);
  EXPECT_NE(random_hex(16), random_hex(16));
}

}  // namespace
}  // namespace tideline::tls
