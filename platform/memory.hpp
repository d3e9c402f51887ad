// How the process keeps memory it no longer needs. Called once, first thing in main().
#pragma once

namespace tideline::platform {

/// Buffers of 128 KiB and more are mapped by themselves and go back to the system when freed. That is how the C library begins, but it
/// raises the limit with use, and one long message in the right place is then kept for good (12 MiB after a few 5 MiB lines).
void return_large_buffers();

}  // namespace tideline::platform
