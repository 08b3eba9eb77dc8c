/* io_event.c - see io_event.h */
#include "io/io_event.h"

#include <stdlib.h>

struct io_event *
io_event_new(enum world_event_type type, uint64_t token)
{
	struct io_event *event = calloc(1, sizeof *event);
	if (event == NULL)
		fail_out_of_memory();
	event->event.type = type;
	event->event.token = token;
	return event;
}

void
io_event_free(struct io_event *event)
{
	if (event == NULL)
		return;
	strbuf_release(&event->body);
	strbuf_release(&event->reason);
	for (size_t i = 0; i < IO_HEADERS; i++)
		strbuf_release(&event->headers[i]);
	if (event->release != NULL)
		event->release(event->kept);
	free(event);
}

void
io_event_init(struct io_event_queue *queue)
{
	queue->first = NULL;
	queue->last = &queue->first;
}

void
io_event_release(struct io_event_queue *queue)
{
	while (queue->first != NULL) {
		struct io_event *event = queue->first;
		queue->first = event->next;
		io_event_free(event);
	}
	queue->last = &queue->first;
}

void
io_event_push(struct io_event_queue *queue, struct io_event *event)
{
	event->next = NULL;
	*queue->last = event;
	queue->last = &event->next;
}

/* Signals and suspends carry no token, so none of theirs is dropped. */
static bool
has_token(const struct io_event *event)
{
	switch (event->event.type) {
	case WORLD_HTTP:
	case WORLD_BANNER:
	case WORLD_SSH:
	case WORLD_HOLDER:
	case WORLD_FETCH:
		return true;
	default:
		return false;
	}
}

bool
io_event_drop(struct io_event_queue *queue, uint64_t token)
{
	struct io_event **at = &queue->first;
	while (*at != NULL) {
		struct io_event *event = *at;
		if (!has_token(event) || event->event.token != token) {
			at = &event->next;
			continue;
		}
		*at = event->next;
		if (*at == NULL)
			queue->last = at;
		io_event_free(event);
		return true;
	}
	return false;
}

/* Absent stays absent: a header that is empty is not one that is missing. */
static struct str
keep(struct arena *arena, const struct strbuf *text)
{
	return text->data == NULL ? (struct str){0} :
	    arena_str(arena, strbuf_str(text));
}

static void
keep_headers(struct arena *arena, const struct io_event *event,
    struct http_answer *http)
{
	const struct strbuf *headers = event->headers;

	http->retry_after = keep(arena, &headers[IO_RETRY_AFTER]);
	http->ratelimit = keep(arena, &headers[IO_RATELIMIT]);
	http->request_id = keep(arena, &headers[IO_REQUEST_ID]);
	http->date = keep(arena, &headers[IO_DATE]);
	http->location = keep(arena, &headers[IO_LOCATION]);
	http->link = keep(arena, &headers[IO_LINK]);
	http->etag = keep(arena, &headers[IO_ETAG]);
	http->token_ends = keep(arena, &headers[IO_TOKEN_ENDS]);
	http->scopes = keep(arena, &headers[IO_OWN_SCOPES]);
	http->permissions = keep(arena,
	    headers[IO_GITHUB_PERMISSIONS].data != NULL ?
	    &headers[IO_GITHUB_PERMISSIONS] : &headers[IO_OAUTH_SCOPES]);
	if (headers[IO_GITHUB_LEFT].data != NULL)
		http->github_limit = arena_printf(arena, STR_FMT "/" STR_FMT,
		    STR_ARG(strbuf_str(&headers[IO_GITHUB_LEFT])),
		    STR_ARG(strbuf_str(&headers[IO_GITHUB_RESET])));
}

bool
io_event_deliver(struct io_event_queue *queue, struct arena *arena,
    struct world_event *out)
{
	struct io_event *event = queue->first;
	if (event == NULL)
		return false;
	queue->first = event->next;
	if (queue->first == NULL)
		queue->last = &queue->first;

	*out = event->event;
	if (out->type == WORLD_HTTP) {
		struct http_answer *http = &out->http;
		http->reason = keep(arena, &event->reason);
		keep_headers(arena, event, http);
		http->body = strbuf_str(&event->body);
		arena_take(arena, event->body.data);
		event->body = (struct strbuf){0};
	} else if (out->type == WORLD_BANNER)
		out->banner_reason = keep(arena, &event->reason);
	else if (out->type == WORLD_FETCH)
		out->fetch_reason = keep(arena, &event->reason);
	if (event->copy != NULL)
		event->copy(event->kept, arena, out);
	io_event_free(event);
	return true;
}
