# The payload of a message, as Cap'n Proto carries bytes.
@0xb6c1f3f2a5d7e901;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fls_bench_capnp");

struct Record {
  payload @0 :Data;
}
