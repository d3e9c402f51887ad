// Every bound of the program, in one place (law 6). A bound is tested at its value and one past it.
// Sizes are bytes unless the name says otherwise. Configurable values stand here as default, least and most.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace tideline::limits {

// Names and values
inline constexpr size_t series_name_bytes = 128;
inline constexpr size_t labels = 16;
inline constexpr size_t label_bytes = 128;         // name and value each
inline constexpr size_t unit_bytes = 32;
inline constexpr size_t series_key_bytes = 1024;   // whole encoded key
inline constexpr size_t text_value_bytes = 4096;
inline constexpr size_t device_id_bytes = 64;
inline constexpr size_t pattern_bytes = 256;
inline constexpr uint32_t series_per_device = 4096;

// Blocks
inline constexpr uint32_t block_readings = 4096;
inline constexpr size_t block_bytes = 60 * 1024;   // fits a link frame with its envelope
inline constexpr uint32_t block_columns = 1024;    // (series, type, time source) groups in one block

// Link
inline constexpr size_t frame_bytes = 64 * 1024;
inline constexpr size_t frame_series = 64;         // definitions in one series frame
inline constexpr size_t frame_gaps = 64;           // in one gap frame
inline constexpr size_t ack_ranges = 8;
inline constexpr size_t hello_anchors = 16;
inline constexpr size_t hello_runs = 64;                // all that a store keeps
inline constexpr size_t link_text_bytes = 512;          // reasons and other texts for people inside frames
inline constexpr size_t link_name_bytes = 64;           // hub's name, versions of programs
inline constexpr size_t link_piece_bytes = 60 * 1024;   // of a message inside call, reply and notify frames
inline constexpr size_t link_call_queue_bytes = 384 * 1024;  // unsent to a device beyond which it takes no calls
inline constexpr size_t link_reply_queue_bytes = 384 * 1024;  // unsent to the hub below which answers are queued; readings stop at 256 KiB
inline constexpr size_t named_calls = 128;              // named calls of the hub remembered at a device
inline constexpr size_t named_answer_bytes = 64 * 1024;  // of one of them, kept
inline constexpr size_t link_calls = 64;                 // of the hub, under way at a device
inline constexpr size_t link_call_bytes = 1024 * 1024;   // one request of the hub
inline constexpr size_t link_reply_bytes = 8 * 1024 * 1024;  // answers waiting for the link
inline constexpr size_t link_pem_bytes = 16 * 1024;     // a certificate or a request
inline constexpr size_t enrol_token_bytes = 256;
inline constexpr size_t uplink_fetch_bytes = 64 * 1024; // asked of the store at once
inline constexpr size_t uplink_buffer_bytes = 64 * 1024;  // read ahead per lane: a fetch is asked below it
inline constexpr size_t uplink_in_flight_blocks = 4096; // sent and not acknowledged, whatever the credit
inline constexpr Duration ping_interval_least = seconds(10);
inline constexpr Duration ping_interval_most = minutes(15);
inline constexpr Duration fetch_deadline = minutes(2);
inline constexpr Duration fetch_retry = seconds(1);
inline constexpr Duration nack_retry = seconds(5);
inline constexpr Duration link_stable = seconds(60);    // an idle link is a success after this
inline constexpr Duration retry_most = hours(24);       // the longest wait that a peer may ask for
inline constexpr size_t send_queue_bytes = 512 * 1024;  // per connection, unsent
inline constexpr uint64_t credit_bytes = 1024 * 1024;   // unacknowledged block bytes a hub allows one device
inline constexpr Duration handshake_deadline = seconds(20);
inline constexpr Duration enrolment_deadline = seconds(30);
inline constexpr Duration hello_deadline = seconds(20);
inline constexpr Duration ack_deadline = seconds(60);
inline constexpr Duration ping_interval = seconds(30);
inline constexpr Duration ping_deadline = seconds(20);
inline constexpr size_t read_buffer_bytes = 64 * 1024;    // one read from a socket; one buffer a loop
inline constexpr size_t socket_unsent_bytes = 64 * 1024;  // left to the kernel, so that a call need not wait behind a backlog
inline constexpr size_t resolved_addresses = 8;           // tried in turn for one host name
inline constexpr Duration connect_attempt = seconds(5);   // one address, while others are left to try
inline constexpr Duration close_deadline = seconds(2);    // a closing connection waits this long for its peer
inline constexpr size_t handshakes_at_once = 256;         // a hub accepts no more until some are through
inline constexpr int handshake_steps_per_turn = 2;        // about 8 ms each on a hub: other devices wait no longer
inline constexpr Duration ticket_life = hours(24);        // of a TLS session ticket; its key serves twice as long
inline constexpr size_t certificate_chain_bytes = 64 * 1024;
inline constexpr Duration backoff_base = milliseconds(500);
inline constexpr Duration backoff_cap = minutes(5);

