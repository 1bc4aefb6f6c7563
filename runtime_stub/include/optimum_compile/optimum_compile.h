/* C interface of the runtime: opens a planned program (docs/native.md) and runs it, on one thread.
 *
 * Every function that can fail returns an oc_status; oc_last_error() then says what was wrong, with the
 * numbers. Nothing here throws, exits or prints. A model is read-only: sessions of one model may run on
 * different threads at once; one session belongs to one thread at a time. */
#ifndef OPTIMUM_COMPILE_H
#define OPTIMUM_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define OC_API __attribute__((visibility("default")))
#else
#define OC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define OC_API_VERSION 1

typedef enum oc_status {
  OC_OK = 0,
  OC_BAD_ARGUMENT = 1,  /* NULL, an index or a size that cannot be */
  OC_NO_FILE = 2,       /* cannot be opened, read or mapped */
  OC_BAD_FILE = 3,      /* not this format, damaged, or it contradicts itself */
  OC_BAD_VERSION = 4,   /* a version or a feature that this runtime does not know */
  OC_NO_MEMORY = 5,     /* an allocation failed, or would pass the limit */
  OC_BAD_TOKEN = 6,     /* a token id outside the vocabulary */
  OC_CONTEXT_FULL = 7,  /* the tokens do not fit behind what the cache holds */
  OC_BAD_CALL = 8       /* the program cannot run at these sizes: a guard, an extent, an overflow */
} oc_status;

typedef struct oc_model oc_model;
typedef struct oc_session oc_session;

/* For oc_options.flags: read the weights once and compare their checksum. */
#define OC_VERIFY_WEIGHTS 1u

typedef struct oc_options {
  uint32_t flags;
  uint32_t reserved;          /* 0 */
  int64_t session_bytes_max;  /* most bytes a session may take; 0: what malloc gives */
} oc_options;

typedef struct oc_info {
  int64_t vocabulary;
  int64_t context;      /* most tokens in the cache */
  int64_t max_prefill;  /* most tokens of one step through the program; oc_session_run takes more */
  int64_t functions;
  int64_t stages;
  int64_t file_bytes;
  int64_t weight_bytes;  /* of the WEIGHTS section */
  int64_t key_bytes;     /* of the caches of a session */
  int64_t value_bytes;
} oc_info;

typedef struct oc_function {
  const char* name; /* lives as long as the model */
  int64_t least_seq;
  int64_t greatest_seq;
  int64_t steps;
} oc_function;

typedef struct oc_stage {
  const char* name;      /* lives as long as the model */
  const char* precision; /* INT8, INT4, INT3, INT2 or FP16 */
} oc_stage;

/* Sums since the session was made, or since oc_session_clear_stats. */
typedef struct oc_stats {
  int64_t calls;              /* passes through a function: one a chunk */
  int64_t tokens;
  int64_t steps;
  int64_t copied_bytes;       /* by steps that only move numbers */
  int64_t cache_copied_bytes; /* of those: from or to a cache */
  int64_t kv_written_bytes;   /* stored into caches by what computes */
  int64_t weight_bytes;       /* of weights read: what the steps of each call touch */
  int64_t last_weight_bytes;  /* the same of the last call */
  int64_t stage_switches;     /* times the kernels of another precision were taken */
  int64_t switch_ns;
  int64_t total_ns;
  int64_t arena_bytes;        /* greatest so far; not a sum */
} oc_stats;

typedef struct oc_stage_stats {
  int64_t steps;
  int64_t total_ns;
  int64_t switch_ns; /* spent on taking the kernels of this stage */
} oc_stage_stats;

OC_API uint32_t oc_api_version(void);

/* What a status means, in a few words. Never NULL. */
OC_API const char* oc_status_text(oc_status status);

/* What the last call that failed on this thread found. Never NULL; valid until the next call. */
OC_API const char* oc_last_error(void);

/* Map a file and check it. options may be NULL. *model is NULL unless OC_OK comes back. Nobody may write into
 * the file or shorten it while it is mapped: replace it by renaming another one over it. */
OC_API oc_status oc_model_open(const char* path, const oc_options* options, oc_model** model);

/* The same from memory at a multiple of 64, which has to stay until the model and its sessions are gone. */
OC_API oc_status oc_model_open_memory(const void* data, size_t bytes, const oc_options* options,
                                      oc_model** model);

/* Sessions keep what they need of the model: it may be closed before them. NULL is allowed. */
OC_API void oc_model_close(oc_model* model);

OC_API oc_status oc_model_info(const oc_model* model, oc_info* info);
OC_API oc_status oc_model_function(const oc_model* model, int64_t index, oc_function* function);
OC_API oc_status oc_model_stage(const oc_model* model, int64_t index, oc_stage* stage);

/* The metadata: JSON in UTF-8, not terminated; lives as long as the model. */
OC_API oc_status oc_model_metadata(const oc_model* model, const char** text, size_t* bytes);

/* Bytes of the arena that function `index` was planned to take for `seq` tokens behind `past`. */
OC_API oc_status oc_model_planned_bytes(const oc_model* model, int64_t index, int64_t seq, int64_t past,
                                        int64_t* bytes);

/* A cache of its own, empty. */
OC_API oc_status oc_session_create(const oc_model* model, oc_session** session);
OC_API void oc_session_destroy(oc_session* session);

/* Forget all tokens. */
OC_API oc_status oc_session_reset(oc_session* session);

/* Tokens in the cache. */
OC_API oc_status oc_session_past(const oc_session* session, int64_t* past);

typedef enum oc_logits {
  OC_LOGITS_NONE = 0, /* fill the cache only; logits may be NULL */
  OC_LOGITS_LAST = 1, /* (vocabulary) of the last token; the head is computed for this one only */
  OC_LOGITS_ALL = 2   /* (count, vocabulary) */
} oc_logits;

/* Run `count` tokens behind those in the cache, in as many chunks as the program needs.
 *
 * logits takes what `which` says; capacity: how many floats it has room for. Tokens, count and room are
 * checked before anything runs. When a later chunk fails, the earlier ones stay in the cache. */
OC_API oc_status oc_session_run(oc_session* session, const int64_t* tokens, int64_t count,
                                oc_logits which, float* logits, size_t capacity);

OC_API oc_status oc_session_stats(const oc_session* session, oc_stats* stats);
OC_API oc_status oc_session_stage_stats(const oc_session* session, int64_t stage,
                                        oc_stage_stats* stats);
OC_API oc_status oc_session_clear_stats(oc_session* session);

#ifdef __cplusplus
}
#endif

#endif
