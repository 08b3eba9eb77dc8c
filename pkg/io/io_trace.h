/*
 * io_trace.h - what goes on, for --verbose; private to pkg/io.
 *
 * The one place where something of an HTTP exchange becomes text: header
 * lines that are sent and all bodies are left out, credentials are replaced.
 */
#ifndef IO_TRACE_H
#define IO_TRACE_H

#include "base/secret.h"
#include "io/io_transfer.h"

struct io_trace {
	void (*say)(void *ctx, struct str line);
	void *ctx;
	struct redactor *redactor;
};

void io_trace_init(struct io_trace *trace,
    void (*say)(void *ctx, struct str line), void *ctx);
void io_trace_release(struct io_trace *trace);
bool io_trace_wanted(const struct io_trace *trace);
void io_trace_hide(struct io_trace *trace, struct str secret);

/* "> POST https://..." */
void io_trace_begin(struct io_trace *trace,
    const struct io_transfer *transfer);
/* "< 201 POST https://... 812 bytes, 52 ms", or why there is no answer */
void io_trace_end(struct io_trace *trace, const struct io_transfer *transfer,
    int64_t took_ms);

/* For CURLOPT_DEBUGFUNCTION; ctx is the trace. */
int io_trace_debug(CURL *easy, curl_infotype type, char *data, size_t n,
    void *ctx);

#endif
