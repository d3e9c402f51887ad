#include "hub/fleet/fleet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>

#include "link/codec.hpp"
#include "support/hub_blocks.hpp"
#include "support/temp_dir.hpp"
#include "unit/net/net_fixture.hpp"

namespace tideline::hub {
namespace {

class Silent : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view text) override { lines.emplace_back(text); }
  std::vector<std::string> lines;
};

/// A hub's fleet with its store on one side, raw link frames over TLS on the other.
class FleetTest : public net::NetTest, protected net::Acceptor::Listener, protected StoreListener {
 protected:
  FleetTest() : rules_(pki.authority, hours(24 * 90)) {
    auto archive = tls::must(open_archive());
    fleet_record_ = enrol_record(*archive);
    StoreListener& listener = *this;
    store_ = std::make_unique<StoreThread>(loop, listener, log_, std::move(archive), [this] { return open_archive(); });
    SessionOptions options;
    options.hub = "hub.test";
    fleet_ = std::make_unique<Fleet>(loop, *store_, rules_, options, log_);
    fleet_->registry().load({fleet_record_});
    tls_server = tls::must(tls::make_server(server_options, &tickets));
    net::Acceptor::Listener& connections = *this;
    acceptor = std::make_unique<net::Acceptor>(loop, tls_server.get(), clock, connections);
    EXPECT_TRUE(acceptor->listen(*uv::Address::parse("127.0.0.1", 0)));
    target = {"127.0.0.1", acceptor->address().port(), ""};
  }
  ~FleetTest() override {
    store_->close();
    ends_.clear();
    device.end.connection.reset();
    connector.reset();
    fleet_.reset();
    acceptor.reset();
  }
  Result<std::unique_ptr<Archive>> open_archive() { return open_sqlite_archive(directory_.path() + "/hub.db", ArchiveMode::write, log_); }
  DeviceRecord enrol_record(Archive& archive) {
    DeviceRecord record;
    record.id = "device-7";
    record.certificate_fingerprint = fingerprint_of(pki.device);
    record.enrolled_ns = 1;
    return *archive.put_device(record);
  }
  static std::string fingerprint_of(const tls::Identity& identity) { return tls::read_certificates(identity.certificate_pem)->front().fingerprint; }

  /// Connects with what client_options say; the end stays in ends_.
  net::End& dial() {
    const int before = device.connected;
    start_connecting();
    EXPECT_TRUE(run_until([&] { return device.connected > before || device.failed > 0; })) << device.reason.text;
    ends_.emplace_back();
    ends_.back().frames.swap(device.end.frames);  // what came at once
    if (device.end.connection != nullptr) ends_.back().adopt(std::move(device.end.connection));
    return ends_.back();
  }
  template <class Frame>
  void send(net::End& end, const Frame& frame) {
    ByteBuffer payload;
    link::encode(frame, payload);
    EXPECT_TRUE(end.connection->send_frame(payload));
  }
  link::Hello hello(const std::string& id = "device-7") {
    link::Hello hello;
    hello.device = id;
    hello.epoch = std::string(32, 'e');
    hello.run = 77;
    hello.runs = {{77, {1, 1, 1}}};
    hello.agent_version = "9.9";
    hello.streams[model::index_of(model::Stream::normal)].next = 101;
    return hello;
  }
  /// The next frame of type T that comes to `end`, others are dropped.
  template <class T>
  bool wait_for(net::End& end, T& out) {
    return run_until([&] {
      while (!end.frames.empty()) {
        const std::string payload = end.frames.front();
        end.frames.erase(end.frames.begin());
        auto message = link::decode(as_bytes(payload));
        if (!message) continue;
        if (auto* found = std::get_if<T>(&*message)) {
          out = *found;
          return true;
        }
      }
      return false;
    });
  }
  net::End& welcome_device() {
    net::End& end = dial();
    send(end, hello());
    link::Welcome welcome;
    EXPECT_TRUE(wait_for(end, welcome));
    return end;
  }
  link::Bye bye_after_hello(net::End& end) {
    if (!end.connection->is_closing()) send(end, hello());
    link::Bye bye;
    EXPECT_TRUE(wait_for(end, bye));
    return bye;
  }
  Metrics metrics() {
    Metrics all;
    fleet_->add_to(all);
    return all;
  }