// Edge store
inline constexpr uint64_t segment_bytes = 4 * 1024 * 1024;
inline constexpr uint64_t store_bytes_default = 1024ull * 1024 * 1024;
inline constexpr uint64_t store_bytes_least = 16ull * 1024 * 1024;
inline constexpr uint64_t history_bytes_default = 64ull * 1024 * 1024;  // acknowledged segments kept for local questions
inline constexpr uint64_t ballast_bytes = 1024 * 1024;
inline constexpr uint64_t free_bytes_least = 16ull * 1024 * 1024;       // left to other programs on the file system
inline constexpr uint64_t free_inodes_least = 256;
inline constexpr size_t bad_segments = 2;               // quarantined files kept
inline constexpr size_t nacked_bytes = 1024 * 1024;     // blocks set aside after a nack
inline constexpr size_t gaps_per_stream = 1024;         // older neighbours are merged beyond this
inline constexpr size_t runs = 64;
inline constexpr size_t anchors = 64;
inline constexpr size_t commit_bytes = 64 * 1024;       // encoded, pending in one stream: commit without waiting for the interval
inline constexpr size_t open_segments = 4;              // sealed ones open for reading
inline constexpr size_t recovery_blocks = 8;            // newest blocks of an unsealed segment whose checksum is verified at start
inline constexpr uint64_t skipped_readings = 1u << 26;  // numbers left out when the end of a damaged segment is uncertain
inline constexpr uint64_t carve_span = uint64_t{1} << 40;   // numbers further ahead in raw bytes are not believed
inline constexpr size_t skipped_series = 64;            // ids left out when the series dictionary had to be rebuilt
inline constexpr size_t store_settings = 64;            // keys
inline constexpr size_t note_key_bytes = 160;
inline constexpr size_t note_bytes = 256 * 1024;        // one text
inline constexpr size_t notes = 512;
inline constexpr size_t notes_bytes = 16 * 1024 * 1024;  // keys and texts, all together
inline constexpr size_t note_puts_bytes = 4 * 1024 * 1024;  // handed over and not yet durable
inline constexpr size_t note_reads = 64;                // asked for and not yet answered
inline constexpr size_t outbox_requests = 4096;          // waiting for the store thread, appends apart
inline constexpr size_t outbox_queries = 16;            // at work or waiting in the edge store
inline constexpr size_t fetch_gaps = 64;                // in one answer
inline constexpr Duration space_interval = seconds(1);
inline constexpr Duration reopen_interval = seconds(1);  // after a failed commit
inline constexpr Duration slow_commit = seconds(2);      // logged: slow storage
inline constexpr Duration full_disk_log_interval = minutes(1);  // between two lines that say so
inline constexpr Duration hint_interval = seconds(60);   // acknowledged ranges and the like, which are only hints
inline constexpr size_t checkpoint_pages = 250;         // of 1 KiB, in the WAL of an active segment (research: half the bytes)
inline constexpr Duration normal_commit = seconds(5);
inline constexpr Duration bulk_commit = seconds(60);
inline constexpr size_t pending_readings = 64 * 1024;   // not yet committed, all classes together
inline constexpr size_t pending_text_bytes = 4 * 1024 * 1024;

// Inputs
inline constexpr size_t ingest_line_bytes = 64 * 1024;
inline constexpr size_t ingest_connections = 64;
inline constexpr size_t ingest_errors_reported = 5;     // per connection, the first ones
inline constexpr size_t inputs = 256;
inline constexpr Duration interval_least = milliseconds(10);
inline constexpr Duration exec_timeout = seconds(10);
inline constexpr size_t exec_output_bytes = 256 * 1024; // of one run; a program that keeps running has no bound but its lines
inline constexpr size_t exec_error_bytes = 4096;        // of standard error, kept for the log
inline constexpr size_t ingest_fields = 1024;           // readings of one line
inline constexpr size_t ingest_cache_bytes = 1024 * 1024;  // names remembered per connection
inline constexpr size_t ingest_syncs = 64;              // #sync lines not yet answered, per connection
inline constexpr size_t input_channels = 1024;          // series of one sampled input
inline constexpr size_t sensor_file_bytes = 64 * 1024;  // read of one file in /proc or /sys
inline constexpr size_t series_rules = 256;
inline constexpr size_t json_depth = 64;
inline constexpr Duration interval_most = hours(24 * 7);

