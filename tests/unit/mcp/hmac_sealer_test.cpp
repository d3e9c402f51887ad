// What a client holds for us comes back as it was given, in its context and in time, or not at all.
#include "mcp/hmac_sealer.hpp"

#include <gtest/gtest.h>

namespace tideline::mcp {
namespace {

class HmacSealerTest : public testing::Test {
 protected:
  static SealKey key(uint8_t fill) {
    SealKey key;
    key.fill(fill);
    return key;
  }
  ErrorCode refusal(std::string_view text, std::string_view context = "alice tools/call reboot") {
    const auto opened = sealer.open(text, context);
    EXPECT_FALSE(opened.has_value());
    return opened ? ErrorCode::exists : opened.error().code;
  }

  int64_t now = 1'700'000'000'000'000'000;
  HmacSealer sealer{key(7), [this] { return now; }};
  const std::string sealed = sealer.seal("round 2", "alice tools/call reboot");
};

TEST_F(HmacSealerTest, state_comes_back_in_its_context) {
  EXPECT_TRUE(sealed.starts_with("v1."));
  EXPECT_EQ(*sealer.open(sealed, "alice tools/call reboot"), "round 2");
  const std::string bytes("\0\xff", 2);
  EXPECT_EQ(*sealer.open(sealer.seal(bytes, ""), ""), bytes);
  EXPECT_EQ(*sealer.open(sealer.seal("", "c"), "c"), "");
}

TEST_F(HmacSealerTest, another_context_is_denied) {
  EXPECT_EQ(refusal(sealed, "bob tools/call reboot"), ErrorCode::denied);
  EXPECT_EQ(refusal(sealed, ""), ErrorCode::denied);
}

TEST_F(HmacSealerTest, a_context_cannot_borrow_bytes_of_the_state) {
  EXPECT_EQ(refusal(sealer.seal("bc", "a"), "ab"), ErrorCode::denied);
  EXPECT_NE(sealer.seal("bc", "a").substr(14), sealer.seal("c", "ab").substr(14));
}

TEST_F(HmacSealerTest, any_changed_letter_is_denied) {
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(refusal(changed), ErrorCode::denied) << i;
  }
}

TEST_F(HmacSealerTest, cut_and_lengthened_texts_are_denied) {
  for (size_t i = 0; i < sealed.size(); ++i) EXPECT_EQ(refusal(sealed.substr(0, i)), ErrorCode::denied) << i;
  EXPECT_EQ(refusal(sealed + "AAAA"), ErrorCode::denied);
  EXPECT_EQ(refusal("round 2"), ErrorCode::denied);
}

TEST_F(HmacSealerTest, it_ends_with_its_life_and_not_before) {
  now += limits::mcp_seal_life.nanos - 1;
  EXPECT_TRUE(sealer.open(sealed, "alice tools/call reboot").has_value());
  now += 1;
  EXPECT_EQ(refusal(sealed), ErrorCode::timeout);
}

TEST_F(HmacSealerTest, another_key_is_denied_and_the_same_one_is_not) {
  HmacSealer stranger(key(8), [this] { return now; });
  HmacSealer replica(key(7), [this] { return now; });
  EXPECT_EQ(stranger.open(sealed, "alice tools/call reboot").error().code, ErrorCode::denied);
  EXPECT_EQ(*replica.open(sealed, "alice tools/call reboot"), "round 2");
  EXPECT_NE(random_seal_key(), random_seal_key());
}

}  // namespace
}  // namespace tideline::mcp
