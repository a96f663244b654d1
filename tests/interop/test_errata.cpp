// docs/ERRATA.md: messages that generated code accepts and ours refuses, on purpose.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "everything_generated.h"
#include "flatstream/verify.h"
#include "support/random_messages.hpp"

namespace {

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                       \
        }                                                                                       \
    } while (0)

std::string contents(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    std::stringstream all;
    all << file.rdbuf();
    CHECK(!all.str().empty());
    return all.str();
}

// What ours says of a golden file, which generated code has to accept.
fls_rule rule_of(const fls_schema *schema, const char *name)
{
    const std::string bytes = contents(std::string(FLS_SOURCE_DIR "/tests/golden/errata/") + name);
    const random_messages::AlignedCopy message(bytes.data(), bytes.size());
    flatbuffers::Verifier verifier(message.data(), message.size());
    CHECK(verifier.VerifyBuffer<everything::Everything>(nullptr));
    fls_violation violation;
    const fls_status status = fls_verify(schema, fls_schema_root(schema), message.data(),
                                         message.size(), nullptr, &violation);
    CHECK((status == FLS_OK) == (violation.rule == FLS_RULE_NONE));
    return violation.rule;
}

} // namespace

int main()
{
    const std::string bfbs = contents(FLS_TEST_SCHEMA_DIR "/everything.bfbs");
    fls_schema *schema = nullptr;
    CHECK(fls_schema_new(&schema, bfbs.data(), bfbs.size(), nullptr, nullptr) == FLS_OK);
    CHECK(rule_of(schema, "apparent-size-less.fb") == FLS_RULE_NONE);
    CHECK(rule_of(schema, "apparent-size.fb") == FLS_RULE_APPARENT_SIZE);
    CHECK(rule_of(schema, "nested-depth-less.fb") == FLS_RULE_NONE);
    CHECK(rule_of(schema, "nested-depth.fb") == FLS_RULE_DEPTH);
    fls_schema_free(schema);
    return 0;
}
