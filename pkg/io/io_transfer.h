/*
 * io_transfer.h - one request through libcurl; private to pkg/io.
 *
 * Sets an easy handle up for one request, gathers the answer within the
 * caps, and says in the end what became of it.
 */
#ifndef IO_TRANSFER_H
#define IO_TRANSFER_H

#include "io/curl_dl.h"
#include "io/io_event.h"

/*
 * Where the body of an answer goes instead of memory: a download.  write() is
 * called from within libcurl and returns false to stop it, having said why;
 * done() gets the whole transfer, as it ended, and not the event queue.
 */
struct io_transfer;
struct io_sink {
	void *ctx;
	bool (*write)(void *ctx, struct io_transfer *transfer,
	    struct str bytes);
	void (*done)(void *ctx, struct io_transfer *transfer);
};

struct io_transfer {
	struct io_transfer *next, *prev;
	uint64_t token;
	CURL *easy;			/* NULL while it waits in line */
	struct strbuf url, body;	/* what is sent */
	/* Of this request alone, or empty. */
	struct strbuf bearer, authorization, etag, if_match;
	struct curl_slist *headers;	/* of its own, or NULL */
	struct io_sink sink;		/* write == NULL: none */
	enum http_method method;
	enum http_host host;
	int64_t timeout_ms, started_ms;
	int64_t quiet_ms;		/* of an event stream, or 0 */
	struct strbuf enough;		/* text that makes it less; or absent */
	int64_t heard_ms;		/* when the stream last said something */
	bool heard;			/* it did, since heard_ms was set */
	bool interim, streaming;	/* within 1xx; the headers are over */
	bool effect;
	bool fresh;			/* on a connection of its own */
	bool secure, proxied;
	struct io_event *event;		/* gathers the answer */
	size_t header_bytes;
	const char *broken;		/* why we stopped it ourselves */
	bool has_end;			/* told: by a length or by chunks */
	bool has_length;
	int64_t length;			/* of Content-Length */
	bool too_large;
	int socket_errno;		/* no descriptor was left for it */
	char error[CURL_ERROR_SIZE];	/* libcurl's own words */
};

/* The settings that all requests of a world share. */
struct io_transfer_rules {
	const struct curl_dl *curl;
	const char *user_agent;
	const char *ca_file;		/* or NULL */
	bool ca_directory;		/* read CA_DIRECTORY lazily */
	const char *proxy;		/* of this request, "" for none */
	const struct curl_slist *headers;
	const char *login;		/* "name:password", or NULL: it is sent, */
	const char *sign;		/* or signs like this; NULL */
	CURLSH *share;
	bool verbose;
	curl_debug_callback debug;
	void *debug_ctx;
};

#define IO_TRANSFER_CA_DIRECTORY "/etc/ssl/certs"

struct io_transfer *io_transfer_new(uint64_t token, struct str base,
    const struct http_request *request);
/* Frees all but the easy handle. */
void io_transfer_free(struct io_transfer *transfer);

/* Prepare an easy handle, fresh or reset; takes nothing. */
bool io_transfer_setup(struct io_transfer *transfer, CURL *easy,
    const struct io_transfer_rules *rules);

/* The status that has come, or 0. */
int io_transfer_status(const struct io_transfer *transfer,
    const struct curl_dl *curl);

/* Fill in the event from how libcurl ended. */
void io_transfer_finish(struct io_transfer *transfer,
    const struct curl_dl *curl, CURLcode code);

#endif
