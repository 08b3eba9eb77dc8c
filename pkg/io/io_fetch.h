/*
 * io_fetch.h - files from the network; private to pkg/io.
 *
 * A file appears under its name whole, checked and synced, or not at all:
 * it is written beside that name, 0600, and renamed when its digest is right.
 * Redirects, which downloads are made of, are followed here and not by
 * libcurl: at most five, never to plain http, and the credential goes no
 * further than the host and port that it is for.
 */
#ifndef IO_FETCH_H
#define IO_FETCH_H

#include "io/io_event.h"
#include "io/io_http.h"

struct io_fetches;

/* Borrows all three; of the world its clock, chance and files. */
struct io_fetches *io_fetches_new(struct io_http *http,
    struct io_event_queue *queue, const struct world *world);
/* To be freed before http.  NULL is harmless. */
void io_fetches_free(struct io_fetches *fetches);

/* One WORLD_FETCH event will be in the queue. */
void io_fetches_start(struct io_fetches *fetches, uint64_t token,
    const struct fetch_request *request);
/* Drop a fetch, and what it has written; false if none has this token. */
bool io_fetches_cancel(struct io_fetches *fetches, uint64_t token);

/* Do what is due now: a piece of a file that is already there is read. */
void io_fetches_tick(struct io_fetches *fetches);
int64_t io_fetches_next_ms(const struct io_fetches *fetches);

#endif
