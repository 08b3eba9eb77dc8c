/*
 * io_event.h - events that wait to be fetched; private to pkg/io.
 *
 * What happens is only recorded here, with its bytes on the heap; wait()
 * hands one at a time to the core, in the order they came.
 */
#ifndef IO_EVENT_H
#define IO_EVENT_H

#include "base/seams.h"
#include "base/strbuf.h"

/* The headers of an answer that are kept. */
enum io_header {
	IO_RETRY_AFTER, IO_RATELIMIT, IO_REQUEST_ID, IO_DATE, IO_LOCATION,
	IO_LINK, IO_ETAG, IO_GITHUB_LEFT, IO_GITHUB_RESET,
	IO_GITHUB_PERMISSIONS, IO_OAUTH_SCOPES, IO_OWN_SCOPES, IO_TOKEN_ENDS,
	IO_HEADERS
};

struct io_event {
	struct io_event *next;
	struct world_event event;	/* its strs are made by deliver */
	struct strbuf body, reason;
	struct strbuf headers[IO_HEADERS];
	/* Of a guest (io_world_push): NULL for ours. */
	void (*copy)(void *kept, struct arena *arena, struct world_event *out);
	void (*release)(void *kept);
	void *kept;
};

struct io_event_queue {
	struct io_event *first, **last;
};

struct io_event *io_event_new(enum world_event_type type, uint64_t token);
void io_event_free(struct io_event *event);	/* NULL is harmless */

void io_event_init(struct io_event_queue *queue);
void io_event_release(struct io_event_queue *queue);
void io_event_push(struct io_event_queue *queue, struct io_event *event);
/* Forget the event of a token, if it waits. */
bool io_event_drop(struct io_event_queue *queue, uint64_t token);
/*
 * Take the oldest event; false if there is none.  Its texts move into the
 * arena, the body without a copy.
 */
bool io_event_deliver(struct io_event_queue *queue, struct arena *arena,
    struct world_event *out);

#endif
