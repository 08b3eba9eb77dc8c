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

struct io_event {
	struct io_event *next;
	struct world_event event;	/* its strs are made by deliver */
	struct strbuf body, reason;
	struct strbuf retry_after, ratelimit, request_id, date;
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
