-- wrk script: POSTs one MCP request, with a new id each time, to one path or to several in turn.
--
-- wrk ... -s hub_http_post.lua URL -- FILE [PATH...]
-- FILE: header lines, an empty line, the body with ########## where the id goes (ten digits, so its length is fixed).
-- The last line printed is JSON: calls, seconds, microseconds of p50, p99, most, errors of each kind, bytes read.
local next_thread = 0

function setup(thread)
  thread:set("first_id", 1000000000 + next_thread * 100000000)
  next_thread = next_thread + 1
end

local requests, id, turn = {}, 0, 0

function init(args)
  local text = assert(io.open(args[1], "rb")):read("*a")
  local head, body = text:match("^(.-)\n\n(.*)$")
  local paths = {}
  for i = 2, #args do paths[#paths + 1] = args[i] end
  if #paths == 0 then paths[1] = wrk.path end
  for _, path in ipairs(paths) do
    local whole = "POST " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n" .. head:gsub("\n", "\r\n") .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
    local at = assert(whole:find("##########", 1, true))
    requests[#requests + 1] = { whole:sub(1, at - 1), whole:sub(at + 10) }
  end
  id = first_id
end

function request()
  id = id + 1
  turn = turn % #requests + 1
  return requests[turn][1] .. string.format("%010d", id) .. requests[turn][2]
end

function done(summary, latency)
  local e = summary.errors
  print(string.format('{"calls":%d,"seconds":%.4f,"p50_us":%.1f,"p99_us":%.1f,"max_us":%.1f,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"bytes":%d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency.max, e.status, e.connect, e.read, e.write, e.timeout, summary.bytes))
end
