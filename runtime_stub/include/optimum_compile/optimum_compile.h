/* C interface of the runtime: opens a planned program (docs/native.md) and runs it, on threads of the
 * CPU or, where the file has a section for that (docs/gpu.md), on a GPU.
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

#define OC_API_VERSION 2

typedef enum oc_status {
  OC_OK = 0,
  OC_BAD_ARGUMENT = 1,  /* NULL, an index or a size that cannot be */
  OC_NO_FILE = 2,       /* cannot be opened, read or mapped */
  OC_BAD_FILE = 3,      /* not this format, damaged, or it contradicts itself */
  OC_BAD_VERSION = 4,   /* a version or a feature that this runtime does not know */
  OC_NO_MEMORY = 5,     /* an allocation failed, or would pass the limit */
  OC_BAD_TOKEN = 6,     /* a token id outside the vocabulary */
  OC_CONTEXT_FULL = 7,  /* the tokens do not fit behind what the cache holds */
  OC_BAD_CALL = 8,      /* the program cannot run at these sizes: a guard, an extent, an overflow */
  OC_NO_DEVICE = 9,     /* no such device, no driver for it, or it cannot do what is needed */
  OC_DEVICE_LOST = 10,  /* the device gave up, or did not answer in time: open it again */
  OC_DEVICE_ERROR = 11  /* a call of its driver failed */
} oc_status;

typedef struct oc_model oc_model;
typedef struct oc_session oc_session;
typedef struct oc_device oc_device;

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

/* Sums since the session was made, or since oc_session_clear_stats. On a GPU steps are dispatches; bytes that
 * are copied, or written into caches, and switch_ns are not counted there: a switch is part of what was recorded. */
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

/* The least and the greatest width that nested weights can be read with, in bits; 0 and 0 where there are none. */
OC_API oc_status oc_model_widths(const oc_model* model, int64_t* least, int64_t* greatest);

typedef enum oc_device_kind {
  OC_DEVICE_CPU = 0,    /* there is always one */
  OC_DEVICE_VULKAN = 1, /* Vulkan 1.1 or newer; its loader is opened when it is asked for */
  OC_DEVICE_METAL = 2
} oc_device_kind;

typedef enum oc_device_type {
  OC_DEVICE_OTHER = 0,
  OC_DEVICE_INTEGRATED = 1,
  OC_DEVICE_DISCRETE = 2,
  OC_DEVICE_VIRTUAL = 3,
  OC_DEVICE_SOFTWARE = 4
} oc_device_type;

/* For oc_device_open. */
#define OC_DEVICE_LOW_PRIORITY 1u /* give way to others, as to drawing; ignored where it cannot be said */
#define OC_DEVICE_VALIDATION 2u   /* Vulkan's validation layer, which has to be installed */
#define OC_DEVICE_UNCHECKED 4u    /* without the device's own bounds checks: for files that you trust */

typedef struct oc_device_description {
  char name[256];
  char driver[256];
  char refusal[256];      /* why it cannot be used; empty where it can */
  int64_t memory_bytes;   /* that it calls its own */
  int64_t buffer_bytes;   /* most that a kernel sees of one buffer */
  int32_t kind;           /* oc_device_kind */
  int32_t type;           /* oc_device_type */
  int32_t unified;        /* 1: its memory is the host's */
  int32_t subgroup;       /* size of a subgroup, 0 where they cannot add */
  int32_t dot;            /* 1: the packed integer dot product */
  int32_t low_priority;   /* 1: OC_DEVICE_LOW_PRIORITY means something */
} oc_device_description;

/* How many there are, also those that cannot be used. OC_NO_DEVICE, with the reason, where there is no driver
 * or this runtime was built without. */
OC_API oc_status oc_device_count(oc_device_kind kind, int64_t* count);
OC_API oc_status oc_device_info(oc_device_kind kind, int64_t index, oc_device_description* description);

/* The first whose name contains `name`. */
OC_API oc_status oc_device_find(oc_device_kind kind, const char* name, int64_t* index);

/* index -1: the best one that can be used: discrete, integrated, others, software. Sessions keep what they need
 * of a device: it may be closed before them. Sessions of one device may run on different threads. */
OC_API oc_status oc_device_open(oc_device_kind kind, int64_t index, uint32_t flags, oc_device** device);
OC_API void oc_device_close(oc_device* device);
OC_API oc_status oc_device_describe(const oc_device* device, oc_device_description* description);

/* Messages of the validation layer so far, all of them counted; text, terminated, takes the first ones. */
OC_API oc_status oc_device_messages(const oc_device* device, int64_t* count, char* text, size_t capacity);

/* What the driver made of the kernels so far, for the next start of a program: with data NULL its size, else the
 * bytes, of which *bytes is the room and then the number. A device takes them back, right after it was opened;
 * those of another driver or version are ignored. They run on the device: keep them where only you can write. */
OC_API oc_status oc_device_save_kernels(const oc_device* device, void* data, size_t* bytes);
OC_API oc_status oc_device_load_kernels(const oc_device* device, const void* data, size_t bytes);

