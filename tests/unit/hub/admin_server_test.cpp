#include "hub/admin_server.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "base/limits.hpp"

namespace tideline::hub {
namespace {

class AdminServerTest : public testing::Test, protected AdminServer::Listener, protected uv::Stream::Listener {
 protected:
  AdminServerTest() : server_(loop_, *this) {
    std::string pattern = testing::TempDir() + "admin_server_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/admin.sock";
    EXPECT_TRUE(server_.listen(path_));
    client_ = std::move(*uv::Stream::connect_local(loop_, *this, path_));
  }
  ~AdminServerTest() override { std::filesystem::remove_all(directory_); }
  void send(const std::string& text) { client_->write(ByteBuffer(text.begin(), text.end())); }
  bool run_until(const std::function<bool()>& is_done) {
    for (int turn = 0; turn < 2000 && !is_done(); ++turn) loop_.run_once();
    return is_done();
  }
  void on_admin_request(uint64_t connection, const AdminRequest& request) override {
    connection_ = connection;
    command_ = request.command;
  }
  void on_connected(uv::Stream& stream) override { stream.start_reading(); }
  void on_read(uv::Stream&, Bytes bytes) override { received_.append(as_text(bytes)); }
  void on_end(uv::Stream&) override { is_ended_ = true; }
  void on_failed(uv::Stream&, Error) override { is_ended_ = true; }

  uv::Loop loop_;
  AdminServer server_;
  std::unique_ptr<uv::Stream> client_;
  std::string directory_;
  std::string path_;
  uint64_t connection_ = 0;
  std::string command_;
  std::string received_;
  bool is_ended_ = false;
};

TEST_F(AdminServerTest, one_line_is_asked_and_one_is_answered) {
  send(encode_admin(AdminRequest{"online", {}}) + "\n");
  ASSERT_TRUE(run_until([&] { return command_ == "online"; }));
  AdminAnswer answer;
  answer.result = R"({"a":1})";
  server_.respond(connection_, answer);
  ASSERT_TRUE(run_until([&] { return is_ended_; }));
  EXPECT_EQ(received_, encode_admin(answer) + "\n");
}

TEST_F(AdminServerTest, an_answer_for_somebody_who_has_gone_is_dropped) {
  send(encode_admin(AdminRequest{"online", {}}) + "\n");
  ASSERT_TRUE(run_until([&] { return command_ == "online"; }));
  client_->close();
  for (int turn = 0; turn < 100; ++turn) loop_.run_once();
  server_.respond(connection_, {});
}

TEST_F(AdminServerTest, a_line_that_is_no_request_is_answered_with_an_error) {
  send("hello\n");
  ASSERT_TRUE(run_until([&] { return is_ended_; }));
  EXPECT_EQ(decode_admin_answer(received_.substr(0, received_.size() - 1))->exit_code, 2);
}

TEST_F(AdminServerTest, a_line_without_end_is_cut_off) {
  send(std::string(limits::admin_line_bytes + 1, 'x'));
  ASSERT_TRUE(run_until([&] { return is_ended_; }));
  EXPECT_EQ(received_, "");
}

TEST_F(AdminServerTest, stopping_removes_the_socket) {
  server_.stop();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace tideline::hub
