# ARMv7 with VFPv3-D16 and Thumb-2: BeagleBone, i.MX 6 and 7, STM32MP1, Raspberry Pi 2. Debian's armhf.
set(triplet arm-linux-gnueabihf)
include(${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake)
