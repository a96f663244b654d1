// Writes the readings of a weather station: to a file, or to whoever listens at an endpoint.
// Usage: station_write FILE|ENDPOINT [COUNT [MILLISECONDS]]
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <flatstream/flatstream.hpp>

#include "station_generated.h"

static void write_readings(flatstream::writer &out, unsigned count, unsigned milliseconds)
{
    flatbuffers::FlatBufferBuilder fbb;
    for (unsigned i = 0; i < count; i++) {
        fbb.Clear();
        weather::Wind wind(2.5f + float(i % 20), uint16_t(i * 15 % 360));
        weather::FinishReadingBuffer(
            fbb,
            weather::CreateReadingDirect(fbb, 1767225600000000000 + i * 250000000ull, "harbour",
                                         12.5 + (i % 80) * 0.25, weather::Sky(i / 50 % 4), &wind));
        out.write(fbb); // what the builder finished, framed
        if (milliseconds > 0) {
            out.flush(); // out now, not when the buffer is full
            std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
        }
    }
}

int main(int argc, char **argv)
try {
    std::string where = argc > 1 ? argv[1] : "weather.fls";
    unsigned count = argc > 2 ? unsigned(std::strtoul(argv[2], nullptr, 10)) : 1000;
    unsigned milliseconds = argc > 3 ? unsigned(std::strtoul(argv[3], nullptr, 10)) : 0;
    if (where.compare(0, 5, "unix:") == 0 || where.compare(0, 4, "tcp:") == 0) {
        flatstream::socket peer = flatstream::socket::connect(where, 5000);
        flatstream::writer out = flatstream::writer::to_fd(peer.get(), false);
        write_readings(out, count, milliseconds);
        out.close();
        peer.finish(); // the peer has it all
    } else {
        flatstream::writer out(where); // with an xxh3 checksum a message
        write_readings(out, count, milliseconds);
        out.close(); // reports late errors, which leaving the scope could not
    }
    return 0;
} catch (const flatstream::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
