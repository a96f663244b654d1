// The C++ layer of libflatstream, header-only: owners, ranges and exceptions over the C interface,
// for C++11 and later. The official FlatBuffers library is needed only where its types are used.
//
//   flatstream::writer out("telemetry.fls");           // xxh3
//   out.write(builder);                                // a finished flatbuffers::FlatBufferBuilder
//   out.close();                                       // reports late errors; the destructor
//   cannot
//
//   flatstream::reader in("telemetry.fls");
//   for (auto &sample : in.as<telemetry::Sample>())    // verified, aligned, no copies
//       use(sample.timestamp_ns());
//
//   flatstream::journal log("flight42");               // a journal, and a recorder before it
//   flatstream::recorder rec(log);
//   flatstream::producer hot = rec.attach();
//   hot.offer(builder);
//
// Without generated code: flatstream::schema, path, predicate, json_printer, json_parser, prepared.
//
// A fault is an exception, flatstream::error, with status, offset, ordinal and text. Every throwing
// function has a companion try_... that returns the status instead; builds without exceptions have
// those alone.
#ifndef FLATSTREAM_FLATSTREAM_HPP
#define FLATSTREAM_FLATSTREAM_HPP

#include "flatstream/error.hpp"
#include "flatstream/index.hpp"
#include "flatstream/journal.hpp"
#include "flatstream/journal_reader.hpp"
#include "flatstream/json.hpp"
#include "flatstream/message.hpp"
#include "flatstream/prepared.hpp"
#include "flatstream/query.hpp"
#include "flatstream/reader.hpp"
#include "flatstream/recorder.hpp"
#include "flatstream/recover.hpp"
#include "flatstream/salvage.hpp"
#include "flatstream/schema.hpp"
#include "flatstream/socket.hpp"
#include "flatstream/view.hpp"
#include "flatstream/writer.hpp"

#include "flatstream/flatstream.h"

#endif
