/*
 * The operator's log: one line per event on stderr, `time level event key=value …`.
 *
 * No patient data *by type*: a value is a number, a reason row, or a configured name (NUL-ended, from our own tables or
 * the operator's configuration). There is deliberately no way to log a struct str or a formatted text.
 *
 *   log_event(LOG_WARN, "lane.retry", LOG_NAME("destination", lane->name), LOG_NUM("attempt", n));
 *
 * Threads: any.
 */
#pragma once

#include "base/ctx.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *key;
    const char *name; /* NULL = use number */
    int64_t number;
};

#define LOG_NUM(key, number) ((struct log_field){(key), NULL, (int64_t)(number)})
#define LOG_NAME(key, name)  ((struct log_field){(key), (name), 0})
#define LOG_WHY(cx)          ((struct log_field){"reason", (cx)->reason ? (cx)->reason->name : "none", 0})

/* Events below this level are dropped; LOG_INFO at the start. */
void log_set_level(enum log_level level);
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count);

#define log_event(level, event, ...)                                                                                   \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__},                                               \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
