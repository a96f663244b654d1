/* flatstream-bench: every layer against its limit. `make bench` runs it; docs/BENCHMARKS.md says
 * how to read it.
 */
#include "roads.h"

int main(int argc, char **argv)
{
    bench_start("flatstream-bench", argc, argv);
    bench_machine();
    bench_checksum_kernels();
    bench_read_hot();
    bench_write_hot();
    bench_read_large();
    bench_write_large();
    bench_write_file();
    bench_read_file();
    bench_read_mapped();
    bench_salvage();
    bench_resync();
    bench_cores();
    bench_sockets();
    return bench_finish();
}
