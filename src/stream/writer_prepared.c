/* Prepared messages into a stream, where that is not done inline: larger ones, and those that have
 * to be looked at when they are whole, for a checksum, a validator or an observer.
 */
#include "flatbuf/prepared_private.h"

extern inline fls_prepared_message fls_prepared_start(fls_prepared *prepared, fls_writer *writer);
extern inline fls_status fls_writer_write_prepared(fls_writer *writer, fls_prepared *prepared,
                                                   fls_prepared_message message, fls_error *err);

fls_prepared_message fls_prepared_start_slow(fls_prepared *prepared, fls_writer *writer)
{
    const fls_prepared_front *front = (const fls_prepared_front *)prepared;
    fls_writer_front *to = (fls_writer_front *)writer;
    uint8_t *frame = to->next;
    size_t bytes = FLS_LENGTH_BYTES + (size_t)front->size;
    if (front->size - 1u >= to->inline_limit || bytes > (size_t)(to->limit - frame)) {
        return flsi_prepared_start_aside(prepared);
    }
    fls_prepared_message message = {frame + FLS_LENGTH_BYTES};
    to->next = frame + bytes;
    to->messages++;
    flsi_store_le32(frame, front->size);
    memcpy(message.bytes, front->image, front->size);
    return message;
}

fls_status fls_writer_write_prepared_slow(fls_writer *writer, fls_prepared *prepared,
                                          fls_prepared_message message, fls_error *err)
{
    const fls_prepared_front *front = (const fls_prepared_front *)prepared;
    return fls_writer_write(writer, message.bytes, front->size, err);
}
