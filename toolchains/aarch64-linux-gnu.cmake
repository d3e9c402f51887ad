# 64-bit ARM: Raspberry Pi 3 and later (64-bit systems), i.MX 8, Jetson, most boards made since 2016. Debian's arm64.
set(triplet aarch64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake)
