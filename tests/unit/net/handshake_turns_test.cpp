#include "net/handshake_turns.hpp"

#include <gtest/gtest.h>

namespace tideline::net {
namespace {

TEST(HandshakeTurns, WhoIsHalfThroughGoesBeforeWhoHasJustCome) {
  int clients[5] = {};
  HandshakeTurns<int> turns;
  turns.add(clients[0], false);
  turns.add(clients[1], false);
  EXPECT_EQ(turns.take(), &clients[0]);
  turns.add(clients[2], false);
  turns.add(clients[0], true);
  turns.add(clients[3], true);
  EXPECT_EQ(turns.take(), &clients[0]);
  EXPECT_EQ(turns.take(), &clients[3]);
  EXPECT_EQ(turns.take(), &clients[1]);
  EXPECT_EQ(turns.take(), &clients[2]);
  EXPECT_TRUE(turns.is_empty());
  EXPECT_EQ(turns.take(), nullptr);
}

TEST(HandshakeTurns, WhoGoesAwayIsForgotten) {
  int clients[2] = {};
  HandshakeTurns<int> turns;
  turns.add(clients[0], true);
  turns.add(clients[1], false);
  turns.remove(clients[0]);
  EXPECT_EQ(turns.take(), &clients[1]);
  turns.add(clients[1], false);
  turns.remove(clients[1]);
  EXPECT_TRUE(turns.is_empty());
}

}  // namespace
}  // namespace tideline::net
