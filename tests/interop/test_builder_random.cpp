// Every call of the builder against the official one, byte by byte: see builder_random.hpp.
#include "interop/builder_random.hpp"

int main(int argc, char **argv)
{
    return builder_random::run(argc, argv, 30000);
}
