// Producer and consumer for the mosquitto job, built by whole/peer_mosquitto.py: mqtt_peer publish PORT FILE WINDOW | subscribe PORT FILE COUNT
// publish: each line of FILE is one message, QoS 1, at most WINDOW of them unacknowledged; ends when all are. subscribe: a session that is kept,
// QoS 1, one line in FILE for each message. Prints seconds of publishing.
#include <mosquitto.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<long> acknowledged = 0;
std::atomic<bool> is_connected = false;
long received = 0;
std::FILE* out = nullptr;

int fail(const char* what, int code) {
  std::fprintf(stderr, "mqtt_peer: %s: %s\n", what, mosquitto_strerror(code));
  return 1;
}

int publish(int port, const char* path, long window) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  mosquitto* client = mosquitto_new("producer", true, nullptr);
  mosquitto_max_inflight_messages_set(client, static_cast<unsigned>(window));
  mosquitto_publish_callback_set(client, [](mosquitto*, void*, int) { ++acknowledged; });
  mosquitto_connect_callback_set(client, [](mosquitto*, void*, int) { is_connected = true; });
  if (const int code = mosquitto_connect(client, "127.0.0.1", port, 60)) return fail("connect", code);
  mosquitto_loop_start(client);
  while (!is_connected) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto begin = std::chrono::steady_clock::now();
  const long count = static_cast<long>(lines.size());
  for (long i = 0; i < count; ++i) {
    while (i - acknowledged >= window) std::this_thread::yield();
    const std::string& line = lines[static_cast<size_t>(i)];
    if (const int code = mosquitto_publish(client, nullptr, "readings", static_cast<int>(line.size()), line.data(), 1, false)) return fail("publish", code);
  }
  while (acknowledged < count) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::printf("%.6f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  mosquitto_disconnect(client);
  mosquitto_loop_stop(client, true);
  return 0;
}

int subscribe(int port, const char* path, long count) {
  out = std::fopen(path, "w");
  mosquitto* client = mosquitto_new("consumer", false, nullptr);
  mosquitto_connect_callback_set(client, [](mosquitto* c, void*, int) { mosquitto_subscribe(c, nullptr, "readings", 1); });
  mosquitto_message_callback_set(client, [](mosquitto*, void*, const mosquitto_message* message) {
    std::fwrite(message->payload, 1, static_cast<size_t>(message->payloadlen), out);
    std::fputc('\n', out);
    if (++received % 256 == 0) std::fflush(out);
  });
  if (const int code = mosquitto_connect(client, "127.0.0.1", port, 60)) return fail("connect", code);
  while (received < count && mosquitto_loop(client, 100, 1) == MOSQ_ERR_SUCCESS) std::fflush(out);
  std::fclose(out);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return std::fprintf(stderr, "usage: mqtt_peer publish PORT FILE WINDOW | subscribe PORT FILE COUNT\n"), 2;
  mosquitto_lib_init();
  const int port = std::atoi(argv[2]);
  return std::strcmp(argv[1], "publish") == 0 ? publish(port, argv[3], std::atol(argv[4])) : subscribe(port, argv[3], std::atol(argv[4]));
}