// Local sockets and answers
inline constexpr Duration lock_patience = seconds(5);      // for whoever holds the store only for a moment
inline constexpr Duration request_deadline = minutes(2);  // a command waits this long for the daemon
inline constexpr Duration stop_grace = milliseconds(300);  // for the last answers and the goodbye to the hub
inline constexpr size_t control_connections = 64;
inline constexpr size_t control_requests = 64;          // questions under way, all callers together
inline constexpr size_t collector_readings = 8 * 1024;  // of one class in one loop turn
inline constexpr size_t collector_failures = 64;       // failed batches remembered for producers that ask later
inline constexpr size_t request_bytes = 4 * 1024 * 1024;
inline constexpr size_t query_rows = 100'000;
inline constexpr size_t query_series = 1000;
inline constexpr size_t query_text_bytes = 8 * 1024 * 1024;  // text values in one answer
inline constexpr size_t query_gaps = 1000;             // gap records in one answer, the newest
inline constexpr Duration query_slice = milliseconds(50);  // the store thread goes back to commits after this

// MCP (sizes are of JSON text)
inline constexpr size_t mcp_line_bytes = 4 * 1024 * 1024;      // one message in or out; SDK peers give up at 10 MiB
inline constexpr size_t mcp_json_depth = 64;
inline constexpr size_t mcp_object_members = 4096;             // of an object that is read, not only passed on
inline constexpr size_t mcp_id_bytes = 256;                    // JSON-RPC id and progress token
inline constexpr size_t mcp_name_bytes = 128;                  // tool and prompt names
inline constexpr size_t mcp_uri_bytes = 2048;
inline constexpr size_t mcp_batch = 64;                        // messages in one batch (revision 2025-03-26)
inline constexpr size_t mcp_in_flight = 64;                    // requests under way, per stream and direction
inline constexpr size_t mcp_listens = 8;                       // per stream
inline constexpr size_t mcp_watched_uris = 256;                // per listen, and per legacy session
inline constexpr size_t mcp_watched_tasks = 64;                // per listen
inline constexpr size_t mcp_page_bytes = 256 * 1024;           // one page of a list
inline constexpr size_t mcp_page_items = 500;
inline constexpr size_t mcp_completions = 100;                 // fixed by the specification
inline constexpr size_t mcp_tool_bytes = 64 * 1024;            // one definition
inline constexpr size_t mcp_schema_depth = 32;
inline constexpr size_t mcp_kept_params_bytes = 64 * 1024;     // of a request that may ask for input
inline constexpr size_t mcp_input_requests = 16;               // in one question to the client
inline constexpr int mcp_input_rounds = 8;                     // questions in a row within one legacy call
inline constexpr size_t mcp_list_pages = 64;                   // read from a third-party server
inline constexpr size_t mcp_list_items = 1024;
inline constexpr size_t mcp_list_bytes = 4 * 1024 * 1024;
inline constexpr Duration mcp_progress_interval = milliseconds(10);  // least time between two of one request
inline constexpr Duration mcp_probe_timeout = milliseconds(2500);
inline constexpr Duration mcp_start_timeout = seconds(90);     // package runners download first
inline constexpr Duration mcp_request_timeout = seconds(60);
inline constexpr Duration mcp_call_timeout = minutes(10);      // absolute, however much progress is reported
inline constexpr Duration mcp_seal_life = minutes(15);          // of state that a client holds between question and answer
inline constexpr Duration mcp_input_timeout = minutes(10);
inline constexpr Duration mcp_announce_interval = milliseconds(250);  // changes of an agent's lists are joined
inline constexpr Duration mcp_list_ttl = seconds(60);          // how long clients may keep an agent's lists
inline constexpr size_t mcp_unread_bytes = 8 * 1024 * 1024;    // answers a local program leaves unread before it is let go
inline constexpr size_t latest_text_bytes = 512;               // of the newest text value of a series, kept in memory
inline constexpr unsigned history_ticks = 3;                   // seconds that a call waits for values of series that fell silent long ago
inline constexpr size_t latest_rows = 4096;                    // read back at once to fill the newest values
inline constexpr size_t tool_query_rows = 10'000;              // of one answer of the tool `query`
inline constexpr size_t tool_answer_bytes = 1024 * 1024;       // of its JSON: more is for files, not for models
inline constexpr size_t tool_text_rows = 100;                  // of them shown in the text for people
inline constexpr size_t tool_readings = 1000;                  // of one call of the tool `record`
inline constexpr uint32_t resource_points = 50;                // of a series in its resource, the newest
inline constexpr size_t builtin_calls = 64;                    // of built-in tools under way, all streams together
inline constexpr Duration status_announce_interval = seconds(5);  // watchers of the agent's status hear no more often
inline constexpr size_t actions = 64;
inline constexpr size_t action_arguments = 32;                 // of one action
inline constexpr size_t action_elements = 256;                 // of a command
inline constexpr size_t action_element_bytes = 96 * 1024;      // the kernel takes 128 KiB
inline constexpr int64_t action_text_length = 16 * 1024;       // characters of one argument
inline constexpr uint64_t action_output_most = 1024 * 1024;    // kept of standard output
inline constexpr size_t action_error_bytes = 8 * 1024;         // of standard error, shown when the command failed
inline constexpr size_t action_runs = 16;                      // commands running, all actions together
inline constexpr size_t action_questions = 64;                 // confirmations asked and not yet answered
inline constexpr Duration action_kill_delay = seconds(2);      // between SIGTERM and SIGKILL
inline constexpr Duration action_progress_interval = seconds(5);  // progress of a slow command is its time
inline constexpr size_t ledger_calls = 128;                    // remembered, running ones too
inline constexpr size_t ledger_bytes = 8 * 1024 * 1024;        // of their results
inline constexpr size_t ledger_result_bytes = 192 * 1024;      // of one: fits a note
inline constexpr Duration ledger_keep = hours(24);             // after the end
inline constexpr size_t ledger_waiting = 64;                   // questions about tasks while the ledger is being read
inline constexpr size_t children = 16;
inline constexpr size_t child_name_bytes = 32;
inline constexpr size_t child_tool_name_bytes = 64;            // with its prefix: hosts take no more; longer ones are shortened
inline constexpr size_t child_queue_bytes = 8 * 1024 * 1024;   // to a child: waiting for its start, or not read by it
inline constexpr size_t child_read_bytes = 16 * 1024 * 1024;   // read from a child in one second: others get their turn
inline constexpr size_t child_quarantined = 64;                // reasons kept and logged
inline constexpr size_t child_tasks = 256;                     // of whom a child's tasks are, the newest
inline constexpr uint32_t child_log_lines = 50;                // of its standard error, in each window
inline constexpr size_t child_log_line_bytes = 500;
inline constexpr Duration child_log_window = seconds(10);
inline constexpr Duration child_stop_wait = seconds(2);        // after its input closed, and again after SIGTERM
inline constexpr Duration child_retry_wait = seconds(5);       // a call waits for a restart that is no further away
inline constexpr Duration child_stable = seconds(60);          // a start is a success after this, or after a call
inline constexpr size_t child_note_bytes = 240 * 1024;         // of a list kept for the next start

