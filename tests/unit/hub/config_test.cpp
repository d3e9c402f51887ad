#include "hub/config.hpp"

#include <gtest/gtest.h>

namespace tideline::hub {
namespace {

std::string first_problem(std::string_view text) {
  Config config;
  const auto problems = parse_config("hub.toml", text, config);
  return problems.empty() ? "" : problems.front();
}

TEST(HubConfig, an_empty_file_gives_the_defaults) {
  Config config;
  EXPECT_TRUE(parse_config("hub.toml", "", config).empty());
  EXPECT_EQ(config.hub.listen, "0.0.0.0:7443");
  EXPECT_EQ(config.hub.state, "/var/lib/tideline-hub");
  EXPECT_EQ(config.http.loopback_port, 0);
}

TEST(HubConfig, every_section_is_read) {
  Config config;
  const auto problems = parse_config("hub.toml",
                                     "[hub]\nlisten = \"[::1]:0\"\nnames = [\"hub.example\", \"192.0.2.7\"]\nlog_level = \"debug\"\n"
                                     "[certificates]\ndevice_life = \"30d\"\n[link]\nconnections = 5\ncredit = \"256 KiB\"\n"
                                     "[http]\nloopback_port = 9100\n",
                                     config);
  EXPECT_TRUE(problems.empty()) << problems.front();
  EXPECT_EQ(config.hub.listen, "[::1]:0");
  EXPECT_EQ(config.hub.names.size(), 2u);
  EXPECT_EQ(config.hub.log_level, LogLevel::debug);
  EXPECT_EQ(config.certificates.device_life, hours(24 * 30));
  EXPECT_EQ(config.link.connections, 5);
  EXPECT_EQ(config.link.credit, 256u * 1024);
  EXPECT_EQ(config.http.loopback_port, 9100);
}

TEST(HubConfig, a_wrong_key_is_named_with_its_line_and_the_nearest_one) {
  const std::string problem = first_problem("[hub]\nlistn = \"0.0.0.0:1\"\n");
  EXPECT_NE(problem.find("hub.toml:2"), std::string::npos) << problem;
  EXPECT_NE(problem.find("listn"), std::string::npos) << problem;
  EXPECT_NE(problem.find("listen"), std::string::npos) << problem;
  EXPECT_NE(first_problem("[hubb]\n").find("hubb"), std::string::npos);
}

TEST(HubConfig, values_out_of_range_are_refused) {
  EXPECT_NE(first_problem("[http]\nloopback_port = 65536\n").find("hub.toml:2"), std::string::npos);
  EXPECT_NE(first_problem("[link]\nconnections = 0\n"), "");
  EXPECT_NE(first_problem("[certificates]\ndevice_life = \"1s\"\n"), "");
  EXPECT_NE(first_problem("[hub]\n\nlisten = \"7443\"\n").find("hub.toml:3"), std::string::npos);
}

TEST(HubConfig, the_printed_documentation_is_a_file_that_gives_the_defaults) {
  Config config;
  config.hub.listen = "changed:1";
  const auto problems = parse_config("hub.toml", describe_config(), config);
  EXPECT_TRUE(problems.empty()) << problems.front();
  EXPECT_EQ(config.hub.listen, "0.0.0.0:7443");
}

TEST(HubConfig, an_address_needs_a_port_and_ipv6_needs_brackets) {
  HostPort parsed;
  ASSERT_TRUE(parse_host_port("[::]:7443", parsed));
  EXPECT_EQ(parsed.host, "::");
  EXPECT_EQ(parsed.port, 7443);
  for (const char* wrong : {"", ":", ":1", "host", "host:", "host:x", "host:65536", "::1:5", "[::1]", "[]:1"}) {
    EXPECT_FALSE(parse_host_port(wrong, parsed)) << wrong;
  }
}

}  // namespace
}  // namespace tideline::hub