  void on_connection(std::unique_ptr<net::Connection> connection) override { fleet_->accept(std::move(connection)); }
  void on_refused(const std::string& address, const net::CloseReason& reason) override { fleet_->on_refused(address, reason); }
  void on_state_loaded(StoreToken token, Result<DeviceState> state) override { fleet_->on_state_loaded(token, std::move(state)); }
  void on_applied(StoreToken, Verdicts verdicts, Duration) override { fleet_->on_applied(std::move(verdicts)); }
  void on_device(StoreToken, Result<DeviceRecord>) override {}
  void on_token_used(StoreToken, Result<Token>) override {}
  void on_done(StoreToken, Status) override {}
  void on_answer(StoreToken, Result<model::QueryAnswer>) override {}
  void on_latest(StoreToken, const Result<std::vector<LatestValue>>&) override {}
  void on_gaps(StoreToken, Result<std::vector<std::pair<std::string, model::Gap>>>) override {}
  void on_command(StoreToken token, std::string) override {
    if (!fleet_->on_command(token)) command_done_ = true;
  }
  void on_store_health(Status) override {}

  /// Something done to the archive as a command would.
  void change(std::function<void(Archive&)> work) {
    command_done_ = false;
    ASSERT_TRUE(store_->run(StoreToken{1} << 63, [&work](Archive& archive) {
      work(archive);
      return std::string();
    }));
    ASSERT_TRUE(run_until([&] { return command_done_; }));
  }

  test::TempDir directory_;
  Silent log_;
  Enrolment rules_;
  DeviceRecord fleet_record_;
  std::unique_ptr<StoreThread> store_;
  std::unique_ptr<Fleet> fleet_;
  std::deque<net::End> ends_;
  bool command_done_ = false;
};

TEST_F(FleetTest, a_known_device_is_welcome_and_seen) {
  welcome_device();
  EXPECT_EQ(fleet_->registry().online(), 1u);
  EXPECT_EQ(fleet_->registry().find("device-7")->record.agent_version, "9.9");
  EXPECT_NE(fleet_->online_json().find(R"("device-7":{)"), std::string::npos);
  EXPECT_NE(fleet_->online_json().find(R"("backlog_readings":100)"), std::string::npos) << fleet_->online_json();
  fleet_->on_tick(Instant{});
  EXPECT_EQ(metrics().backlog_readings[model::index_of(model::Stream::normal)], 100u);
}

