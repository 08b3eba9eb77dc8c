/*
 * io_headers.h - the header lines of a request; private to pkg/io.
 *
 * Lists are libcurl's, and hold credentials: so each is wiped before it is
 * freed, and no line of it is made in memory that grows.
 */
#ifndef IO_HEADERS_H
#define IO_HEADERS_H

#include "io/io_transfer.h"

/* What every request to a host says. */
struct io_headers {
	enum http_host host;
	struct str key;			/* bearer, or absent */
	struct str authorization;	/* the whole value, instead; or absent */
	bool sign;			/* requests are signed: the key is the
					   session's token */
	const char *accept;		/* the whole line; NULL: the usual */
};

/* Returns owned (io_headers_wipe). */
struct curl_slist *io_headers_of(const struct curl_dl *curl,
    const struct io_headers *headers);
/* What this request says otherwise than the others to its host, if it does:
 * transfer->headers.  key: the host's. */
void io_headers_own(const struct curl_dl *curl, struct io_transfer *transfer,
    struct str key, bool sign);
/* Wipe, free, and set to NULL. */
void io_headers_wipe(const struct curl_dl *curl, struct curl_slist **list);

#endif
