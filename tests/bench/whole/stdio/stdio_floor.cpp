// stdio_floor: the least that a JSON-RPC server over standard input and output does with this project's libraries (libuv reads and writes,
// cJSON parses the request and prints the answer): every request is answered with the result in the file given. A limit, not a server.
#include <cjson/cJSON.h>
#include <uv.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

struct Floor {
  uv_pipe_t in{}, out{};
  std::string partial, result;
};

void allocate(uv_handle_t*, size_t, uv_buf_t* buffer) {
  static char memory[65536];
  *buffer = uv_buf_init(memory, sizeof memory);
}

void append_answer(const Floor& floor, const char* line, size_t size, std::string& out) {
  cJSON* const request = cJSON_ParseWithLength(line, size);
  const cJSON* const id = cJSON_GetObjectItemCaseSensitive(request, "id");
  if (id != nullptr) {
    cJSON* const answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "jsonrpc", "2.0");
    cJSON_AddNumberToObject(answer, "id", id->valuedouble);
    cJSON_AddRawToObject(answer, "result", floor.result.c_str());
    char* const text = cJSON_PrintUnformatted(answer);
    out.append(text).push_back('\n');
    cJSON_free(text);
    cJSON_Delete(answer);
  }
  cJSON_Delete(request);
}

struct Write {
  uv_write_t request;
  std::string bytes;
};

void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  if (count < 0) std::exit(0);
  auto* const floor = static_cast<Floor*>(stream->data);
  floor->partial.append(buffer->base, static_cast<size_t>(count));
  auto* const write = new Write;
  size_t at = 0;
  for (size_t end = 0; (end = floor->partial.find('\n', at)) != std::string::npos; at = end + 1) {
    append_answer(*floor, floor->partial.data() + at, end - at, write->bytes);
  }
  floor->partial.erase(0, at);
  const uv_buf_t out = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  write->request.data = write;
  if (write->bytes.empty()) delete write;
  else uv_write(&write->request, reinterpret_cast<uv_stream_t*>(&floor->out), &out, 1, [](uv_write_t* done, int) { delete static_cast<Write*>(done->data); });
}

}  // namespace

int main(int argc, char** argv) {
  Floor floor;
  if (argc == 2) {
    if (std::FILE* const file = std::fopen(argv[1], "rb")) {
      char part[4096];
      for (size_t n = 0; (n = std::fread(part, 1, sizeof part, file)) > 0;) floor.result.append(part, n);
      std::fclose(file);
    }
  }
  if (floor.result.empty()) {
    std::fprintf(stderr, "usage: stdio_floor FILE-WITH-RESULT\n");
    return 2;
  }
  uv_loop_t* const loop = uv_default_loop();
  uv_pipe_init(loop, &floor.in, 0);
  uv_pipe_init(loop, &floor.out, 0);
  uv_pipe_open(&floor.in, 0);
  uv_pipe_open(&floor.out, 1);
  floor.in.data = &floor;
  uv_read_start(reinterpret_cast<uv_stream_t*>(&floor.in), allocate, on_read);
  return uv_run(loop, UV_RUN_DEFAULT);
}
