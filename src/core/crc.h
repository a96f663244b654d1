/* The CRC kernels: CRC-16/XMODEM and CRC-32/ISO-HDLC (zlib's), each as portable C with tables and
 * by carry-less multiplication at two vector widths. All kernels of one CRC give the same values.
 *
 * crc is the running value: 0 for the first or only piece, then what the call before returned, so
 * that f(f(0, a), b) is the CRC of a followed by b. data may have any alignment, and may be NULL
 * when size is 0; no byte outside [data, data + size) is read. They keep no state: any thread may
 * call.
 */
#ifndef FLSI_CORE_CRC_H
#define FLSI_CORE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Any machine, either byte order. */
uint16_t flsi_crc16_slice16(uint16_t crc, const void *data, size_t size);
uint32_t flsi_crc32_slice16(uint32_t crc, const void *data, size_t size);

/* x86-64 with PCLMULQDQ, SSSE3 and SSE4.1. */
uint16_t flsi_crc16_clmul128(uint16_t crc, const void *data, size_t size);
uint32_t flsi_crc32_clmul128(uint32_t crc, const void *data, size_t size);

/* x86-64 with VPCLMULQDQ, AVX-512 F, BW, VL and VBMI, and BMI2. */
uint16_t flsi_crc16_clmul512(uint16_t crc, const void *data, size_t size);
uint32_t flsi_crc32_clmul512(uint32_t crc, const void *data, size_t size);

#endif