/* A cache of its own, empty. */
OC_API oc_status oc_session_create(const oc_model* model, oc_session** session);

/* The same on a device. On another one than the CPU the model needs a section for it: OC_NO_DEVICE where it has
 * none. Weights are kept on the device once for all sessions of a model. */
OC_API oc_status oc_session_create_on(const oc_model* model, const oc_device* device,
                                      oc_session** session);
OC_API void oc_session_destroy(oc_session* session);

/* Forget all tokens. */
OC_API oc_status oc_session_reset(oc_session* session);

/* Tokens in the cache. */
OC_API oc_status oc_session_past(const oc_session* session, int64_t* past);

/* Bits that nested weights are read with from the next run on; 0: all of them, as at the beginning. Each weight
 * is read with the nearest number that it has, other weights as ever. The caches stay: tokens of any widths may
 * follow each other. On a GPU the first pass at a width makes kernels for it. OC_BAD_ARGUMENT where no weight has
 * the width. */
OC_API oc_status oc_session_set_width(oc_session* session, int64_t bits);

/* Threads that a session computes with from the next run on, the caller's included: 1, as at the beginning, to 256; 0:
 * as many as the processor has fast cores. Logits are the same for every number. Between steps the others spin for
 * some microseconds, then they sleep. On a GPU it changes nothing. */
OC_API oc_status oc_session_set_threads(oc_session* session, int64_t threads);

typedef enum oc_logits {
  OC_LOGITS_NONE = 0, /* fill the cache only; logits may be NULL */
  OC_LOGITS_LAST = 1, /* (vocabulary) of the last token; the head is computed for this one only */
  OC_LOGITS_ALL = 2,  /* (count, vocabulary) */
  OC_LOGITS_KEEP = 3  /* of the last token, kept where they are made, for oc_session_top; logits may be NULL */
} oc_logits;

/* Run `count` tokens behind those in the cache, in as many chunks as the program needs.
 *
 * logits takes what `which` says; capacity: how many floats it has room for. Tokens, count and room are
 * checked before anything runs. When a later chunk fails, the earlier ones stay in the cache. */
OC_API oc_status oc_session_run(oc_session* session, const int64_t* tokens, int64_t count,
                                oc_logits which, float* logits, size_t capacity);

/* The k likeliest tokens, and their logits, after a run with OC_LOGITS_KEEP; 1 <= k <= 64 and the vocabulary.
 * The greatest logit first, of equal ones the lowest id. values may be NULL. */
OC_API oc_status oc_session_top(oc_session* session, int64_t k, int64_t* ids, float* values);

/* Run the prompt, then the likeliest token again and again: until `most` are made, a stop id is (which is
 * written too) or the context is full. No logits leave the device. out has room for `most` ids, *made says how
 * many there are, also after an error. The last one has not been run. */
OC_API oc_status oc_session_generate(oc_session* session, const int64_t* prompt, int64_t count,
                                     int64_t most, const int64_t* stops, int64_t stop_count,
                                     int64_t* out, int64_t* made);

OC_API oc_status oc_session_stats(const oc_session* session, oc_stats* stats);
OC_API oc_status oc_session_stage_stats(const oc_session* session, int64_t stage,
                                        oc_stage_stats* stats);
OC_API oc_status oc_session_clear_stats(oc_session* session);

/* A learned scheduler (docs/phases.md): a small file that says, from the cache of a prompt, at which decode step
 * nested weights go on with fewer bits. */
typedef struct oc_schedule oc_schedule;

typedef struct oc_schedule_info {
  const char* model; /* digest of the checkpoint it was trained for; lives as long as the scheduler */
  int64_t prefill;   /* bits of the prompt */
  int64_t high;      /* bits of the decode steps before the chosen one */
  int64_t low;       /* bits from there on */
  int64_t steps;     /* how many it chooses among */
} oc_schedule_info;

/* Read and check a file, or a copy of it in memory, neither of which is needed afterwards. *schedule is NULL
 * unless OC_OK comes back. One scheduler serves any number of sessions and threads. */
OC_API oc_status oc_schedule_open(const char* path, oc_schedule** schedule);
OC_API oc_status oc_schedule_open_memory(const void* data, size_t bytes, oc_schedule** schedule);
OC_API void oc_schedule_close(oc_schedule* schedule);
OC_API oc_status oc_schedule_describe(const oc_schedule* schedule, oc_schedule_info* info);

/* The step `index` of those it chooses among; they ascend from 0. The last one stands for never. */
OC_API oc_status oc_schedule_step(const oc_schedule* schedule, int64_t index, int64_t* step);

/* After the prompt, taken in with `prefill` bits: the decode step from which on oc_session_set_width should be
 * `low`. Step t takes in token t of the answer. It reads the last layer's cache, copied where a GPU has it, and
 * changes nothing. logits, which may be NULL, takes one number for each step. */
OC_API oc_status oc_session_schedule(const oc_session* session, const oc_schedule* schedule, int64_t* step,
                                     float* logits, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
