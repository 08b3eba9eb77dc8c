/*
 * io_banner.h - does an SSH server answer there?  Private to pkg/io.
 *
 * Connects and reads, without ever blocking, until a line begins with
 * "SSH-"; that is all that is believed of it.  A server may say a few other
 * lines first, so up to 8 KiB are read.  Nothing is sent.  Where a connection
 * is refused or closed before that it is tried again, after 50 ms, 100 ms and
 * so on up to every second, until the time is over.
 */
#ifndef IO_BANNER_H
#define IO_BANNER_H

#include "io/io_event.h"

struct io_banners;

/* As io_http_new(); answers go to the queue. */
struct io_banners *io_banners_new(int epoll, uint32_t tag,
    struct io_event_queue *queue, const struct clock *clock);
void io_banners_free(struct io_banners *banners);

void io_banners_start(struct io_banners *banners, uint64_t token,
    struct str host, uint16_t port, int64_t timeout_ms);
bool io_banners_cancel(struct io_banners *banners, uint64_t token);
void io_banners_ready(struct io_banners *banners, int fd);
void io_banners_tick(struct io_banners *banners);	/* deadlines */
int64_t io_banners_next_ms(const struct io_banners *banners);

#endif
