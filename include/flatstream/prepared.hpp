// Prepared messages, in C++: an image of a message, made once, and values stored at known places.
//
//   flatstream::prepared shape(schema);
//   auto time = shape.place<uint64_t>("time_ns");
//   auto temperature = shape.place<double>("temperature");
//   for (;;) {
//       auto message = shape.start(out);
//       message.set(time, now());
//       message.set(temperature, read_sensor());
//       shape.write(out, message);
//   }
//
// prepared.h says what an image can hold, and that a message which was started has to be written
// before anything else is done with its writer.
#ifndef FLATSTREAM_PREPARED_HPP
#define FLATSTREAM_PREPARED_HPP

#include "flatstream/prepared.h"
#include "flatstream/schema.hpp"
#include "flatstream/writer.hpp"

namespace flatstream {

namespace detail {

// The C interface's place of a scalar type, how it is found and how it is set.
template <class T> struct scalar_place;

#define FLATSTREAM_SCALAR_PLACE(type, name)                                           \
    template <> struct scalar_place<type> {                                           \
        using raw = fls_place_##name;                                                 \
        static fls_status find(const fls_prepared *of, const char *path, raw *place,  \
                               fls_error *err) noexcept                               \
        {                                                                             \
            return fls_prepared_##name(of, path, place, err);                         \
        }                                                                             \
        static void set(fls_prepared_message message, raw place, type value) noexcept \
        {                                                                             \
            fls_prepared_set_##name(message, place, value);                           \
        }                                                                             \
    }
FLATSTREAM_SCALAR_PLACE(bool, bool);
FLATSTREAM_SCALAR_PLACE(std::uint8_t, u8);
FLATSTREAM_SCALAR_PLACE(std::int8_t, i8);
FLATSTREAM_SCALAR_PLACE(std::uint16_t, u16);
FLATSTREAM_SCALAR_PLACE(std::int16_t, i16);
FLATSTREAM_SCALAR_PLACE(std::uint32_t, u32);
FLATSTREAM_SCALAR_PLACE(std::int32_t, i32);
FLATSTREAM_SCALAR_PLACE(std::uint64_t, u64);
FLATSTREAM_SCALAR_PLACE(std::int64_t, i64);
FLATSTREAM_SCALAR_PLACE(float, f32);
FLATSTREAM_SCALAR_PLACE(double, f64);
#undef FLATSTREAM_SCALAR_PLACE

// An enumeration has the places of its values' type.
template <class T, bool IsEnum = std::is_enum<T>::value> struct stored_as {
    using type = T;
};
template <class T> struct stored_as<T, true> {
    using type = typename std::underlying_type<T>::type;
};

} // namespace detail

// Where values of type T go, a scalar or an enumeration.
template <class T> struct place_of {
    using stored = typename detail::stored_as<T>::type;
    typename detail::scalar_place<stored>::raw raw;
};

// A message that was started, or the image: values are set at places. Nothing is checked that was
// checked when the place was found.
class prepared_message {
  public:
    explicit prepared_message(fls_prepared_message raw) noexcept : raw_(raw)
    {
    }
    template <class T>
    void set(place_of<T> place, typename std::common_type<T>::type value) noexcept
    {
        using stored = typename place_of<T>::stored;
        detail::scalar_place<stored>::set(raw_, place.raw, static_cast<stored>(value));
    }
    // Text and elements longer than the place's capacity are FLS_INVALID_ARGUMENT, and change
    // nothing.
    FLS_MUST_USE fls_status try_set(fls_place_string place, text_view text) noexcept
    {
        return fls_prepared_set_string(raw_, place, text.data(), text.size());
    }
    template <class T>
    FLS_MUST_USE fls_status try_set(fls_place_vector place, const T *elements,
                                    std::size_t count) noexcept
    {
        return sizeof(T) == place.element_bytes
                   ? fls_prepared_set_vector(raw_, place, elements, count)
                   : FLS_INVALID_ARGUMENT;
    }
    // A struct of flatc's C++, which is laid out as on the wire.
    template <class T>
    FLS_MUST_USE fls_status try_set(fls_place_struct place, const T &value) noexcept
    {
        if (sizeof(T) != place.bytes) {
            return FLS_INVALID_ARGUMENT;
        }
        fls_prepared_set_struct(raw_, place, &value);
        return FLS_OK;
    }
    void set_present(fls_place_presence place, bool is_present) noexcept
    {
        fls_prepared_set_present(raw_, place, is_present);
    }
    fls_prepared_message raw() const noexcept
    {
        return raw_;
    }

#if FLATSTREAM_EXCEPTIONS
    void set(fls_place_string place, text_view text)
    {
        require(try_set(place, text), "text longer than its place");
    }
    template <class T> void set(fls_place_vector place, const T *elements, std::size_t count)
    {
        require(try_set(place, elements, count), "elements of another size, or too many");
    }
    template <class T> void set(fls_place_struct place, const T &value)
    {
        require(try_set(place, value), "a struct of another size");
    }
#endif

