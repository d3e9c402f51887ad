// Producer for the NATS job, built by whole/peer_nats.py: nats_peer setup LEAF-PORT HUB-PORT | nats_peer publish LEAF-PORT FILE WINDOW
// setup: a file stream at the leaf and one at the hub that sources it. publish: each line of FILE is one message, published asynchronously with
// at most WINDOW unacknowledged. Prints seconds of publishing.
#include <nats/nats.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace {

int fail(const char* what, natsStatus status) {
  std::fprintf(stderr, "nats_peer: %s: %s\n", what, natsStatus_GetText(status));
  return 1;
}

natsStatus connect(const char* port, natsConnection** connection) {
  return natsConnection_ConnectTo(connection, (std::string("nats://127.0.0.1:") + port).c_str());
}

/// Asks a server's JetStream for a stream; prints what it answered when that is an error.
int add_stream(const char* port, const char* name, const char* config) {
  natsConnection* connection = nullptr;
  natsMsg* reply = nullptr;
  natsStatus status = connect(port, &connection);
  const std::string subject = std::string("$JS.API.STREAM.CREATE.") + name;
  if (status == NATS_OK) status = natsConnection_RequestString(&reply, connection, subject.c_str(), config, 5000);
  if (status != NATS_OK) return fail(name, status);
  const bool is_error = std::strstr(natsMsg_GetData(reply), "\"error\"") != nullptr;
  if (is_error) std::fprintf(stderr, "nats_peer: %s: %s\n", name, natsMsg_GetData(reply));
  natsMsg_Destroy(reply);
  natsConnection_Destroy(connection);
  return is_error ? 1 : 0;
}

int setup(const char* leaf, const char* hub) {
  const int code = add_stream(leaf, "EDGE", R"({"name":"EDGE","subjects":["readings"],"retention":"limits","storage":"file","num_replicas":1,"max_msgs":-1,"max_bytes":-1,"max_age":0,"max_consumers":-1})");
  if (code != 0) return code;
  return add_stream(hub, "HUB", R"({"name":"HUB","retention":"limits","storage":"file","num_replicas":1,"max_msgs":-1,"max_bytes":-1,"max_age":0,"max_consumers":-1,
    "sources":[{"name":"EDGE","external":{"api":"$JS.leaf.API","deliver":""}}]})");
}

int publish(const char* port, const char* path, int64_t window) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  natsConnection* connection = nullptr;
  jsCtx* js = nullptr;
  jsOptions options;
  jsOptions_Init(&options);
  options.PublishAsync.MaxPending = window;
  if (const natsStatus status = connect(port, &connection); status != NATS_OK) return fail("connect", status);
  if (const natsStatus status = natsConnection_JetStream(&js, connection, &options); status != NATS_OK) return fail("JetStream", status);
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string& line : lines) {
    const natsStatus status = js_PublishAsync(js, "readings", line.data(), static_cast<int>(line.size()), nullptr);
    if (status != NATS_OK) return fail("publish", status);
  }
  if (const natsStatus status = js_PublishAsyncComplete(js, nullptr); status != NATS_OK) return fail("acknowledgements", status);
  std::printf("%.6f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "setup") == 0) return setup(argv[2], argv[3]);
  if (argc == 5 && std::strcmp(argv[1], "publish") == 0) return publish(argv[2], argv[3], std::atol(argv[4]));
  return std::fprintf(stderr, "usage: nats_peer setup LEAF-PORT HUB-PORT | publish LEAF-PORT FILE WINDOW\n"), 2;
}
