#include "agent/options.hpp"

#include <gtest/gtest.h>

#include "agent/cli_answer.hpp"

namespace tideline::agent {
namespace {

TEST(Options, addresses_are_host_and_port) {
  net::Target target;
  ASSERT_TRUE(parse_address("hub.example.net:7443", target));
  EXPECT_EQ(target.host, "hub.example.net");
  EXPECT_EQ(target.port, 7443);
  ASSERT_TRUE(parse_address("[::1]:1", target));
  EXPECT_EQ(target.host, "::1");
  for (const char* wrong : {"", "hub", "hub:", ":7443", "hub:0", "hub:65536", "hub:x", "::1:7443", "[::1:7443", "hub:1x"}) {
    EXPECT_FALSE(parse_address(wrong, target)) << wrong;
  }
}

TEST(Options, the_device_is_named_after_the_host_unless_it_is_told) {
  Config config;
  EXPECT_FALSE(device_id(config).empty());
  config.device.id = "pump-7";
  EXPECT_EQ(device_id(config), "pump-7");
}

TEST(Options, paths_lie_in_the_state_directory) {
  Config config;
  EXPECT_EQ(control_socket(config), "/var/lib/tideline/agent.sock");
  config.store.directory = "/s";
  EXPECT_EQ(ingest_socket(config), "/s/ingest.sock");
  config.ingest.socket = "/run/i.sock";
  EXPECT_EQ(ingest_socket(config), "/run/i.sock");
}

TEST(Options, a_held_store_names_its_holder) {
  EXPECT_EQ(store_problem("/s", {ErrorCode::busy, 42, "lock"}), "the store in /s is in use by process 42");
}

TEST(CliAnswer, results_are_spliced_with_all_their_digits) {
  std::string printed;
  std::string problem;
  ASSERT_TRUE(cli::printable_result(R"({"jsonrpc":"2.0","id":1,"result":{"n":9007199254740993}})", true, printed, problem)) << problem;
  EXPECT_EQ(printed, "{\"n\":9007199254740993}\n");
  ASSERT_TRUE(cli::printable_result(R"({"jsonrpc":"2.0","id":1,"result":{"text":"a\nb"}})", false, printed, problem));
  EXPECT_EQ(printed, "a\nb");
  EXPECT_FALSE(cli::printable_result(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"limit: 1 to 100000"}})", false, printed, problem));
  EXPECT_EQ(problem, "limit: 1 to 100000");
}

}  // namespace
}  // namespace tideline::agent