  private:
#if FLATSTREAM_EXCEPTIONS
    static void require(fls_status status, const char *text)
    {
        if (status != FLS_OK) {
            fls_error err;
            detail::require(detail::refuse(&err, status, text), err);
        }
    }
#endif

    fls_prepared_message raw_;
};

// The image and its places. The schema has to live for as long as places are asked for.
class prepared {
  public:
    prepared() noexcept = default;
    ~prepared()
    {
        fls_prepared_free(prepared_);
    }
    prepared(prepared &&other) noexcept : prepared_(other.prepared_)
    {
        other.prepared_ = nullptr;
    }
    prepared &operator=(prepared &&other) noexcept
    {
        std::swap(prepared_, other.prepared_);
        return *this;
    }
    prepared(const prepared &) = delete;
    prepared &operator=(const prepared &) = delete;

    // With these fields; with none, all scalars and structs of the root.
    FLS_MUST_USE fls_status try_open(const schema &of,
                                     const std::vector<fls_prepared_field> &fields,
                                     fls_error *err = nullptr)
    {
        return put([&](fls_prepared **made) {
            return fls_prepared_new(made, of.get(), of.root(),
                                    fields.empty() ? nullptr : fields.data(), fields.size(),
                                    nullptr, err);
        });
    }
    // As a message that a builder made.
    FLS_MUST_USE fls_status try_open_from(const schema &of, byte_view like,
                                          fls_error *err = nullptr)
    {
        return put([&](fls_prepared **made) {
            return fls_prepared_from(made, of.get(), of.root(), like.data(), like.size(), nullptr,
                                     err);
        });
    }
    template <class T>
    FLS_MUST_USE fls_status try_place(const char *path, place_of<T> &place,
                                      fls_error *err = nullptr) const noexcept
    {
        using stored = typename place_of<T>::stored;
        return detail::scalar_place<stored>::find(prepared_, path, &place.raw, err);
    }
    FLS_MUST_USE fls_status try_write(writer &to, prepared_message message,
                                      fls_error *err = nullptr)
    {
        return fls_writer_write_prepared(to.get(), prepared_, message.raw(), err);
    }

#if FLATSTREAM_EXCEPTIONS
    explicit prepared(const schema &of, const std::vector<fls_prepared_field> &fields = {})
    {
        fls_error err;
        detail::require(try_open(of, fields, &err), err);
    }
    static prepared from(const schema &of, byte_view like)
    {
        prepared made;
        fls_error err;
        detail::require(made.try_open_from(of, like, &err), err);
        return made;
    }
    // Of a scalar or an enumeration, such as place<double>("pose.position.x").
    template <class T> place_of<T> place(const char *path) const
    {
        place_of<T> found;
        fls_error err;
        detail::require(try_place(path, found, &err), err);
        return found;
    }
    fls_place_string string(const char *path) const
    {
        fls_place_string found;
        fls_error err;
        detail::require(fls_prepared_string(prepared_, path, &found, &err), err);
        return found;
    }
    // element is the type of the elements: a scalar's, or FLS_TYPE_STRUCT.
    fls_place_vector vector(const char *path, fls_type element) const
    {
        fls_place_vector found;
        fls_error err;
        detail::require(fls_prepared_vector(prepared_, path, element, &found, &err), err);
        return found;
    }
    template <class T> fls_place_struct structure(const char *path) const
    {
        fls_place_struct found;
        fls_error err;
        detail::require(fls_prepared_struct(prepared_, path, sizeof(T), &found, &err), err);
        return found;
    }
    fls_place_presence presence(const char *path) const
    {
        fls_place_presence found;
        fls_error err;
        detail::require(fls_prepared_presence(prepared_, path, &found, &err), err);
        return found;
    }
    void write(writer &to, prepared_message message)
    {
        fls_error err;
        detail::require(try_write(to, message, &err), err);
    }
#endif

    // Starts a message with the image's values; one at a time.
    prepared_message start(writer &to) noexcept
    {
        return prepared_message(fls_prepared_start(prepared_, to.get()));
    }
    // The image itself, whose values later messages begin with; and its bytes, a whole message.
    prepared_message image() noexcept
    {
        std::size_t size = 0;
        return prepared_message(fls_prepared_image(prepared_, &size));
    }
    byte_view bytes() noexcept
    {
        std::size_t size = 0;
        const void *data = fls_prepared_image(prepared_, &size).bytes;
        return byte_view(data, size);
    }
    explicit operator bool() const noexcept
    {
        return prepared_ != nullptr;
    }
    fls_prepared *get() const noexcept
    {
        return prepared_;
    }

  private:
    template <class Make> fls_status put(Make make)
    {
        fls_prepared *made = nullptr;
        fls_status status = make(&made);
        if (status == FLS_OK) {
            fls_prepared_free(prepared_);
            prepared_ = made;
        }
        return status;
    }

    fls_prepared *prepared_ = nullptr;
};

} // namespace flatstream

#endif
