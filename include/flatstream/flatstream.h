/* The whole public interface of libflatstream: streams of FlatBuffers messages.
 *
 *   write   writer.h, with builder.h for the simple mode, prepared.h for a fixed shape
 *   read    reader.h (from a source), cursor.h (from memory), decoder.h (fed with bytes)
 *   recover recover.h (how a stream ends), salvage.h (all that is sound of a damaged one)
 *   keep    journal.h, journal_reader.h; recorder.h in front of it for loops that may not block
 *   find    index.h: where in a stream an ordinal or a time is
 *   know    schema.h, schema_set.h, schema_compat.h, verify.h, json.h, query.h: what is in messages
 *   arrange sort.h (many messages into an order), parallel.h (several threads read one stream)
 *   parts   checksum.h, validator.h, memory_policy.h, allocator.h, sink.h, source.h, socket.h
 */
#ifndef FLATSTREAM_FLATSTREAM_H
#define FLATSTREAM_FLATSTREAM_H

#include "flatstream/allocator.h"
#include "flatstream/builder.h"
#include "flatstream/checksum.h"
#include "flatstream/cursor.h"
#include "flatstream/decoder.h"
#include "flatstream/frame.h"
#include "flatstream/index.h"
#include "flatstream/journal.h"
#include "flatstream/journal_reader.h"
#include "flatstream/json.h"
#include "flatstream/memory_policy.h"
#include "flatstream/message_diff.h"
#include "flatstream/parallel.h"
#include "flatstream/prepared.h"
#include "flatstream/query.h"
#include "flatstream/reader.h"
#include "flatstream/recorder.h"
#include "flatstream/recover.h"
#include "flatstream/salvage.h"
#include "flatstream/schema.h"
#include "flatstream/schema_compat.h"
#include "flatstream/schema_set.h"
#include "flatstream/sink.h"
#include "flatstream/socket.h"
#include "flatstream/sort.h"
#include "flatstream/source.h"
#include "flatstream/statistics.h"
#include "flatstream/status.h"
#include "flatstream/stdio_io.h"
#include "flatstream/store.h"
#include "flatstream/table_root.h"
#include "flatstream/validator.h"
#include "flatstream/verify.h"
#include "flatstream/version.h"
#include "flatstream/writer.h"

#endif
