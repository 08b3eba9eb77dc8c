/*
 * io_http.h - HTTP over libcurl's multi interface; private to pkg/io.
 *
 * Owned by one io_world, turned by its loop: it puts its sockets into the
 * world's epoll set and says when it next wants to be called.  Callbacks of
 * libcurl only record; what is finished goes to the event queue.
 */
#ifndef IO_HTTP_H
#define IO_HTTP_H

#include "io/io_event.h"
#include "io/io_transfer.h"
#include "io/io_world.h"

struct io_http;

/*
 * Borrows epoll, queue and clock; socket events are to be passed on when
 * the upper half of their epoll data is `tag`.
 */
struct io_http *io_http_new(const struct io_config *config, int epoll,
    uint32_t tag, struct io_event_queue *queue, const struct clock *clock);
void io_http_free(struct io_http *http);	/* NULL is harmless */

/* Start, or put in line; an answer will be in the queue. */
void io_http_start(struct io_http *http, uint64_t token,
    const struct http_request *request);
/*
 * GET a whole address into a sink, which gets the end of it, too (perhaps
 * before this returns).  No credential is sent but bearer, if there is one.
 */
void io_http_download(struct io_http *http, uint64_t token, struct str url,
    struct str bearer, int64_t timeout_ms, const struct io_sink *sink);
/* Drop a request; false if none has this token. */
bool io_http_cancel(struct io_http *http, uint64_t token);

/* A socket is ready; events as from epoll. */
void io_http_ready(struct io_http *http, int fd, uint32_t events);
/* Do what is due now. */
void io_http_tick(struct io_http *http);
/* When io_http_tick() wants to be called, on the monotonic clock; -1 never. */
int64_t io_http_next_ms(const struct io_http *http);

/* No connection that exists now is used for a later request. */
void io_http_drop_pool(struct io_http *http);

#endif
