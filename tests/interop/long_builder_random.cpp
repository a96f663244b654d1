// The same as test_builder_random, for longer.
#include "interop/builder_random.hpp"

int main(int argc, char **argv)
{
    return builder_random::run(argc, argv, 5000000);
}
