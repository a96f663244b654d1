// Prints the readings of a weather station: from a file, or from one peer that connects to an
// endpoint. Ends with 1, and says where, when the stream is not sound or a message is no Reading.
// Usage: station_read FILE|ENDPOINT
#include <iostream>

#include <flatstream/flatstream.hpp>

#include "station_generated.h"

static void print_readings(flatstream::reader &in)
{
    // Each message is verified and lies aligned before the loop sees it.
    for (auto &reading : in.as<weather::Reading>(weather::ReadingIdentifier())) {
        std::cout << reading.time_ns() << ' ' << reading.station()->c_str() << ' '
                  << reading.temperature() << ' ' << weather::EnumNameSky(reading.sky());
        if (const weather::Wind *wind = reading.wind()) { // absent unless the schema requires it
            std::cout << ' ' << wind->speed();
        }
        std::cout << '\n';
    }
}

int main(int argc, char **argv)
try {
    std::string where = argc > 1 ? argv[1] : "weather.fls";
    if (where.compare(0, 5, "unix:") == 0 || where.compare(0, 4, "tcp:") == 0) {
        flatstream::socket peer = flatstream::socket::listen(where).accept();
        flatstream::reader in = flatstream::reader::from_fd(peer.get(), false);
        print_readings(in);
    } else {
        flatstream::reader in(where);
        print_readings(in);
    }
    return 0;
} catch (const flatstream::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
