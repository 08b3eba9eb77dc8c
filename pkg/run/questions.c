/* questions.c - see questions.h */
#include "run/questions.h"

#include "run/session_store.h"

static struct question *
nth(const struct question_kind *kind, void *asked, size_t i)
{
	return (struct question *)((char *)asked + i * kind->size);
}

void
question_send(struct session *session, struct question *question,
    const struct http_request *http)
{
	const struct world *world = session->config.world;

	question->token = session->next_token++;
	world->start_http(world->ctx, question->token, http);
}

void
question_again(struct session *session, struct question *question,
    int64_t wait_ms, int64_t retry_after_ms)
{
	if (retry_after_ms > wait_ms)
		wait_ms = retry_after_ms;
	question->not_before_ms = session_mono(session) + wait_ms;
}

/* Send what may be sent now; false: all are done. */
static bool
send_due(struct session *session, const struct question_kind *kind,
    void *asked, size_t n, int64_t *deadline)
{
	bool open = false;

	*deadline = -1;
	for (size_t i = 0; i < n; i++) {
		struct question *question = nth(kind, asked, i);
		if (question->done)
			continue;
		open = true;
		if (question->token != 0)
			continue;
		if (question->not_before_ms <= session_mono(session))
			kind->send(session, question);
		else if (*deadline == -1 ||
		    question->not_before_ms < *deadline)
			*deadline = question->not_before_ms;
	}
	return open;
}

static void
stop(struct session *session, const struct question_kind *kind, void *asked,
    size_t n)
{
	const struct world *world = session->config.world;

	for (size_t i = 0; i < n; i++) {
		struct question *question = nth(kind, asked, i);
		if (question->token != 0)
			world->cancel(world->ctx, question->token);
		if (!question->done)
			kind->interrupt(question);
	}
}

static void
take(struct session *session, const struct question_kind *kind, void *asked,
    size_t n, const struct world_event *event)
{
	for (size_t i = 0; event->token != 0 && i < n; i++) {
		struct question *question = nth(kind, asked, i);
		if (question->token != event->token)
			continue;
		question->token = 0;
		kind->take(session, question, &event->http);
		return;
	}
}

void
questions_ask(struct session *session, const struct question_kind *kind,
    void *asked, size_t n)
{
	int64_t deadline;

	while (send_due(session, kind, asked, n, &deadline)) {
		struct world_event event = {0};
		session_wait(session, session->arena, deadline, &event);
		if (event.type == WORLD_SIGNAL) {
			session_signal(session, event.signal);
			stop(session, kind, asked, n);
			return;
		}
		if (event.type == WORLD_HTTP)
			take(session, kind, asked, n, &event);
	}
}
