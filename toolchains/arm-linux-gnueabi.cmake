# ARMv5TE, no floating point unit: i.MX 28, AM18xx, Kirkwood; also runs on ARMv6 (Raspberry Pi 1 and Zero). Debian's armel.
set(triplet arm-linux-gnueabi)
include(${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake)
