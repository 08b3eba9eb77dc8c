/* hold_door.c - where clients of the holder come in; see hold.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "hold.h"
#include "holder_place.h"
#include "tunnel/talk.h"

enum {
	CLIENTS_MAX = 64, ASK_MS = 10 * SECOND_MS,
	REPLY_MS = 10 * SECOND_MS, ROUNDS = 256, FULL_MS = SECOND_MS,
};

struct client {
	struct client *next;
	uint64_t number;
	int fd;
	struct strbuf in, out;
	size_t sent;
	bool asked;		/* the request is whole */
	int64_t deadline_ms;	/* for saying it, and for hearing the answer;
				   -1 in between */
};

struct hold_door {
	struct hold *hold;
	struct app *app;
	int epoll;
	struct io_listener listener;
	struct client *clients;
	size_t nclients;
	uint64_t next_number;
	int64_t again_ms;	/* no descriptor was left: nobody is let in
				   until then; -1 */
	struct held_path { char text[4096]; size_t len; } keys;
};

/* -------------------------------------------------------------- clients -- */

static void
drop(struct hold_door *door, struct client *client)
{
	struct client **at = &door->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	door->nclients--;
	/* A worker that is just being started has it, too: see
	 * holder_client.c. */
	epoll_ctl(door->epoll, EPOLL_CTL_DEL, client->fd, NULL);
	close(client->fd);
	strbuf_release(&client->in);
	strbuf_release(&client->out);
	free(client);
	if (door->again_ms >= 0)
		door->again_ms = app_mono_ms(door->app);
}

static struct client *
find(const struct hold_door *door, uint64_t number)
{
	struct client *client = door->clients;

	while (client != NULL && client->number != number)
		client = client->next;
	return client;
}

static void
watch(struct hold_door *door, struct client *client, uint32_t events,
    int how)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	epoll_ctl(door->epoll, how, client->fd, &event);
}

/* What does not fit now goes when there is room; true: it is all gone. */
static bool
send_some(struct client *client)
{
	ssize_t n = send(client->fd, client->out.data + client->sent,
	    client->out.len - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return true;
	client->sent += n > 0 ? (size_t)n : 0;
	return client->sent == client->out.len;
}

void
hold_door_reply(struct hold_door *door, uint64_t number,
    const struct holder_answer *answer)
{
	struct client *client = find(door, number);
	struct talk_answer talk = { .version = STR(PODFORM_VERSION),
		.answer = *answer };

	if (client == NULL)
		return;
	talk_write_answer(&client->out, &talk);
	client->deadline_ms = app_mono_ms(door->app) + REPLY_MS;
	if (send_some(client))
		drop(door, client);
	else
		watch(door, client, EPOLLOUT, EPOLL_CTL_MOD);
}

static void
refuse(struct hold_door *door, const struct client *client,
    struct str reason)
{
	hold_door_reply(door, client->number,
	    &(struct holder_answer){ .reason = reason });
}

static void
take_request(struct hold_door *door, struct client *client)
{
	struct arena arena = {0};
	struct talk_request talk;
	struct str why;
	uint64_t number = client->number;

	client->asked = true;
	client->deadline_ms = -1;
	if (!talk_read_request(&arena, strbuf_str(&client->in), &talk,
	    &why)) {
		refuse(door, client, why);
	} else if (talk.end) {
		hold_say(door->hold, "told to end");
		hold_event(door->hold, (struct holder_event){
			.type = HOLDER_ON_QUIT });
		hold_door_reply(door, number,
		    &(struct holder_answer){ .ok = true });
	} else if (talk.protocol != TALK_PROTOCOL) {
		refuse(door, client, STR("another protocol is spoken "
		    "here"));
	} else {
		if (talk.keys.len > 0 && talk.keys.len <
		    sizeof door->keys.text) {
			memcpy(door->keys.text, talk.keys.data,
			    talk.keys.len);
			door->keys.len = talk.keys.len;
		}
		hold_event(door->hold, (struct holder_event){
			.type = HOLDER_ON_REQUEST, .client = number,
			.request = &talk.request });
	}
	arena_release(&arena);
}

static void
leave(struct hold_door *door, struct client *client)
{
	uint64_t number = client->number;
	bool asked = client->asked;

	drop(door, client);
	if (asked)
		hold_event(door->hold, (struct holder_event){
			.type = HOLDER_ON_HANGUP, .client = number });
}

static void
receive(struct hold_door *door, struct client *client)
{
	char bytes[8192];
	ssize_t n = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || client->asked) {	/* it has said all it may */
		leave(door, client);
		return;
	}
	strbuf_add(&client->in, (struct str){ bytes, (size_t)n });
	if (client->in.failed)
		leave(door, client);
	else if (str_find(strbuf_str(&client->in), '\n') >= 0)
		take_request(door, client);
}