// Hub
inline constexpr size_t hub_devices = 20'000;
inline constexpr size_t hub_connections = 20'000;
inline constexpr size_t http_header_bytes = 16 * 1024;
inline constexpr size_t http_body_bytes = 4 * 1024 * 1024;
inline constexpr size_t http_headers = 100;
inline constexpr size_t http_chunk_line_bytes = 1024;   // chunk size with its extensions
inline constexpr size_t http_connections = 1024;
inline constexpr size_t admin_connections = 16;         // commands at work on a running hub
inline constexpr size_t admin_line_bytes = 64 * 1024;
inline constexpr Duration admin_deadline = seconds(60);
inline constexpr Duration hub_tick = seconds(1);        // deadlines of sessions and HTTP clients are this coarse
inline constexpr uint32_t device_log_lines = 200;        // about devices that come, go and are refused, in each window
inline constexpr Duration device_log_window = seconds(10);
inline constexpr Duration stop_deadline = seconds(10);  // for the last commit and the goodbyes
inline constexpr Duration http_deadline = seconds(30);
inline constexpr size_t intake_queue_bytes = 16 * 1024 * 1024;
inline constexpr size_t held_runs = 1024;               // per device and epoch, looked at when it says hello
inline constexpr Duration load_deadline = seconds(60);
inline constexpr Duration intake_deadline = seconds(120);
inline constexpr size_t session_pending_gaps = 1024;    // per device, received and not yet stored
inline constexpr size_t cursor_ranges = 64;             // per device and stream; a device gets no live lane beyond half
inline constexpr size_t query_blocks = 200'000;         // read for one question at the hub
inline constexpr size_t query_slice_blocks = 256;       // read before the store thread looks at commits: about 10 ms
inline constexpr size_t latest_slice_devices = 256;     // the same for the newest values: about 4 ms with 4 series each
inline constexpr size_t hub_calls_per_device = 32;      // under way on one link
inline constexpr size_t hub_calls = 8192;               // under way in all
inline constexpr size_t hub_reply_bytes = 64 * 1024 * 1024;  // of answers not yet complete, over all calls
inline constexpr size_t hub_catalog_bytes = 1024 * 1024;  // of one device
inline constexpr Duration hub_call_deadline = minutes(5);  // of a device's answer, unless progress comes
inline constexpr size_t hub_sessions = 2048;            // of legacy MCP clients
inline constexpr size_t hub_sessions_per_principal = 256;
inline constexpr Duration hub_session_idle = minutes(30);
inline constexpr size_t hub_catalog_views = 64;         // lists made for different callers, the ones used last
inline constexpr size_t hub_fan_out = 256;              // devices of one call, and
inline constexpr size_t hub_fan_out_at_once = 32;       // so many of them at a time
inline constexpr Duration hub_fan_out_deadline = seconds(30);
inline constexpr Duration hub_announce_interval = milliseconds(250);  // changes of lists are joined
inline constexpr Duration sse_keepalive = seconds(12);  // a comment on quiet streams; proxies give up at 30 or 60
inline constexpr size_t sse_progress_queue_bytes = 128 * 1024;  // unsent, beyond which progress is dropped
inline constexpr size_t audit_rows_queued = 4096;       // not yet written
inline constexpr Duration hub_task_life = hours(24);    // a queued call is forgotten when the device does not come
inline constexpr Duration hub_task_keep = hours(24);    // its result is kept after the end
inline constexpr size_t hub_tasks_loaded = 10'000;
inline constexpr size_t hub_task_bytes = 4 * 1024 * 1024 + 64 * 1024;  // a call with its result
inline constexpr size_t hub_task_small_bytes = 4096;    // such a change of a task needs no room
inline constexpr size_t hub_tasks_bytes = 256 * 1024 * 1024;  // all tasks together
inline constexpr size_t hub_tasks_slice = 256;          // dropped in one transaction
inline constexpr size_t hub_keys = 1000;                // API keys, revoked ones too
inline constexpr Duration key_life_least = minutes(1);
inline constexpr int64_t audit_rows = 1'000'000;        // about 300 bytes each
inline constexpr size_t audit_slice = 1000;             // dropped in one transaction, beside as many as came
inline constexpr size_t audit_text_bytes = 256;         // of each text of a row
inline constexpr size_t audit_answer_rows = 10'000;
inline constexpr size_t hub_tasks_per_device = 64;      // open ones
inline constexpr size_t fleet_page_devices = 1000;      // of one page of list_devices
inline constexpr size_t fleet_values = 10'000;          // of one answer of the fleet's `latest`
inline constexpr size_t fleet_named_devices = 100;      // named in one answer because their readings may be missing
inline constexpr size_t fleet_found_tools = 50;         // of one answer of find_tools
inline constexpr size_t hub_queries = 64;               // questions under way: each holds what it found so far
inline constexpr size_t hub_queries_waiting = 4096;     // of about a kilobyte each
inline constexpr size_t latest_kept = 256;              // answers about newest values, until something changes
inline constexpr size_t latest_kept_values = 20'000;    // of all of them, each of a few hundred bytes
inline constexpr size_t store_requests = 32 * 1024;     // waiting for the store thread
inline constexpr size_t archive_cache_bytes = 64 * 1024 * 1024;  // what is held, of the epochs used last
inline constexpr Duration archive_reopen = seconds(1);  // between two attempts after a failed commit
inline constexpr Duration token_life = hours(24);
inline constexpr Duration token_life_least = minutes(1);
inline constexpr Duration token_life_most = hours(24 * 30);

// Configuration
inline constexpr size_t config_bytes = 1024 * 1024;

}  // namespace tideline::limits
