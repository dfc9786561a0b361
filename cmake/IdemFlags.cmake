# House flags for every target. Options are set by CMakePresets.json.
option(IDEM_WERROR "warnings are errors" OFF)
option(IDEM_FUZZ "build fuzz targets with libFuzzer (needs clang)" OFF)
set(IDEM_SANITIZE "" CACHE STRING "value for -fsanitize=, e.g. address,undefined or thread")

set(CMAKE_C_STANDARD 23) # gnu2x: [[nodiscard]] on the status type is what makes the compiler insist
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

find_program(IDEM_CCACHE ccache)
if(IDEM_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${IDEM_CCACHE})
endif()

add_compile_definitions(_GNU_SOURCE)
set(IDEM_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
    -Wpointer-arith -Wundef -Wwrite-strings -Wimplicit-fallthrough)
if(IDEM_WERROR)
  list(APPEND IDEM_WARNINGS -Werror)
endif()
add_compile_options(-fstack-protector-strong -fno-omit-frame-pointer)
if(IDEM_SANITIZE)
  add_compile_options(-fsanitize=${IDEM_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${IDEM_SANITIZE})
else()
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
if(IDEM_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