static void
watch_listener(struct hold_door *door, uint32_t events)
{
	struct epoll_event event = { .events = events };

	epoll_ctl(door->epoll, EPOLL_CTL_MOD, door->listener.fd, &event);
}

/* Whoever waits stays in line, and would wake us for nothing all the time. */
static void
rest(struct hold_door *door)
{
	door->again_ms = app_mono_ms(door->app) + FULL_MS;
	watch_listener(door, 0);
}

static void
resume(struct hold_door *door, int64_t now)
{
	if (door->again_ms < 0 || now < door->again_ms)
		return;
	door->again_ms = -1;
	watch_listener(door, EPOLLIN);
}

/* False: nothing can be accepted now. */
static bool
accept_one(struct hold_door *door)
{
	int fd = accept4(door->listener.fd, NULL, NULL,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client;

	if (fd < 0 && hold_is_full(errno)) {
		rest(door);
		return false;
	}
	if (fd < 0)
		return errno == ECONNABORTED || errno == EINTR;
	if (door->nclients == CLIENTS_MAX || !holder_peer_is_us(fd)) {
		close(fd);
		return true;
	}
	client = calloc(1, sizeof *client);
	if (client == NULL)
		fail_out_of_memory();
	*client = (struct client){ .next = door->clients, .fd = fd,
		.number = ++door->next_number,
		.deadline_ms = app_mono_ms(door->app) + ASK_MS };
	client->in.ceiling = TALK_REQUEST_MAX;
	door->clients = client;
	door->nclients++;
	watch(door, client, EPOLLIN, EPOLL_CTL_ADD);
	return true;
}

/* ----------------------------------------------------------------- guest -- */

/* False: the rest waits for the next turn. */
static bool
ready(struct hold_door *door, struct client *client, uint32_t events)
{
	if (client == NULL)
		return accept_one(door);
	if (client->out.len == 0)
		receive(door, client);
	else if (send_some(client) || (events & (EPOLLHUP | EPOLLERR)) != 0)
		drop(door, client);
	return true;
}

static int64_t
next_ms(void *ctx)
{
	const struct hold_door *door = ctx;
	int64_t next = door->again_ms;

	for (const struct client *client = door->clients; client != NULL;
	     client = client->next)
		if (client->deadline_ms >= 0 &&
		    (next < 0 || client->deadline_ms < next))
			next = client->deadline_ms;
	return next;
}

static void
turn(void *ctx)
{
	struct hold_door *door = ctx;
	int64_t now = app_mono_ms(door->app);
	struct epoll_event event;
	struct client *next;

	resume(door, now);
	/* One at a time: what is done for one may drop another.  And not for
	 * ever: without a descriptor a connection stays in line. */
	for (int rounds = ROUNDS; rounds > 0 && door->listener.fd >= 0 &&
	    epoll_wait(door->epoll, &event, 1, 0) == 1; rounds--)
		if (!ready(door, event.data.ptr, event.events))
			break;
	for (struct client *client = door->clients; client != NULL;
	     client = next) {
		next = client->next;
		if (client->deadline_ms >= 0 && client->deadline_ms <= now)
			drop(door, client);
	}
}

static bool
cancel(void *ctx, uint64_t token)
{
	(void)ctx;
	(void)token;
	return false;
}

struct hold_door *
hold_door_open(struct hold *hold, struct app *app, struct str *why)
{
	struct hold_door *door = calloc(1, sizeof *door);
	struct epoll_event event = { .events = EPOLLIN };

	if (door == NULL)
		fail_out_of_memory();
	*door = (struct hold_door){ .hold = hold, .app = app, .again_ms = -1,
		.epoll = epoll_create1(EPOLL_CLOEXEC) };
	/* Relative, which io_listen_open() takes for a path by its slash. */
	if (io_listen_open(&app->arena, STR("./" HOLDER_SOCKET), 0, 0,
	    &door->listener, why) != 0) {
		close(door->epoll);
		free(door);
		return NULL;
	}
	epoll_ctl(door->epoll, EPOLL_CTL_ADD, door->listener.fd, &event);
	io_world_attach(app->io, &(struct io_guest){ .ctx = door,
		.fd = door->epoll, .turn = turn, .next_ms = next_ms,
		.cancel = cancel });
	return door;
}

void
hold_door_close(struct hold_door *door)
{
	if (door == NULL)
		return;
	io_listen_close(&door->listener);
	while (door->clients != NULL)
		drop(door, door->clients);
	close(door->epoll);
	free(door);
}

struct str
hold_door_keys(const struct hold_door *door)
{
	return door->keys.len == 0 ? (struct str){0} :
	    (struct str){ door->keys.text, door->keys.len };
}
