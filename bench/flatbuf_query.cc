// Conditions on a field of each message of a file in the page cache, against reading it alone: as
// `flatstream grep` does it, against `flatstream verify` without a schema. bench/grep-ratio
// measures the two as whole programs.
#include "flatbuf.hpp"
#include "flatstream/query.h"
#include "flatstream/reader.h"
#include "flatstream/writer.h"
#include "telemetry_generated.h"
#include "workload.h"

namespace {

const bench_table table = {
    "flatbuf-query",
    "Query: conditions on the messages of a file",
    "in the page cache, telemetry; goal, of sequence > 1000: at least 0.7 of "
    "the reader's speed",
    "checksum",
    "reader",
    15,
    true,
    false,
    false,
    {"sequence", "nested", "string"}};

constexpr std::size_t batch = 256;

struct Question {
    const char *name;
    const char *text;
    bool (*holds)(const telemetry::Sample *sample); // the same by generated code
    fls_predicate *predicate;
    std::uint64_t matches; // in the file
};

Question questions[] = {
    {"sequence", "sequence > 1000",
     [](const telemetry::Sample *sample) { return sample->sequence() > 1000; }, nullptr, 0},
    {"nested", "pose.position.x > 100",
     [](const telemetry::Sample *sample) {
         return sample->pose() != nullptr && sample->pose()->position()->x() > 100;
     },
     nullptr, 0},
    {"string", "extra.Radio.peer == \"base-3\"",
     [](const telemetry::Sample *sample) {
         const telemetry::Radio *radio = sample->extra_as_Radio();
         return radio != nullptr && radio->peer()->str() == "base-3";
     },
     nullptr, 0}};

struct File {
    const char *path;
    fls_checksum checksum;
    std::size_t messages;
    std::size_t bytes; // of the messages
};

void write_file(File *file)
{
    const std::size_t wanted = (bench_given()->smoke ? std::size_t{2} : std::size_t{256}) << 20;
    fls_error err = FLS_ERROR_INIT;
    fls_writer *writer = nullptr;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = file->checksum;
    bench_must(fls_writer_open_file(&writer, file->path, &options, &err), &err,
               "fls_writer_open_file");
    for (Question &question : questions) {
        question.matches = 0;
    }
    flatbuf_each_mixed([&](const void *message, std::size_t size) {
        bench_must(fls_writer_write(writer, message, size, &err), &err, "fls_writer_write");
        for (Question &question : questions) {
            question.matches += question.holds(telemetry::GetSample(message)) ? 1 : 0;
        }
        file->messages++;
        file->bytes += size;
        return file->bytes < wanted;
    });
    bench_must(fls_writer_close(writer, &err), &err, "fls_writer_close");
}

// How many messages there are; with a question, checks how many of them it holds for.
std::uint64_t read_file(const File &file, const Question *question)
{
    fls_error err = FLS_ERROR_INIT;
    fls_reader *reader = nullptr;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = file.checksum;
    bench_must(fls_reader_open_file(&reader, file.path, &options, &err), &err,
               "fls_reader_open_file");
    fls_message messages[batch];
    std::size_t count = 0;
    std::uint64_t seen = 0;
    std::uint64_t matches = 0;
    fls_status status = FLS_OK;
    while ((status = fls_reader_next_batch(reader, messages, batch, &count, &err)) == FLS_OK) {
        seen += count;
        for (std::size_t i = 0; question != nullptr && i < count; i++) {
            matches +=
                fls_predicate_holds(question->predicate, messages[i].payload, messages[i].size) != 0
                    ? 1
                    : 0;
        }
    }
    if (status != FLS_END) {
        bench_must(status, &err, "reading");
    }
    fls_reader_close(reader);
    if (question != nullptr && matches != question->matches) {
        bench_fail("'%s' held for %llu messages instead of %llu", question->text,
                   static_cast<unsigned long long>(matches),
                   static_cast<unsigned long long>(question->matches));
    }
    return seen;
}

void measure(fls_checksum checksum)
{
    File file = {bench_path("query"), checksum, 0, 0};
    write_file(&file);
    std::vector<FlatbufCompetitor> competitors = {
        {"reader", BENCH_LIMIT, [&file] { return read_file(file, nullptr); }}};
    for (const Question &question : questions) {
        const std::uint32_t judged = &question == &questions[0] ? BENCH_JUDGED : 0;
        competitors.push_back({question.name, BENCH_SHOWN | judged,
                               [&file, &question] { return read_file(file, &question); }});
    }
    flatbuf_wanted_row(
        table,
        {flatbuf_mixed().mean_bytes(), fls_checksum_name(checksum), file.messages, file.bytes},
        1 / 0.7, file.messages, competitors);
}

} // namespace

void flatbuf_measure_query()
{
    fls_error err = FLS_ERROR_INIT;
    fls_schema *schema = nullptr;
    bench_must(fls_schema_new(&schema, flatbuf_bfbs().data(), flatbuf_bfbs().size(), nullptr, &err),
               &err, "loading the schema");
    for (Question &question : questions) {
        bench_must(fls_predicate_new(&question.predicate, schema, fls_schema_root(schema),
                                     question.text, nullptr, &err),
                   &err, question.text);
    }
    for (const fls_checksum checksum : {FLS_CHECKSUM_XXH3, FLS_CHECKSUM_NONE}) {
        // The file is made only for rows that --filter lets be measured.
        if (bench_wanted(&table, flatbuf_mixed().mean_bytes(), fls_checksum_name(checksum))) {
            measure(checksum);
        }
    }
    for (Question &question : questions) {
        fls_predicate_free(question.predicate);
    }
    fls_schema_free(schema);
}
