/* Attributes of public declarations. Nothing here has a run-time meaning. */
#ifndef FLATSTREAM_EXPORT_H
#define FLATSTREAM_EXPORT_H

#if defined(__GNUC__) || defined(__clang__)
#define FLS_API               __attribute__((visibility("default")))
#define FLS_MUST_USE          __attribute__((warn_unused_result))
#define FLS_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define FLS_PREFETCH(address) __builtin_prefetch(address)
#else
#define FLS_API
#define FLS_MUST_USE
#define FLS_LIKELY(condition) (condition)
#define FLS_PREFETCH(address) ((void)(address))
#endif

#ifdef __cplusplus
#define FLS_BEGIN_DECLS extern "C" {
#define FLS_END_DECLS   }
#else
#define FLS_BEGIN_DECLS
#define FLS_END_DECLS
#endif

#endif
