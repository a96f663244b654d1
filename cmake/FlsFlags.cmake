# Compiler flags of the project's own code, as two interface targets: fls_flags for everything and
# fls_posix_flags for what talks to an operating system (src/os and programs).
include(CheckCCompilerFlag)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# -O2 instead of CMake's -O3. Assertions are off in a release and on in the builds that look for faults.
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g")

add_library(fls_flags INTERFACE)
target_compile_options(fls_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
    $<$<BOOL:${FLS_WERROR}>:-Werror>)

add_library(fls_posix_flags INTERFACE)
target_link_libraries(fls_posix_flags INTERFACE fls_flags)
target_compile_definitions(fls_posix_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)

# Sanitizers and coverage apply to every object of the build, or reports would be blind in places. What
# a report needs is lines; with more, and at -O2, compilers take twice as long. Fuzzers need speed.
if(FLS_SANITIZE)
    if(FLS_LIBFUZZER)
        set(level "-O2 -g1")
    else()
        set(level "-O1 -g1")
    endif()
    set(CMAKE_C_FLAGS_RELWITHDEBINFO "${level}")
    set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "${level}")
    add_compile_options(-fsanitize=${FLS_SANITIZE} -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${FLS_SANITIZE})
endif()
if(FLS_COVERAGE)
    add_compile_options(--coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()
if(FLS_LIBFUZZER)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "FLS_LIBFUZZER needs clang")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
