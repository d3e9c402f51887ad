#include "agent/machine_report.hpp"

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

namespace tideline::agent {
namespace {

TEST(Machine, the_published_id_is_derived_as_systemd_derives_it) {
  // printf of our id as binary | openssl dgst -sha256 -mac HMAC -macopt hexkey:<machine id>, first 16 bytes, as UUID of version 4
  EXPECT_EQ(app_specific_id("4c1f2a9bd0e84f5c8f2f6f0f2d7f6a11"), "112868978f534c11b0d68417b2222d6e");
  EXPECT_NE(app_specific_id("4c1f2a9bd0e84f5c8f2f6f0f2d7f6a12"), app_specific_id("4c1f2a9bd0e84f5c8f2f6f0f2d7f6a11"));
  for (const char* none : {"", "uninitialized", "4c1f2a9bd0e84f5c8f2f6f0f2d7f6a1"}) EXPECT_EQ(app_specific_id(none), "");
}

TEST(Machine, a_board_is_called_as_its_host_unless_every_image_is_called_so) {
  const std::string id = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(default_device_id("Pump-7.example", id), "pump-7.example");
  EXPECT_EQ(default_device_id("raspberrypi", id), "raspberrypi-01234567");
  EXPECT_EQ(default_device_id("localhost", id), "localhost-01234567");
  EXPECT_EQ(default_device_id("", id), "device-01234567");
  EXPECT_EQ(default_device_id("raspberrypi", ""), "raspberrypi");  // no machine id: nothing to tell it apart by
  EXPECT_EQ(default_device_id("raspberrypi-kitchen", id), "raspberrypi-kitchen");
}

TEST(Machine, the_raw_id_is_not_shown) {
  const MachineReport pi = describe_machine(std::string(TIDELINE_TEST_DATA) + "/golden/sysfs/raspberry_pi");
  EXPECT_EQ(pi.id, app_specific_id("4c1f2a9bd0e84f5c8f2f6f0f2d7f6a11"));
  EXPECT_EQ(pi.model, "Raspberry Pi 4 Model B Rev 1.4");
  EXPECT_EQ(pi.serial, "10000000a1b2c3d4");
  test::TempDir empty;
  EXPECT_EQ(describe_machine(empty.path()).id, "");
}

}  // namespace
}  // namespace tideline::agent
