// How a stream ends, in C++, and cutting off a tail that was never a message.
#ifndef FLATSTREAM_RECOVER_HPP
#define FLATSTREAM_RECOVER_HPP

#include "flatstream/error.hpp"
#include "flatstream/recover.h"

namespace flatstream {

struct recover_options : fls_recover_options {
    recover_options() : fls_recover_options(fls_recover_options FLS_RECOVER_OPTIONS_INIT)
    {
    }
    recover_options(fls_checksum which) : recover_options()
    {
        checksum = which;
    }
};

struct recover_report : fls_recover_report {
    recover_report() : fls_recover_report()
    {
        struct_bytes = sizeof(fls_recover_report);
    }
};

// Walks a stream and says how it ends; changes nothing. See fls_recover_file.
FLS_MUST_USE inline fls_status try_recover(const std::string &path, recover_report &report,
                                           const recover_options &options = recover_options(),
                                           fls_error *err = nullptr)
{
    report = recover_report();
    return fls_recover_file(path.c_str(), &options, &report, err);
}

// Cuts a torn or zero tail and keeps what it cuts beside the file. See fls_recover_truncate.
FLS_MUST_USE inline fls_status try_recover_truncate(
    const std::string &path, recover_report &report,
    const recover_options &options = recover_options(), fls_error *err = nullptr)
{
    report = recover_report();
    return fls_recover_truncate(path.c_str(), &options, &report, err);
}

#if FLATSTREAM_EXCEPTIONS
inline recover_report recover(const std::string &path,
                              const recover_options &options = recover_options())
{
    recover_report report;
    fls_error err;
    detail::require(try_recover(path, report, options, &err), err);
    return report;
}

inline recover_report recover_truncate(const std::string &path,
                                       const recover_options &options = recover_options())
{
    recover_report report;
    fls_error err;
    detail::require(try_recover_truncate(path, report, options, &err), err);
    return report;
}
#endif

} // namespace flatstream

#endif
