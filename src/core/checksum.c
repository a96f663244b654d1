/* The built-in checksums by name, and the choice of kernels for this CPU. */
#include "flatstream/checksum.h"

#include "core/cpu.h"
#include "core/crc.h"
#include "core/digest.h"

uint32_t fls_checksum_width(fls_checksum checksum)
{
    static const uint8_t widths[] = {8, 0, 2, 4, 8, 0, 0};
    return (unsigned)checksum < sizeof widths ? widths[checksum] : 0;
}

static const char *const checksum_names[] = {"xxh3", "none",   "crc16", "crc32",
                                             "xxh3", "custom", "auto"};
#define FLSI_CHECKSUM_COUNT (sizeof checksum_names / sizeof checksum_names[0])

const char *fls_checksum_name(fls_checksum checksum)
{
    return (unsigned)checksum < FLSI_CHECKSUM_COUNT ? checksum_names[checksum] : "unknown";
}

fls_status fls_checksum_from_name(const char *name, fls_checksum *checksum)
{
    for (size_t i = 1; i < FLSI_CHECKSUM_COUNT; i++) {
        if (i != FLS_CHECKSUM_CUSTOM && strcmp(name, checksum_names[i]) == 0) {
            *checksum = (fls_checksum)i;
            return FLS_OK;
        }
    }
    return FLS_INVALID_ARGUMENT;
}

uint64_t fls_checksum_digest(fls_checksum checksum, const void *data, size_t size)
{
    fls_digest_state digest;
    if (checksum == FLS_CHECKSUM_CUSTOM ||
        flsi_digest_init(&digest, checksum, NULL, flsi_cpu_features(), NULL) != FLS_OK) {
        return 0;
    }
    return flsi_digest_of(&digest, digest.checksum, data, size);
}

static void choose_kernels(fls_digest_state *digest, uint32_t features)
{
    digest->crc16 = flsi_crc16_slice16;
    digest->crc32 = flsi_crc32_slice16;
    digest->xxh3_long = flsi_xxh3_baseline;
#ifdef FLSI_X86_KERNELS
    if (features & FLSI_CPU_CLMUL128) {
        digest->crc16 = flsi_crc16_clmul128;
        digest->crc32 = flsi_crc32_clmul128;
    }
    if (features & FLSI_CPU_CLMUL512) {
        digest->crc16 = flsi_crc16_clmul512;
        digest->crc32 = flsi_crc32_clmul512;
    }
    if (features & FLSI_CPU_AVX2) {
        digest->xxh3_long = flsi_xxh3_avx2;
    }
    if (features & FLSI_CPU_AVX512) {
        digest->xxh3_long = flsi_xxh3_avx512;
    }
#else
    (void)features;
#endif
}

fls_status flsi_digest_init(fls_digest_state *digest, fls_checksum checksum,
                            const fls_custom_checksum *custom, uint32_t features, fls_error *err)
{
    memset(digest, 0, sizeof *digest);
    switch (checksum) {
    case FLS_CHECKSUM_DEFAULT:
    case FLS_CHECKSUM_XXH3: digest->checksum = FLS_CHECKSUM_XXH3; break;
    case FLS_CHECKSUM_NONE:
    case FLS_CHECKSUM_CRC16:
    case FLS_CHECKSUM_CRC32: digest->checksum = (uint32_t)checksum; break;
    case FLS_CHECKSUM_CUSTOM:
        if (custom == NULL || custom->struct_bytes < sizeof *custom || custom->digest == NULL ||
            custom->width > FLS_MAX_CHECKSUM_BYTES) {
            return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                                 "a custom checksum needs a digest function and a width of 0 to 8");
        }
        digest->checksum = FLS_CHECKSUM_CUSTOM;
        digest->custom = custom->digest;
        digest->custom_self = custom->self;
        break;
    default:
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "a checksum that cannot be used here was asked for");
    }
    digest->width = digest->checksum == FLS_CHECKSUM_CUSTOM
                        ? custom->width
                        : fls_checksum_width((fls_checksum)digest->checksum);
    choose_kernels(digest, features);
    digest->of_empty = flsi_digest_of(digest, digest->checksum, "", 0);
    return FLS_OK;
}

const char *fls_checksum_kernels(void)
{
    fls_digest_state digest;
    choose_kernels(&digest, flsi_cpu_features());
#ifdef FLSI_X86_KERNELS
#define FLSI_KERNELS(crc)                                             \
    (digest.xxh3_long == flsi_xxh3_avx512 ? "crc=" crc " xxh3=avx512" \
     : digest.xxh3_long == flsi_xxh3_avx2 ? "crc=" crc " xxh3=avx2"   \
                                          : "crc=" crc " xxh3=sse2")
    return digest.crc32 == flsi_crc32_clmul512   ? FLSI_KERNELS("clmul512")
           : digest.crc32 == flsi_crc32_clmul128 ? FLSI_KERNELS("clmul128")
                                                 : FLSI_KERNELS("slice16");
#undef FLSI_KERNELS
#else
    return strcmp(flsi_xxh3_baseline_name(), "neon") == 0  ? "crc=slice16 xxh3=neon"
           : strcmp(flsi_xxh3_baseline_name(), "vsx") == 0 ? "crc=slice16 xxh3=vsx"
                                                           : "crc=slice16 xxh3=scalar";
#endif
}
