// flatstream-bench-flatbuffers: what the library does with the messages themselves, against the
// official C++ library and against copying memory. `make bench` runs it.
#include "flatbuf.hpp"

int main(int argc, char **argv)
{
    bench_start("flatstream-bench-flatbuffers", argc, argv);
    flatbuf_measure_verify();
    flatbuf_measure_builder();
    flatbuf_measure_json();
    flatbuf_measure_query();
    return bench_finish();
}
