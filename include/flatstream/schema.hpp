// Schemas at run time, in C++: loading, walking, and checking messages without generated code.
#ifndef FLATSTREAM_SCHEMA_HPP
#define FLATSTREAM_SCHEMA_HPP

#include "flatstream/message.hpp"
#include "flatstream/schema.h"
#include "flatstream/schema_set.h"
#include "flatstream/verify.h"

namespace flatstream {

// A schema. It never changes once it is loaded, so that threads may share it; everything made from
// it needs it to live on, at its place: a schema that was moved is the same one.
class schema {
  public:
    schema() noexcept = default;
    ~schema()
    {
        fls_schema_free(schema_);
    }
    schema(schema &&other) noexcept : schema_(other.schema_)
    {
        other.schema_ = nullptr;
    }
    schema &operator=(schema &&other) noexcept
    {
        std::swap(schema_, other.schema_);
        return *this;
    }
    schema(const schema &) = delete;
    schema &operator=(const schema &) = delete;

    // A .bfbs, or a .fbs, which the flatc of the PATH compiles.
    FLS_MUST_USE fls_status try_open(const std::string &path, fls_error *err = nullptr)
    {
        return put([&](fls_schema **made) {
            return fls_schema_new_file(made, path.c_str(), nullptr, nullptr, err);
        });
    }
    // The content of a .bfbs, which is not needed afterwards.
    FLS_MUST_USE fls_status try_load(byte_view bytes, fls_error *err = nullptr)
    {
        return put([&](fls_schema **made) {
            return fls_schema_new(made, bytes.data(), bytes.size(), nullptr, err);
        });
    }

    // Whether a payload is a sound message of the schema: FLS_OK or FLS_VALIDATION_FAILED. root is
    // a table's index; FLS_SCHEMA_NONE is the schema's own root. FLS_INVALID_ARGUMENT: the options.
    FLS_MUST_USE fls_status try_verify(byte_view payload, fls_violation *violation = nullptr,
                                       std::uint32_t root_table = FLS_SCHEMA_NONE,
                                       const fls_verify_options *options = nullptr) const noexcept
    {
        return fls_verify(schema_, root_table == FLS_SCHEMA_NONE ? root() : root_table,
                          payload.data(), payload.size(), options, violation);
    }

#if FLATSTREAM_EXCEPTIONS
    explicit schema(const std::string &path)
    {
        fls_error err;
        detail::require(try_open(path, &err), err);
    }
    static schema from_memory(byte_view bytes)
    {
        schema made;
        fls_error err;
        detail::require(made.try_load(bytes, &err), err);
        return made;
    }
    void verify(byte_view payload, std::uint32_t root_table = FLS_SCHEMA_NONE,
                const fls_verify_options *options = nullptr) const
    {
        fls_violation violation;
        const fls_status status = try_verify(payload, &violation, root_table, options);
        if (status != FLS_OK) {
            fls_error err;
            detail::require(
                status == FLS_VALIDATION_FAILED
                    ? fls_violation_to_error(&violation, &err)
                    : fls_error_set(&err, status, 0, "verify options that are not understood"),
                err);
        }
    }
#endif

    std::uint32_t root() const noexcept
    {
        return fls_schema_root(schema_);
    }
    const char *identifier() const noexcept
    {
        return fls_schema_identifier(schema_);
    }
    std::uint64_t hash() const noexcept
    {
        return fls_schema_hash(schema_);
    }

    // Walking it; see schema.h.
    std::uint32_t object_count() const noexcept
    {
        return fls_schema_object_count(schema_);
    }
    std::uint32_t enumeration_count() const noexcept
    {
        return fls_schema_enumeration_count(schema_);
    }
    fls_schema_object object(std::uint32_t index) const noexcept
    {
        fls_schema_object info;
        fls_schema_get_object(schema_, index, &info);
        return info;
    }
    fls_schema_field field(std::uint32_t of_object, std::uint32_t index) const noexcept
    {
        fls_schema_field info;
        fls_schema_get_field(schema_, of_object, index, &info);
        return info;
    }
    fls_schema_enumeration enumeration(std::uint32_t index) const noexcept
    {
        fls_schema_enumeration info;
        fls_schema_get_enumeration(schema_, index, &info);
        return info;
    }
    fls_schema_value value(std::uint32_t of_enumeration, std::uint32_t index) const noexcept
    {
        fls_schema_value info;
        fls_schema_get_value(schema_, of_enumeration, index, &info);
        return info;
    }
    std::uint32_t find_object(const char *name) const noexcept
    {
        return fls_schema_find_object(schema_, name);
    }
    std::uint32_t find_enumeration(const char *name) const noexcept
    {
        return fls_schema_find_enumeration(schema_, name);
    }
    std::uint32_t find_field(std::uint32_t of_object, const char *name) const noexcept
    {
        return fls_schema_find_field(schema_, of_object, name);
    }

    explicit operator bool() const noexcept
    {
        return schema_ != nullptr;
    }
    const fls_schema *get() const noexcept
    {
        return schema_;
    }

  private:
    template <class Make> fls_status put(Make make)
    {
        fls_schema *made = nullptr;
        fls_status status = make(&made);
        if (status == FLS_OK) {
            fls_schema_free(schema_);
            schema_ = made;
        }
        return status;
    }

    fls_schema *schema_ = nullptr;
};

// Several types of messages in one stream, told apart by their file identifiers. The schemas have
// to outlive it and what checks by it.
class message_types {
  public:
    message_types() noexcept : set_()
    {
    }

    // root: a table's name, null for the schema's own root; identifier: 4 characters, null for the
    // schema's own. See fls_schema_set_add.
    FLS_MUST_USE fls_status try_add(const schema &of, const char *root = nullptr,
                                    const char *identifier = nullptr, fls_error *err = nullptr)
    {
        return fls_schema_set_add(&set_, of.get(), root, identifier, err);
    }

#if FLATSTREAM_EXCEPTIONS
    explicit message_types(const schema &of) : message_types()
    {
        add(of);
    }
    message_types &add(const schema &of, const char *root = nullptr,
                       const char *identifier = nullptr)
    {
        fls_error err;
        detail::require(try_add(of, root, identifier, &err), err);
        return *this;
    }
#endif

    // Which of them a payload is: its index, or FLS_SCHEMA_NONE.
    std::uint32_t select(byte_view payload) const noexcept
    {
        return fls_schema_set_select(&set_, payload.data(), payload.size());
    }
    std::uint32_t size() const noexcept
    {
        return set_.count;
    }
    const fls_message_type &operator[](std::uint32_t index) const noexcept
    {
        return set_.types[index];
    }
    const fls_schema_set *get() const noexcept
    {
        return &set_;
    }

    // For the options of a reader or writer: options.validate(types.check()). Every message has to
    // be sound by the schema of its type; checks are those of fls_verify_options.
    kept_validator check(std::uint32_t checks = 0) const
    {
        struct kept {
            fls_schema_set set;
            fls_schema_check check;
        };
        std::shared_ptr<kept> own = std::make_shared<kept>();
        own->set = set_;
        own->check.types = &own->set;
        own->check.options = fls_verify_options FLS_VERIFY_OPTIONS_INIT;
        own->check.options.checks = checks;
        return kept_validator{fls_validator_schema(&own->check), own};
    }

  private:
    fls_schema_set set_;
};

} // namespace flatstream

#endif