TEST_F(FleetTest, what_a_device_sends_is_acknowledged_once_it_is_stored) {
  net::End& end = welcome_device();
  test::BlockSource source;
  send(end, link::SeriesFrame{0, {test::BlockSource::series("temp")}});
  const model::StoredBlock block = source.ramp(1, 100, 1'700'000'000);
  send(end, link::BlockFrame{link::Lane::live, block.stream, block.range, block.bytes});
  link::Ack ack;
  ASSERT_TRUE(wait_for(end, ack));
  EXPECT_EQ(ack.ranges, std::vector<model::SeqRange>({{1, 100}}));
  EXPECT_EQ(metrics().readings_accepted, 100u);
  change([](Archive& archive) { EXPECT_EQ(archive.verify({})->readings, 100u); });
}

TEST_F(FleetTest, a_device_without_record_is_told_that_it_is_unknown) {
  client_options.identity = pki.make_device("stranger", tls::test_year);
  net::End& end = dial();
  send(end, hello("stranger"));
  link::Bye bye;
  ASSERT_TRUE(wait_for(end, bye));
  EXPECT_EQ(bye.code, link::ByeCode::unknown_device);
  ASSERT_TRUE(run_until([&] { return end.closed > 0 && fleet_->links() == 0; }));
  EXPECT_EQ(metrics().links_refused, 1u);
}

TEST_F(FleetTest, another_certificate_than_the_one_in_force_is_refused) {
  client_options.identity = pki.make_device("device-7", tls::test_year);
  const link::Bye bye = bye_after_hello(dial());
  EXPECT_EQ(bye.code, link::ByeCode::duplicate_device);
  EXPECT_NE(bye.reason.find("device-7"), std::string::npos);
  EXPECT_NE(bye.reason.find("certificate"), std::string::npos);
}

TEST_F(FleetTest, a_renewed_certificate_is_taken_at_its_first_use_and_the_old_one_no_longer) {
  const tls::Identity renewed = pki.make_device("device-7", tls::test_year);
  change([&](Archive& archive) { ASSERT_TRUE(archive.set_setting("renewed/device-7", fingerprint_of(renewed))); });
  const tls::Identity old = client_options.identity;
  client_options.identity = renewed;
  welcome_device();
  EXPECT_EQ(fleet_->registry().find("device-7")->record.certificate_fingerprint, fingerprint_of(renewed));
  client_options.identity = old;
  EXPECT_EQ(bye_after_hello(dial()).code, link::ByeCode::duplicate_device);
}

TEST_F(FleetTest, a_revoked_device_is_sent_away_and_not_let_in_again) {
  net::End& end = welcome_device();
  DeviceRecord record = fleet_->registry().find("device-7")->record;
  record.revoked = true;
  fleet_->on_record_changed(record);
  link::Bye bye;
  ASSERT_TRUE(wait_for(end, bye));
  EXPECT_EQ(bye.code, link::ByeCode::revoked);
  EXPECT_EQ(fleet_->registry().online(), 0u);
  EXPECT_EQ(bye_after_hello(dial()).code, link::ByeCode::revoked);
}

TEST_F(FleetTest, the_same_device_again_takes_over_from_its_older_link) {
  net::End& older = welcome_device();
  welcome_device();
  link::Bye bye;
  ASSERT_TRUE(wait_for(older, bye));
  EXPECT_EQ(bye.code, link::ByeCode::replaced);
  ASSERT_TRUE(run_until([&] { return fleet_->links() == 1; }));
  EXPECT_EQ(fleet_->registry().online(), 1u) << "the end of the older link does not take the device offline";
}

TEST_F(FleetTest, an_enrolment_over_the_wire_gives_a_certificate_that_is_welcome) {
  const std::string secret = make_token_secret();
  change([&](Archive& archive) { ASSERT_TRUE(archive.put_token({token_hash(secret), "device-8", INT64_MAX, 0})); });
  client_options.identity = {};
  net::End& end = dial();
  const std::string key = tls::make_key();
  send(end, link::Enroll{secret, *tls::make_request(key, "device-8"), "device-8", "9.9"});
  link::Enrolled enrolled;
  ASSERT_TRUE(wait_for(end, enrolled));
  EXPECT_EQ(enrolled.ca_pem, pki.authority.certificate_pem);
  EXPECT_EQ(tls::read_certificates(enrolled.certificate_pem)->front().common_name, "device-8");
  EXPECT_EQ(fleet_->registry().find("device-8")->record.certificate_fingerprint, tls::read_certificates(enrolled.certificate_pem)->front().fingerprint);
  ASSERT_TRUE(run_until([&] { return fleet_->links() == 0; }));
  EXPECT_EQ(metrics().enrolments, 1u);
  EXPECT_EQ(metrics().links_refused, 0u);
}

TEST_F(FleetTest, a_wrong_token_is_refused_in_words_on_both_sides) {
  client_options.identity = {};
  net::End& end = dial();
  send(end, link::Enroll{"nonsense", *tls::make_request(tls::make_key(), "device-8"), "device-8", "9.9"});
  link::Bye bye;
  ASSERT_TRUE(wait_for(end, bye));
  EXPECT_EQ(bye.code, link::ByeCode::enrol_refused);
  EXPECT_NE(bye.reason.find("token"), std::string::npos);
  EXPECT_TRUE(std::any_of(log_.lines.begin(), log_.lines.end(), [](const std::string& line) { return line.find("device-8") != std::string::npos && line.find("token") != std::string::npos; }));
  EXPECT_EQ(metrics().enrolments_refused, 1u);
}

TEST_F(FleetTest, enrolling_again_sends_the_device_with_the_older_certificate_away) {
  net::End& live = welcome_device();
  const std::string secret = make_token_secret();
  change([&](Archive& archive) { ASSERT_TRUE(archive.put_token({token_hash(secret), "device-7", INT64_MAX, 0})); });
  client_options.identity = {};
  send(dial(), link::Enroll{secret, *tls::make_request(tls::make_key(), "device-7"), "device-7", "9.9"});
  link::Bye bye;
  ASSERT_TRUE(wait_for(live, bye));
  EXPECT_EQ(bye.code, link::ByeCode::duplicate_device);
}

TEST_F(FleetTest, an_expired_certificate_is_refused_with_its_date) {
  client_options.identity = pki.make_device("device-7", {tls::test_now - hours(48), tls::test_now - hours(24)});
  net::End& end = dial();
  std::string told;
  if (end.connection != nullptr) told = bye_after_hello(end).reason;
  for (const std::string& line : log_.lines) told += line;
  EXPECT_NE((told + device.reason.text).find("expired"), std::string::npos) << told << device.reason.text;
  EXPECT_EQ(fleet_->registry().online(), 0u);
}

TEST_F(FleetTest, when_the_hub_stops_everybody_is_told_when_to_come_back) {
  net::End& end = welcome_device();
  fleet_->dismiss_all("the hub is stopping", seconds(1));
  link::Bye bye;
  ASSERT_TRUE(wait_for(end, bye));
  EXPECT_EQ(bye.code, link::ByeCode::shutting_down);
  EXPECT_EQ(bye.retry_after, seconds(1));
  EXPECT_TRUE(run_until([&] { return fleet_->links() == 0; }));
}

TEST_F(FleetTest, a_silent_connection_is_ended_by_the_tick) {
  dial();
  ASSERT_EQ(fleet_->links(), 1u);
  fleet_->on_tick(never);
  EXPECT_TRUE(run_until([&] { return fleet_->links() == 0; }));
}

}  // namespace
}  // namespace tideline::hub
